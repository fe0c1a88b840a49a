//! Actions in the Segments screen.

use super::{acting, clean, holders, permissions, save};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::layout::detail::detail_rows;
use crate::app::list;
use crate::app::overlay::{Choice, Overlay, Prompt, PromptKind};
use crate::app::state::State;
use crate::app::table::SortKey;
use crate::engine::{Feed, Request, ScanScope};
use crate::segment::field::Field::{
    self, Age, Change, Holders, Id, Key, Kind, LastPid, MadeBy, Mode, Name, Nattch, Owner, Resident, Size,
};

/// The orders of the table, most useful first.
const SORT_KEYS: [SortKey; 16] = [
    SortKey::Field(Id),
    SortKey::Changing,
    SortKey::Field(Size),
    SortKey::Field(Resident),
    SortKey::Field(Holders),
    SortKey::Field(Field::State),
    SortKey::Field(Age),
    SortKey::Field(Owner),
    SortKey::Field(MadeBy),
    SortKey::Field(Mode),
    SortKey::Field(Kind),
    SortKey::Field(Name),
    SortKey::Field(Key),
    SortKey::Field(Nattch),
    SortKey::Field(LastPid),
    SortKey::Field(Change),
];

pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    if state.detail.is_some() {
        if let Some(rows) = list::step(action, detail_rows(state).1) {
            return scroll_detail(state, rows);
        }
    } else if let Some(rows) = list::step(action, state.table_layout().table.height.into()) {
        return step(state, rows);
    }
    match action {
        Action::Inspect => open(state, effects),
        Action::Mark => mark(state),
        Action::MarkAll => mark_all(state),
        Action::ClearMarks => state.table.marks.clear(),
        Action::Filter => {
            // The prompt starts empty, and so does the filter.
            set_filter(state, "");
            state.overlay = Some(Overlay::Prompt(Prompt::new(PromptKind::Filter)));
        }
        Action::ClearFilter => {
            if state.table.filter_text.is_empty() {
                state.show_message(format!("No filter set ({}: quit)", state.key_of(Action::Quit)));
            }
            set_filter(state, "");
        }
        Action::SortBy => {
            state.overlay = Some(Overlay::Choice(Choice::sort(&SORT_KEYS, state.table.sort)));
        }
        Action::SortOrder => {
            if let Some(survey) = &state.survey {
                state.table.sort_by(state.table.sort, survey);
            }
        }
        Action::CopyId => copy_id(state, effects),
        Action::Holders => holders::open(state, effects),
        Action::Clean => clean::open(state),
        Action::Permissions => permissions::open(state, effects),
        Action::Save => save::open(state, effects),
        Action::New => state.overlay = Some(Overlay::New(Box::default())),
        Action::Lock | Action::Unlock | Action::Remove | Action::Undo => {
            acting::act(state, action, effects);
        }
        Action::Refresh => effects.extend([Request::Survey.into(), Request::Holders(ScanScope::All).into()]),
        Action::Longer => state.interval.longer(),
        Action::Shorter => state.interval.shorter(),
        Action::Detail => state.detail = if state.detail.is_some() { None } else { Some(0) },
        Action::Back => state.detail = None,
        _ => {}
    }
}

/// Moves the selection.
pub fn step(state: &mut State, rows: isize) {
    let Some(survey) = &state.survey else { return };
    let row = state.table.cursor.saturating_add_signed(rows);
    state.table.select(row, survey);
}

/// Scrolls the Detail screen.
pub fn scroll_detail(state: &mut State, by: isize) {
    let (rows, height) = detail_rows(state);
    let last = rows.saturating_sub(height);
    state.detail = state.detail.map(|top| top.min(last).saturating_add_signed(by).min(last));
}

/// Opens the selected segment. The screen changes once the engine has opened it.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(segment) = state.selected().cloned() {
        let id = state.next_subscription();
        effects.push(Request::Subscribe(id, Box::new(segment.clone()), Feed::Window).into());
        state.opening = Some((id, segment));
    }
}

fn mark(state: &mut State) {
    if let Some(id) = state.selected().map(|segment| segment.id.clone())
        && !state.table.marks.remove(&id)
    {
        state.table.marks.insert(id);
    }
    step(state, 1);
}

fn mark_all(state: &mut State) {
    let Some(survey) = &state.survey else { return };
    let ids = state.table.shown.iter().map(|&index| survey.segments[index].id.clone());
    state.table.marks.extend(ids);
    state.show_message(format!("{} marked", state.table.marks.len()));
}

pub fn set_filter(state: &mut State, line: &str) {
    if let Some(survey) = &state.survey {
        state.table.set_filter(line, survey);
    }
}

fn copy_id(state: &mut State, effects: &mut Vec<Effect>) {
    let ids: Vec<String> = if state.table.marks.is_empty() {
        state.selected().map(|segment| segment.id.to_string()).into_iter().collect()
    } else {
        state.table.marks.iter().map(ToString::to_string).collect()
    };
    state.show_message(match ids.as_slice() {
        [one] => format!("Copied {one}"),
        many => format!("Copied {} names", many.len()),
    });
    effects.push(Effect::Copy(ids.join("\n")));
}

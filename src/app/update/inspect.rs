//! Actions in the Inspect screen.

use super::{scope, tree, writers};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::inspect::{Inspect, InspectPane, PendingSearch, Subject};
use crate::app::layout::inspect::{WIDTHS, row_fits};
use crate::app::list;
use crate::app::overlay::{Choice, Chosen, Next, Overlay, Prompt, PromptKind};
use crate::app::sentence::name_of;
use crate::app::state::{RangesKey, State};
use crate::app::values;
use crate::decode::Type;
use crate::engine::{Request, Search, Target};
use crate::memory::Direction;
use crate::segment::Bytes;
use std::ops::Range;

/// Most terminals take no more.
const MAX_COPY: u64 = 64 << 10;

pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    if act_on_move(state, action) {
        cancel_search(state, effects);
        return;
    }
    match action {
        Action::Back if stop_search(state, effects) => {}
        Action::Back => leave(state, effects),
        Action::SearchText => prompt(state, PromptKind::Text),
        Action::SearchHex => prompt(state, PromptKind::Hex),
        Action::SearchValue => prompt(state, PromptKind::Value),
        Action::GoTo => prompt(state, PromptKind::Offset),
        Action::SetMark => state.overlay = Some(Overlay::MarkLetter { go: false }),
        Action::GoToMark => state.overlay = Some(Overlay::MarkLetter { go: true }),
        Action::CopyBytes => copy(state),
        Action::Freeze => freeze(state, effects),
        Action::Baseline => {
            let subscription = state.inspect.as_ref().map(|inspect| inspect.subscription);
            let requests = |id| [Request::SetBaseline(id).into(), Request::ReadOnce(id).into()];
            effects.extend(subscription.into_iter().flat_map(requests));
            state.show_message("Baseline set");
        }
        Action::Keep => keep(state),
        Action::Pin => pin(state, effects),
        Action::PlotArray => tree::plot_array(state, effects),
        Action::Writers => watch_writers(state),
        _ => {
            let size = state.size;
            let Some(inspect) = &mut state.inspect else { return };
            match action {
                Action::SearchNext => search(inspect, Direction::Forward, effects),
                Action::SearchPrevious => search(inspect, Direction::Backward, effects),
                Action::NextChange => change(inspect, Direction::Forward, effects),
                Action::PreviousChange => change(inspect, Direction::Backward, effects),
                Action::NextData => data(inspect, Direction::Forward, effects),
                Action::PreviousData => data(inspect, Direction::Backward, effects),
                Action::ByteOrder => byte_order(state),
                Action::Type => {
                    let current = match (inspect.shown_candidate(), &inspect.typed) {
                        (Some(index), _) => Chosen::Fitting(index),
                        (None, Some(typed)) if !typed.ty.is_leaf() => Chosen::OtherType,
                        (None, _) => Chosen::Type(inspect.shown_as),
                    };
                    let types = inspect.types.clone().unwrap_or_default();
                    let problems = state.typing.of(&inspect.segment).map(|types| types.problems.as_slice());
                    let choice = Choice::types(types, problems.unwrap_or_default(), current);
                    state.overlay = Some(Overlay::Choice(choice));
                }
                Action::Width => {
                    width(state);
                }
                Action::Fold => {
                    inspect.toggle_folds(size);
                    let folds = inspect.folds;
                    state.show_message(if folds { "Zeros and holes folded" } else { "All rows shown" });
                }
                Action::Longer => inspect.interval.longer(),
                Action::Shorter => inspect.interval.shorter(),
                Action::NextPane => {
                    inspect.pane = match inspect.pane {
                        InspectPane::Bytes => InspectPane::Values,
                        InspectPane::Values => InspectPane::Bytes,
                    };
                    inspect.pick(0);
                }
                Action::GoToValue if tree::toggle(inspect, size) => {}
                Action::GoToValue => {
                    if let Some(picked) = inspect.picked() {
                        inspect.pane = InspectPane::Bytes;
                        inspect.jump(picked.offset, size);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Moves the cursor, or scrolls the values if that pane is active. Returns true if the action was a
/// move.
fn act_on_move(state: &mut State, action: Action) -> bool {
    let size = state.size;
    let Some(inspect) = &mut state.inspect else { return false };
    let layout = inspect.layout(size);
    let rows = list::step(action, layout.rows.height.into());
    let row = u64::from(layout.row_bytes);
    let step = inspect.step().cast_signed();
    let row_start = inspect.cursor / row * row;
    let values = inspect.pane == InspectPane::Values && layout.panel.is_some();
    match action {
        _ if values && tree::act(inspect, action, size) => {}
        _ if values && rows.is_some_and(|rows| is_line(action) && inspect.pick(rows)) => {}
        _ if values && rows.is_some() => {
            let top = inspect.values_top.saturating_add_signed(rows.unwrap_or(0));
            inspect.values_top = top.min(values::COUNT - 1);
        }
        Action::First => inspect.go_to(0, size),
        Action::Last => inspect.go_to(u64::MAX, size),
        Action::Left => inspect.move_by(-step, size),
        Action::Right => inspect.move_by(step, size),
        Action::RowStart => inspect.go_to(row_start, size),
        Action::RowEnd => inspect.go_to(row_start + row - 1, size),
        _ => match rows {
            Some(by @ (-1 | 1)) => inspect.move_lines(by, size),
            Some(by) => inspect.page_by(by, size),
            None => return false,
        },
    }
    true
}

/// Returns true for moves that select a value in the panel. Pages scroll the values at the cursor.
const fn is_line(action: Action) -> bool {
    matches!(action, Action::Up | Action::Down | Action::First | Action::Last)
}

/// Stops a search in progress, or one that keys wait for.
fn stop_search(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let pending = state.inspect.as_ref().and_then(|inspect| inspect.pending.as_ref());
    let waited_for = !std::mem::take(&mut state.typed_ahead).is_empty();
    if !pending.is_some_and(|pending| waited_for || pending.progress.is_some()) {
        return false;
    }
    cancel_search(state, effects);
    state.show_message("Search stopped");
    true
}

/// Cancels a search, so that a late result does not move the cursor.
pub fn cancel_search(state: &mut State, effects: &mut Vec<Effect>) {
    if state.inspect.as_mut().and_then(|inspect| inspect.pending.take()).is_some() {
        effects.push(Request::StopSearch.into());
    }
}

fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    cancel_search(state, effects);
    let Some(inspect) = state.inspect.take() else { return };
    // Closing the last subscription detaches the segment, unless it stays attached.
    let ranges = [state.requested.pins.take(), state.requested.fields.take()];
    for RangesKey { subscription, .. } in ranges.into_iter().flatten() {
        effects.push(Request::Unsubscribe { subscription, keep: false }.into());
    }
    effects.push(Request::Unsubscribe { subscription: inspect.subscription, keep: inspect.keep }.into());
    if inspect.keep {
        state.kept.insert(inspect.id().clone(), inspect.segment.identity());
        let detach = state.key_of(Action::Detach);
        state.show_message(format!("Still attached to {} ({detach}: detach)", name_of(inspect.id())));
        // Survey at once, so that the table shows the attachment.
        effects.push(Request::Survey.into());
    } else {
        state.kept.remove(inspect.id());
    }
    state.visits.leave(inspect);
}

fn prompt(state: &mut State, kind: PromptKind) {
    state.overlay = Some(Overlay::Prompt(Prompt::new(kind)));
}

fn freeze(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(inspect) = &mut state.inspect else { return };
    inspect.freeze();
    let subscription = inspect.subscription;
    if inspect.frozen.is_some() {
        state.show_message(format!("Frozen ({}: resume)", state.key_of(Action::Freeze)));
    } else {
        effects.push(Request::ReadOnce(subscription).into());
    }
}

fn keep(state: &mut State) {
    let Some(inspect) = &mut state.inspect else { return };
    inspect.keep = !inspect.keep;
    let text = if inspect.keep {
        format!("Stays attached when you leave ({}: detach)", state.key_of(Action::Keep))
    } else {
        "Detaches when you leave".to_owned()
    };
    state.show_message(text);
}

/// Pins or unpins the selected value, or the one under the cursor.
fn pin(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(inspect) = &mut state.inspect else { return };
    if inspect.selected_field().is_some() {
        tree::pin(state, effects);
        return;
    }
    let Some((offset, scalar, order)) = inspect.number() else {
        state.fail("Only a number can be pinned");
        return;
    };
    let pinned = inspect.pins.toggle(offset, scalar, order);
    let channel = scope::channel(&inspect.segment, None, (offset, &Type::scalar(scalar, order), None));
    if let Some(is_pinned) = pinned {
        scope::pinned(state, is_pinned, channel);
    }
    let key = state.key_of(Action::Pin);
    match pinned {
        Some(true) => state.show_message(format!("Pinned {} at {offset:#x} ({key}: unpin)", scalar.word())),
        Some(false) => state.show_message("Unpinned"),
        None => state.fail(format!("Too many pinned values ({key}: unpin one)")),
    }
}

/// Shows who writes to the selected value, or to the one under the cursor.
fn watch_writers(state: &mut State) {
    let Some(inspect) = &state.inspect else { return };
    let (segment, range) = (inspect.segment.clone(), inspect.value_range());
    writers::open(state, &segment, range);
}

/// Changes the byte order of the values. The fields of a type have their own.
fn byte_order(state: &mut State) {
    let Some(inspect) = &mut state.inspect else { return };
    if inspect.tree.is_some() && inspect.shown_as.is_none() {
        let key = state.key_of(Action::Type);
        state.fail(format!("The fields have the byte order of their type ({key}: another type)"));
    } else {
        inspect.order = inspect.order.flip();
    }
}

/// Cycles through the widths that fit: auto, 8, 16, 24 and 32 bytes per row.
fn width(state: &mut State) {
    let size = state.size;
    let Some(inspect) = &mut state.inspect else { return };
    inspect.row_bytes = match inspect.row_bytes {
        None => Some(WIDTHS[0]),
        Some(bytes) => {
            WIDTHS.into_iter().find(|&wider| wider > bytes && row_fits(size, inspect.row_options(), wider))
        }
    };
    // The cursor's row now starts at a different offset.
    inspect.scroll_to_cursor(size);
    let text = inspect
        .row_bytes
        .map_or_else(|| "Bytes per row: auto".to_owned(), |bytes| format!("Bytes per row: {bytes}"));
    state.show_message(text);
}

fn copy(state: &mut State) {
    let size = state.size;
    let Some(inspect) = &state.inspect else { return };
    let field = tree::copied(inspect);
    if let Some(row) = inspect.focused_field() {
        let title = format!("Copy {} as", inspect.field_name(&row));
        state.overlay = Some(Overlay::Choice(Choice::copy_field(title, field)));
        return;
    }
    let range = inspect.copy_range(size);
    let length = range.end.saturating_sub(range.start);
    if length > MAX_COPY {
        let (length, most) = (Bytes(length), Bytes(MAX_COPY));
        state.fail(format!("The range from the last mark has {length}; at most {most} can be copied"));
        return;
    }
    let range = inspect.known(&range);
    if range.is_empty() {
        state.fail("No bytes to copy here");
        return;
    }
    let length = range.end - range.start;
    let title = format!("Copy {length} bytes from {:#x} as", range.start);
    let entries = inspect.values();
    let own = entries.into_iter().take(values::OWN).filter(|entry| !entry.is_text());
    let values = own.filter_map(|entry| Some((entry.label, entry.text?))).collect();
    state.overlay = Some(Overlay::Choice(Choice::copy(title, values, field)));
}

/// Goes to the next changed value other than the one under the cursor.
fn change(inspect: &mut Inspect, direction: Direction, effects: &mut Vec<Effect>) {
    let value = inspect.value_at_cursor();
    let skipped = value.start..inspect.cursor + 1;
    let differs = |range: &Range<u64>| range.start < skipped.end && skipped.start < range.end;
    let from = match direction {
        Direction::Backward => value.start,
        Direction::Forward if inspect.view.differs.iter().any(differs) => value.end,
        Direction::Forward => inspect.cursor + 1,
    };
    let target = Target::Change { value: inspect.value_size() };
    find_from(inspect, from, direction, target, Subject::Changes, effects);
}

/// Repeats the last search.
pub fn search(inspect: &mut Inspect, direction: Direction, effects: &mut Vec<Effect>) {
    let Some(search) = inspect.search.clone() else { return };
    let target = Target::Pattern(Box::new(search.pattern));
    find(inspect, direction, target, Subject::Pattern(search.text), effects);
}

fn data(inspect: &mut Inspect, direction: Direction, effects: &mut Vec<Effect>) {
    // Structs contain short runs of zeros: only two rows of zeros count as a gap.
    find(inspect, direction, Target::Data { gap: 32 }, Subject::Data, effects);
}

fn find(
    inspect: &mut Inspect,
    direction: Direction,
    target: Target,
    subject: Subject,
    effects: &mut Vec<Effect>,
) {
    // The byte under the cursor is the previous match.
    let skip = direction == Direction::Forward && !matches!(target, Target::Data { .. });
    find_from(inspect, inspect.cursor + u64::from(skip), direction, target, subject, effects);
}

fn find_from(
    inspect: &mut Inspect,
    from: u64,
    direction: Direction,
    target: Target,
    subject: Subject,
    effects: &mut Vec<Effect>,
) {
    let number = inspect.next_request();
    inspect.pending =
        Some(PendingSearch { number, since: inspect.now, subject, progress: None, any_change: false });
    let search = Search { number, from, direction, target };
    effects.push(Request::Search(inspect.subscription, search).into());
}

/// Sets a mark or goes to it.
pub fn mark(state: &mut State, go: bool, letter: Option<char>, effects: &mut Vec<Effect>) -> Next {
    let size = state.size;
    cancel_search(state, effects);
    let Some(inspect) = &mut state.inspect else { return Next::Close };
    let Some(letter) = letter.filter(|c| c.is_alphanumeric()) else {
        state.fail("A mark must be a letter or digit");
        return Next::Close;
    };
    if !go {
        inspect.marks.insert(letter, inspect.cursor);
        inspect.last_mark = Some(letter);
        let offset = inspect.cursor;
        let (go, copy) = (state.key_of(Action::GoToMark), state.key_of(Action::CopyBytes));
        state.show_message(format!(
            "Marked {offset:#x} as {letter} ({go}{letter}: go there, {copy}: copy from there)"
        ));
    } else if let Some(&offset) = inspect.marks.get(&letter) {
        inspect.jump(offset, size);
    } else {
        let known: Vec<String> = inspect.marks.keys().map(ToString::to_string).collect();
        state.fail(format!("No mark {letter}; marks: {}", known.join(" ")));
    }
    Next::Close
}

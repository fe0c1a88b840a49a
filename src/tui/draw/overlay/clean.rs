//! The list of leaked segments, with evidence and selection.

use super::list::{Entries, NO_ENTRY, Panel};
use crate::app;
use crate::app::clean::{Clean, LeakItem};
use crate::app::overlay::Overlay;
use crate::app::sentence::name_of;
use crate::segment::{Segment, State, Timestamp, age_text};
use crate::survey::Survey;
use crate::tui::canvas::{Canvas, cells};

pub fn draw(state: &app::State, overlay: &Overlay, clean: &Clean, canvas: &mut Canvas<'_>) {
    let Some(survey) = &state.survey else { return };
    let theme = canvas.theme;
    let mut entries = Entries::of(state);
    for (index, item) in clean.items.iter().enumerate() {
        let [name, state, rest] = heading(item, survey.at, canvas, entries.width);
        let (state_at, rest_at) = (1 + cells(&name), 1 + cells(&name) + cells(&state));
        let style = theme.state(item.segment.verdict.state);
        entries
            .row(index, vec![(1, name, theme.strong), (state_at, state, style), (rest_at, rest, theme.text)]);
        for (step, text) in item.segment.verdict.reasons.iter().enumerate() {
            entries.add(canvas, index, 4, text, if step == 0 { theme.text } else { theme.dim });
        }
    }
    if clean.items.is_empty() {
        entries.add(canvas, NO_ENTRY, 0, &empty_text(state, survey), theme.text);
    }
    if clean.filtered > 0 {
        let text = format!("{} more hidden by the filter", clean.filtered);
        entries.add(canvas, NO_ENTRY, 0, &text, theme.dim);
    }
    let panel = Panel::new(clean.title(), entries, clean.list.selected);
    Panel { status: Some(clean.sum()), ..panel }.draw(state, overlay, canvas);
}

/// Explains why there is nothing to clean up.
fn empty_text(state: &app::State, survey: &Survey) -> String {
    if survey.coverage.is_none() {
        "Holders not checked yet.".to_owned()
    } else if state.table.filter_text.is_empty() {
        let count = |condition: fn(&Segment) -> bool| {
            survey.segments.iter().filter(|segment| condition(segment)).count()
        };
        let unknown = match count(|segment| segment.verdict.state == State::Unknown) {
            0 => None,
            1 => Some("1 segment may still be in use".to_owned()),
            many => Some(format!("{many} segments may still be in use")),
        };
        let recent = match count(|segment| segment.verdict.leaked_in.is_some()) {
            0 => None,
            1 => Some("1 segment without holders was used recently".to_owned()),
            many => Some(format!("{many} segments without holders were used recently")),
        };
        let hidden: Vec<String> = [unknown, recent].into_iter().flatten().collect();
        if hidden.is_empty() {
            "Nothing is leaked.".to_owned()
        } else {
            format!("No leaks found; {}.", hidden.join("; "))
        }
    } else {
        let filter = crate::segment::escape(state.table.filter_text.as_bytes());
        format!("No leaked segments match \"{filter}\".")
    }
}

/// Returns the parts of a heading: the checkbox and sizes, the state, and the owner with the age.
fn heading(item: &LeakItem, now: Timestamp, canvas: &Canvas<'_>, width: u16) -> [String; 3] {
    let segment = &item.segment;
    let tick = if item.checked { "[x]" } else { "[ ]" };
    let verdict = segment.verdict.state;
    let age = segment.age(now).map_or_else(String::new, |age| format!("  {} old", age_text(age)));
    let size = format!("  {}, {} resident  ", segment.size, item.frees());
    let state = format!("{} {}", canvas.theme.glyphs.state(verdict), verdict.label());
    let rest = format!("  {}{age}", segment.owner.user_text());
    let fixed = cells(&size) + cells(&state) + cells(&rest) + cells(tick);
    let name = canvas.fit(&name_of(&segment.id), width.saturating_sub(fixed + 3).max(8));
    [format!("{tick} {name}{size}"), state, rest]
}

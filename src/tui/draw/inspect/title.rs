//! The title of Inspect: name, size, access method, refresh rate.

use crate::app::State;
use crate::app::inspect::{Inspect, Status};
use crate::app::layout::Area;
use crate::app::sentence::name_of;
use crate::machine::Trace;
use crate::memory::Presence;
use crate::segment::Bytes;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

const GAP: u16 = 3;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let name = name_of(open.id());
    let left_least = cells(&name).min(24) + 12;
    let mut edge = area.right().saturating_sub(1);
    for (text, style) in
        fitting(right_parts(state, open, canvas), edge.saturating_sub(left_least)).iter().rev()
    {
        let width = cells(text);
        canvas.text_right(edge, area.y, width, text, *style);
        edge -= width + GAP;
    }
    let size = Bytes(open.size()).to_string();
    let available = edge.saturating_sub(cells(&size) + GAP + 1);
    let name = canvas.fit(&name, available);
    let x = canvas.text(1, area.y, available, &name, theme.strong);
    let x = canvas.text(x + GAP, area.y, edge, &size, theme.text);
    let keep = if open.keep { "stays attached" } else { "" };
    if x + GAP + cells(keep) < edge {
        canvas.text(x + GAP, area.y, edge, keep, theme.attached);
    }
}

/// A part of the title, with its priority (0 is highest).
type TitlePart = (u8, String, Style);

/// Drops the items with the lowest priority until the rest fits.
fn fitting(mut parts: Vec<TitlePart>, available: u16) -> Vec<(String, Style)> {
    while parts.iter().map(|(_, text, _)| cells(text) + GAP).sum::<u16>() > available {
        let Some(least) = (0..parts.len()).max_by_key(|&at| parts[at].0) else { break };
        parts.remove(least);
    }
    parts.into_iter().map(|(_, text, style)| (text, style)).collect()
}

fn right_parts(state: &State, open: &Inspect, canvas: &Canvas<'_>) -> Vec<TitlePart> {
    let theme = canvas.theme;
    let [live, still] = theme.glyphs.live;
    let style = match open.method.trace() {
        Trace::None => theme.dim,
        Trace::AccessTime => theme.removed,
        Trace::Attached => theme.attached,
    };
    let mut parts = vec![(2, open.method.text(), style)];
    if open.frozen.is_some() {
        parts.push((1, format!("{still} frozen"), theme.accent));
    } else if open.interval.duration().is_none() {
        parts.push((1, format!("{still} paused"), theme.accent));
    } else {
        parts.push((1, format!("{live} {}", open.interval.rate_text()), theme.in_use));
        parts.push((3, format!("{} changes/s", open.rate.per_second(state.now)), theme.text));
    }
    match (&open.status, open.presence) {
        (Status::Failed(_), _) => {
            parts.push((0, "unreadable: last contents shown".to_owned(), theme.failed));
        }
        (_, Presence::Removed { .. }) if open.is_last(state.survey.as_ref()) => {
            parts.push((0, "removed: freed when you leave".to_owned(), theme.removed));
        }
        (_, Presence::Removed { .. }) => {
            parts.push((0, "removed: kept alive by holders".to_owned(), theme.removed));
        }
        (_, Presence::Replaced { .. }) => {
            parts.push((0, "removed: name reused by another object".to_owned(), theme.removed));
        }
        _ => {}
    }
    parts
}

//! The title of Inspect: name, size, holders, access method, refresh rate, change rate, hits.

use super::super::segments::{flow, rate_text};
use super::super::sparkline::rates;
use crate::app::State;
use crate::app::inspect::{Inspect, Status, hits_text};
use crate::app::layout::Area;
use crate::app::sentence::name_of;
use crate::machine::Trace;
use crate::memory::Presence;
use crate::segment::Bytes;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

const GAP: u16 = 3;
/// The width that the holders need.
const FLOW: u16 = 12;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let name = name_of(open.id());
    let size = Bytes(open.size()).to_string();
    let held = open.segment.holder_count() != Some(0);
    let left_least = cells(&name).min(24) + cells(&size) + 5 + if held { FLOW + 2 } else { 0 };
    let mut edge = area.right().saturating_sub(1);
    for (text, style) in
        fitting(right_parts(state, open, canvas), edge.saturating_sub(left_least)).iter().rev()
    {
        let width = cells(text);
        canvas.text_right(edge, area.y, width, text, *style);
        edge -= width + GAP;
    }
    let available = edge.saturating_sub(cells(&size) + 3);
    let name = canvas.fit(&name, available);
    let x = canvas.text(1, area.y, available, &name, theme.strong);
    let mut x = canvas.text(x + 2, area.y, edge, &size, theme.text) + 2;
    if open.keep && x + 14 < edge {
        x = canvas.text(x, area.y, edge, "stays attached", theme.attached) + 2;
    }
    let room = edge.saturating_sub(x);
    if room >= FLOW && held {
        let holders = flow(&open.segment, canvas, room);
        canvas.text(x, area.y, room, &holders, theme.text);
    }
}

/// A part of the title, with its priority (0 is highest).
type TitlePart = (u8, String, Style);

/// Drops the details in parentheses, then the items with the lowest priority, until the rest fits.
fn fitting(mut parts: Vec<TitlePart>, available: u16) -> Vec<(String, Style)> {
    let too_wide =
        |parts: &[TitlePart]| parts.iter().map(|(_, text, _)| cells(text) + GAP).sum::<u16>() > available;
    if too_wide(&parts) {
        for (_, text, _) in &mut parts {
            text.truncate(text.find(" (").unwrap_or(text.len()));
        }
    }
    while too_wide(&parts) {
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
    let mut parts = vec![(3, open.method.text(), style)];
    if open.frozen.is_some() {
        parts.push((1, format!("{still} frozen"), theme.accent));
    } else if open.interval.duration().is_none() {
        parts.push((1, format!("{still} paused"), theme.accent));
    } else {
        parts.push((1, format!("{live} {}", open.interval.rate_text()), theme.in_use));
        let (rate, bars) = (open.rate.per_second(state.now), open.rate.bars(state.now));
        let style = if rate > 0 { theme.in_use } else { theme.dim };
        parts.push((4, rate_text(rate), theme.text));
        parts.push((5, rates(bars.into_iter(), &theme.glyphs), style));
    }
    if let Some(hits) = open.search.as_ref().and_then(|search| search.hits.as_ref()) {
        parts.push((2, hits_text(hits, open.cursor), theme.accent));
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

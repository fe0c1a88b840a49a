//! The title of Inspect: name, size, holders, access method, refresh rate, change rate, hits.

use super::super::behind::behind;
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
/// The widths to which the name is cut: to make room for all parts, or only for those that must stay.
const NAME: [u16; 2] = [24, 6];
/// Parts up to this priority stay on narrow terminals.
const MUST: u8 = 1;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let name = name_of(open.id());
    let size = Bytes(open.size()).to_string();
    let held = open.segment.holder_count() != Some(0);
    let mut edge = area.right().saturating_sub(1);
    let [roomy, tight] = NAME.map(|width| edge.saturating_sub(cells(&name).min(width) + cells(&size) + 5));
    let roomy = roomy.saturating_sub(if held { FLOW + 2 } else { 0 });
    let parts = fitting(right_parts(state, open, canvas), roomy, tight);
    for (_, text, style) in parts.iter().rev() {
        let width = cells(text);
        canvas.text_right(edge, area.y, width, text, *style);
        edge = edge.saturating_sub(width + GAP);
    }
    let available = edge.saturating_sub(cells(&size) + 3);
    let name = canvas.fit(&name, available);
    let x = canvas.text(1, area.y, available, &name, theme.strong);
    let x = canvas.text(x + 2, area.y, edge, &size, theme.text) + 2;
    let room = edge.saturating_sub(x);
    if room >= FLOW && held {
        let holders = flow(&open.segment, canvas, room);
        canvas.text(x, area.y, room, &holders, theme.text);
    }
}

/// A part of the title, with its priority (0 is highest).
type TitlePart = (u8, String, Style);

/// Drops details in parentheses, then the parts with the lowest priority, until the rest fits into `roomy`
/// cells. Parts that must stay are only shortened or dropped where they do not fit into `tight` cells.
fn fitting(mut parts: Vec<TitlePart>, roomy: u16, tight: u16) -> Vec<TitlePart> {
    let width = |parts: &[TitlePart]| parts.iter().map(|(_, text, _)| cells(text) + GAP).sum::<u16>();
    let shorten = |parts: &mut [TitlePart], detail: &str| {
        for (_, text, _) in parts {
            text.truncate(text.find(detail).unwrap_or(text.len()));
        }
    };
    if width(&parts) > roomy {
        shorten(&mut parts, " (");
    }
    while let Some(least) = (0..parts.len()).max_by_key(|&at| parts[at].0) {
        let must = parts[least].0 <= MUST;
        if width(&parts) <= if must { tight } else { roomy } {
            break;
        }
        if must && parts.iter().any(|(_, text, _)| text.contains(": ")) {
            shorten(&mut parts, ": ");
        } else {
            parts.remove(least);
        }
    }
    parts
}

fn right_parts(state: &State, open: &Inspect, canvas: &Canvas<'_>) -> Vec<TitlePart> {
    let theme = canvas.theme;
    let [live, still] = theme.glyphs.live;
    let attached = theme.glyphs.attached;
    let (method, trace) = (open.method.text(), open.method.trace());
    let mut parts: Vec<TitlePart> = vec![];
    parts.extend(behind(state, theme).map(|(text, style)| (1, text, style)));
    match (trace, open.keep) {
        (Trace::Attached, true) => parts.push((1, format!("{attached} stays {method}"), theme.attached)),
        (Trace::Attached, false) => parts.push((1, format!("{attached} {method}"), theme.attached)),
        (_, true) => parts.push((1, format!("{attached} stays attached"), theme.attached)),
        (_, false) => {}
    }
    match trace {
        Trace::None => parts.push((4, method, theme.dim)),
        Trace::AccessTime => parts.push((1, method, theme.removed)),
        Trace::Attached => {}
    }
    if open.frozen.is_some() {
        parts.push((2, format!("{still} frozen"), theme.accent));
    } else if open.interval.duration().is_none() {
        parts.push((2, format!("{still} paused"), theme.accent));
    } else {
        parts.push((2, format!("{live} {}", open.interval.rate_text()), theme.in_use));
        let (rate, bars) = (open.rate.per_second(state.now), open.rate.bars(state.now));
        let style = if rate > 0 { theme.in_use } else { theme.dim };
        parts.push((5, rate_text(rate), theme.text));
        parts.push((6, rates(bars.into_iter(), &theme.glyphs), style));
    }
    if let Some(hits) = open.search.as_ref().and_then(|search| search.hits.as_ref()) {
        parts.push((3, hits_text(hits, open.cursor), theme.accent));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(roomy: u16, tight: u16) -> Vec<String> {
        let part = |priority, text: &str| (priority, text.to_owned(), Style::new());
        let parts = vec![part(1, "attached: nattch +1"), part(2, "live 10/s"), part(5, "2.5K/s")];
        fitting(parts, roomy, tight).into_iter().map(|(_, text, _)| text).collect()
    }

    #[test]
    fn attachment_is_the_last_part_to_go() {
        assert_eq!(fit(99, 99), ["attached: nattch +1", "live 10/s", "2.5K/s"]);
        assert_eq!(fit(42, 50), ["attached: nattch +1", "live 10/s", "2.5K/s"][..2]);
        assert_eq!(fit(5, 22), ["attached: nattch +1"]);
        assert_eq!((fit(5, 11), fit(0, 10)), (vec!["attached".to_owned()], vec![]));
    }
}

//! The line at the top of Inspect: what, how large, how it is read, how live.

use crate::app::State;
use crate::app::inspect::{Inspect, Status};
use crate::app::layout::Area;
use crate::machine::Trace;
use crate::memory::Standing;
use crate::segment::Bytes;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

const GAP: u16 = 3;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let right = right_parts(state, open, canvas);
    // From the right end: what is live, the rate, how it is read. The least
    // needed goes first where there is no room, the name shrinks last.
    let name = open.id().to_string();
    let left_least = cells(&name).min(24) + 12;
    let mut edge = area.right().saturating_sub(1);
    for (text, style) in &right {
        let width = cells(text);
        if edge < left_least + width + GAP {
            continue;
        }
        canvas.text_right(edge, area.y, width, text, *style);
        edge -= width + GAP;
    }
    let size = Bytes(open.size()).to_string();
    let room = edge.saturating_sub(cells(&size) + GAP + 1);
    let name = canvas.fit(&name, room);
    let x = canvas.text(1, area.y, room, &name, theme.strong);
    let x = canvas.text(x + GAP, area.y, edge, &size, theme.text);
    let keep = if open.keep { "stays attached" } else { "" };
    if x + GAP + cells(keep) < edge {
        canvas.text(x + GAP, area.y, edge, keep, theme.attached);
    }
}

/// The parts at the right, the most needed first.
fn right_parts(state: &State, open: &Inspect, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    let glyphs = theme.glyphs;
    let mut parts = vec![];
    match (&open.status, open.standing) {
        (Status::Failed(_), _) => {
            parts.push(("cannot be read any more: last picture".to_owned(), theme.failed));
        }
        (_, Standing::Removed { .. }) => {
            parts.push(("removed: lives while it is held".to_owned(), theme.removed));
        }
        (_, Standing::Replaced { .. }) => {
            parts.push(("removed: another has its name now".to_owned(), theme.removed));
        }
        _ => {}
    }
    if open.frozen.is_some() {
        parts.push((format!("{} frozen", glyphs.live[1]), theme.accent));
    } else if open.interval.duration().is_none() {
        parts.push((format!("{} paused", glyphs.live[1]), theme.accent));
    } else {
        parts.push((format!("{} {}", glyphs.live[0], open.interval.rate_text()), theme.in_use));
        parts.push((format!("{} changes/s", open.rate.per_second(state.now)), theme.text));
    }
    parts.push(match open.trace {
        Trace::None => ("no trace left".to_owned(), theme.dim),
        Trace::AccessTime => ("moves the access time".to_owned(), theme.removed),
        Trace::Attached => ("attached: nattch +1".to_owned(), theme.attached),
    });
    parts
}

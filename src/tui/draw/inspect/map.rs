//! The map at the right edge: the whole segment in a single column, with a bracket beside the
//! visible part.

use crate::app::State;
use crate::app::inspect::{Glow, Inspect};
use crate::app::layout::Area;
use crate::app::layout::inspect::InspectLayout;
use crate::memory::{CellKind, Snapshot};
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>, layout: &InspectLayout) {
    let theme = canvas.theme;
    let Area { x, y, width, height } = layout.map;
    if width == 0 {
        return;
    }
    let cells = open.map.len().min(usize::from(height));
    let view = open.top..open.top.saturating_add(layout.page());
    let in_view = |cell: usize| {
        let span = Snapshot::cell_span(open.size(), open.map.len(), cell);
        // In a large segment a map cell covers more than the view.
        span.start < view.end && view.start < span.end
    };
    let first = (0..cells).find(|&cell| in_view(cell));
    let last = (0..cells).rev().find(|&cell| in_view(cell));
    for (row, (cell, since)) in (y..y + height).zip(&open.map) {
        let at = usize::from(row - y);
        let [unknown, hole, zeros, data] = theme.glyphs.map;
        let (sign, style) = match cell.kind {
            CellKind::Unknown => (unknown, theme.dim),
            CellKind::Hole => (hole, theme.dim),
            CellKind::Zeros => (zeros, theme.dim),
            CellKind::Data => (data, theme.text),
        };
        let glow = since.and_then(|since| faded(state.now.saturating_sub(since)));
        let style = match glow.map(|faded| theme.glow(faded)) {
            Some(glow) if glow != Style::default() && open.frozen.is_none() => Style::reset().patch(glow),
            _ => style,
        };
        canvas.text(x + 1, row, 1, sign, style);
        if first.is_some_and(|first| first <= at) && last.is_some_and(|last| at <= last) {
            let [top, middle, bottom, alone] = theme.glyphs.bracket;
            let sign = match (Some(at) == first, Some(at) == last) {
                (true, true) => alone,
                (true, false) => top,
                (false, true) => bottom,
                (false, false) => middle,
            };
            canvas.text(x, row, 1, sign, theme.accent);
        }
    }
}

fn faded(age: std::time::Duration) -> Option<f32> {
    let share = age.as_secs_f32() / Glow::DURATION.as_secs_f32();
    (share < 1.0).then_some(share)
}

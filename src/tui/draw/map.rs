//! The map of a segment: a line of cells from its first byte to its last.

use crate::app::inspect::Glow;
use crate::app::layout::Area;
use crate::app::segment_map::SegmentMap;
use crate::engine::Clock;
use crate::memory::{CellKind, Snapshot};
use crate::segment::Bytes;
use crate::tui::canvas::Canvas;
use crate::tui::theme::Theme;
use ratatui::style::Style;
use std::ops::Range;

/// Draws a line of cells between the first offset and the size.
pub fn line(map: &SegmentMap, size: u64, view: &Range<u64>, now: Clock, canvas: &mut Canvas<'_>, area: Area) {
    let dim = canvas.theme.dim;
    let x = canvas.text(area.x, area.y, 6, "map 0 ", dim);
    cells(map, size, view, now, canvas, (x, area.y));
    let (figure, unit) = Bytes(size).human();
    let unit = if unit == "B" { "" } else { &unit[..1] };
    canvas.text_right(area.right(), area.y, 7, &format!(" {figure}{unit}"), dim);
}

/// Draws the cells from (`x`, `y`) on. Cells that overlap `view` are bright.
pub fn cells(
    map: &SegmentMap,
    size: u64,
    view: &Range<u64>,
    now: Clock,
    canvas: &mut Canvas<'_>,
    (x, y): (u16, u16),
) {
    let theme = canvas.theme;
    let [unknown, hole, zeros, data, bright] = theme.glyphs.map;
    let span_of = |index: usize| Snapshot::cell_span(size, map.cells.len(), index);
    for (column, index) in (x..).zip(0..map.cells.len()) {
        // In a small segment, several cells share a byte, and only the last of them has it.
        let Some(index) = (index..map.cells.len()).find(|&index| !span_of(index).is_empty()) else { break };
        let (cell, since) = map.cells[index];
        let span = span_of(index);
        // In a large segment the view is smaller than a cell.
        let in_view = span.start < view.end && view.start < span.end.max(span.start + 1);
        let sign = match cell.kind {
            CellKind::Unknown => unknown,
            CellKind::Hole => hole,
            CellKind::Zeros => zeros,
            CellKind::Data if in_view => bright,
            CellKind::Data => data,
        };
        let style = if in_view { theme.accent } else { theme.faint };
        let faded = since.map(|since| now.saturating_sub(since).as_secs_f32() / Glow::DURATION.as_secs_f32());
        let style = match faded.filter(|faded| *faded < 1.0).map(|faded| theme.glow(faded)) {
            // The background of a full block would be invisible.
            Some(glow) if glow != Style::default() => Theme::changed_cell(glow),
            _ => style,
        };
        canvas.text(column, y, 1, sign, style);
    }
}

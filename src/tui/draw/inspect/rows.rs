//! The rows of bytes: offset, hex (or values), text.

use super::{byte_symbol, over};
use crate::app::State;
use crate::app::inspect::{Fold, Inspect, InspectPane, Line};
use crate::app::layout::Area;
use crate::app::layout::inspect::{InspectLayout, value_width};
use crate::decode::Scalar;
use crate::memory::Quiet;
use crate::segment::Bytes;
use crate::tui::canvas::Canvas;
use ratatui::style::{Modifier, Style};
use std::ops::Range;

pub fn draw(state: &State, open: &Inspect, lines: &[Line], canvas: &mut Canvas<'_>, layout: &InspectLayout) {
    headings(open, canvas, layout);
    for (y, line) in (layout.rows.y..layout.rows.bottom()).zip(lines) {
        let Line::Row(offset) = *line else {
            folded(open, line, canvas, layout, y);
            continue;
        };
        let has_cursor = (offset..offset + u64::from(layout.row_bytes)).contains(&open.cursor);
        let style = if has_cursor { canvas.theme.text } else { canvas.theme.dim };
        canvas.text(layout.rows.x, y, layout.rows.width, &layout.offsets.text(offset), style);
        match open.shown_as {
            None => hex(state, open, canvas, layout, y, offset),
            Some(scalar) => values(state, open, canvas, layout, y, offset, scalar),
        }
    }
}

/// Draws a line in place of rows.
fn folded(open: &Inspect, line: &Line, canvas: &mut Canvas<'_>, layout: &InspectLayout, y: u16) {
    let theme = canvas.theme;
    let Area { x, width, .. } = layout.rows;
    let text = match line {
        Line::Fold(Fold { range, quiet }) => {
            let kind = match quiet {
                Quiet::Zeros => "zeros",
                Quiet::Hole => "hole",
            };
            let end = layout.offsets.text(range.end.min(open.size()).saturating_sub(1));
            format!("{kind} to {end}  {}", Bytes(range.end - range.start))
        }
        Line::Unread(_) | Line::Row(_) => "not read yet".to_owned(),
    };
    canvas.text(x, y, width, &layout.offsets.text(line.start()), theme.dim);
    let text = format!("{} {text}", theme.glyphs.rows);
    canvas.text(layout.bytes_x, y, width, &text, theme.dim);
}

fn headings(open: &Inspect, canvas: &mut Canvas<'_>, layout: &InspectLayout) {
    let theme = canvas.theme;
    let has_keys = open.pane == InspectPane::Bytes;
    let row = u64::from(layout.row_bytes);
    for column in 0..layout.row_bytes {
        let at_cursor = open.cursor % row == u64::from(column) && has_keys;
        let style = match (at_cursor, has_keys) {
            (true, _) => super::heading(canvas, true),
            (false, true) => theme.accent,
            (false, false) => theme.dim,
        };
        match open.shown_as {
            None => {
                let text = format!("{column:>2x}");
                canvas.text(layout.hex_x(column), layout.heading.y, 2, &text, style);
            }
            Some(scalar) => {
                let size = size_of(scalar);
                if column % size == 0 {
                    let width = value_width(scalar);
                    let right = layout.bytes_x + (column / size + 1) * (width + 1) - 1;
                    canvas.text_right(right, layout.heading.y, width, &format!("+{column:x}"), style);
                }
            }
        }
    }
    if let Some(scalar) = open.shown_as {
        let text = format!("{} {}", scalar.word(), open.order.word());
        canvas.text(layout.rows.x, layout.heading.y, layout.bytes_x - layout.rows.x, &text, theme.accent);
    }
}

fn size_of(scalar: Scalar) -> u16 {
    u16::try_from(scalar.size()).unwrap_or(8).max(1)
}

fn hex(state: &State, open: &Inspect, canvas: &mut Canvas<'_>, layout: &InspectLayout, y: u16, offset: u64) {
    let known = open.view.read(offset, layout.row_bytes.into());
    let field = open.selected_field().map_or(0..0, |row| row.place.range());
    for (column, &byte) in (0..layout.row_bytes).zip(&known) {
        let at = offset + u64::from(column);
        let plain = canvas.theme.byte(byte);
        let x = layout.hex_x(column);
        canvas.text(x, y, 2, &format!("{byte:02x}"), plain);
        let text_x = layout.text_x.map(|text_x| text_x + column);
        if let Some(text_x) = text_x {
            byte_symbol(canvas, text_x, y, byte, plain);
        }
        if let Some(style) = mark(state, open, canvas, at, 1) {
            over(canvas, x, y, 2, style);
            if let Some(text_x) = text_x {
                over(canvas, text_x, y, 1, style);
            }
        }
        if at == open.cursor {
            let style = cursor(open, canvas);
            over(canvas, x, y, 2, style);
            if let Some(text_x) = text_x {
                over(canvas, text_x, y, 1, style);
            }
        }
        if field.contains(&at) {
            // The bytes of a field are joined.
            let is_last = column + 1 == layout.row_bytes || !field.contains(&(at + 1));
            let end = if is_last { x + 2 } else { layout.hex_x(column + 1) };
            over(canvas, x, y, end - x, canvas.theme.field);
            if let Some(text_x) = text_x {
                over(canvas, text_x, y, 1, canvas.theme.field);
            }
        }
    }
}

fn values(
    state: &State,
    open: &Inspect,
    canvas: &mut Canvas<'_>,
    layout: &InspectLayout,
    y: u16,
    offset: u64,
    scalar: Scalar,
) {
    let size = size_of(scalar);
    let width = value_width(scalar);
    let known = open.view.read(offset, layout.row_bytes.into());
    for (index, bytes) in (0..layout.row_bytes / size).zip(known.chunks(usize::from(size))) {
        let at = offset + u64::from(index * size);
        let right = layout.bytes_x + (index + 1) * (width + 1) - 1;
        let (text, style) = match scalar.read(bytes, open.order) {
            Some(_) if bytes.iter().all(|&byte| byte == 0) => ("0".to_owned(), canvas.theme.zero),
            Some(value) => (value.to_string(), canvas.theme.text),
            // The segment ends within this value.
            None => (canvas.theme.glyphs.nothing.to_owned(), canvas.theme.dim),
        };
        let text = canvas.fit(&text, width);
        canvas.text_right(right, y, width, &text, style);
        if let Some(style) = mark(state, open, canvas, at, u64::from(size)) {
            over(canvas, right - width, y, width, style);
        }
        if at == open.cursor {
            over(canvas, right - width, y, width, cursor(open, canvas));
        }
    }
}

/// Reversed in the active pane, otherwise underlined.
fn cursor(open: &Inspect, canvas: &Canvas<'_>) -> Style {
    match open.pane {
        InspectPane::Bytes => Style::reset().patch(canvas.theme.cursor),
        InspectPane::Values => Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
    }
}

/// The style of changed, differing or matching bytes. The glow comes first because it is
/// temporary.
fn mark(state: &State, open: &Inspect, canvas: &Canvas<'_>, at: u64, length: u64) -> Option<Style> {
    let theme = canvas.theme;
    let any = |ranges: &[Range<u64>]| ranges.iter().any(|range| range.start < at + length && at < range.end);
    let freshest = (at..at + length).filter_map(|at| open.glow.faded(at, state.now)).reduce(f32::min);
    if let Some(faded) = freshest.filter(|_| open.frozen.is_none()) {
        let style = theme.glow(faded);
        if style != Style::default() {
            return Some(Style::reset().patch(style));
        }
    }
    if any(&open.view.matches) {
        return Some(theme.found);
    }
    any(&open.view.differs).then_some(theme.differs)
}

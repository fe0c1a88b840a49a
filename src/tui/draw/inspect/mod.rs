//! The Inspect screen.

mod panel;
mod rows;
mod title;
mod tree;

use super::map;
use crate::app::State;
use crate::app::inspect::{Inspect, Status};
use crate::app::layout::Area;
use crate::app::sentence::sentence;
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>) {
    let layout = open.layout(state.size);
    title::draw(state, open, canvas, layout.title);
    match &open.status {
        Status::Failed(reason) if open.view.is_empty() => {
            let text = canvas.fit(&sentence(reason), layout.title.width.saturating_sub(2));
            canvas.text(1, layout.rows.y, layout.title.width, &text, canvas.theme.failed);
        }
        _ => {
            let lines = open.lines(state.size);
            let shown = lines.on_screen(open.top, layout.rows.height, &open.view);
            let end = shown.last().map_or(open.top, |line| lines.end(line));
            // A map that is bright everywhere would show nothing.
            let view = if open.top == 0 && end >= open.size() { 0..0 } else { open.top..end };
            map::line(&open.map, open.size(), &view, state.now, canvas, layout.map_line);
            if let Some(rule) = layout.rule {
                canvas.rule(rule);
            }
            rows::draw(state, open, &shown, canvas, &layout);
            if let Some(area) = layout.panel {
                match &open.tree {
                    Some(tree) => tree::draw(state, open, tree, canvas, &layout),
                    None => panel::draw(state, open, canvas, area, layout.beside),
                }
            }
        }
    }
}

/// A byte in the text column: itself if printable, otherwise a dot.
pub fn byte_symbol(canvas: &mut Canvas<'_>, x: u16, y: u16, byte: u8, style: Style) {
    let sign = match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        _ => canvas.theme.glyphs.unprintable.to_owned(),
    };
    canvas.text(x, y, 1, &sign, style);
}

/// The style of a pane's heading.
fn heading(canvas: &Canvas<'_>, focused: bool) -> Style {
    if focused { canvas.theme.focus.patch(canvas.theme.accent) } else { canvas.theme.dim }
}

fn over(canvas: &mut Canvas<'_>, x: u16, y: u16, width: u16, style: Style) {
    canvas.style(Area::new(x, y, width, 1), style);
}

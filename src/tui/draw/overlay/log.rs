//! The log of this session, the latest entry last.

use super::more_and_close;
use crate::app::State;
use crate::app::layout::overlay::{centred, log_rows};
use crate::tui::canvas::Canvas;

pub fn draw(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let rows = log_rows(&state.log, state.size);
    let height = u16::try_from(rows.len().max(1)).unwrap_or(u16::MAX);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, height), "Log of this session");
    if rows.is_empty() {
        canvas.text(inside.x, inside.y, inside.width, "No changes yet.", theme.dim);
    }
    let visible = usize::from(inside.height);
    let top = top.min(rows.len().saturating_sub(visible));
    for (y, row) in (inside.y..inside.bottom()).zip(&rows[top..]) {
        canvas.text(inside.x, y, inside.width, row, theme.text);
    }
    more_and_close((top, rows.len().saturating_sub(top + visible)), canvas, inside);
}

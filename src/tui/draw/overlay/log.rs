//! The log of this session, the latest entry last.

use crate::app::State;
use crate::app::layout::overlay::centred;
use crate::tui::canvas::Canvas;

pub fn draw(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let lines = u16::try_from(state.log.len().max(1)).unwrap_or(u16::MAX);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, lines), "Log of this session");
    if state.log.is_empty() {
        canvas.text(inside.x, inside.y, inside.width, "No changes yet.", theme.dim);
    }
    let top = top.min(state.log.len().saturating_sub(usize::from(inside.height)));
    for (y, line) in (inside.y..inside.bottom()).zip(&state.log[top..]) {
        let line = canvas.cut(line, inside.width);
        canvas.text(inside.x, y, inside.width, &line, theme.text);
    }
}

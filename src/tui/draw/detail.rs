//! The Detail screen: all facts about the selected segment.

use super::segments::{label, state_style};
use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::detail::{LABEL, detail_area, detail_rows};
use crate::tui::canvas::{Canvas, cells};

pub fn draw(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let Some(segment) = state.selected() else { return };
    let verdict = segment.verdict.state;
    let state_text = format!("{} {}", theme.glyphs.state(verdict), verdict.label());
    let row = format!("row {} of {}", state.table.cursor + 1, state.table.shown.len());
    let right = state.size.width.saturating_sub(1);
    let room = right.saturating_sub(cells(&state_text) + cells(&row) + 6);
    let x = label(segment, canvas, (1, 0), room, theme.focus);
    canvas.text(x + 2, 0, right, &state_text, state_style(theme, verdict));
    canvas.text_right(right, 0, cells(&row), &row, theme.dim);
    canvas.rule(Area::new(0, 1, state.size.width, 1));
    let area = detail_area(state.size);
    let rows = detail_rows(state);
    // The view never scrolls past the last lines.
    let top = top.min(rows.len().saturating_sub(area.height.into()));
    for (y, (label, text)) in (area.y..area.bottom()).zip(&rows[top..]) {
        canvas.text(area.x, y, LABEL - 1, label, theme.dim);
        canvas.text(area.x + LABEL, y, area.width.saturating_sub(LABEL), text, theme.text);
    }
}

//! The Detail screen: all facts about the selected segment.

use super::behind::behind;
use super::segments::{label, state_style};
use crate::app::State;
use crate::app::detail::DetailLine;
use crate::app::layout::Area;
use crate::app::layout::detail::{DetailColumn, DetailRow, LABEL_WIDTH, detail_columns, detail_rows};
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

pub fn draw(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    title(state, canvas);
    canvas.rule(Area::new(0, 1, state.size.width, 1));
    // The view never scrolls past the last rows.
    let (rows, height) = detail_rows(state);
    let top = top.min(rows.saturating_sub(height));
    for column in detail_columns(state) {
        draw_column(&column, top, canvas.theme.strong, canvas);
    }
    let below = rows.saturating_sub(top + height);
    if below > 0 {
        let text = format!(" {below} more rows ");
        canvas.text_right(state.size.width.saturating_sub(2), 1, cells(&text), &text, canvas.theme.dim);
    }
}

/// Draws the rows of a column from `top` on.
pub fn draw_column(column: &DetailColumn, top: usize, heading: Style, canvas: &mut Canvas<'_>) {
    let area = column.area;
    for (y, row) in (area.y..area.bottom()).zip(column.rows.iter().skip(top)) {
        match row {
            DetailRow::Heading(text) => _ = canvas.text(area.x, y, area.width, text, heading),
            DetailRow::Line(line) => draw_line(line, canvas, Area::new(area.x, y, area.width, 1)),
            DetailRow::Blank => {}
        }
    }
}

/// Draws the name, the size, the state and the position.
fn title(state: &State, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let Some(segment) = state.selected() else {
        canvas.text(1, 0, state.size.width, "No segment selected", theme.text);
        return;
    };
    let verdict = segment.verdict.state;
    let state_text = format!("{} {}", theme.glyphs.state(verdict), verdict.label());
    let size = segment.size.to_string();
    let position = format!("row {} of {}", state.table.cursor + 1, state.table.shown.len());
    let mut right = state.size.width.saturating_sub(1);
    if let Some((text, style)) = behind(state, theme) {
        canvas.text_right(right, 0, cells(&text), &text, style);
        right = right.saturating_sub(cells(&text) + 3);
    }
    let taken = cells(&size) + cells(&state_text) + cells(&position) + 10;
    let x = label(segment, canvas, (1, 0), right.saturating_sub(taken), theme.strong);
    let x = canvas.text(x + 3, 0, right, &size, theme.text);
    canvas.text(x + 3, 0, right, &state_text, state_style(theme, verdict));
    canvas.text_right(right, 0, cells(&position), &position, theme.dim);
}

fn draw_line(line: &DetailLine, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let end = area.right();
    let x = line.label.map_or(area.x, |label| {
        canvas.text(area.x, area.y, LABEL_WIDTH - 1, label, theme.dim);
        area.x + LABEL_WIDTH
    });
    // Only the word before the colon is colored.
    let colored = line.state.and_then(|state| Some((state, line.text.split_at(line.text.find(':')?))));
    let Some((state, (word, rest))) = colored else {
        canvas.text(x, area.y, end.saturating_sub(x), &line.text, theme.text);
        return;
    };
    let x = canvas.text(x, area.y, end.saturating_sub(x), word, state_style(theme, state));
    canvas.text(x, area.y, end.saturating_sub(x), rest, theme.text);
}

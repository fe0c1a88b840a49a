//! The palette: an action by its name.

use crate::app::State;
use crate::app::help::keys_text;
use crate::app::layout::Area;
use crate::app::layout::overlay::{centred, first_item};
use crate::app::overlay::palette_rows;
use crate::app::text_field::visible;
use crate::tui::canvas::Canvas;
use ratatui::style::Modifier;
use tui_input::Input;

/// The column of names.
const NAME: u16 = 18;
/// The column of keys, at the right.
const KEYS: u16 = 14;

pub fn draw(state: &State, input: &Input, selected: usize, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let rows = palette_rows(state.screen(), input.value());
    let area = centred(state.size, u16::MAX - 4, 18);
    let inside = canvas.frame(area, "Actions");
    let x = canvas.text(inside.x, inside.y, inside.width, ": ", theme.accent);
    let room = inside.right().saturating_sub(x + 1);
    let (shown, cursor) = visible(input, usize::from(room));
    canvas.text(x, inside.y, room, &shown, theme.text);
    let cursor = u16::try_from(cursor).unwrap_or(0);
    canvas.style(Area::new(x + cursor, inside.y, 1, 1), theme.text.add_modifier(Modifier::REVERSED));
    if rows.is_empty() {
        canvas.text(inside.x, inside.y + 2, inside.width, "No matching action.", theme.dim);
        return;
    }
    let height = usize::from(inside.height.saturating_sub(2));
    let first = first_item(selected, rows.len(), height);
    for (y, (at, row)) in (inside.y + 2..inside.bottom()).zip(rows.iter().enumerate().skip(first)) {
        let live = state.refusal(row.action).is_none();
        let style = if live { theme.text } else { theme.dim };
        canvas.text(inside.x + 1, y, NAME, row.name, style);
        let doc_room = inside.width.saturating_sub(NAME + KEYS + 3);
        let doc = canvas.cut(row.doc, doc_room);
        canvas.text(inside.x + 1 + NAME, y, doc_room, &doc, theme.dim);
        canvas.text_right(inside.right(), y, KEYS, &keys_text(&state.keymap, row), theme.accent);
        if at == selected {
            canvas.text(inside.x, y, 1, theme.glyphs.selected, theme.accent);
            let whole = Area::new(inside.x, y, inside.width, 1);
            canvas.style(whole, theme.selection.remove_modifier(Modifier::DIM));
        }
    }
}

//! The palette in the middle, and menus at the right.

use super::list::Entries;
use crate::app::State;
use crate::app::help::keys_text;
use crate::app::layout::Area;
use crate::app::layout::overlay as layout;
use crate::app::overlay::{Choice, Palette, palette_rows};
use crate::tui::canvas::{Canvas, cells};

/// The width of names.
const NAME: u16 = 18;
/// The width of keys, at the right.
const KEYS: u16 = 14;

pub fn choice(state: &State, choice: &Choice, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let inside = canvas.frame(layout::choice(state.size, choice), &choice.title);
    let docs = 3 + choice.items.iter().map(|item| cells(item.word)).max().unwrap_or(0);
    let mut entries = Entries::new(inside.width);
    for (at, item) in choice.items.iter().enumerate() {
        let doc = canvas.cut(&item.doc, inside.width.saturating_sub(docs));
        entries.row(at, vec![(1, item.word.to_owned(), theme.text), (docs, doc, theme.dim)]);
    }
    entries.draw_menu(choice.list.selected, canvas, inside, 1);
}

pub fn palette(state: &State, palette: &Palette, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let screen = state.screen();
    let inside = canvas.frame(layout::palette(state.size), "Actions");
    let x = canvas.text(inside.x, inside.y, inside.width, ": ", theme.accent);
    let available = inside.right().saturating_sub(x + 1);
    canvas.input(&palette.input.input, Area::new(x, inside.y, available, 1), theme.text);
    let rows = palette_rows(screen, palette.input.input.value());
    if rows.is_empty() {
        canvas.text(inside.x, inside.y + 2, inside.width, "No matching action.", theme.dim);
    }
    let mut entries = Entries::new(inside.width);
    for (at, row) in rows.into_iter().enumerate() {
        let style = if state.refusal(row.action).is_none() { theme.text } else { theme.dim };
        let doc = canvas.cut(row.doc, inside.width.saturating_sub(NAME + KEYS + 3));
        let keys = canvas.cut(&keys_text(&state.keymap, screen, row), KEYS);
        let column = inside.width.saturating_sub(cells(&keys));
        let name = canvas.cut(row.name, NAME);
        let parts = [(1, name, style), (1 + NAME, doc, theme.dim), (column, keys, theme.accent)];
        entries.row(at, parts.into());
    }
    let below = Area { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
    entries.draw_menu(palette.list.selected, canvas, below, 0);
}

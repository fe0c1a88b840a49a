//! The palette in the middle, and menus at the right.

use super::list::Entries;
use crate::app::action::{Action, Context};
use crate::app::layout::Area;
use crate::app::layout::overlay as layout;
use crate::app::overlay::{Choice, Palette, palette_rows};
use crate::app::{Keymap, State};
use crate::tui::canvas::{Canvas, cells};

/// The column of descriptions.
const DESCRIPTION_COLUMN: u16 = 18;
/// The maximum width of keys, at the right.
const MAX_KEYS_WIDTH: u16 = 14;

/// The keys of an action, as many as fit, or nothing if it is not bound.
fn keys(keymap: &Keymap, context: Context, action: Action) -> String {
    let mut text = String::new();
    for key in keymap.keys_in(context, action) {
        let longer = format!("{text}{}{key}", if text.is_empty() { "" } else { "  " });
        if cells(&longer) > MAX_KEYS_WIDTH {
            break;
        }
        text = longer;
    }
    text
}

pub fn choice(state: &State, choice: &Choice, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let inside = canvas.frame(layout::choice(state.size, choice), &choice.title);
    let words = u16::try_from(layout::choice_words(choice)).unwrap_or(u16::MAX);
    let docs = 3 + words;
    let mut entries = Entries::new(inside.width);
    for (index, item) in choice.items.iter().enumerate() {
        let doc = canvas.cut(&item.doc, inside.width.saturating_sub(docs));
        entries.row(index, vec![(1, canvas.fit(&item.word, words), theme.strong), (docs, doc, theme.dim)]);
    }
    let notes = layout::choice_notes(choice, inside.width);
    let below = u16::try_from(notes.len()).unwrap_or(u16::MAX).min(inside.height / 2);
    let above = Area { height: inside.height - below, ..inside };
    entries.draw_menu(choice.list.selected, canvas, above, 1);
    for (y, note) in (above.bottom()..inside.bottom()).zip(&notes) {
        canvas.text(inside.x, y, inside.width, note, theme.dim);
    }
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
    for (index, row) in rows.into_iter().enumerate() {
        let runs = row.elsewhere.is_none() && state.refusal(row.info.action).is_none();
        let (style, text) = if runs { (theme.strong, theme.text) } else { (theme.text, theme.dim) };
        let keys = keys(&state.keymap, row.elsewhere.unwrap_or(screen), row.info.action);
        let column = inside.width.saturating_sub(cells(&keys));
        let doc = canvas.cut(&row.text(), column.saturating_sub(DESCRIPTION_COLUMN + 2));
        let name = canvas.cut(row.info.name, DESCRIPTION_COLUMN - 2);
        entries.row(
            index,
            vec![(1, name, style), (DESCRIPTION_COLUMN, doc, text), (column, keys, theme.accent)],
        );
    }
    let below = Area { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
    entries.draw_menu(palette.list.selected, canvas, below, 0);
}

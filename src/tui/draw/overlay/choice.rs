//! A list at the side, so that what it is about stays in sight.

use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::overlay::{choice as area_of, first_item};
use crate::app::overlay::Choice;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Modifier;

pub fn draw(state: &State, choice: &Choice, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let inside = canvas.frame(area_of(state.size, choice), &choice.title);
    let words = choice.items.iter().map(|(word, _)| cells(word)).max().unwrap_or(0);
    let first = first_item(choice.selected, choice.items.len(), usize::from(inside.height));
    let shown = choice.items.iter().enumerate().skip(first);
    for (y, (at, (word, doc))) in (inside.y..inside.bottom()).zip(shown) {
        canvas.text(inside.x + 1, y, inside.width - 1, word, theme.text);
        let x = inside.x + 1 + words + 2;
        let room = inside.right().saturating_sub(x);
        let doc = canvas.cut(doc, room);
        canvas.text(x, y, room, &doc, theme.dim);
        if at == choice.selected {
            canvas.text(inside.x, y, 1, theme.glyphs.selected, theme.accent);
            let line = Area::new(inside.x - 1, y, inside.width + 2, 1);
            canvas.style(line, theme.selection.remove_modifier(Modifier::DIM));
        }
    }
}

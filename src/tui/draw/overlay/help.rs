//! The help: every key of every screen.

use super::more_and_close;
use crate::app::State;
use crate::app::help::{Line, lines};
use crate::app::layout::overlay::centred;
use crate::tui::canvas::{Canvas, cells};

pub fn draw(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let all = lines(&state.keymap, state.screen());
    let keys = all
        .iter()
        .map(|line| if let Line::Keys(keys, _) = line { cells(keys) } else { 0 })
        .max()
        .unwrap_or(0);
    let height = u16::try_from(all.len()).unwrap_or(u16::MAX);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, height), "Keys");
    for (y, line) in (inside.y..inside.bottom()).zip(all.iter().skip(top)) {
        match line {
            Line::Heading(text) => {
                canvas.text(inside.x, y, inside.width, text, theme.focus);
            }
            Line::Text(text) => {
                canvas.text(inside.x, y, inside.width, text, theme.text);
            }
            Line::Keys(keys_text, doc) => {
                let keys_text = if theme.glyphs.ascii { plain(keys_text) } else { keys_text.clone() };
                canvas.text(inside.x + 1, y, keys, &keys_text, theme.accent);
                let x = inside.x + 1 + keys + 2;
                canvas.text(x, y, inside.right().saturating_sub(x), doc, theme.text);
            }
            Line::Gap => {}
        }
    }
    let below = all.len().saturating_sub(top + usize::from(inside.height));
    more_and_close((top, below), canvas, inside);
}

/// The signs of the help in ASCII.
fn plain(text: &str) -> String {
    text.replace('●', "*")
        .replace('◌', "-")
        .replace('○', "o")
        .replace('◆', "#")
        .replace('✗', "x")
        .replace('•', "+")
        .replace('◉', "@")
        .replace('†', "+")
}

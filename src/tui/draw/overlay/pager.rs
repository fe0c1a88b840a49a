//! Scrolling text: the help and the session log.

use super::list::{Entries, NO_ENTRY, draw_hidden_counts};
use crate::app::State;
use crate::app::action::{Action, Context};
use crate::app::help::{HelpLine, lines};
use crate::app::layout::overlay::{centered, log_rows, text_width};
use crate::app::list::first_visible;
use crate::tui::canvas::{Canvas, cells};

/// The symbols of the help, and their ASCII replacements.
const PLAIN: [(char, &str); 8] =
    [('●', "*"), ('◌', "-"), ('○', "o"), ('◆', "#"), ('✗', "x"), ('•', "+"), ('◉', "@"), ('†', "+")];

/// The column of descriptions, unless the keys are wider.
const DOC: u16 = 15;

pub fn help(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let mut entries = Entries::new(text_width(state.size));
    for line in lines(&state.keymap, state.screen()) {
        entries.row(
            NO_ENTRY,
            match line {
                HelpLine::Heading(text) => vec![(0, text.to_owned(), theme.focus)],
                HelpLine::Keys(keys, doc) => {
                    let plain = |text: String, (sign, plain): (char, &str)| text.replace(sign, plain);
                    let signs = PLAIN.into_iter().take(if theme.glyphs.ascii { PLAIN.len() } else { 0 });
                    let keys = signs.fold(keys, plain);
                    let column = DOC.max(cells(&keys) + 3);
                    vec![(1, keys, theme.accent), (column, doc.to_owned(), theme.text)]
                }
                HelpLine::Gap => vec![],
            },
        );
    }
    draw(state, "Keys", &entries, top, canvas);
}

pub fn log(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let mut entries = Entries::new(text_width(state.size));
    for row in log_rows(&state.log, state.size) {
        entries.row(NO_ENTRY, vec![(0, row, theme.text)]);
    }
    if entries.len() == 0 {
        entries.row(NO_ENTRY, vec![(0, "No changes yet.".to_owned(), theme.dim)]);
    }
    draw(state, "Log of this session", &entries, top, canvas);
}

fn draw(state: &State, title: &str, entries: &Entries, top: usize, canvas: &mut Canvas<'_>) {
    let height = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    let inside = canvas.frame(centered(state.size, u16::MAX - 4, height), title);
    let top = first_visible(top, &(top..top), entries.len(), inside.height.into());
    let hidden = entries.draw(top, NO_ENTRY, canvas, inside);
    let close = state.keymap.keys_in(Context::Pager, Action::Close).next();
    let close = close.map_or_else(String::new, |key| format!("{key} close"));
    draw_hidden_counts(hidden, &close, canvas, inside);
}

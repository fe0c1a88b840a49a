//! Scrolling text: the help and the session log.

use super::list::{Entries, MIN_WIDTH, NO_ENTRY, draw_hidden_counts};
use crate::app::State;
use crate::app::action::{Action, Context};
use crate::app::help::{GUTTER, HelpLine, HelpText};
use crate::app::hints::Hint;
use crate::app::layout::overlay::{frame, log_rows, text_width};
use crate::app::list::first_visible;
use crate::tui::canvas::Canvas;

/// The symbols of the help, and their ASCII replacements.
const PLAIN: [(char, &str); 8] =
    [('●', "*"), ('◌', "-"), ('○', "o"), ('◆', "#"), ('✗', "x"), ('•', "+"), ('◉', "@"), ('†', "+")];

pub fn help(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let screen = state.screen();
    let help = HelpText::new(&state.keymap, screen, state.size);
    let step = help.width + GUTTER;
    let count = u16::try_from(help.columns.len()).unwrap_or(1);
    let mut entries = Entries::new(step * count - GUTTER);
    for row in 0..help.rows() {
        let mut parts = vec![];
        for (start, column) in (0..).step_by(step.into()).zip(&help.columns) {
            match column.get(row) {
                Some(HelpLine::Heading(text)) => {
                    let style = if *text == screen.title() { theme.focus } else { theme.strong };
                    parts.push((start, (*text).to_owned(), style));
                }
                Some(HelpLine::Keys(keys, doc, text)) => {
                    let plain = |text: String, (sign, plain): (char, &str)| text.replace(sign, plain);
                    let signs = PLAIN.into_iter().take(if theme.glyphs.ascii { PLAIN.len() } else { 0 });
                    parts.push((start + 1, signs.fold(keys.clone(), plain), theme.accent));
                    parts.push((start + doc, text.clone(), theme.text));
                }
                Some(HelpLine::Gap) | None => {}
            }
        }
        entries.row(NO_ENTRY, parts);
    }
    draw(state, "Keys", &entries, top, entries.width, canvas);
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
    let width = entries.widest().max(MIN_WIDTH);
    draw(state, "Log of this session", &entries, top, width, canvas);
}

fn draw(state: &State, title: &str, entries: &Entries, top: usize, width: u16, canvas: &mut Canvas<'_>) {
    let height = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    let inside = canvas.frame(frame(state.size, width, height), title);
    let top = first_visible(top, &(top..top), entries.len(), inside.height.into());
    let hidden = entries.draw(top, NO_ENTRY, canvas, inside);
    let close = state.keymap.keys_in(Context::Pager, Action::Close).next();
    let close =
        close.map(|key| Hint { key: key.to_string(), label: "close".into(), priority: 0, enabled: true });
    draw_hidden_counts(hidden, close.as_ref(), canvas, inside);
}

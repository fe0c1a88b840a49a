//! What we hold ourselves: an entry for each segment, with what letting go of
//! it does, and the keys.

use crate::act::Hold;
use crate::app::State;
use crate::app::holds::Holds;
use crate::app::layout::overlay::{WIDEST, centred};
use crate::app::sentence::name_of;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

/// A line: of which entry it is part, how far it is moved in.
struct Row {
    entry: usize,
    indent: u16,
    text: String,
    style: Style,
}

pub fn draw(state: &State, holds: &Holds, canvas: &mut Canvas<'_>) {
    let width = WIDEST.min(state.size.width).saturating_sub(4);
    let rows = rows(state, holds, canvas, width);
    let wanted = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, wanted), &holds.title());
    let height = usize::from(inside.height.saturating_sub(2));
    // The selected entry is among those that are shown, whole where it fits.
    let first_of = rows.iter().position(|row| row.entry == holds.selected).unwrap_or(0);
    let its = rows.iter().filter(|row| row.entry == holds.selected).count();
    let above = (height / 2).min(height.saturating_sub(its));
    let top = first_of.saturating_sub(above).min(rows.len().saturating_sub(height));
    for (y, row) in (inside.y..).zip(rows.iter().skip(top).take(height)) {
        canvas.text(inside.x + 1 + row.indent, y, inside.width, &row.text, row.style);
        if row.indent == 0 && row.entry == holds.selected {
            canvas.text(inside.x, y, 1, canvas.theme.glyphs.selected, canvas.theme.accent);
        }
    }
    let y = inside.bottom().saturating_sub(1);
    let (text, style) = keys(holds, canvas, inside.width);
    canvas.text_right(inside.x + inside.width, y, inside.width, &text, style);
}

fn rows(state: &State, holds: &Holds, canvas: &Canvas<'_>, width: u16) -> Vec<Row> {
    let theme = canvas.theme;
    if holds.holds.as_ref().is_some_and(Vec::is_empty) {
        let text = "Nothing attached.".to_owned();
        return vec![Row { entry: usize::MAX, indent: 1, text, style: theme.dim }];
    }
    let mut rows = vec![];
    for (entry, hold) in holds.shown().iter().enumerate() {
        let (text, style) = (heading(state, hold, canvas, width), theme.strong);
        rows.push(Row { entry, indent: 0, text, style });
        let style = if hold.is_last() { theme.removed } else { theme.text };
        for text in canvas.wrap(&hold.will(), width.saturating_sub(4)) {
            rows.push(Row { entry, indent: 2, text, style });
        }
    }
    rows
}

fn heading(state: &State, hold: &Hold, canvas: &Canvas<'_>, width: u16) -> String {
    let open = state.inspect.as_ref().is_some_and(|inspect| *inspect.id() == hold.id);
    let how = match (open, state.kept.contains(&hold.id)) {
        (true, true) => "open, stays attached",
        (true, false) => "open",
        (false, _) => "attached",
    };
    let rest = format!("  {}  {} {how}", hold.size, canvas.theme.glyphs.attached);
    let name = canvas.fit(&name_of(&hold.id), width.saturating_sub(cells(&rest) + 1));
    format!("{name}{rest}")
}

fn keys(holds: &Holds, canvas: &Canvas<'_>, width: u16) -> (String, Style) {
    let theme = canvas.theme;
    if holds.acting {
        return ("detaching".to_owned(), theme.dim);
    }
    let text = match (holds.shown().len(), holds.last()) {
        (0, _) => "esc close".to_owned(),
        (1, _) => "y detach   esc cancel".to_owned(),
        (many, 0) => format!("y detach   a detach all {many}   esc cancel"),
        (many, last) => format!("y detach   a detach all {many} ({last} freed)   esc cancel"),
    };
    let fits = cells(&text) <= width;
    (if fits { text } else { format!("y detach   a all ({} freed)", holds.last()) }, theme.accent)
}

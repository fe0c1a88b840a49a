//! The values under the cursor, beside or under the bytes.

use super::offset_text;
use crate::app::inspect::{Inspect, Pane};
use crate::app::layout::Area;
use crate::app::values::{Entry, entries};
use crate::tui::canvas::{Canvas, cells};

/// The label and the gap behind it.
const LABEL: u16 = 7;
/// The least width of a column of values under the bytes.
const COLUMN: u16 = 26;

pub fn draw(open: &Inspect, canvas: &mut Canvas<'_>, area: Area, beside: bool) {
    let theme = canvas.theme;
    let heading = if open.pane == Pane::Values { theme.focus } else { theme.text };
    let digits = crate::app::layout::inspect::offset_digits(open.size());
    let place = format!("0x{}, {} of {}", offset_text(open.cursor, digits), open.cursor, open.size());
    let entries = entries(open.bytes_at(open.cursor), open.order, open.shown_as);
    let entries = &entries[open.values_top.min(entries.len())..];
    if beside {
        let text = canvas.fit(&place, area.width);
        canvas.text(area.x, area.y, area.width, &text, heading);
        canvas.rule(Area::new(area.x, area.y + 1, area.width, 1));
        let body = Area::new(area.x, area.y + 2, area.width, area.height.saturating_sub(2));
        for (y, entry) in (body.y..body.bottom()).zip(entries) {
            draw_entry(entry, canvas, body.x, y, body.width.min(LABEL + 32));
        }
        return;
    }
    canvas.text(1, area.y, area.width - 1, &place, heading);
    let columns = (area.width / COLUMN).max(1);
    let width = area.width / columns;
    let rows = usize::from(area.height.saturating_sub(1)).max(1);
    for (at, entry) in entries.iter().enumerate().take(rows * usize::from(columns)) {
        let column = u16::try_from(at / rows).unwrap_or(0);
        let y = area.y + 1 + u16::try_from(at % rows).unwrap_or(0);
        draw_entry(entry, canvas, 1 + column * width, y, width - 2);
    }
}

/// A label at the left, the figure at the right, so that digits line up.
fn draw_entry(entry: &Entry, canvas: &mut Canvas<'_>, x: u16, y: u16, width: u16) {
    let theme = canvas.theme;
    let label = match entry.order {
        Some(order) => format!("{} {}", entry.label, order.word()),
        None => entry.label.to_owned(),
    };
    let style = if entry.chosen { theme.accent } else { theme.dim };
    canvas.text(x, y, LABEL, &label, style);
    let room = width.saturating_sub(LABEL);
    let (text, style) = match &entry.text {
        Some(text) => (canvas.fit(text, room), theme.text),
        None => (theme.glyphs.nothing.to_owned(), theme.dim),
    };
    let is_text = entry.label == "text" || cells(&text) > room;
    if is_text {
        canvas.text(x + LABEL, y, room, &text, style);
    } else {
        canvas.text_right(x + width, y, room, &text, style);
    }
}

//! The value panel, beside or below the bytes.

use super::offset_text;
use crate::app::inspect::{Inspect, InspectPane};
use crate::app::layout::Area;
use crate::app::values::{ValueEntry, entries};
use crate::decode::ByteOrder;
use crate::tui::canvas::{Canvas, cells};

/// The width of a label beside the bytes. `time` and `text` are a cell wider.
const LABEL: u16 = 4;
/// Entries per column below the bytes.
const ROWS: usize = 6;
/// The columns below the bytes, as filled by [`entries`]: widths of the label and the widest value.
/// A date is wider than 20 digits.
const COLUMNS: [(u16, u16); 3] = [(4, 11), (5, 26), (7, 20)];
const GAP: u16 = 2;

pub fn draw(open: &Inspect, canvas: &mut Canvas<'_>, area: Area, beside: bool) {
    let heading = if open.pane == InspectPane::Values { canvas.theme.focus } else { canvas.theme.text };
    let digits = crate::app::layout::inspect::offset_digits(open.size());
    let place = format!("0x{}, {} of {}", offset_text(open.cursor, digits), open.cursor, open.size());
    let entries = entries(open.bytes_at(open.cursor), open.order, open.shown_as);
    let margin = u16::from(!beside);
    let text = canvas.fit(&place, area.width - margin);
    canvas.text(area.x + margin, area.y, area.width - margin, &text, heading);
    let order = open.order.long_word();
    if cells(&text) + cells(order) + 3 < area.width && !beside {
        canvas.text(area.x + margin + cells(&text) + 3, area.y, area.width, order, canvas.theme.dim);
    }
    if beside {
        canvas.rule(Area::new(area.x, area.y + 1, area.width, 1));
        let body = Area::new(area.x, area.y + 2, area.width.min(LABEL + 28), area.height.saturating_sub(2));
        draw_list(&entries[open.values_top.min(entries.len())..], open.order, canvas, body);
    } else {
        draw_below(&entries, open.values_top, canvas, area);
    }
}

fn draw_list(entries: &[ValueEntry], own: ByteOrder, canvas: &mut Canvas<'_>, area: Area) {
    let mut y = area.y;
    let mut shown = None;
    for entry in entries {
        let order = entry.order.unwrap_or(own);
        if shown != Some(order) {
            shown = Some(order);
            let heading = order.long_word();
            if y < area.bottom() {
                canvas.text(area.x, y, area.width, heading, canvas.theme.dim);
            }
            y += 1;
        }
        if y >= area.bottom() {
            return;
        }
        let label = if entry.label.len() > 3 { LABEL + 1 } else { LABEL };
        let plain = ValueEntry { order: None, ..entry.clone() };
        draw_entry(&plain, canvas, Area::new(area.x, y, area.width, 1), label);
        y += 1;
    }
}

/// Draws the entries in columns, scrolling by whole columns.
fn draw_below(entries: &[ValueEntry], top: usize, canvas: &mut Canvas<'_>, area: Area) {
    let first = (top / 2).min(COLUMNS.len() - 1);
    let mut x = 1;
    for (column, entries) in entries.chunks(ROWS).enumerate().skip(first) {
        let (label, figure) = COLUMNS.get(column).copied().unwrap_or((7, 24));
        let width = (label + figure).min(area.right().saturating_sub(x));
        if width < label + figure && x > 1 {
            break;
        }
        for (y, entry) in (area.y + 1..area.bottom()).zip(entries) {
            draw_entry(entry, canvas, Area::new(x, y, width, 1), label);
        }
        x += width + GAP;
    }
}

/// Draws the label at the left and the value at the right, so that digits line up.
fn draw_entry(entry: &ValueEntry, canvas: &mut Canvas<'_>, area: Area, label_width: u16) {
    let theme = canvas.theme;
    let label = match entry.order {
        Some(order) => format!("{} {}", entry.label, order.word()),
        None => entry.label.to_owned(),
    };
    let style = if entry.chosen { theme.accent } else { theme.dim };
    canvas.text(area.x, area.y, label_width, &label, style);
    let available = area.width.saturating_sub(label_width);
    let (text, style) = match &entry.text {
        // If a date is too wide, only its time zone is truncated.
        Some(text) if entry.label == "time" && cells(text) > available => {
            (text.chars().take(19).collect(), theme.text)
        }
        Some(text) => (canvas.fit(text, available), theme.text),
        None => (theme.glyphs.nothing.to_owned(), theme.dim),
    };
    if entry.label == "text" {
        canvas.text(area.x + label_width, area.y, available, &text, style);
    } else {
        canvas.text_right(area.right(), area.y, available, &text, style);
    }
}

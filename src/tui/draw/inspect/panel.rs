//! The panel: the values at the cursor, the pinned ones and the moving ones, beside the bytes or in two
//! lines below them.

use super::super::moving;
use crate::app::State;
use crate::app::action::Action;
use crate::app::inspect::{Inspect, InspectPane};
use crate::app::layout::Area;
use crate::app::values::{OWN, ValueEntry};
use crate::engine::Moving;
use crate::tui::canvas::{Canvas, cells};

const LABEL: u16 = 5;
/// The width of a column of values.
const COLUMN: u16 = 26;
/// The minimum number of rows for the values.
const MIN_VALUES: u16 = 6;
/// The minimum height for showing empty sections.
const TALL: u16 = 20;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>, area: Area, beside: bool) {
    let entries = open.ranking.entries(&open.value_bytes(open.cursor), open.order, open.shown_as);
    if !beside {
        draw_below(state, open, &entries, canvas, area);
        return;
    }
    heading(open, canvas, area);
    let columns = (area.width / COLUMN).clamp(1, 2);
    let (pinned, detected) = (pinned(open), &open.moving);
    // The heading, the values (or a line that says that there are none) and a blank line.
    let section = |values: usize, tall: u16| {
        let rows = u16::try_from(values).unwrap_or(u16::MAX).max(1).saturating_add(2);
        if values > 0 || area.height >= tall { rows } else { 0 }
    };
    let below = area.height.saturating_sub(1);
    let needed = section(pinned.len(), TALL).saturating_add(section(detected.len(), TALL));
    let all = rows_of(&entries[..OWN.min(entries.len())], columns, area.width).len()
        + 1
        + rows_of(&entries[OWN.min(entries.len())..], columns, area.width).len();
    let all = u16::try_from(all).unwrap_or(u16::MAX);
    let values = below.saturating_sub(needed).max(MIN_VALUES).min(all).min(below);
    let mut rest =
        draw_values(open, &entries, columns, canvas, Area::new(area.x, area.y + 1, area.width, values));
    rest = Area::new(rest.x, rest.y + 1, rest.width, area.bottom().saturating_sub(rest.y + 1));
    let pins = section(pinned.len(), TALL).min(rest.height);
    if pins > 0 {
        let key = state.key_of(Action::Pin);
        let top = Area { height: pins, ..rest };
        let none = format!("{key} pins the value at the cursor.");
        draw_section(&format!("PINNED ({key})"), &pinned, &none, open.size(), canvas, top);
        rest = Area::new(rest.x, rest.y + pins, rest.width, rest.height - pins);
    }
    if section(detected.len(), TALL) > 0 && rest.height >= 2 {
        draw_section("MOVING (detected)", detected, "No values detected yet.", open.size(), canvas, rest);
    }
}

fn pinned(open: &Inspect) -> Vec<Moving> {
    open.pins.iter().map(|pin| pin.shown(&open.value_bytes(pin.offset), open.size())).collect()
}

/// Draws the offset of the cursor and the byte order.
fn heading(open: &Inspect, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let style = if open.pane == InspectPane::Values { theme.focus } else { theme.text };
    let place = format!("AT {:#x} ({})", open.cursor, open.cursor);
    let x = canvas.text(area.x, area.y, area.width, &place, style);
    let long = open.order.long_word();
    let order = if x + cells(long) + 2 <= area.right() { long } else { open.order.word() };
    if x + cells(order) < area.right() {
        canvas.text_right(area.right(), area.y, cells(order), order, theme.dim);
    }
}

/// Draws the values that fit. Returns the area below them.
fn draw_values(
    open: &Inspect,
    entries: &[ValueEntry],
    columns: u16,
    canvas: &mut Canvas<'_>,
    area: Area,
) -> Area {
    let top = open.values_top.min(entries.len());
    let own = top.min(OWN);
    let mut y = area.y;
    for row in rows_of(&entries[own..OWN.min(entries.len())], columns, area.width) {
        y = draw_row(row, columns, canvas, area, y);
    }
    if y + 1 < area.bottom() {
        canvas.text(area.x, y, area.width, open.order.flip().long_word(), canvas.theme.dim);
        y += 1;
    }
    for row in rows_of(&entries[top.max(OWN).min(entries.len())..], columns, area.width) {
        y = draw_row(row, columns, canvas, area, y);
    }
    Area::new(area.x, y.min(area.bottom()), area.width, area.bottom().saturating_sub(y))
}

/// Distributes entries over rows of `columns` columns. A value that does not fit into a column takes the
/// whole row.
fn rows_of(entries: &[ValueEntry], columns: u16, width: u16) -> Vec<&[ValueEntry]> {
    let fits = |entry: &ValueEntry| {
        let text = entry.text.as_ref().map_or(1, |text| cells(text));
        columns == 1 || LABEL + text < width / columns
    };
    let mut rows = vec![];
    let mut rest = entries;
    while !rest.is_empty() {
        let both = columns > 1 && rest.len() > 1 && rest[..2].iter().all(fits);
        let (row, after) = rest.split_at(if both { 2 } else { 1 });
        rows.push(row);
        rest = after;
    }
    rows
}

/// Draws the entries of a row. Returns the next row.
fn draw_row(row: &[ValueEntry], columns: u16, canvas: &mut Canvas<'_>, area: Area, y: u16) -> u16 {
    if y >= area.bottom() {
        return y;
    }
    let width = if row.len() > 1 { area.width / columns } else { area.width };
    for (x, entry) in (area.x..).step_by(usize::from(width.max(1))).zip(row) {
        draw_entry(entry, canvas, Area::new(x, y, width, 1));
    }
    y + 1
}

fn draw_entry(entry: &ValueEntry, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let style = if entry.chosen { theme.accent } else { theme.dim };
    let text = value_text(entry, canvas, area.width.saturating_sub(cells(entry.label) + 1));
    // A wide number takes the space behind the label.
    let label = LABEL.min(area.width.saturating_sub(cells(&text))).max(cells(entry.label) + 1);
    canvas.text(area.x, area.y, label, entry.label, style);
    let style = if entry.text.is_some() { theme.text } else { theme.dim };
    canvas.text(area.x + label, area.y, area.width.saturating_sub(label), &text, style);
}

fn value_text(entry: &ValueEntry, canvas: &Canvas<'_>, width: u16) -> String {
    match &entry.text {
        // A date loses its time zone first, then its seconds.
        Some(text) if entry.label == "time" && text.contains(':') && cells(text) > width => {
            text.chars().take(19.min(width.into())).collect()
        }
        Some(text) => moving::fitted(text, canvas, width),
        None => canvas.theme.glyphs.nothing.to_owned(),
    }
}

fn draw_section(title: &str, values: &[Moving], none: &str, size: u64, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    canvas.text(area.x, area.y, area.width, title, theme.dim);
    if values.is_empty() {
        let text = canvas.cut(none, area.width);
        canvas.text(area.x, area.y + 1, area.width, &text, theme.dim);
    }
    let rows = usize::from(area.height.saturating_sub(1));
    let counted = if values.len() > rows { rows.saturating_sub(1) } else { rows };
    for (y, value) in (area.y + 1..).zip(&values[..counted.min(values.len())]) {
        moving::line(value, canvas, Area::new(area.x, y, area.width, 1), size);
    }
    if values.len() > counted {
        let text = format!("and {} more", values.len() - counted);
        canvas.text(area.x, area.bottom() - 1, area.width, &text, theme.dim);
    }
}

/// Draws the values at the cursor in a line, and the pinned or moving ones in the next.
fn draw_below(state: &State, open: &Inspect, entries: &[ValueEntry], canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let style = if open.pane == InspectPane::Values { theme.focus } else { theme.text };
    let place = format!("at {:#x} ({}) {}", open.cursor, open.cursor, open.order.word());
    let start = canvas.text(area.x, area.y, area.width, &place, style) + 2;
    let mut shown = entries[open.values_top.min(entries.len())..].iter();
    let mut x = start;
    let line = |y: u16, mut x: u16, shown: &mut std::slice::Iter<'_, ValueEntry>, canvas: &mut Canvas<'_>| {
        while let Some(entry) = shown.clone().next() {
            let order = entry.order.map_or("", crate::decode::ByteOrder::word);
            let label = format!("{}{order}", entry.label);
            let text = value_text(entry, canvas, area.width / 2);
            if x + cells(&label) + 1 + cells(&text) > area.right() {
                break;
            }
            shown.next();
            let style = if entry.chosen { theme.accent } else { theme.dim };
            x = canvas.text(x, y, area.width, &label, style) + 1;
            x = canvas.text(x, y, area.width, &text, theme.text) + 2;
        }
        x
    };
    x = line(area.y, x, &mut shown, canvas);
    let _ = x;
    let y = area.y + 1;
    let pinned = pinned(open);
    let (label, values) = match (pinned.is_empty(), open.moving.is_empty()) {
        (false, _) => (format!("pinned ({})", state.key_of(Action::Pin)), &pinned),
        (true, false) => ("moving".to_owned(), &open.moving),
        (true, true) => {
            line(y, area.x, &mut shown, canvas);
            return;
        }
    };
    let x = canvas.text(area.x, y, area.width, &label, theme.dim) + 2;
    let width = area.right().saturating_sub(x) / 2;
    for (at, value) in (0u16..2).zip(values) {
        let place = Area::new(x + at * width, y, width.saturating_sub(1), 1);
        moving::line(value, canvas, place, open.size());
    }
}

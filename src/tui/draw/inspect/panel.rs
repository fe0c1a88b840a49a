//! The panel: the values at the cursor, the pinned ones and the moving ones, beside the bytes or in lines
//! below them.

use super::super::moving;
use crate::app::State;
use crate::app::action::Action;
use crate::app::inspect::{Inspect, InspectPane};
use crate::app::layout::Area;
use crate::app::layout::inspect::TreeAreas;
use crate::app::list::first_visible;
use crate::app::values::{OWN, ValueEntry};
use crate::decode::ByteOrder;
use crate::engine::Moving;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

const LABEL: u16 = 5;
/// The width of a column of values.
const COLUMN: u16 = 26;
/// The minimum number of rows for the values.
const MIN_VALUES: u16 = 6;
/// Rows of a section that another one leaves: heading, a value, and the count of the others.
const MIN_SECTION: u16 = 3;
/// The minimum height for showing empty sections.
const TALL: u16 = 20;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>, area: Area, beside: bool) {
    let entries = open.values();
    if !beside {
        draw_below(state, open, &entries, canvas, area);
        return;
    }
    heading(open, canvas, area);
    let columns = (area.width / COLUMN).clamp(1, 2);
    let [pins, moving] = sections(state, open);
    // The heading, the values (or a line that says that there are none) and a blank line.
    let section = |values: usize, tall: u16| {
        let rows = u16::try_from(values).unwrap_or(u16::MAX).max(1).saturating_add(2);
        if values > 0 || area.height >= tall { rows } else { 0 }
    };
    let below = area.height.saturating_sub(1);
    let [of_pins, of_moving] = [&pins, &moving].map(|list| section(list.values.len(), TALL));
    let all = rows_of(&entries[..OWN.min(entries.len())], columns, area.width).len()
        + 1
        + rows_of(&entries[OWN.min(entries.len())..], columns, area.width).len();
    let all = u16::try_from(all).unwrap_or(u16::MAX);
    let needed = of_pins.saturating_add(of_moving);
    let values = below.saturating_sub(needed).max(MIN_VALUES).min(all).min(below);
    let mut rest =
        draw_values(open, &entries, columns, canvas, Area::new(area.x, area.y + 1, area.width, values));
    rest = Area::new(rest.x, rest.y + 1, rest.width, area.bottom().saturating_sub(rest.y + 1));
    // Many pins leave room for some moving values.
    let left = of_moving.min(MIN_SECTION).min(rest.height);
    let height = of_pins.min(rest.height - left);
    if height > 0 {
        draw_section(&pins, open.size(), canvas, Area { height, ..rest });
        rest = Area::new(rest.x, rest.y + height, rest.width, rest.height - height);
    }
    if of_moving > 0 && rest.height >= 2 {
        draw_section(&moving, open.size(), canvas, rest);
    }
}

/// A list of values with a heading.
struct Section {
    title: String,
    /// The heading where space is short.
    word: String,
    /// The text if there are no values.
    none: String,
    values: Vec<Moving>,
    /// The names of the values, empty or missing for those without.
    names: Vec<String>,
    selected: Option<usize>,
    focused: bool,
}

impl Section {
    fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// The name, as wide as the widest one but at most `most` cells. A value without a name has its
    /// offset instead.
    fn padded_name(&self, index: usize, most: u16) -> String {
        let name = self.name(index);
        if name.is_empty() {
            return String::new();
        }
        let widest = self.names.iter().map(|name| cells(name)).max().unwrap_or(0).min(most);
        format!("{name:<width$}", width = widest.into())
    }
}

/// Draws the pinned and the moving values below the tree of fields.
pub fn draw_below_tree(
    state: &State,
    open: &Inspect,
    canvas: &mut Canvas<'_>,
    areas: TreeAreas,
    beside: bool,
) {
    for (section, area) in sections(state, open).into_iter().zip([areas.pins, areas.moving]) {
        // The tree has the selection.
        let section = Section { selected: None, focused: false, ..section };
        if section.values.is_empty() || area.height == 0 {
        } else if beside {
            draw_section(&section, open.size(), canvas, area);
        } else {
            draw_inline(&section, 2, open.size(), canvas, area);
        }
    }
}

/// The pinned and the moving values.
fn sections(state: &State, open: &Inspect) -> [Section; 2] {
    let key = state.key_of(Action::Pin);
    let focused = open.pane == InspectPane::Values;
    let section = |pinned: bool, word: &str, detail: &str, none: String, values: Vec<Moving>| Section {
        title: format!("{} ({detail})", word.to_uppercase()),
        word: word.to_owned(),
        none,
        selected: open
            .picked()
            .filter(|picked| picked.pinned == pinned)
            .and_then(|picked| values.iter().position(|value| value.offset == picked.offset)),
        names: if pinned {
            open.pins.iter().map(|pin| pin.name.clone()).collect()
        } else {
            open.moving.iter().map(|value| open.name_of(value)).collect()
        },
        values,
        focused,
    };
    [
        section(true, "pinned", &key, format!("{key} pins the value at the cursor."), pinned(open)),
        section(false, "moving", "detected", "No values detected yet.".to_owned(), open.moving.clone()),
    ]
}

fn pinned(open: &Inspect) -> Vec<Moving> {
    open.pins.iter().map(|pin| pin.shown(&open.value_bytes(pin.offset), open.size())).collect()
}

/// Draws the offset of the cursor and the byte order.
fn heading(open: &Inspect, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let style = super::heading(canvas, open.pane == InspectPane::Values);
    if let Some(field) = open.field_at_cursor() {
        let text = canvas.fit(&field, area.width);
        canvas.text(area.x, area.y, area.width, &text, theme.accent);
        return;
    }
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

fn draw_section(section: &Section, size: u64, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let Section { title, none, values, selected, focused, .. } = section;
    canvas.text(area.x, area.y, area.width, title, super::heading(canvas, *focused));
    if values.is_empty() {
        let text = canvas.cut(none, area.width);
        canvas.text(area.x, area.y + 1, area.width, &text, theme.dim);
    }
    let rows = usize::from(area.height.saturating_sub(1));
    let counted = if values.len() > rows { rows.saturating_sub(1) } else { rows };
    let first = first_shown(*selected, values.len(), counted);
    for (y, (at, value)) in (area.y + 1..).zip(values.iter().enumerate().skip(first).take(counted)) {
        let line = Area::new(area.x, y, area.width, 1);
        moving::line(value, &section.padded_name(at, area.width / 3), canvas, line, size);
        select(*selected == Some(at), canvas, line);
    }
    if values.len() > counted {
        let text = format!("and {} more", values.len() - counted);
        canvas.text(area.x, area.bottom() - 1, area.width, &text, theme.dim);
    }
}

/// Returns the first value to show, so that the selected one is visible.
fn first_shown(selected: Option<usize>, count: usize, rows: usize) -> usize {
    let selected = selected.unwrap_or(0);
    first_visible(0, &(selected..selected + 1), count, rows.max(1))
}

fn select(selected: bool, canvas: &mut Canvas<'_>, area: Area) {
    if selected {
        canvas.style(area, Style::reset().patch(canvas.theme.selection));
    }
}

/// Draws the values at the cursor in the first lines, and the pinned and moving ones in the last: in a line
/// each, or side by side.
fn draw_below(state: &State, open: &Inspect, entries: &[ValueEntry], canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let lists: Vec<Section> =
        sections(state, open).into_iter().filter(|section| !section.values.is_empty()).collect();
    let many = area.height > 2;
    let under = if many { lists.len() } else { lists.len().min(1) };
    let lines = area.height - u16::try_from(under).unwrap_or(0);
    let style = super::heading(canvas, open.pane == InspectPane::Values);
    let place = open.field_at_cursor().map_or_else(
        || format!("at {:#x} ({}) {}", open.cursor, open.cursor, open.order.word()),
        |field| canvas.fit(&field, area.width / 2),
    );
    let mut x = canvas.text(area.x, area.y, area.width, &place, style) + 2;
    let mut shown = entries[open.values_top.min(entries.len())..].iter().peekable();
    for y in area.y..area.y + lines {
        while let Some(entry) = shown.peek() {
            let order = entry.order.map_or("", ByteOrder::word);
            let label = format!("{}{order}", entry.label);
            let text = value_text(entry, canvas, area.width / 2);
            if x + cells(&label) + 1 + cells(&text) > area.right() {
                break;
            }
            let style = if entry.chosen { theme.accent } else { theme.dim };
            x = canvas.text(x, y, area.width, &label, style) + 1;
            x = canvas.text(x, y, area.width, &text, theme.text) + 2;
            shown.next();
        }
        x = area.x;
    }
    let count = u16::try_from(lists.len()).unwrap_or(1).max(1);
    for (at, section) in (0u16..).zip(&lists) {
        let (x, y, width) = if many {
            (area.x, area.y + lines + at, area.width)
        } else {
            (area.x + at * (area.width / count), area.y + lines, area.width / count)
        };
        draw_inline(
            section,
            if many { 2 } else { 3 - count },
            open.size(),
            canvas,
            Area::new(x, y, width, 1),
        );
    }
}

/// Draws the name of a section and some of its values in a line.
fn draw_inline(section: &Section, values: u16, size: u64, canvas: &mut Canvas<'_>, area: Area) {
    let style = super::heading(canvas, section.focused);
    let x = canvas.text(area.x, area.y, area.width, &section.word, style) + 2;
    let width = area.right().saturating_sub(x) / values.max(1);
    let first = first_shown(section.selected, section.values.len(), values.into());
    for (at, (index, value)) in (0..values).zip(section.values.iter().enumerate().skip(first)) {
        let place = Area::new(x + at * width, area.y, width.saturating_sub(1), 1);
        moving::line(value, section.name(index), canvas, place, size);
        select(section.selected == Some(index), canvas, place);
    }
}

//! The tree of fields, beside the bytes or below them.

use super::super::moving;
use super::panel;
use crate::app::State;
use crate::app::inspect::{FieldText, Inspect, InspectPane, Row, RowKind, Tree};
use crate::app::layout::Area;
use crate::app::layout::inspect::InspectLayout;
use crate::segment::{Bytes, escape};
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::{Modifier, Style};

/// The minimum width for a column of types.
const WIDE: u16 = 34;
/// The minimum width of the values.
const VALUE_MIN: u16 = 12;
const GAP: u16 = 2;
/// The fold marker and a space.
const MARKER: u16 = 2;

/// The widths of names (with their indent) and types.
#[derive(Clone, Copy)]
struct Columns {
    name: u16,
    ty: u16,
}

impl Columns {
    fn new(tree: &Tree, width: u16) -> Self {
        let [name, ty] = tree.widths.map(|width| u16::try_from(width).unwrap_or(u16::MAX));
        let ty = if width >= WIDE { ty.min(width / 4) } else { 0 };
        let most = width.saturating_sub(ty + 2 * GAP + VALUE_MIN).max(width * 2 / 5);
        Self { name: name.saturating_add(MARKER).min(most), ty }
    }
}

pub fn draw(state: &State, open: &Inspect, tree: &Tree, canvas: &mut Canvas<'_>, layout: &InspectLayout) {
    let Some((area, pins)) = layout.panel.and(layout.tree(open.pins.len())) else { return };
    heading(open, tree, canvas, area);
    let columns = Columns::new(tree, area.width);
    let selected = tree.selected_row().map(|row| row.path);
    for (y, row) in (area.y..).zip(tree.rows(tree.top, area.height.into())) {
        let line = Area::new(area.x, y, area.width, 1);
        let selected = selected.as_ref() == Some(&row.path);
        draw_row(state, open, &row, columns, canvas, line);
        match open.pane {
            InspectPane::Values if selected => {
                canvas.style(line, Style::reset().patch(canvas.theme.selection));
            }
            InspectPane::Bytes if selected && tree.is_on_field => {
                let style = Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD);
                canvas.style(name_area(&row, columns, canvas, line), style);
            }
            _ => {}
        }
    }
    panel::draw_pins(state, open, canvas, pins, layout.beside);
}

/// Draws the offset and the field of the cursor, and the type or the position in the tree.
fn heading(open: &Inspect, tree: &Tree, canvas: &mut Canvas<'_>, area: Area) {
    let style = super::heading(canvas, open.pane == InspectPane::Values);
    let y = area.y - 1;
    let mut x = canvas.text(area.x, y, area.width, &format!("AT {:#x}  ", open.cursor), style);
    let field =
        canvas.fit(&plain(&open.place_text().unwrap_or_default(), canvas), area.right().saturating_sub(x));
    x = canvas.text(x, y, area.width, &field, style) + GAP;
    let count = tree.count();
    let text = if count > area.height.into() {
        format!("row {} of {count}", tree.row_of(tree.selected()).0 + 1)
    } else {
        format!("{}  {}", plain(&tree.ty().to_string(), canvas), Bytes(tree.ty().size()))
    };
    if x + cells(&text) <= area.right() {
        canvas.text_right(area.right(), y, cells(&text), &text, canvas.theme.dim);
    }
}

/// Spells out the ellipses of anonymous types and long values for `--ascii`.
fn plain(text: &str, canvas: &Canvas<'_>) -> String {
    if canvas.theme.glyphs.ascii { text.replace('…', "...") } else { text.to_owned() }
}

fn indent(row: &Row<'_>, columns: Columns) -> u16 {
    // A deep value keeps room for its name.
    let each = if columns.ty > 0 { 2 } else { 1 };
    u16::try_from(each * row.depth()).unwrap_or(u16::MAX).min(columns.name / 2)
}

fn name(row: &Row<'_>, columns: Columns, canvas: &Canvas<'_>) -> String {
    let name = escape(plain(&row.label.text(), canvas).as_bytes());
    canvas.fit(&name, columns.name.saturating_sub(indent(row, columns) + MARKER))
}

/// The cells of a row's name.
fn name_area(row: &Row<'_>, columns: Columns, canvas: &Canvas<'_>, line: Area) -> Area {
    Area { x: line.x + indent(row, columns) + MARKER, width: cells(&name(row, columns, canvas)), ..line }
}

fn draw_row(
    state: &State,
    open: &Inspect,
    row: &Row<'_>,
    columns: Columns,
    canvas: &mut Canvas<'_>,
    line: Area,
) {
    let theme = canvas.theme;
    let x = line.x + indent(row, columns);
    let marker = match row.kind {
        RowKind::Leaf => "",
        RowKind::Folded => theme.glyphs.fold[0],
        RowKind::Unfolded => theme.glyphs.fold[1],
        RowKind::Unused(count) | RowKind::PastEnd(count) => {
            let word = if matches!(row.kind, RowKind::Unused(_)) { "unused" } else { "past the end" };
            let text = format!("{} {count} {word}", theme.glyphs.rows);
            canvas.text(x + MARKER, line.y, line.right().saturating_sub(x + MARKER), &text, theme.dim);
            return;
        }
    };
    canvas.text(x, line.y, 1, marker, theme.accent);
    let name = name(row, columns, canvas);
    canvas.text(x + MARKER, line.y, line.width, &name, theme.text);
    let mut x = line.x + columns.name + GAP;
    if columns.ty > 0 {
        let mut ty = plain(&row.place.ty.to_string(), canvas);
        if let Some(bits) = row.place.bits {
            ty = format!("{ty}:{}", bits.width);
        }
        canvas.text(x, line.y, columns.ty, &canvas.fit(&ty, columns.ty), theme.dim);
        x += columns.ty + GAP;
    }
    // An unfolded value is shown by its rows.
    if row.kind == RowKind::Unfolded {
        return;
    }
    let width = line.right().saturating_sub(x);
    let (text, style) = match open.field_text(row.place) {
        FieldText::Value(text) if row.kind == RowKind::Leaf => {
            (moving::fitted(&text, canvas, width), theme.text)
        }
        FieldText::Value(text) => (canvas.cut(&plain(&text, canvas), width), theme.dim),
        FieldText::PastEnd => (canvas.cut("past the end", width), theme.dim),
        FieldText::Unread => (theme.glyphs.nothing.to_owned(), theme.dim),
    };
    let end = canvas.text(x, line.y, width, &text, style);
    let faded = open.glow.freshest(row.place.range(), state.now).filter(|_| open.frozen.is_none());
    let glow = faded.map(|faded| theme.glow(faded)).filter(|style| *style != Style::default());
    if let Some(style) = glow {
        super::over(canvas, x, line.y, end - x, Style::reset().patch(style));
    }
}

//! Draws rows of fields: name, type and value.

use super::moving;
use crate::app::inspect::{FieldText, Row, RowKind, Tree};
use crate::app::layout::Area;
use crate::decode::layouts::LockKind;
use crate::segment::escape;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

/// The minimum width for a column of types.
const WIDE: u16 = 34;
/// The minimum width of the values.
const VALUE_MIN: u16 = 12;
pub const GAP: u16 = 2;
/// The fold marker and a space.
const MARKER: u16 = 2;

/// The widths of names (with their indent) and types.
#[derive(Clone, Copy)]
pub struct Columns {
    name: u16,
    ty: u16,
}

impl Columns {
    pub fn new(tree: &Tree, width: u16) -> Self {
        let [name, ty] = tree.widths.map(|width| u16::try_from(width).unwrap_or(u16::MAX));
        let ty = if width >= WIDE { ty.min(width / 4) } else { 0 };
        let most = width.saturating_sub(ty + 2 * GAP + VALUE_MIN).max(width * 2 / 5);
        Self { name: name.saturating_add(MARKER).min(most), ty }
    }
}

/// Spells out the ellipses of anonymous types and long values for `--ascii`.
pub fn plain(text: &str, canvas: &Canvas<'_>) -> String {
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
pub fn name_area(row: &Row<'_>, columns: Columns, canvas: &Canvas<'_>, line: Area) -> Area {
    Area { x: line.x + indent(row, columns) + MARKER, width: cells(&name(row, columns, canvas)), ..line }
}

/// Draws a row with its value, which glows as far as it has not faded.
pub fn draw_row(
    row: &Row<'_>,
    columns: Columns,
    text: FieldText,
    faded: Option<f32>,
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
    // The state of a lock is long, and tells its kind.
    let is_lock = row.kind == RowKind::Folded && LockKind::of(row.place.ty).is_some();
    if columns.ty > 0 && !is_lock {
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
    let (text, style) = match text {
        FieldText::Value(text) if row.kind == RowKind::Leaf => {
            (moving::fitted(&text, canvas, width), theme.text)
        }
        FieldText::Value(text) => (canvas.cut(&plain(&text, canvas), width), theme.dim),
        FieldText::PastEnd => (canvas.cut("past the end", width), theme.dim),
        FieldText::Unread => (theme.glyphs.nothing.to_owned(), theme.dim),
    };
    let end = canvas.text(x, line.y, width, &text, style);
    let glow = faded.map(|faded| theme.glow(faded)).filter(|style| *style != Style::default());
    if let Some(style) = glow {
        canvas.style(Area::new(x, line.y, end - x, 1), Style::reset().patch(style));
    }
}

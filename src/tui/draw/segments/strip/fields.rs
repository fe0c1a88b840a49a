//! The first fields of the selected segment, in place of the start of the hex preview.

use super::{draw_heading, draw_label};
use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::strip::StripLayout;
use crate::app::strip::StripFields;
use crate::segment::quote;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::draw::fields::{Columns, GAP, draw_row, plain};

/// The rows of a preview below the fields, with its heading.
const MIN_PREVIEW: u16 = 3;

/// Draws the fields. Returns the area below them for the bytes.
pub fn draw(state: &State, fields: &StripFields, canvas: &mut Canvas<'_>, layout: &StripLayout) -> Area {
    let area = if layout.headings {
        let area = draw_heading(layout, "FIELDS", layout.preview, canvas);
        let name = plain(&quote(fields.name.as_bytes()), canvas);
        let name = canvas.fit(&name, area.width.saturating_sub(cells("FIELDS") + GAP));
        canvas.text_right(area.right(), layout.preview.y, cells(&name), &name, canvas.theme.dim);
        area
    } else {
        draw_label("fields", canvas, layout.preview)
    };
    let count = fields.tree().count();
    let height = usize::from(area.height);
    let columns = if count > height && !layout.headings { 2 } else { 1 };
    let rows = height.min(count.div_ceil(columns));
    let shown = if count > rows * columns { (rows * columns).saturating_sub(1) } else { count };
    let width = area.width / u16::try_from(columns).unwrap_or(1);
    let widths = Columns::new(fields.tree(), width.saturating_sub(GAP));
    let cell = |at: usize| {
        let column = |number: usize| u16::try_from(number).unwrap_or(0);
        let (x, y) = (column(at / rows.max(1)), column(at % rows.max(1)));
        Area::new(area.x + x * width, area.y + y, width.saturating_sub(GAP), 1)
    };
    for (at, row) in fields.rows(shown).iter().enumerate() {
        let faded = state.table.strip.glow.freshest(row.place.range(), state.now);
        draw_row(row, widths, fields.text(row.place), faded, canvas, cell(at));
    }
    if shown < count && rows > 0 {
        let line = cell(shown);
        let text = format!("and {} more", count - shown);
        canvas.text(line.x, line.y, line.width, &text, canvas.theme.dim);
    }
    below(layout, u16::try_from(rows).unwrap_or(u16::MAX))
}

/// The area of the bytes below a number of rows.
fn below(layout: &StripLayout, rows: u16) -> Area {
    let Area { y, height, .. } = layout.preview;
    // The heading and a blank line.
    let used = if layout.headings { rows + 2 } else { rows };
    let left = height.saturating_sub(used);
    if layout.headings && left < MIN_PREVIEW {
        return Area { height: 0, ..layout.preview };
    }
    Area { y: y + used, height: left, ..layout.preview }
}

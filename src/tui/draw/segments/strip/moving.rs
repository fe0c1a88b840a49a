//! Draws the moving values of the selected segment.

use super::{draw_heading, draw_label, draw_wrapped};
use crate::app::State;
use crate::app::layout::strip::{OFFSET_DIGITS, StripLayout};
use crate::engine::Moving;
use crate::identify::semaphore;
use crate::segment::Segment;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::draw::sparkline::sparkline;

pub fn draw(state: &State, segment: &Segment, canvas: &mut Canvas<'_>, layout: &StripLayout) {
    let theme = canvas.theme;
    let Some(look) = state.table.strip.look() else { return };
    if let Some(semaphore) = semaphore::of(segment, &look.bytes) {
        let area = if layout.headings {
            draw_heading(layout, "VALUE", layout.moving, canvas)
        } else {
            draw_label("value", canvas, layout.moving)
        };
        draw_wrapped(&format!("semaphore {}", semaphore.text()), theme.text, canvas, area);
        return;
    }
    if layout.headings {
        let area = draw_heading(layout, "MOVING", layout.moving, canvas);
        if look.moving.is_empty() {
            draw_wrapped("No values detected yet.", theme.dim, canvas, area);
        }
        let shown = &look.moving[..look.moving.len().min(area.height.into())];
        let labels = labels(state, shown, area.width / 3, canvas);
        let columns = MovingColumns::of(&labels, shown, area.width);
        for (y, (label, value)) in (area.y..).zip(labels.iter().zip(shown)) {
            columns.draw(label, value, canvas, (area.x, y));
        }
        return;
    }
    let area = draw_label("moving", canvas, layout.moving);
    if look.moving.is_empty() {
        canvas.text(area.x, area.y, area.width, "no values detected yet", theme.dim);
    }
    // Two values share a row.
    let shown = &look.moving[..look.moving.len().min(usize::from(area.height) * 2)];
    let width = area.width / 2;
    let labels = labels(state, shown, width / 3, canvas);
    let columns = MovingColumns::of(&labels, shown, width.saturating_sub(2));
    for (at, (label, value)) in (0u16..).zip(labels.iter().zip(shown)) {
        columns.draw(label, value, canvas, (area.x + at % 2 * width, area.y + at / 2));
    }
}

/// The name of each value's field, or its offset.
fn labels(state: &State, values: &[Moving], most: u16, canvas: &Canvas<'_>) -> Vec<String> {
    let digits = values.iter().map(|value| format!("{:x}", value.offset).len()).max().unwrap_or(0);
    let digits = digits.max(usize::from(OFFSET_DIGITS));
    let fields = state.table.strip.fields.as_ref();
    let label = |value: &Moving| {
        let name = fields.map_or_else(String::new, |fields| fields.tree().name_of(value));
        if name.is_empty() { format!("{:0digits$x}", value.offset) } else { canvas.fit(&name, most) }
    };
    values.iter().map(label).collect()
}

/// The column widths for moving values.
struct MovingColumns {
    label: u16,
    kind: u16,
    /// With sparklines: the width of the right-aligned values, the sparklines and the rates.
    lines: Option<[u16; 3]>,
    /// The room after the type.
    room: u16,
}

impl MovingColumns {
    /// Fits the columns into `width` cells.
    fn of(labels: &[String], values: &[Moving], width: u16) -> Self {
        let max = |cells: &dyn Fn(&Moving) -> u16| values.iter().map(cells).max().unwrap_or(0);
        let label = labels.iter().map(|label| cells(label)).max().unwrap_or(0);
        let kind = max(&|value| cells(&value.kind));
        let rate = max(&|value| cells(&value.rate));
        let room = width.saturating_sub(label + kind + 2);
        // A counter that gets another digit does not shift the other columns.
        let value = max(&|value| cells(&value.value)).clamp(MIN_VALUE_WIDTH, MAX_VALUE_WIDTH);
        let spark = room.saturating_sub(value + 1 + rate + 1).min(MAX_LINE_WIDTH);
        let lines = (spark >= MIN_LINE_WIDTH).then(|| {
            let value = (room - (spark + 1 + rate + 1)).clamp(value, MAX_VALUE_WIDTH);
            [value, spark, rate]
        });
        Self { label, kind, lines, room }
    }

    /// Draws a label, a type and a value, and a sparkline and a rate if there is room.
    fn draw(&self, label: &str, moving: &Moving, canvas: &mut Canvas<'_>, (mut x, y): (u16, u16)) {
        let theme = canvas.theme;
        canvas.text(x, y, self.label, label, theme.dim);
        x += self.label + 1;
        canvas.text(x, y, self.kind, &moving.kind, theme.accent);
        x += self.kind + 1;
        let Some([value, spark, rate]) = self.lines else {
            let end = canvas.text(x, y, self.room, &canvas.fit(&moving.value, self.room), theme.text);
            if end + 1 + cells(&moving.rate) <= x + self.room {
                canvas.text(end + 1, y, self.room, &moving.rate, theme.dim);
            }
            return;
        };
        canvas.text_right(x + value, y, value, &canvas.fit(&moving.value, value), theme.text);
        x += value + 1;
        let tail = &moving.history[moving.history.len().saturating_sub(spark.into())..];
        if tail.len() > 1 {
            let min = tail.iter().copied().fold(f64::INFINITY, f64::min);
            let max = tail.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // No bar is full, so that the bars of adjacent rows do not merge.
            let max = max + (max - min) / 6.0;
            let line = sparkline(tail.iter().copied(), min, max, &theme.glyphs);
            canvas.text_right(x + spark, y, spark, &line, theme.in_use);
        }
        x += spark + 1;
        canvas.text_right(x + rate, y, rate, &moving.rate, theme.text);
    }
}

const MAX_LINE_WIDTH: u16 = 24;
const MIN_LINE_WIDTH: u16 = 4;
/// The maximum width of a value next to a sparkline.
const MAX_VALUE_WIDTH: u16 = 20;
/// The minimum width of the value column.
const MIN_VALUE_WIDTH: u16 = 8;

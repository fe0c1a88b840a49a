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
        let columns = MovingColumns::of(shown, area.width);
        for (y, value) in (area.y..).zip(shown) {
            columns.draw(value, canvas, (area.x, y));
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
    let columns = MovingColumns::of(shown, width.saturating_sub(2));
    for (at, value) in (0u16..).zip(shown) {
        columns.draw(value, canvas, (area.x + at % 2 * width, area.y + at / 2));
    }
}

/// The column widths for moving values.
struct MovingColumns {
    digits: u16,
    kind: u16,
    /// With sparklines: the width of the right-aligned values, the sparklines and the rates.
    lines: Option<[u16; 3]>,
    /// The room after the type.
    room: u16,
}

impl MovingColumns {
    /// Fits the columns into `width` cells.
    fn of(values: &[Moving], width: u16) -> Self {
        let max = |cells: &dyn Fn(&Moving) -> u16| values.iter().map(cells).max().unwrap_or(0);
        let digits = max(&|value| cells(&format!("{:x}", value.offset))).max(OFFSET_DIGITS);
        let kind = max(&|value| cells(&value.kind));
        let rate = max(&|value| cells(&value.rate));
        let room = width.saturating_sub(digits + kind + 2);
        // A counter that gets another digit does not shift the other columns.
        let value = max(&|value| cells(&value.value)).clamp(MIN_VALUE_WIDTH, MAX_VALUE_WIDTH);
        let spark = room.saturating_sub(value + 1 + rate + 1).min(MAX_LINE_WIDTH);
        let lines = (spark >= MIN_LINE_WIDTH).then(|| {
            let value = (room - (spark + 1 + rate + 1)).clamp(value, MAX_VALUE_WIDTH);
            [value, spark, rate]
        });
        Self { digits, kind, lines, room }
    }

    /// Draws an offset, a type and a value, and a sparkline and a rate if there is room.
    fn draw(&self, moving: &Moving, canvas: &mut Canvas<'_>, (mut x, y): (u16, u16)) {
        let theme = canvas.theme;
        let digits = usize::from(self.digits);
        canvas.text(x, y, self.digits, &format!("{:0digits$x}", moving.offset), theme.dim);
        x += self.digits + 1;
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

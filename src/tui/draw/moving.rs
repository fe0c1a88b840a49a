//! Draws a moving value on a line, with its sparkline and rate.

use super::sparkline::sparkline;
use crate::app::layout::Area;
use crate::engine::Moving;
use crate::tui::canvas::{Canvas, cells};

/// Bars of a sparkline: many if there is room.
const SPARKLINE_WIDTHS: [u16; 2] = [16, 8];
/// The minimum width for types padded to the same width.
const MIN_WIDTH_FOR_PADDED_TYPES: u16 = 48;
/// The minimum width for leading zeros in offsets.
const MIN_WIDTH_FOR_LEADING_ZEROS: u16 = 24;
const MIN_VALUE_WIDTH: u16 = 10;
const MAX_VALUE_WIDTH: u16 = 20;
const RATE_WIDTH: u16 = 7;

/// Draws a name or an offset, a type and a value, and a sparkline and a rate if there is room. The
/// lines of a wide area have the same columns.
pub fn line(value: &Moving, name: &str, canvas: &mut Canvas<'_>, area: Area, size: u64) {
    let theme = canvas.theme;
    let digits =
        usize::try_from((u64::BITS - size.max(1).leading_zeros()).div_ceil(4)).unwrap_or(16).clamp(2, 8);
    let Area { mut x, y, .. } = area;
    let end = area.right();
    let digits = if area.width < MIN_WIDTH_FOR_LEADING_ZEROS { 1 } else { digits };
    if name.is_empty() {
        x = canvas.text(x, y, end - x, &format!("{:0digits$x} ", value.offset), theme.dim);
    } else {
        let name = canvas.fit(name, area.width / 3);
        x = canvas.text(x, y, end - x, &name, theme.text) + 1;
    }
    let kind = if area.width >= MIN_WIDTH_FOR_PADDED_TYPES { "u32/u64".len() } else { "u64".len() };
    x = canvas.text(x, y, end - x, &format!("{:<kind$}", value.kind), theme.accent) + 2;
    let rate = cells(&value.rate).max(RATE_WIDTH);
    let room = end.saturating_sub(x);
    let fits = |bars: &u16| room >= MIN_VALUE_WIDTH + bars + rate + 2 && value.history.len() > 1;
    let Some(spark) = SPARKLINE_WIDTHS.into_iter().find(fits) else {
        let text = fitted(&value.value, canvas, room);
        x = canvas.text(x, y, room, &text, theme.text) + 1;
        if x + cells(&value.rate) <= end {
            canvas.text(x, y, rate, &value.rate, theme.dim);
        }
        return;
    };
    let value_width = (room - spark - rate - 2).min(MAX_VALUE_WIDTH);
    let text = fitted(&value.value, canvas, value_width);
    canvas.text(x, y, value_width, &text, theme.text);
    x += value_width + 1;
    let tail = &value.history[value.history.len().saturating_sub(spark.into())..];
    let min = tail.iter().copied().fold(f64::INFINITY, f64::min);
    let max = tail.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bars = sparkline(tail.iter().copied(), min, max, &theme.glyphs);
    canvas.text_right(x + spark, y, spark, &bars, theme.in_use);
    x += spark + 1;
    canvas.text(x, y, end.saturating_sub(x), &value.rate, theme.text);
}

/// Rounds a number that is too wide, because cutting off digits would change its magnitude.
/// Shortens other text.
pub fn fitted(text: &str, canvas: &Canvas<'_>, width: u16) -> String {
    match text.parse::<f64>() {
        Ok(number) if cells(text) > width => match fraction(text, width) {
            Some(digits) => format!("~{number:.digits$}"),
            // Sign, point and exponent take up to eight cells.
            None => format!("~{number:.digits$e}", digits = usize::from(width.saturating_sub(9))),
        },
        _ => canvas.cut(text, width),
    }
}

/// Returns how many digits of a fraction fit behind `~` and the digits before it; `None` if none
/// do.
fn fraction(text: &str, width: u16) -> Option<usize> {
    let (whole, digits) = text.split_once('.')?;
    let left = usize::from(width).checked_sub(whole.len() + 2)?;
    (left > 0 && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Depth, Name, Theme};
    use ratatui::buffer::Buffer;

    #[test]
    fn wide_numbers_are_rounded_and_text_is_cut() {
        let theme = Theme::new(Name::Default, Depth::Mono, false);
        let canvas = Canvas { buffer: &mut Buffer::default(), theme: &theme };
        for (text, width, shown) in [
            ("1869440356", 10, "1869440356"),
            ("8295684528994608484", 14, "~8.29568e18"),
            ("-3.537889876909649e246", 14, "~-3.53789e246"),
            ("18694403560", 7, "~2e10"),
            ("1.0709999999", 8, "~1.07100"),
            ("-1.0709999999", 8, "~-1.0710"),
            ("123456789.5", 10, "~1.2e8"),
            ("06:00:00.131", 8, "06:00:0…"),
        ] {
            assert_eq!(fitted(text, &canvas, width), shown);
        }
    }
}

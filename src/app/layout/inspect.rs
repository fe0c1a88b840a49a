//! The Inspect screen:
//!
//! ```text
//!  posix:/psm_1f09   4.0 KiB      no trace left   ● live 10/s   37 changes/s
//!  ────────────────────────────────────────────────────────────────────────
//!             0  1  2 …                                       map   values
//!  0000_0000  2a 00 00 …  *··                                  ▐    u8   31
//!  ────────────────────────────────────────────────────────────────────────
//!  space freeze  …
//! ```
//!
//! Below 100 columns the values are below the hex, below 20 rows they are hidden.

use super::{Area, FEW_ROWS};
use crate::app::event::Size;
use crate::decode::Scalar;

/// The supported numbers of bytes per row.
pub const WIDTHS: [u16; 4] = [8, 16, 24, 32];
const MAP: u16 = 2;
/// Fits a label, the widest number (an f64 of 24 characters) and a margin.
const PANEL_MIN: u16 = 29;
const PANEL_MAX: u16 = 56;
/// Rows of the value panel below the bytes.
const PANEL_ROWS: u16 = 7;

/// The inputs of the layout besides the terminal size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowOptions {
    /// The size of the segment in bytes.
    pub size: u64,
    /// `None` for as many as fit.
    pub row_bytes: Option<u16>,
    /// `None` for hex.
    pub shown_as: Option<Scalar>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InspectLayout {
    pub title: Area,
    pub rule: Area,
    pub heading: Area,
    pub rows: Area,
    pub row_bytes: u16,
    /// Hexadecimal digits of an offset.
    pub digits: u16,
    pub bytes_x: u16,
    /// The first column of the text; `None` if the screen is too narrow or shows values.
    pub text_x: Option<u16>,
    pub map: Area,
    pub values: Option<Area>,
    /// Set if the value panel is at the right, not below.
    pub beside: bool,
    pub footer: Area,
    /// The rules above the footer, and above a value panel below the bytes.
    pub lower_rules: [Option<Area>; 2],
}

/// Maximum width of a value, which is right-aligned.
pub const fn value_width(scalar: Scalar) -> u16 {
    match scalar {
        Scalar::U8 | Scalar::I8 => 4,
        Scalar::Bool | Scalar::U16 => 5,
        // The widest char is `'\x1b'`.
        Scalar::I16 | Scalar::Char => 6,
        Scalar::U32 => 10,
        Scalar::I32 => 11,
        Scalar::F32 => 14,
        Scalar::U64 | Scalar::I64 => 20,
        Scalar::F64 => 24,
        Scalar::TimeSeconds | Scalar::TimeMillis | Scalar::TimeMicros | Scalar::TimeNanos => 36,
    }
}

/// Digits of an offset: 8, 12 or 16.
pub const fn offset_digits(size: u64) -> u16 {
    match size {
        0..=0x1_0000_0000 => 8,
        0x1_0000_0001..=0x1_0000_0000_0000 => 12,
        _ => 16,
    }
}

/// The width of an offset, with an underscore after every four digits.
const fn offset_width(digits: u16) -> u16 {
    digits + digits / 4 - 1
}

/// The width of a row's bytes, without the text.
fn bytes_width(row_bytes: u16, shown_as: Option<Scalar>) -> u16 {
    match shown_as {
        None => 3 * row_bytes - 1 + row_bytes / 8 - 1,
        Some(scalar) => {
            let count = row_bytes / u16::try_from(scalar.size()).unwrap_or(8).max(1);
            count * (value_width(scalar) + 1) - 1
        }
    }
}

/// The width of a row with offset, text and map.
fn row_width(row_bytes: u16, digits: u16, shown_as: Option<Scalar>) -> u16 {
    let text = if shown_as.is_none() { 2 + row_bytes } else { 0 };
    offset_width(digits) + 2 + bytes_width(row_bytes, shown_as) + text + 1 + MAP
}

/// Returns true if rows of `row_bytes` bytes fit.
pub fn row_fits(size: Size, options: RowOptions, row_bytes: u16) -> bool {
    row_width(row_bytes, offset_digits(options.size), options.shown_as) <= size.width
}

pub fn layout(size: Size, options: RowOptions) -> InspectLayout {
    let Size { width, height } = size;
    let digits = offset_digits(options.size);
    let fits = |available: u16| {
        let widest =
            WIDTHS.into_iter().rev().find(|&bytes| row_width(bytes, digits, options.shown_as) <= available);
        widest.unwrap_or(WIDTHS[0])
    };
    let panel = height >= FEW_ROWS;
    let beside_room = width.saturating_sub(PANEL_MIN + 2);
    // The user may have chosen the width in a wider terminal.
    let chosen = options.row_bytes.filter(|&bytes| bytes == WIDTHS[0] || row_fits(size, options, bytes));
    let row_bytes = chosen.unwrap_or_else(|| fits(if panel && width >= 100 { beside_room } else { width }));
    let text = if options.shown_as.is_none() { 2 + row_bytes } else { 0 };
    let whole = row_width(row_bytes, digits, options.shown_as);
    // Narrow terminals lose the text first, then the map.
    let has_text = text > 0 && whole <= width;
    let has_map = whole - text <= width;
    let needed = whole - if has_text { 0 } else { text } - if has_map { 0 } else { MAP };
    let beside = panel && width >= 100 && needed <= beside_room;
    let margin = u16::from(needed < if beside { beside_room } else { width });

    let footer = Area::new(0, height.saturating_sub(1), width, height.min(1));
    let footer_rule = Area::new(0, footer.y.saturating_sub(1), width, 1);
    let under = if panel && !beside { PANEL_ROWS + 1 } else { 0 };
    let top = 3;
    let rows_height = footer_rule.y.saturating_sub(top + under);
    let bytes_x = margin + offset_width(digits) + 2;
    let text_x = has_text.then(|| bytes_x + bytes_width(row_bytes, None) + 2);
    let map_width = if has_map { MAP } else { 0 };
    let map_x = margin + needed - map_width;
    let values = if beside {
        let x = map_x + map_width + 2;
        Some(Area::new(x, 2, (width - x - 1).min(PANEL_MAX), footer_rule.y.saturating_sub(2)))
    } else {
        panel.then(|| Area::new(0, footer_rule.y.saturating_sub(PANEL_ROWS), width, PANEL_ROWS))
    };
    InspectLayout {
        title: Area::new(0, 0, width, 1),
        rule: Area::new(0, 1, width, 1),
        heading: Area::new(margin, 2, needed, 1),
        rows: Area::new(margin, top, map_x.saturating_sub(margin), rows_height),
        row_bytes,
        digits,
        bytes_x,
        text_x,
        map: Area::new(map_x, top, map_width, rows_height),
        values,
        beside,
        footer,
        lower_rules: [
            Some(footer_rule),
            (under > 0).then(|| Area::new(0, footer_rule.y.saturating_sub(under), width, 1)),
        ],
    }
}

impl InspectLayout {
    /// Bytes per screen.
    pub const fn page(&self) -> u64 {
        self.rows.height as u64 * self.row_bytes as u64
    }

    /// The column of a byte's hex digits.
    pub const fn hex_x(&self, column: u16) -> u16 {
        self.bytes_x + 3 * column + column / 8
    }

    /// Returns the byte at a cell, relative to the first byte on screen.
    pub fn byte_at(&self, x: u16, y: u16, shown_as: Option<Scalar>) -> Option<u64> {
        if !self.rows.contains(x, y) {
            return None;
        }
        let column = match (shown_as, self.text_x) {
            (Some(scalar), _) => {
                let size = u16::try_from(scalar.size()).unwrap_or(8);
                x.checked_sub(self.bytes_x)? / (value_width(scalar) + 1) * size
            }
            (None, Some(text_x)) if x >= text_x => x - text_x,
            _ => (0..self.row_bytes).rev().find(|&column| x >= self.hex_x(column))?,
        };
        let row = u64::from(y - self.rows.y);
        (column < self.row_bytes).then(|| row * u64::from(self.row_bytes) + u64::from(column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(width: u16, height: u16) -> InspectLayout {
        layout(Size { width, height }, RowOptions { size: 4096, row_bytes: None, shown_as: None })
    }

    #[test]
    fn row_width_is_the_largest_that_fits() {
        assert_eq!(at(80, 24).row_bytes, 16);
        assert_eq!(at(79, 24).row_bytes, 8);
        assert_eq!(at(40, 24).row_bytes, 8);
        assert_eq!((at(140, 45).row_bytes, at(140, 45).beside), (16, true));
        assert_eq!((at(150, 45).row_bytes, at(200, 45).row_bytes), (24, 32));
        assert!(at(100, 24).beside && !at(99, 24).beside);
        assert_eq!(at(99, 19).values, None);
        assert_eq!(at(150, 19).row_bytes, 32);
    }

    #[test]
    fn chosen_width_moves_the_values_below_if_needed() {
        let options = RowOptions { size: 4096, row_bytes: Some(16), shown_as: None };
        let narrow = layout(Size { width: 100, height: 30 }, options);
        assert_eq!((narrow.row_bytes, narrow.beside), (16, false));
    }

    #[test]
    fn areas_stay_on_screen() {
        for width in 40..260 {
            for height in 8..60 {
                for size in [100, 1 << 33, 1 << 62] {
                    for shown_as in std::iter::once(None).chain(Scalar::ALL.iter().copied().map(Some)) {
                        let layout =
                            layout(Size { width, height }, RowOptions { size, row_bytes: None, shown_as });
                        assert!(layout.rows.height >= 1, "{width}x{height}");
                        // Offsets of 16 digits and 8 bytes need 45 cells.
                        if shown_as.is_none() && (size < 1 << 48 || width >= 45) {
                            let end = layout
                                .text_x
                                .map_or(layout.hex_x(layout.row_bytes - 1) + 2, |x| x + layout.row_bytes);
                            assert!(end <= width && layout.map.right() <= width, "{width}x{height} {size}");
                        }
                        if let Some(values) = layout.values {
                            assert!(values.right() <= width && values.bottom() < height);
                            assert!(
                                !layout.beside
                                    || (values.x > layout.map.right() && values.width + 1 >= PANEL_MIN)
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn click_finds_its_byte_in_hex_and_text() {
        let layout = at(80, 24);
        for column in 0..16 {
            let offset = Some(u64::from(column) + 32);
            assert_eq!(layout.byte_at(layout.hex_x(column), layout.rows.y + 2, None), offset);
            assert_eq!(layout.byte_at(layout.text_x.unwrap() + column, layout.rows.y + 2, None), offset);
        }
        assert_eq!(layout.byte_at(0, layout.rows.y, None), None);
        assert_eq!(layout.byte_at(layout.bytes_x, 0, None), None);
    }
}

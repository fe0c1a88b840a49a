//! The Inspect screen:
//!
//! ```text
//!  /md_ring  256 KiB  trading-engine → md-feed        no trace   ● live 10/s
//!  map 0 ▓▓▓▓▓▓▓▓▓█▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ 256K
//!             0  1  2 …                        │ AT 0x18 (24)
//!  0000_0000  2a 00 00 …  *··                  │ f64  1.0701
//!  space freeze  …
//! ```
//!
//! Where the panel would cut numbers, the values take lines below the bytes instead. A wider terminal never shows less:
//! more bytes per row only where the panel keeps its width.

use super::Area;
use super::strip::MAP_LABELS;
use crate::app::event::Size;
use crate::decode::Scalar;

/// The supported numbers of bytes per row.
pub const WIDTHS: [u16; 4] = [8, 16, 24, 32];
/// The minimum width for a panel beside the bytes.
const WIDE: u16 = 100;
/// The minimum width for rows of 16 bytes. With long offsets, the rows have no text column.
const FULL_ROW: u16 = 80;
/// The minimum width of the panel: a label and any number.
const PANEL_MIN: u16 = 28;
/// The minimum width of the panel beside rows of more than 16 bytes: a value with its sparkline and
/// rate.
const PANEL_WIDE: u16 = 44;
const PANEL_MAX: u16 = 80;
/// The rule between bytes and panel, with a space on both sides.
const RULE: u16 = 3;
/// Rows of the panel below the bytes, on a low and on a tall screen.
const PANEL_ROWS: [u16; 2] = [2, 4];
/// The same for the fields of a type: the one at the cursor and its neighbors.
const TREE_ROWS: [u16; 2] = [5, 9];
const TALL: u16 = 30;
/// Rows of the pinned values below the fields: a blank line, a heading and the values.
const PINS_MIN: u16 = 2;
/// Rows of the moving values below the fields: a blank line, a heading and a value.
const MOVING_MIN: u16 = 3;
/// Terminals with fewer rows have no panel below the bytes.
const FEW_ROWS: u16 = 12;

/// The inputs of the layout besides the terminal size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowOptions {
    /// The size of the segment in bytes.
    pub size: u64,
    /// `None` for as many as fit.
    pub row_bytes: Option<u16>,
    /// `None` for hex.
    pub shown_as: Option<Scalar>,
    /// Set to show the fields of a type, which take more rows below the bytes.
    pub has_tree: bool,
}

/// The numbers of rows that the tree of fields, the pinned and the moving values have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeSections {
    pub fields: usize,
    pub pins: usize,
    pub moving: usize,
}

/// The areas of the tree of fields, and of the pinned and the moving values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeAreas {
    pub tree: Area,
    pub pins: Area,
    pub moving: Area,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InspectLayout {
    pub title: Area,
    /// The line of the map, with its labels.
    pub map_line: Area,
    /// The cells of the map.
    pub map: Area,
    pub heading: Area,
    pub rows: Area,
    pub row_bytes: u16,
    pub offsets: OffsetFormat,
    pub bytes_x: u16,
    /// The first column of the text; `None` if the screen is too narrow or shows values.
    pub text_x: Option<u16>,
    pub panel: Option<Area>,
    /// Set if the panel is at the right, not below.
    pub beside: bool,
    /// The rule before the panel.
    pub rule: Option<Area>,
    pub footer: Area,
}

/// The format of the offsets in front of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetFormat {
    /// Hexadecimal digits.
    pub digits: u16,
    /// An underscore after every four digits.
    pub grouped: bool,
}

impl OffsetFormat {
    /// Formats an offset: `0000_1f80`.
    pub fn text(self, offset: u64) -> String {
        let text = format!("{offset:0width$x}", width = usize::from(self.digits));
        if !self.grouped {
            return text;
        }
        let mut parted = String::with_capacity(text.len() + 3);
        for (at, digit) in text.chars().enumerate() {
            if at > 0 && (text.len() - at).is_multiple_of(4) {
                parted.push('_');
            }
            parted.push(digit);
        }
        parted
    }

    const fn width(self) -> u16 {
        if self.grouped { self.digits + self.digits / 4 - 1 } else { self.digits }
    }
}

/// Maximum width of a value, which is right-aligned.
pub const fn value_width(scalar: Scalar) -> u16 {
    match scalar {
        Scalar::U8 | Scalar::I8 => 4,
        Scalar::Bool | Scalar::U16 => 5,
        // The widest char is `'\x1b'`.
        Scalar::I16 | Scalar::Char | Scalar::Char8 => 6,
        Scalar::U32 => 10,
        Scalar::I32 | Scalar::F16 => 11,
        Scalar::F32 => 14,
        Scalar::U64 | Scalar::I64 => 20,
        // The widest character is `'\xf0\x9d\x84\x9e'`.
        Scalar::Char16 | Scalar::Char32 => 18,
        Scalar::F64 | Scalar::F80 => 24,
        Scalar::Complex64 => 30,
        Scalar::U128 | Scalar::I128 => 40,
        Scalar::Complex128 => 50,
        Scalar::TimeSeconds
        | Scalar::TimeMillis
        | Scalar::TimeMicros
        | Scalar::TimeNanos
        | Scalar::Datetime(_)
        | Scalar::Timedelta(_) => 36,
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

/// The parts of a row that fit.
#[derive(Clone, Copy)]
struct Row {
    offsets: OffsetFormat,
    /// The width of the gap and the text; 0 without text.
    text: u16,
    width: u16,
}

impl Row {
    fn new(row_bytes: u16, digits: u16, shown_as: Option<Scalar>, available: u16) -> Self {
        let text = if shown_as.is_none() { 2 + row_bytes } else { 0 };
        let row = |grouped: bool, text: u16| {
            let offsets = OffsetFormat { digits, grouped };
            Self { offsets, text, width: offsets.width() + 2 + bytes_width(row_bytes, shown_as) + text }
        };
        // Narrow terminals lose the underscores first, then the text.
        let all = [row(true, text), row(false, text), row(true, 0)];
        all.into_iter().find(|row| row.width <= available).unwrap_or_else(|| row(false, 0))
    }
}

/// Returns true if rows of `row_bytes` bytes fit.
pub fn row_fits(size: Size, options: RowOptions, row_bytes: u16) -> bool {
    let row = Row::new(row_bytes, offset_digits(options.size), options.shown_as, size.width);
    let complete = options.shown_as.is_some() || row.text > 0;
    row.width <= size.width && (complete || row_bytes <= 16 && size.width >= FULL_ROW)
}

/// Returns the largest number of bytes per row that leaves the panel its width.
fn most_bytes(size: Size, options: RowOptions) -> u16 {
    let keeps_panel = |bytes: u16| {
        let row = Row::new(bytes, offset_digits(options.size), options.shown_as, u16::MAX);
        size.width >= WIDE && 1 + row.width + RULE + PANEL_WIDE < size.width
    };
    // Slightly narrower terminals, with the panel below the bytes, already have rows of this width.
    let below = Size { width: size.width.min(WIDE - 1), ..size };
    let fits = |&bytes: &u16| bytes <= 16 && row_fits(below, options, bytes) || keeps_panel(bytes);
    WIDTHS.into_iter().rev().find(fits).unwrap_or(WIDTHS[0])
}

pub fn layout(size: Size, options: RowOptions) -> InspectLayout {
    let Size { width, height } = size;
    // The user may have chosen the row length in a wider terminal.
    let chosen = options.row_bytes.filter(|&bytes| bytes == WIDTHS[0] || row_fits(size, options, bytes));
    let row_bytes = chosen.unwrap_or_else(|| most_bytes(size, options));
    let row = Row::new(row_bytes, offset_digits(options.size), options.shown_as, width);
    let beside = width >= WIDE && 1 + row.width + RULE + PANEL_MIN < width;
    let panel_rows = if options.has_tree { TREE_ROWS } else { PANEL_ROWS }[usize::from(height >= TALL)];
    let below = !beside && height >= FEW_ROWS;
    let margin = u16::from(row.width < width);

    let footer = Area::new(0, height.saturating_sub(1), width, height.min(1));
    let top = 3;
    let under = if below { panel_rows + 1 } else { 0 };
    let rows_height = footer.y.saturating_sub(top + under);
    let bytes_x = margin + row.offsets.width() + 2;
    let text_x = (row.text > 0).then(|| bytes_x + bytes_width(row_bytes, None) + 2);
    let (rule, panel) = if beside {
        let x = margin + row.width + 1;
        let panel = (width - x - 3).min(PANEL_MAX);
        let panel_height = footer.y.saturating_sub(2);
        (Some(Area::new(x, 2, 1, panel_height)), Some(Area::new(x + 2, 2, panel, panel_height)))
    } else if below {
        let y = footer.y.saturating_sub(panel_rows);
        (
            Some(Area::new(0, y.saturating_sub(1), width, 1)),
            Some(Area::new(1, y, width.saturating_sub(2), panel_rows)),
        )
    } else {
        (None, None)
    };
    let map_line = Area::new(1, 1, width.saturating_sub(2), 1);
    InspectLayout {
        title: Area::new(0, 0, width, 1),
        map_line,
        map: Area { x: map_line.x + 6, width: map_line.width.saturating_sub(MAP_LABELS), ..map_line },
        heading: Area::new(margin, 2, row.width, 1),
        rows: Area::new(margin, top, row.width, rows_height),
        row_bytes,
        offsets: row.offsets,
        bytes_x,
        text_x,
        panel,
        beside,
        rule,
        footer,
    }
}

impl InspectLayout {
    /// Bytes per screen.
    pub const fn page(&self) -> u64 {
        self.rows.height as u64 * self.row_bytes as u64
    }

    /// The areas of the tree of fields and of the values below it: below the heading of the panel.
    pub fn tree(&self, sections: TreeSections) -> Option<TreeAreas> {
        let TreeSections { fields, pins, moving } = sections;
        let panel = self.panel?;
        let rows = panel.height.saturating_sub(1);
        let pinned = match (u16::try_from(pins).unwrap_or(u16::MAX), self.beside) {
            (0, _) => 0,
            (_, false) => 1,
            (pins, true) => pins.saturating_add(PINS_MIN).min(rows / 3),
        };
        let height = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        // The moving values take only what the fields leave over.
        let left = rows.saturating_sub(pinned).saturating_sub(height(fields));
        let moved = if self.beside && moving > 0 && left >= MOVING_MIN {
            height(moving).saturating_add(MOVING_MIN - 1).min(left)
        } else {
            0
        };
        let most = rows.saturating_sub(pinned + moved);
        // The values are beside the bytes directly below the fields.
        let tree_height = if self.beside { most.min(height(fields)) } else { most };
        let tree = Area { y: panel.y + 1, height: tree_height, ..panel };
        let below = |y: u16, height: u16| {
            let blank = u16::from(self.beside && height > 0);
            Area { y: y + blank, height: height.saturating_sub(blank), ..panel }
        };
        let pins = below(tree.bottom(), pinned);
        Some(TreeAreas { tree, pins, moving: below(pins.bottom(), moved) })
    }

    /// The column of a byte's hex digits.
    pub const fn hex_x(&self, column: u16) -> u16 {
        self.bytes_x + 3 * column + column / 8
    }

    /// Returns the row and column of the byte at a cell.
    pub fn byte_at(&self, x: u16, y: u16, shown_as: Option<Scalar>) -> Option<(usize, u16)> {
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
        (column < self.row_bytes).then(|| (usize::from(y - self.rows.y), column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(width: u16, height: u16) -> InspectLayout {
        layout(
            Size { width, height },
            RowOptions { size: 4096, row_bytes: None, shown_as: None, has_tree: false },
        )
    }

    fn hex(width: u16, height: u16, size: u64) -> InspectLayout {
        layout(Size { width, height }, RowOptions { size, row_bytes: None, shown_as: None, has_tree: false })
    }

    #[test]
    fn sixteen_bytes_fit_into_eighty_columns() {
        for (size, grouped, text) in [(4096, true, true), (1 << 40, false, true), (1 << 62, true, false)] {
            let layout = hex(80, 24, size);
            let found = (layout.row_bytes, layout.offsets.grouped, layout.text_x.is_some());
            assert_eq!(found, (16, grouped, text), "{size}");
        }
        assert_eq!((at(75, 24).row_bytes, at(40, 24).row_bytes), (8, 8));
    }

    #[test]
    fn panel_is_beside_the_bytes_where_it_fits_any_number() {
        assert!(at(110, 24).beside && !at(109, 24).beside);
        assert_eq!(at(110, 24).panel.unwrap().width, 28);
        assert_eq!((at(99, 24).panel.unwrap().height, at(99, 30).panel.unwrap().height), (2, 4));
        assert_eq!(at(99, 11).panel, None);
        assert_eq!(at(100, 24).row_bytes, 16);
        assert_eq!((at(140, 45).row_bytes, at(160, 45).row_bytes, at(200, 45).row_bytes), (16, 24, 32));
    }

    #[test]
    fn wider_terminal_never_shows_less() {
        for (size, has_tree) in [(100, false), (1 << 33, true), (1 << 62, false), (100, true)] {
            for shown_as in std::iter::once(None).chain(Scalar::BASIC.into_iter().map(Some)) {
                let at = |width| {
                    layout(
                        Size { width, height: 24 },
                        RowOptions { size, row_bytes: None, shown_as, has_tree },
                    )
                };
                for width in 40..259 {
                    let (narrow, wide) = (at(width), at(width + 1));
                    let seen = |layout: &InspectLayout| (layout.row_bytes, layout.map.width);
                    assert!(narrow.row_bytes <= wide.row_bytes, "{width} {size} {shown_as:?}");
                    assert!(narrow.rows.height <= wide.rows.height && seen(&narrow).1 <= seen(&wide).1);
                    assert!(!narrow.beside || wide.beside, "{width} {size} {shown_as:?}");
                    let room = |layout: &InspectLayout| layout.panel.map_or(0, |panel| panel.width);
                    let enough = room(&wide).min(PANEL_WIDE);
                    assert!(
                        !narrow.beside || room(&narrow).min(PANEL_WIDE) <= enough,
                        "{width} {shown_as:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn chosen_width_moves_the_panel_below_if_needed() {
        let options = RowOptions { size: 4096, row_bytes: Some(24), shown_as: None, has_tree: false };
        let narrow = layout(Size { width: 120, height: 30 }, options);
        assert_eq!((narrow.row_bytes, narrow.beside), (24, false));
    }

    #[test]
    fn areas_stay_on_screen() {
        for width in 40..260 {
            for height in 8..60 {
                for (size, has_tree) in [(100, false), (1 << 33, true), (1 << 62, false), (100, true)] {
                    for shown_as in std::iter::once(None).chain(Scalar::BASIC.into_iter().map(Some)) {
                        let layout = layout(
                            Size { width, height },
                            RowOptions { size, row_bytes: None, shown_as, has_tree },
                        );
                        assert!(layout.rows.height >= 1, "{width}x{height}");
                        assert!(layout.map.width >= 20 && layout.map_line.right() < width);
                        // A 16-digit offset and 8 bytes per row need 41 columns.
                        if shown_as.is_none() && (size < 1 << 48 || width >= 41) {
                            let end = layout
                                .text_x
                                .map_or(layout.hex_x(layout.row_bytes - 1) + 2, |x| x + layout.row_bytes);
                            assert!(end <= width, "{width}x{height} {size}");
                        }
                        if let Some(panel) = layout.panel {
                            assert!(panel.right() < width && panel.bottom() <= layout.footer.y);
                            assert!(
                                !layout.beside || (panel.x > layout.rows.right() && panel.width >= PANEL_MIN)
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn offsets_are_grouped_by_four_digits() {
        let text = |digits, grouped, offset| OffsetFormat { digits, grouped }.text(offset);
        assert_eq!(text(8, true, 0x1f80), "0000_1f80");
        assert_eq!(text(12, true, 0x3ff_ffff_ffff), "03ff_ffff_ffff");
        assert_eq!(text(12, false, 0x3ff_ffff_ffff), "03ffffffffff");
    }

    #[test]
    fn click_finds_its_byte_in_hex_and_text() {
        let layout = at(80, 24);
        for column in 0..16 {
            let byte = Some((2, column));
            assert_eq!(layout.byte_at(layout.hex_x(column), layout.rows.y + 2, None), byte);
            assert_eq!(layout.byte_at(layout.text_x.unwrap() + column, layout.rows.y + 2, None), byte);
        }
        assert_eq!(layout.byte_at(0, layout.rows.y, None), None);
        assert_eq!(layout.byte_at(layout.bytes_x, 0, None), None);
    }
}

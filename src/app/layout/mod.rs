//! Where everything stands: pure functions of the size and the state, shared
//! by drawing, paging and clicks. Knows cells, not terminals.

pub mod inspect;
pub mod overlay;
pub mod segments;

use super::event::Size;

/// The smallest terminal in which a screen can be shown.
pub const SMALLEST: Size = Size { width: 40, height: 8 };
/// The largest part of a terminal that is drawn. A terminal may claim any size,
/// and memory and time grow with the number of cells.
pub const LARGEST: Size = Size { width: 1000, height: 400 };
/// Below this many rows the detail area and the value panel go.
pub const FEW_ROWS: u16 = 20;

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    /// The leftmost column.
    pub x: u16,
    /// The topmost row.
    pub y: u16,
    /// How many columns.
    pub width: u16,
    /// How many rows.
    pub height: u16,
}

impl Area {
    /// A rectangle.
    #[must_use]
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    /// Whether a cell lies in it.
    #[must_use]
    pub const fn holds(self, x: u16, y: u16) -> bool {
        x >= self.x && y >= self.y && x - self.x < self.width && y - self.y < self.height
    }

    /// The column behind it.
    #[must_use]
    pub const fn right(self) -> u16 {
        self.x + self.width
    }

    /// The row below it.
    #[must_use]
    pub const fn bottom(self) -> u16 {
        self.y + self.height
    }
}

impl Size {
    /// Whether a screen fits into it.
    #[must_use]
    pub const fn is_enough(self) -> bool {
        self.width >= SMALLEST.width && self.height >= SMALLEST.height
    }

    /// The part of a terminal of this size that is drawn.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self { width: self.width.min(LARGEST.width), height: self.height.min(LARGEST.height) }
    }

    /// Returns whether a cell lies within.
    #[must_use]
    pub const fn holds(self, x: u16, y: u16) -> bool {
        x < self.width && y < self.height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sizes_above_the_largest_are_clamped() {
        for (size, drawn) in [
            ((80, 24), (80, 24)),
            ((1000, 400), (1000, 400)),
            ((1001, 24), (1000, 24)),
            ((80, 401), (80, 400)),
            ((u16::MAX, u16::MAX), (1000, 400)),
            ((0, 0), (0, 0)),
        ] {
            let clamped = Size { width: size.0, height: size.1 }.clamped();
            assert_eq!((clamped.width, clamped.height), drawn);
        }
    }
}

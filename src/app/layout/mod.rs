//! Layouts: pure functions of size and state, shared by drawing, paging and clicks.

pub mod detail;
pub mod inspect;
pub mod overlay;
pub mod scope;
pub mod segments;
pub mod strip;

use super::event::Size;

/// The smallest usable terminal.
pub const MIN_SIZE: Size = Size { width: 40, height: 8 };
/// The largest drawn size. A terminal may claim any size, and memory and time grow with the number
/// of cells.
pub const MAX_SIZE: Size = Size { width: 1000, height: 400 };
/// Terminals with fewer rows hide the detail area and the value panel.
pub const MIN_DETAIL_HEIGHT: u16 = 20;

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Area {
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    pub const fn contains(self, x: u16, y: u16) -> bool {
        x >= self.x && y >= self.y && x - self.x < self.width && y - self.y < self.height
    }

    pub const fn right(self) -> u16 {
        self.x + self.width
    }

    pub const fn bottom(self) -> u16 {
        self.y + self.height
    }

    /// The rest below the first rows.
    #[must_use]
    pub fn below(self, rows: u16) -> Self {
        let rows = rows.min(self.height);
        Self { y: self.y + rows, height: self.height - rows, ..self }
    }
}

impl Size {
    pub const fn is_enough(self) -> bool {
        self.width >= MIN_SIZE.width && self.height >= MIN_SIZE.height
    }

    /// The drawn part of a terminal of this size.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self { width: self.width.min(MAX_SIZE.width), height: self.height.min(MAX_SIZE.height) }
    }

    pub const fn contains(self, x: u16, y: u16) -> bool {
        x < self.width && y < self.height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_above_the_maximum_are_clamped() {
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

//! What is asked of a look at a live segment, and what it shows.

use crate::machine::{ExtentKind, Trace};
use crate::memory::Standing;
use std::ops::Range;
use std::time::Duration;

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The bytes to show. What lies beyond the end, or beyond 1 MiB, is cut off.
    pub window: Range<u64>,
    /// How many cells the map shall have.
    pub cells: usize,
    /// How long the look may take. The window is read in any case; what is left
    /// goes into scanning on through the rest of the segment.
    pub budget: Duration,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Whether it is still there, and its size.
    pub standing: Standing,
    /// What reading it leaves behind.
    pub trace: Trace,
    /// The offset of the first byte.
    pub window_offset: u64,
    /// The bytes of the window, fewer where the segment ends.
    pub bytes: Vec<u8>,
    /// The extents of the window, in rising order, in offsets of the segment.
    pub extents: Vec<(Range<u64>, ExtentKind)>,
    /// The bytes of the window that differ from the last time they were seen,
    /// in offsets of the segment. What is seen the first time has not changed.
    pub changed: Vec<Range<u64>>,
    /// The bytes of the window that are known to differ from the baseline.
    pub differs: Vec<Range<u64>>,
    /// The whole segment in equal parts, see [`Look::cell_span`].
    pub map: Vec<Cell>,
    /// How many bytes were found changed by this look, in the window and by
    /// the scan. Of a page whose bytes were not kept one is counted.
    pub changes: u64,
    /// How many bytes of the segment were seen at least once, holes included.
    pub scanned: u64,
}

/// A part of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// What is there.
    pub kind: CellKind,
    /// Whether this look found something changed in it.
    pub changed: bool,
}

/// What a part of a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// Not looked at yet.
    Unknown,
    /// Never written throughout.
    Hole,
    /// Written to in places, and zeros throughout.
    Zeros,
    /// Something that is not zero.
    Data,
}

impl Look {
    /// Which bytes a cell stands for, of a map of `cells` over `size` bytes.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most `size`, which is a u64")]
    pub fn cell_span(size: u64, cells: usize, cell: usize) -> Range<u64> {
        let edge = |cell: usize| (u128::from(size) * cell as u128 / (cells as u128).max(1)) as u64;
        edge(cell)..edge(cell + 1)
    }
}

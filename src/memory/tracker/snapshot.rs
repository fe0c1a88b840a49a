//! Snapshots of a tracked segment.

use crate::machine::Method;
use crate::memory::Presence;
use std::ops::Range;
use std::time::Duration;

/// The part of a segment to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// The bytes to show, limited to the segment and to 1 MiB.
    pub window: Range<u64>,
    /// Set to read the rows around the start of the window instead, without long runs of zeros and
    /// holes.
    pub rows: Option<Rows>,
    /// The number of cells of the map.
    pub cells: usize,
    /// The time limit. The window is always read; the scan of the rest of the segment takes the
    /// remaining time.
    pub budget: Duration,
}

/// The number of rows with data to read around an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// The length of a row in bytes.
    pub length: u64,
    pub above: usize,
    pub below: usize,
}

/// A run of zero bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quiet {
    /// Allocated.
    Zeros,
    /// Not allocated.
    Hole,
}

/// The state of a segment at one point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub presence: Presence,
    pub method: Method,
    /// The offset of the first byte of the window.
    pub window_offset: u64,
    /// The bytes of the window without its gaps, fewer at the end of the segment.
    pub bytes: Vec<u8>,
    /// The pages of a window of rows that are zero, as runs in ascending order.
    pub gaps: Vec<(Range<u64>, Quiet)>,
    /// The bytes of the window that changed since the last read, as segment offsets. Bytes that are
    /// read for the first time count as unchanged.
    pub changed: Vec<Range<u64>>,
    /// The bytes of the window that differ from the baseline.
    pub differs: Vec<Range<u64>>,
    /// The whole segment in equal parts, see [`Snapshot::cell_span`].
    pub map: Vec<Cell>,
    /// Bytes that have changed, in the window and in the scanned part. A changed page without a
    /// copy counts as one.
    pub changes: u64,
    /// Bytes that have been read at least once, including holes.
    pub scanned: u64,
}

/// A cell of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The kind of the cell's bytes.
    pub kind: CellKind,
    /// Set if this snapshot found a change in the cell.
    pub changed: bool,
}

/// The kind of a part of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// Not read yet.
    Unknown,
    /// Never written.
    Hole,
    /// Some bytes were written, and all of them are zero.
    Zeros,
    /// Some bytes are nonzero.
    Data,
}

impl Snapshot {
    /// Returns the bytes that a cell covers in a map of `cells` cells over `size` bytes.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most `size`, which is a u64")]
    pub fn cell_span(size: u64, cells: usize, cell: usize) -> Range<u64> {
        let edge = |cell: usize| (u128::from(size) * cell as u128 / (cells as u128).max(1)) as u64;
        edge(cell)..edge(cell + 1)
    }
}

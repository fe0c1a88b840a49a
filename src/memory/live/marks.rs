//! Marks the map cells in which bytes have changed.

use super::Snapshot;
use std::ops::Range;

/// The cells with changes, and the number of changed bytes.
#[derive(Debug)]
pub struct Marks {
    size: u64,
    /// A flag per cell.
    pub cells: Vec<bool>,
    /// The number of changed bytes.
    pub count: u64,
}

impl Marks {
    pub fn new(size: u64, cells: usize) -> Self {
        Self { size, cells: vec![false; cells.min(usize::try_from(size).unwrap_or(usize::MAX))], count: 0 }
    }

    /// Records that `count` bytes within a range have changed.
    pub fn mark(&mut self, range: &Range<u64>, count: u64) {
        self.count = self.count.saturating_add(count);
        let end = range.end.min(self.size);
        if self.cells.is_empty() || range.start >= end {
            return;
        }
        let cells = self.cells.len();
        let cell = u128::from(range.start) * cells as u128 / u128::from(self.size);
        let mut cell = usize::try_from(cell).unwrap_or(usize::MAX);
        while cell < cells {
            let span = Snapshot::cell_span(self.size, cells, cell);
            if span.start >= end {
                break;
            }
            self.cells[cell] |= span.end > range.start;
            cell += 1;
        }
    }

    /// Records changed ranges within the page that starts at `start`.
    pub fn mark_all(&mut self, start: u64, ranges: &[Range<usize>]) {
        for range in ranges {
            self.mark(&(start + range.start as u64..start + range.end as u64), range.len() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cell_is_marked_if_it_covers_a_changed_byte(size in 1u64..200, cells in 0usize..50, start in 0u64..210, length in 0u64..99) {
            let mut marks = Marks::new(size, cells);
            marks.mark(&(start..start + length), 1);
            let cells = marks.cells.len();
            for (cell, &marked) in marks.cells.iter().enumerate() {
                let mut span = Snapshot::cell_span(size, cells, cell);
                prop_assert_eq!(marked, span.any(|at| (start..start + length).contains(&at)));
            }
        }
    }
}

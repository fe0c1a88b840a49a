//! Collects changes: their number, the map cells they are in, and their bytes.

use super::Snapshot;
use std::ops::Range;

/// A block that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub offset: u64,
    /// The bytes before; `None` if they were not kept.
    pub old: Option<Box<[u8]>>,
    pub new: Box<[u8]>,
}

/// The changes found in a scan.
#[derive(Debug)]
pub struct Changes {
    size: u64,
    /// A flag for each cell of the map.
    pub cells: Vec<bool>,
    /// The number of changed bytes.
    pub count: u64,
    /// The changed pages; `None` if the caller does not want them.
    pub pages: Option<Vec<Change>>,
}

impl Changes {
    pub fn new(size: u64, cells: usize, pages: Option<Vec<Change>>) -> Self {
        let cells = vec![false; cells.min(usize::try_from(size).unwrap_or(usize::MAX))];
        Self { size, cells, count: 0, pages }
    }

    /// Records that `count` bytes within a range have changed.
    pub fn add(&mut self, range: &Range<u64>, count: u64) {
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
    pub fn add_all(&mut self, start: u64, ranges: &[Range<usize>]) {
        for range in ranges {
            self.add(&(start + range.start as u64..start + range.end as u64), range.len() as u64);
        }
    }

    /// Keeps the bytes of a changed page.
    pub fn keep(&mut self, offset: u64, old: Option<&[u8]>, new: &[u8]) {
        if let Some(pages) = &mut self.pages {
            pages.push(Change { offset, old: old.map(|old| old[..new.len()].into()), new: new.into() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cell_is_marked_if_it_covers_a_changed_byte(size in 1u64..200, cells in 0usize..50, start in 0u64..210, length in 0u64..99) {
            let mut changes = Changes::new(size, cells, None);
            changes.add(&(start..start + length), 1);
            let cells = changes.cells.len();
            for (cell, &marked) in changes.cells.iter().enumerate() {
                let mut span = Snapshot::cell_span(size, cells, cell);
                prop_assert_eq!(marked, span.any(|at| (start..start + length).contains(&at)));
            }
        }
    }
}

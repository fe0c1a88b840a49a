//! Finds the runs of data in a segment, in either direction, without reading any data.

use super::{Progress, Reader};
use crate::machine::ExtentKind;
use std::io;
use std::ops::Range;

/// Larger ranges are halved when searching backward. Small in tests, to cover several halvings.
const LEAF_SIZE: u64 = if cfg!(test) { 8 << 10 } else { 64 << 20 };

/// The runs of data within a range, in ascending order. Two runs may be adjacent. Ends early after
/// a cancellation.
pub struct DataForward<'a> {
    reader: &'a Reader,
    progress: &'a Progress,
    at: u64,
    end: u64,
}

impl<'a> DataForward<'a> {
    pub const fn new(reader: &'a Reader, range: Range<u64>, progress: &'a Progress) -> Self {
        Self { reader, progress, at: range.start, end: range.end }
    }

    fn next_run(&mut self) -> io::Result<Option<Range<u64>>> {
        while self.at < self.end && !self.progress.is_cancelled() {
            let start = self.at;
            let Some(extent) = self.reader.extent_at(start, self.end - start)? else { break };
            self.at = extent.end.max(start + 1);
            if extent.kind == ExtentKind::Data {
                return Ok(Some(start..self.at.min(self.end)));
            }
        }
        self.at = self.end;
        Ok(None)
    }
}

impl Iterator for DataForward<'_> {
    type Item = io::Result<Range<u64>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_run().transpose()
    }
}

/// The runs of data within a range, in descending order.
///
/// The kernel reports extents only in the forward direction, so a range is halved until it is a
/// hole or small. A hole of any size takes one query.
pub struct DataBackward<'a> {
    reader: &'a Reader,
    progress: &'a Progress,
    /// Ranges to examine, the highest on top.
    open: Vec<Range<u64>>,
    ready: Vec<Range<u64>>,
}

impl<'a> DataBackward<'a> {
    pub fn new(reader: &'a Reader, range: Range<u64>, progress: &'a Progress) -> Self {
        Self { reader, progress, open: vec![range], ready: vec![] }
    }

    fn next_run(&mut self) -> io::Result<Option<Range<u64>>> {
        loop {
            if let Some(run) = self.ready.pop() {
                return Ok(Some(run));
            }
            let Some(range) = self.open.pop() else { return Ok(None) };
            if range.is_empty() || self.progress.is_cancelled() {
                continue;
            }
            let length = range.end - range.start;
            if length <= LEAF_SIZE {
                self.ready =
                    DataForward::new(self.reader, range, self.progress).collect::<io::Result<_>>()?;
                continue;
            }
            // Do not query the end of data: the kernel visits every page to find it.
            let limit = match self.reader.extent_at(range.start, 1)? {
                Some(extent) if extent.kind == ExtentKind::Hole => length,
                _ => 1,
            };
            match self.reader.extent_at(range.start, limit)? {
                // Past the end, or a hole throughout.
                None => {}
                Some(extent) if extent.kind == ExtentKind::Hole && extent.end >= range.end => {}
                Some(_) => {
                    let middle = range.start + length / 2;
                    self.open.push(range.start..middle);
                    self.open.push(middle..range.end);
                }
            }
        }
    }
}

impl Iterator for DataBackward<'_> {
    type Item = io::Result<Range<u64>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_run().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeBytes;
    use crate::memory::example::{object, pages, sparse};
    use proptest::prelude::*;

    fn joined(runs: impl Iterator<Item = io::Result<Range<u64>>>) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = runs.map(Result::unwrap).collect();
        runs.sort_by_key(|run| run.start);
        runs.dedup_by(|next, run| {
            next.start == run.end && {
                run.end = next.end;
                true
            }
        });
        runs
    }

    #[test]
    fn largest_hole_is_skipped() {
        let mut bytes = FakeBytes::hole(u64::MAX >> 1);
        bytes.write(1 << 61, b"x");
        let (machine, reader) = object(bytes);
        let page = 1 << 61..(1 << 61) + 4096;
        let progress = Progress::new();
        let size = reader.size().unwrap();
        let forward: Vec<_> = DataForward::new(&reader, 0..size, &progress).map(Result::unwrap).collect();
        let backward: Vec<_> = DataBackward::new(&reader, 0..size, &progress).map(Result::unwrap).collect();
        assert_eq!((forward, backward), (vec![page.clone()], vec![page]));
        assert_eq!(pages(&machine), 1);
    }

    #[test]
    fn canceled_walk_ends() {
        let (_machine, reader) = object(FakeBytes::full(&vec![1; 40_000]));
        let progress = Progress::new();
        progress.cancel();
        assert_eq!(DataForward::new(&reader, 0..40_000, &progress).count(), 0);
        assert_eq!(DataBackward::new(&reader, 0..40_000, &progress).count(), 0);
    }

    proptest! {
        #[test]
        fn both_directions_find_the_same_runs(bytes in sparse(), start in 0u64..25_000, end in 0u64..25_000) {
            let (_machine, reader) = object(bytes);
            let progress = Progress::new();
            let forward: Vec<_> = DataForward::new(&reader, start..end, &progress).map(Result::unwrap).collect();
            let backward: Vec<_> = DataBackward::new(&reader, start..end, &progress).map(Result::unwrap).collect();
            prop_assert!(backward.windows(2).all(|pair| pair[0].start >= pair[1].end));
            prop_assert!(forward.iter().all(|run| run.start >= start && run.end <= end));
            prop_assert_eq!(joined(forward.into_iter().map(Ok)), joined(backward.into_iter().map(Ok)));
        }
    }
}

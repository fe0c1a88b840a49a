//! The parts of a segment that hold data, from either end, without reading any.

use super::{Progress, Reader};
use crate::machine::ExtentKind;
use std::io;
use std::ops::Range;

/// Ranges larger than this are halved when they are gone through backwards.
const LEAF: u64 = 64 << 20;

/// The runs of data within a range, in rising order. Two of them may touch;
/// what lies between others is hole. Ends early when the work is cancelled.
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

/// The runs of data within a range, in falling order, as [`DataForward`].
///
/// The kernel tells extents only forwards. So a range is cut in halves until
/// it is a hole or small; a hole of any size costs one question.
pub struct DataBackward<'a> {
    reader: &'a Reader,
    progress: &'a Progress,
    /// Ranges that were not looked at yet, the highest on top.
    open: Vec<Range<u64>>,
    /// Runs of data of one leaf, the highest on top.
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
            if length <= LEAF {
                self.ready =
                    DataForward::new(self.reader, range, self.progress).collect::<io::Result<_>>()?;
                continue;
            }
            match self.reader.extent_at(range.start, length)? {
                // Beyond the end, or a hole throughout.
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

//! One open segment, watched live.

mod look;

pub use look::{Cell, CellKind, Look, Request};

use super::{Direction, Progress, Reader, differences};
use crate::machine::{ExtentKind, Machine};
use std::io;
use std::ops::Range;

/// The largest window that is read at one look, in bytes; more is cut off.
const LARGEST_WINDOW: u64 = 1 << 20;

/// An open segment and what was seen of it so far. What it keeps stays below
/// 20 MiB, whatever the size of the segment.
pub struct Live {
    reader: Reader,
    previous: (u64, Vec<u8>),
    baseline: (u64, Vec<u8>),
}

impl Live {
    /// Begins to watch. Nothing is read yet.
    #[must_use]
    pub const fn new(reader: Reader) -> Self {
        Self { reader, previous: (0, vec![]), baseline: (0, vec![]) }
    }

    /// What it reads from.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Looks: reads the window, and scans on through the rest for as long as
    /// the request allows.
    ///
    /// # Errors
    /// When the kernel no longer answers for the segment.
    pub fn look(&mut self, machine: &dyn Machine, request: &Request) -> io::Result<Look> {
        let standing = self.reader.standing(machine)?;
        let size = standing.size();
        let start = request.window.start.min(size);
        let end = request.window.end.min(size).min(start.saturating_add(LARGEST_WINDOW)).max(start);
        let mut bytes = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
        let count = self.reader.read_at(start, &mut bytes)?;
        bytes.truncate(count);
        let changed = overlap(&self.previous, start, &bytes);
        if self.baseline.1.is_empty() {
            self.baseline = (start, bytes.clone());
        }
        let differs = overlap(&self.baseline, start, &bytes);
        self.previous = (start, bytes.clone());
        let mut extents = vec![];
        let mut at = start;
        while at < end {
            let Some(extent) = self.reader.extent_at(at, end - at)? else { break };
            extents.push((at..extent.end, extent.kind));
            at = extent.end;
        }
        let count = changed.iter().map(|range| range.end - range.start).sum();
        let cells = request.cells.min(usize::try_from(size).unwrap_or(usize::MAX));
        let map = (0..cells)
            .map(|cell| {
                let span = Look::cell_span(size, cells, cell);
                let kind = match self.reader.extent_at(span.start, span.end - span.start) {
                    Ok(Some(extent)) if extent.kind == ExtentKind::Hole && extent.end >= span.end => {
                        CellKind::Hole
                    }
                    _ => CellKind::Unknown,
                };
                let changed = changed.iter().any(|range| range.start < span.end && range.end > span.start);
                Cell { kind, changed }
            })
            .collect();
        Ok(Look {
            standing,
            trace: self.reader.trace(),
            window_offset: start,
            bytes,
            extents,
            changed,
            differs,
            map,
            changes: count,
            scanned: 0,
        })
    }

    /// From now on `differs` and [`Live::next_change`] measure from what was
    /// seen last. At first they measure from what was seen first.
    pub fn set_baseline(&mut self) {
        self.baseline = self.previous.clone();
    }

    /// The first place at or after `from`, or the last one before it, where
    /// the segment differs from the baseline.
    ///
    /// # Errors
    /// When the kernel refuses to read.
    pub fn next_change(
        &mut self,
        from: u64,
        direction: Direction,
        progress: &Progress,
    ) -> io::Result<Option<u64>> {
        let (start, old) = &self.baseline;
        progress.begin(old.len() as u64);
        let mut new = vec![0; old.len()];
        let count = self.reader.read_at(*start, &mut new)?;
        new.truncate(count);
        let mut changed = differences(old, &new).into_iter().flatten().map(|at| start + at as u64);
        Ok(match direction {
            Direction::Forward => changed.find(|&at| at >= from),
            Direction::Backward => changed.take_while(|&at| at < from).last(),
        })
    }
}

/// Where what was seen before differs from what is seen now.
fn overlap((old_start, old): &(u64, Vec<u8>), start: u64, new: &[u8]) -> Vec<Range<u64>> {
    let from = start.max(*old_start);
    let cut = |begin: u64, bytes: &'_ [u8]| {
        let skip = usize::try_from(from - begin).unwrap_or(usize::MAX);
        bytes.get(skip..).map(<[u8]>::to_vec).unwrap_or_default()
    };
    differences(&cut(*old_start, old), &cut(start, new))
        .into_iter()
        .map(|range| from + range.start as u64..from + range.end as u64)
        .collect()
}

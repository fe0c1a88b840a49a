//! Change tracking in an open segment: byte by byte in the window, and by scanning the rest in
//! chunks.
//!
//! Keeps a hash of every allocated block, and copies of the pages that were shown. Never reads
//! holes.

mod change;
mod copies;
mod covered;
mod hashes;
mod map;
mod marks;
mod page;
mod scan;
mod snapshot;
#[cfg(test)]
mod tests;

pub use snapshot::{Cell, CellKind, Snapshot, SnapshotRequest};

use super::{PageBuffer, Reader, differences};
use crate::machine::{ExtentKind, Machine};
use copies::Copies;
use hashes::{Hashes, Noted};
use marks::Marks;
use page::{PAGE, PAGE_BYTES, page_hash};
use scan::Scan;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// The maximum size of the window in bytes.
const MAX_WINDOW: u64 = 1 << 20;

/// An open segment and its last known state. Takes less than 20 MiB for a segment of any size.
pub struct Live {
    reader: Reader,
    size: u64,
    hashes: Hashes,
    copies: Copies,
    scan: Scan,
    /// Shared by the window and the scan.
    buffer: PageBuffer,
    /// The number of snapshots so far.
    snapshots: u64,
    zeros: Arc<[u8]>,
}

/// The contents and changes of the window.
#[derive(Default)]
struct Window {
    bytes: Vec<u8>,
    extents: Vec<(Range<u64>, ExtentKind)>,
    changed: Vec<Range<u64>>,
    differs: Vec<Range<u64>>,
}

impl Live {
    /// Starts tracking without reading anything yet.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            size: 0,
            hashes: Hashes::new(),
            copies: Copies::default(),
            scan: Scan::default(),
            buffer: PageBuffer::default(),
            snapshots: 0,
            zeros: [0; PAGE_BYTES].into(),
        }
    }

    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Reads the window, then scans the rest of the segment in the remaining time, each byte at
    /// most once.
    ///
    /// # Errors
    /// Fails if the kernel can no longer access the segment.
    pub fn snapshot(&mut self, machine: &dyn Machine, request: &SnapshotRequest) -> io::Result<Snapshot> {
        let began = Instant::now();
        self.snapshots += 1;
        let presence = self.reader.presence(machine)?;
        self.resize(presence.size());
        let mut marks = Marks::new(self.size, request.cells);
        let start = request.window.start.min(self.size);
        let end = request.window.end.min(start.saturating_add(MAX_WINDOW)).clamp(start, self.size);
        let window = self.window(start..end, &mut marks)?;
        self.continue_scan(began, request.budget, &mut marks)?;
        Ok(Snapshot {
            presence,
            trace: self.reader.trace(),
            window_offset: start,
            bytes: window.bytes,
            extents: window.extents,
            changed: window.changed,
            differs: window.differs,
            map: self.map(&marks),
            changes: marks.count,
            scanned: self.hashes.seen(self.size),
        })
    }

    /// Makes the current bytes the baseline of [`Snapshot::differs`] and [`Live::next_change`]. The
    /// initial baseline is the bytes that were read first.
    pub fn set_baseline(&mut self) {
        self.hashes.set_baseline();
        self.copies.set_baseline();
    }

    fn resize(&mut self, size: u64) {
        if size < self.size {
            self.copies.resize(size);
            self.scan.restart_beyond(size);
        }
        self.size = size;
        self.hashes.resize(size);
    }

    /// Reads the pages of the window and compares them with the previous ones.
    fn window(&mut self, range: Range<u64>, marks: &mut Marks) -> io::Result<Window> {
        let mut window = Window::default();
        if range.is_empty() {
            return Ok(window);
        }
        let whole = range.start / PAGE * PAGE..range.end.next_multiple_of(PAGE).min(self.size);
        let extents = self.extents(whole.clone())?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let count = self.reader.fill(&mut buffer, whole.start, length(&whole))?;
        for (page, bytes) in (whole.start / PAGE..).zip(buffer.chunks(PAGE_BYTES)) {
            let start = page * PAGE;
            let allocated = extents.iter().any(|(extent, kind)| {
                *kind == ExtentKind::Data && extent.start < start + PAGE && extent.end > start
            });
            let (changed, differs) = self.window_page(page, bytes, allocated, marks);
            window.changed.extend(changed.iter().filter_map(|part| shown(start, part, &range)));
            window.differs.extend(differs.iter().filter_map(|part| shown(start, part, &range)));
        }
        let end = length(&(whole.start..range.end)).min(count);
        window.bytes = buffer[length(&(whole.start..range.start)).min(end)..end].to_vec();
        self.buffer = buffer;
        let read = range.start..range.start + window.bytes.len() as u64;
        window.extents = extents
            .into_iter()
            .map(|(extent, kind)| (extent.start.max(read.start)..extent.end.min(read.end), kind))
            .filter(|(extent, _)| !extent.is_empty())
            .collect();
        join(&mut window.changed);
        join(&mut window.differs);
        Ok(window)
    }

    /// Updates a page of the window. Returns the ranges that changed and those that differ from the
    /// baseline.
    fn window_page(
        &mut self,
        page: u64,
        bytes: &[u8],
        allocated: bool,
        marks: &mut Marks,
    ) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let hash = page_hash(page, bytes);
        let changed = match self.copies.update(page, bytes) {
            Some(changed) => changed,
            None => self.first_shown(page, hash, bytes),
        };
        self.copies.shown(page, self.snapshots);
        let start = page * PAGE;
        marks.mark_all(start, &changed);
        // The scan records larger blocks, since it reads them completely.
        if self.hashes.grain() == PAGE {
            let noted = self.hashes.note(page, hash, allocated || hash != 0);
            if changed.is_empty() && matches!(noted, Noted::Changed { .. }) {
                marks.mark(&(start..start + PAGE), 1);
            }
        }
        let differs = self.copies.get(page).map(|copy| copy.differs(bytes)).unwrap_or_default();
        (changed, differs)
    }

    /// Creates the first copy of a page and returns the ranges that are known to have changed.
    fn first_shown(&mut self, page: u64, hash: u64, bytes: &[u8]) -> Vec<Range<usize>> {
        let single = self.hashes.grain() == PAGE;
        let zeros = &self.zeros[..bytes.len()];
        let (changed, base) = match self.hashes.known(page * PAGE / self.hashes.grain()) {
            None => (vec![], Some(bytes.into())),
            Some(known) => {
                let changed = if known.now == 0 { differences(zeros, bytes) } else { vec![] };
                let base = match known.base {
                    0 if bytes.len() == PAGE_BYTES => Some(Arc::clone(&self.zeros)),
                    0 => Some(zeros.into()),
                    base if base == hash || !single => Some(bytes.into()),
                    _ => None,
                };
                (changed, base)
            }
        };
        self.copies.show(page, bytes, base, self.snapshots);
        changed
    }

    fn extents(&self, range: Range<u64>) -> io::Result<Vec<(Range<u64>, ExtentKind)>> {
        let mut extents = vec![];
        let mut at = range.start;
        while at < range.end {
            let Some(extent) = self.reader.extent_at(at, range.end - at)? else { break };
            extents.push((at..extent.end, extent.kind));
            at = extent.end;
        }
        Ok(extents)
    }
}

/// Returns the length of a range that fits into memory.
fn length(range: &Range<u64>) -> usize {
    usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
}

/// Returns the part of a page's range within the window.
fn shown(start: u64, part: &Range<usize>, window: &Range<u64>) -> Option<Range<u64>> {
    let part = (start + part.start as u64).max(window.start)..(start + part.end as u64).min(window.end);
    (!part.is_empty()).then_some(part)
}

/// Merges adjacent ranges.
fn join(ranges: &mut Vec<Range<u64>>) {
    ranges.dedup_by(|next, range| {
        let touch = range.end == next.start;
        if touch {
            range.end = next.end;
        }
        touch
    });
}

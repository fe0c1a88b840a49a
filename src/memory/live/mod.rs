//! One open segment, watched live: what is shown of it byte for byte, the rest
//! by scanning on and on, a piece at a time.
//!
//! Of every part that has memory behind it a hash is kept, of the pages that
//! are looked at most the bytes. Holes are never read.

mod change;
mod copies;
mod covered;
mod hashes;
mod look;
mod map;
mod marks;
mod page;
mod scan;
#[cfg(test)]
mod tests;

pub use look::{Cell, CellKind, Look, Request};

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

/// The largest window that is read at one look, in bytes; more is cut off.
const LARGEST_WINDOW: u64 = 1 << 20;

/// An open segment and what was seen of it so far. What it keeps stays below
/// 20 MiB, whatever the size of the segment.
pub struct Live {
    reader: Reader,
    size: u64,
    hashes: Hashes,
    copies: Copies,
    scan: Scan,
    /// Reused by the window and the scan.
    buffer: PageBuffer,
    /// How many looks there were.
    looks: u64,
    zeros: Arc<[u8]>,
}

/// What the window showed.
#[derive(Default)]
struct Window {
    bytes: Vec<u8>,
    extents: Vec<(Range<u64>, ExtentKind)>,
    changed: Vec<Range<u64>>,
    differs: Vec<Range<u64>>,
}

impl Live {
    /// Begins to watch. Nothing is read yet.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            size: 0,
            hashes: Hashes::new(),
            copies: Copies::default(),
            scan: Scan::default(),
            buffer: PageBuffer::default(),
            looks: 0,
            zeros: [0; PAGE_BYTES].into(),
        }
    }

    /// What it reads from.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Looks: reads the window, then scans on through the rest of the segment
    /// for what is left of the budget, at most once around.
    ///
    /// # Errors
    /// When the kernel no longer answers for the segment.
    pub fn look(&mut self, machine: &dyn Machine, request: &Request) -> io::Result<Look> {
        let began = Instant::now();
        self.looks += 1;
        let standing = self.reader.standing(machine)?;
        self.resize(standing.size());
        let mut marks = Marks::new(self.size, request.cells);
        let start = request.window.start.min(self.size);
        let end = request.window.end.min(start.saturating_add(LARGEST_WINDOW)).clamp(start, self.size);
        let window = self.window(start..end, &mut marks)?;
        self.scan_on(began, request.budget, &mut marks)?;
        Ok(Look {
            standing,
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

    /// From now on [`Look::differs`] and [`Live::next_change`] measure from what
    /// was seen last. At first they measure from what was seen first.
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

    /// Reads the pages that the window lies on, and compares them with what was seen before.
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
            let there = extents.iter().any(|(extent, kind)| {
                *kind == ExtentKind::Data && extent.start < start + PAGE && extent.end > start
            });
            let (changed, differs) = self.window_page(page, bytes, there, marks);
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

    /// Takes in a page of the window: where it has changed, and where it
    /// differs from the baseline.
    fn window_page(
        &mut self,
        page: u64,
        bytes: &[u8],
        there: bool,
        marks: &mut Marks,
    ) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let hash = page_hash(page, bytes);
        let changed = match self.copies.see(page, bytes) {
            Some(changed) => changed,
            None => self.first_shown(page, hash, bytes),
        };
        self.copies.shown(page, self.looks);
        let start = page * PAGE;
        marks.mark_all(start, &changed);
        // A larger block is noted by the scan, which reads all of it.
        if self.hashes.grain() == PAGE {
            let noted = self.hashes.note(page, hash, there || hash != 0);
            if changed.is_empty() && matches!(noted, Noted::Changed { .. }) {
                marks.mark(&(start..start + PAGE), 1);
            }
        }
        let differs = self.copies.get(page).map(|copy| copy.differs(bytes)).unwrap_or_default();
        (changed, differs)
    }

    /// Begins to keep a page whose bytes were not kept so far, and tells where
    /// it is known to have changed.
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
        self.copies.show(page, bytes, base, self.looks);
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

/// The length of a range that was cut to what fits into memory.
fn length(range: &Range<u64>) -> usize {
    usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
}

/// A part of a page, as much of it as lies within the window.
fn shown(start: u64, part: &Range<usize>, window: &Range<u64>) -> Option<Range<u64>> {
    let part = (start + part.start as u64).max(window.start)..(start + part.end as u64).min(window.end);
    (!part.is_empty()).then_some(part)
}

/// Makes one of ranges that touch.
fn join(ranges: &mut Vec<Range<u64>>) {
    ranges.dedup_by(|next, range| {
        let touch = range.end == next.start;
        if touch {
            range.end = next.end;
        }
        touch
    });
}

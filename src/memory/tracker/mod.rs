//! Tracks changes in an open segment: byte by byte in the window, and by scanning the rest in
//! chunks.
//!
//! Keeps a hash of every allocated block, and copies of some pages. Never reads holes.

mod changes;
mod copies;
mod covered;
mod hashes;
mod map;
mod next_change;
mod page;
mod scan;
mod snapshot;
#[cfg(test)]
mod tests;
mod watch;
mod window;

pub use changes::Change;
pub use snapshot::{Cell, CellKind, Quiet, Rows, Snapshot, SnapshotRequest};

use super::{PageBuffer, Reader, differences};
use crate::machine::Machine;
use changes::Changes;
use copies::{Copies, Copy};
use hashes::Hashes;
use page::{PAGE, PAGE_BYTES};
use scan::Scan;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// The maximum size of the window in bytes.
const MAX_WINDOW: u64 = 1 << 20;
/// The maximum number of hashed blocks. Small in tests.
const MAX_BLOCKS: usize = if cfg!(test) { 64 } else { 1 << 16 };
/// The maximum number of copied pages: 4 MiB if nothing changes, twice that if every page differs
/// from the baseline. Small in tests.
const MAX_PAGES: usize = if cfg!(test) { 8 } else { 1024 };

/// An open segment and its last known state.
pub struct Tracker {
    reader: Reader,
    /// The tracked part of the segment. All other offsets are relative to its start.
    range: Range<u64>,
    /// The current size of the tracked part.
    size: u64,
    /// The page size in bytes.
    page: u64,
    hashes: Hashes,
    copies: Copies,
    scan: Scan,
    /// Used by the window and the scan.
    buffer: PageBuffer,
    /// The number of snapshots so far.
    snapshots: u64,
    /// A page of zeros.
    zeros: Arc<[u8]>,
}

impl Tracker {
    /// Starts tracking a whole segment for [`Self::snapshot`], without reading anything yet. Takes
    /// less than 20 MiB for a segment of any size.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        let hashes = Hashes::new(PAGE, MAX_BLOCKS, true);
        Self::with(reader, 0..u64::MAX, PAGE_BYTES, hashes, MAX_PAGES)
    }

    fn with(reader: Reader, range: Range<u64>, page: usize, hashes: Hashes, copies: usize) -> Self {
        Self {
            reader,
            range,
            size: 0,
            page: page as u64,
            hashes,
            copies: Copies::new(copies),
            scan: Scan::default(),
            buffer: PageBuffer::default(),
            snapshots: 0,
            zeros: vec![0; page].into(),
        }
    }

    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Reads the window, then scans the rest of the segment in the remaining time, no byte twice.
    ///
    /// # Errors
    /// Fails if the kernel can no longer access the segment.
    pub fn snapshot(&mut self, machine: &dyn Machine, request: &SnapshotRequest) -> io::Result<Snapshot> {
        let started = Instant::now();
        self.snapshots += 1;
        let presence = self.reader.presence(machine)?;
        self.resize(presence.size());
        let mut changes = Changes::new(self.size, request.cells, None);
        let start = request.window.start.min(self.size);
        let end = request.window.end.min(start.saturating_add(MAX_WINDOW)).clamp(start, self.size);
        let mut snapshot = Snapshot {
            presence,
            method: self.reader.method(),
            window_offset: start,
            bytes: vec![],
            gaps: vec![],
            changed: vec![],
            differs: vec![],
            map: vec![],
            changes: 0,
            scanned: 0,
        };
        match request.rows {
            Some(rows) if start < self.size => self.rows(start, rows, &mut snapshot, &mut changes)?,
            None if start < end => self.window(start..end, &mut snapshot, &mut changes)?,
            _ => {}
        }
        self.scan(self.size, &mut changes, |_| started.elapsed() < request.budget)?;
        snapshot.map = self.map(&changes);
        snapshot.changes = changes.count;
        snapshot.scanned = self.hashes.seen(self.size);
        Ok(snapshot)
    }

    /// Makes the current bytes the baseline of [`Snapshot::differs`] and [`Tracker::next_change`].
    /// The initial baseline is the bytes that were read first.
    pub fn set_baseline(&mut self) {
        self.hashes.set_baseline();
        self.copies.set_baseline();
    }

    /// Adjusts the state to the current size of the segment.
    fn resize(&mut self, size: u64) {
        let size = size.min(self.range.end).saturating_sub(self.range.start);
        if size < self.size {
            self.copies.cut(size.div_ceil(self.page));
            self.scan.restart_beyond(size);
        }
        self.size = size;
        self.hashes.resize(size);
    }

    /// Compares a page with its last known state. Copies the page if it is in the window of a
    /// snapshot, or if it is new or has changed and the limit permits. Returns the ranges that are
    /// known to have changed.
    fn update(
        &mut self,
        page: u64,
        bytes: &[u8],
        hash: u64,
        snapshot: u64,
        changes: &mut Changes,
    ) -> Vec<Range<usize>> {
        let (start, grain) = (page * self.page, self.hashes.grain());
        let single = grain == self.page;
        let known = self.hashes.known(start / grain);
        let was_zero = known.is_some_and(|known| known.now == 0);
        let copied = self.copies.get_mut(page);
        let old = copied.as_ref().map(|copy| &copy.seen).or(was_zero.then_some(&self.zeros)).cloned();
        let ranges = old.as_ref().map(|old| differences(old, bytes)).unwrap_or_default();
        changes.add_all(start, &ranges);
        let differs = single && known.is_some_and(|known| known.now != hash);
        if differs && ranges.is_empty() {
            changes.add(&(start..start + self.page), 1);
        }
        if !ranges.is_empty() || differs && old.is_none() {
            changes.keep(start, old.as_deref(), bytes);
        }
        let padded = || match &self.zeros[bytes.len()..] {
            [] => bytes.into(),
            rest => [bytes, rest].concat().into(),
        };
        match copied {
            // Without a baseline, zeros need no copy.
            Some(_) if hash == 0 && !self.hashes.baseline => self.copies.remove(page),
            Some(copy) => {
                copy.shown = copy.shown.max(snapshot);
                if differs || !ranges.is_empty() || bytes.len() < self.zeros.len() {
                    copy.seen = padded();
                }
            }
            None if snapshot > 0 || hash != 0 && (differs || was_zero || known.is_none()) => {
                let seen: Arc<[u8]> = padded();
                let base = match known.map(|known| known.base) {
                    _ if !self.hashes.baseline => None,
                    Some(0) => Some(Arc::clone(&self.zeros)),
                    Some(base) if base != hash && single => None,
                    _ => Some(Arc::clone(&seen)),
                };
                self.copies.add(page, Copy { seen, base, shown: snapshot });
            }
            None => {}
        }
        ranges
    }
}

fn length(range: &Range<u64>) -> usize {
    usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
}

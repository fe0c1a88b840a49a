//! Reads the window of a snapshot: a range, or the rows around an offset without long runs of zeros
//! and holes.

use super::changes::Changes;
use super::page::{PAGE, PAGE_BYTES, page_hash};
use super::{MAX_WINDOW, Quiet, Rows, Snapshot, Tracker, length};
use crate::machine::ExtentKind;
use crate::memory::differences;
use std::io;
use std::ops::Range;

/// Bytes per read of a window of rows.
const CHUNK: u64 = 16 << 10;
/// The bytes of zeros that a window of rows reads again in each direction. Longer runs are left to
/// the scan.
const FRESH: u64 = 32 << 10;
/// The bytes of zeros that have not been scanned yet to read in each direction, a fraction of what
/// the scan reads meanwhile.
const UNSCANNED: u64 = 128 << 10;

/// A page that was read.
struct Page {
    start: u64,
    bytes: Vec<u8>,
    /// Set if the page is zero, and was at the baseline and at the last read.
    quiet: Option<Quiet>,
    changed: Vec<Range<usize>>,
    differs: Vec<Range<usize>>,
}

/// A part of a window of rows.
enum Part {
    Page(Page),
    Gap(Range<u64>, Quiet),
}

/// The progress of reading rows in one direction.
struct Walk {
    /// Rows with data to read.
    wanted: usize,
    parts: Vec<Part>,
    /// Bytes read.
    read: u64,
    /// Bytes read in zero pages, and those of them that have not been scanned yet.
    zeros: u64,
    unscanned: u64,
}

impl Tracker {
    /// Reads a range and compares it with the last known state.
    pub(super) fn window(
        &mut self,
        range: Range<u64>,
        snapshot: &mut Snapshot,
        changes: &mut Changes,
    ) -> io::Result<()> {
        let whole = range.start / PAGE * PAGE..range.end.next_multiple_of(PAGE).min(self.size);
        for page in self.pages(whole, changes)? {
            let within = |at: u64| length(&(page.start..at.max(page.start))).min(page.bytes.len());
            snapshot.bytes.extend(&page.bytes[within(range.start)..within(range.end)]);
            extend(&mut snapshot.changed, page.start, &page.changed, &range);
            extend(&mut snapshot.differs, page.start, &page.differs, &range);
        }
        Ok(())
    }

    /// Reads the rows around `top`, in whole pages. Stops early within zeros that have not been
    /// scanned yet.
    pub(super) fn rows(
        &mut self,
        top: u64,
        rows: Rows,
        snapshot: &mut Snapshot,
        changes: &mut Changes,
    ) -> io::Result<()> {
        let start = top / PAGE * PAGE;
        let (mut above, mut below) = (Walk::new(rows.above), Walk::new(rows.below));
        let mut at = start;
        while at < self.size && below.continues() {
            if let Some((run, quiet)) = self.run_from(at, FRESH.saturating_sub(below.zeros))? {
                at = run.end;
                below.parts.push(Part::Gap(run, quiet));
                continue;
            }
            let end = at.saturating_add(CHUNK).min(self.size);
            let scanned = self.is_scanned(at);
            let pages = self.pages(at..end, changes)?;
            let complete = pages.iter().map(|page| page.bytes.len() as u64).sum::<u64>() == end - at;
            above.count(&pages, rows.length, 0..top);
            below.count(&pages, rows.length, top..u64::MAX);
            below.take(pages, scanned);
            at = end;
            if !complete {
                break;
            }
        }
        // A run that follows costs nothing, and the next snapshot may need it if the data grows into it.
        if at < self.size
            && self.is_scanned(at)
            && let Some((run, quiet)) = self.run_from(at, 0)?
        {
            below.parts.push(Part::Gap(run, quiet));
        }
        let mut at = start;
        while at > 0 && above.continues() {
            let fresh = FRESH.saturating_sub(above.zeros);
            let run = self.known_run(at - PAGE).filter(|(run, _)| at - run.start > fresh);
            if let Some((run, quiet)) = run {
                above.parts.push(Part::Gap(run.start..at, quiet));
                at = run.start;
                continue;
            }
            let before = at.saturating_sub(CHUNK);
            let scanned = self.is_scanned(at - PAGE);
            let mut pages = self.pages(before..at, changes)?;
            pages.reverse();
            above.count(&pages, rows.length, 0..top);
            above.take(pages, scanned);
            at = before;
        }
        if at > 0
            && let Some((run, quiet)) = self.known_run(at - PAGE)
        {
            above.parts.push(Part::Gap(run.start..at, quiet));
            at = run.start;
        }
        snapshot.window_offset = at;
        above.parts.into_iter().rev().chain(below.parts).for_each(|part| snapshot.add(part));
        Ok(())
    }

    /// Reads whole pages and compares them with their last known state.
    fn pages(&mut self, range: Range<u64>, changes: &mut Changes) -> io::Result<Vec<Page>> {
        let extents = self.extents(range.clone())?;
        let mut buffer = std::mem::take(&mut self.buffer);
        self.reader.fill(&mut buffer, range.start, length(&range))?;
        let mut pages = vec![];
        for (page, bytes) in (range.start / PAGE..).zip(buffer.chunks(PAGE_BYTES)) {
            let (start, hash) = (page * PAGE, page_hash(page, bytes));
            let ranges = self.update(page, bytes, hash, self.snapshots, changes);
            let allocated = extents.iter().any(|(extent, kind)| {
                *kind == ExtentKind::Data && extent.start < start + PAGE && extent.end > start
            });
            // Larger blocks are recorded by the scan, which reads them completely.
            if self.hashes.grain() == PAGE {
                self.hashes.record(page, hash, allocated || hash != 0);
            }
            let base = self.copies.get(page).and_then(|copy| copy.base.as_ref());
            let differs = base.map(|base| differences(base, bytes)).unwrap_or_default();
            let quiet = (hash == 0 && ranges.is_empty() && differs.is_empty()).then_some(if allocated {
                Quiet::Zeros
            } else {
                Quiet::Hole
            });
            pages.push(Page { start, bytes: bytes.to_vec(), quiet, changed: ranges, differs });
        }
        self.buffer = buffer;
        Ok(pages)
    }

    /// Returns the run of zeros or the hole from a page on, if it is longer than `limit`.
    fn run_from(&self, at: u64, limit: u64) -> io::Result<Option<(Range<u64>, Quiet)>> {
        let run = if self.is_scanned(at) { self.known_run(at) } else { self.new_hole(at)? };
        Ok(run.map(|(run, quiet)| (at..run.end, quiet)).filter(|(run, _)| run.end - at > limit))
    }

    fn is_scanned(&self, at: u64) -> bool {
        self.hashes.known(at / self.hashes.grain()).is_some()
    }

    /// Returns the run of zeros or the hole around a page, according to the last scan.
    fn known_run(&self, at: u64) -> Option<(Range<u64>, Quiet)> {
        let grain = self.hashes.grain();
        let (blocks, allocated) = self.hashes.quiet_run(at / grain)?;
        let run = blocks.start * grain..blocks.end.saturating_mul(grain).min(self.size);
        Some((run, if allocated { Quiet::Zeros } else { Quiet::Hole }))
    }

    /// Returns the hole from a page on that has not been scanned yet.
    fn new_hole(&self, at: u64) -> io::Result<Option<(Range<u64>, Quiet)>> {
        let hole = |limit: u64| {
            let extent = self.reader.extent_at(at, limit)?.filter(|extent| extent.kind == ExtentKind::Hole);
            io::Result::Ok(extent.map_or(at, |extent| extent.end))
        };
        // Finding the end of data takes long.
        let near = (self.size - at).min(CHUNK);
        let end = if hole(near)? < at + near { return Ok(None) } else { hole(self.size - at)? };
        let end = if end >= self.size { self.size } else { end / PAGE * PAGE };
        // Pages that had data before are compared.
        let emptied = self.copies.within(at / PAGE..end.div_ceil(PAGE)).next().is_some();
        Ok((!emptied && end > at).then_some((at..end, Quiet::Hole)))
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

impl Walk {
    const fn new(wanted: usize) -> Self {
        Self { wanted, parts: vec![], read: 0, zeros: 0, unscanned: 0 }
    }

    const fn continues(&self) -> bool {
        self.wanted > 0 && self.read < MAX_WINDOW && self.unscanned < UNSCANNED
    }

    /// Counts the rows with data of which the first byte is within a range.
    fn count(&mut self, pages: &[Page], row: u64, range: Range<u64>) {
        let length = usize::try_from(row).unwrap_or(16).max(1);
        for page in pages {
            let rows = (page.start..).step_by(length).zip(page.bytes.chunks(length));
            let data = rows.filter(|(at, row)| range.contains(at) && row.iter().any(|&byte| byte != 0));
            self.wanted = self.wanted.saturating_sub(data.count());
        }
    }

    fn take(&mut self, pages: Vec<Page>, scanned: bool) {
        for page in pages {
            self.read += page.bytes.len() as u64;
            if page.quiet.is_some() {
                self.zeros += page.bytes.len() as u64;
                self.unscanned += if scanned { 0 } else { page.bytes.len() as u64 };
            }
            self.parts.push(Part::Page(page));
        }
    }
}

impl Snapshot {
    /// Adds a part behind the others.
    fn add(&mut self, part: Part) {
        let (range, quiet) = match part {
            Part::Gap(range, quiet) => (range, quiet),
            Part::Page(Page { start, bytes, quiet: Some(quiet), .. }) => {
                (start..start + bytes.len() as u64, quiet)
            }
            Part::Page(page) => {
                self.bytes.extend(&page.bytes);
                extend(&mut self.changed, page.start, &page.changed, &(0..u64::MAX));
                extend(&mut self.differs, page.start, &page.differs, &(0..u64::MAX));
                return;
            }
        };
        match self.gaps.last_mut() {
            Some((last, same)) if last.end == range.start && *same == quiet => last.end = range.end,
            _ => self.gaps.push((range, quiet)),
        }
    }
}

/// Adds the visible parts of a page's ranges, and merges adjacent ones.
fn extend(ranges: &mut Vec<Range<u64>>, start: u64, parts: &[Range<usize>], window: &Range<u64>) {
    for part in parts {
        let part = (start + part.start as u64).max(window.start)..(start + part.end as u64).min(window.end);
        match ranges.last_mut() {
            _ if part.is_empty() => {}
            Some(last) if last.end == part.start => last.end = part.end,
            _ => ranges.push(part),
        }
    }
}

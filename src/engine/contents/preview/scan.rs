//! Maps a segment in repeated polls. A small segment is compared as a whole. Of a larger one, each
//! poll reads the pages that changed recently, and some of the others in turn.

use crate::machine::ExtentKind;
use crate::memory::{Cell, CellKind, PageBuffer, Reader, Snapshot, peek};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// A segment of at most this size is compared byte by byte.
const SMALL: u64 = 64 << 10;
const PAGE_BYTES: usize = 4096;
const PAGE: u64 = PAGE_BYTES as u64;
/// Pages per poll.
const TURN: u64 = 256;
/// The maximum number of pages with a stored hash.
const MAX_PAGES: usize = 1 << 16;
/// The maximum number of recently changed pages, and the number of polls for which they stay hot.
const MAX_HOT: usize = 16;
const HOT: u32 = 20;

#[derive(Default)]
pub struct Scan {
    /// The bytes of a small segment at the last poll.
    whole: Vec<u8>,
    pages: BTreeMap<u64, Page>,
    /// The pages that changed recently, with the number of polls for which they stay hot.
    hot: BTreeMap<u64, u32>,
    /// The next page to read in turn.
    turn: u64,
    /// The offset of the last change.
    active: Option<u64>,
}

struct Page {
    hash: u64,
    zero: bool,
}

impl Scan {
    /// Returns the offset of a recent change, preferably in the first part of the segment.
    pub const fn active(&self) -> Option<u64> {
        self.active
    }

    /// Reads a part of the segment, and returns the map.
    pub fn look(&mut self, reader: &Reader, size: u64, cells: usize) -> io::Result<Vec<Cell>> {
        if size <= SMALL {
            return self.look_at_whole(reader, size, cells);
        }
        let mut changed = vec![];
        let hot: Vec<u64> = self.hot.keys().copied().collect();
        for page in hot {
            self.read(reader, page..page + 1, &mut changed)?;
        }
        self.take_turn(reader, size, &mut changed)?;
        self.hot.retain(|_, looks| {
            *looks -= 1;
            *looks > 0
        });
        for &page in &changed {
            if self.hot.len() < MAX_HOT || self.hot.contains_key(&page) {
                self.hot.insert(page, HOT);
            }
        }
        if let Some(&first) = self.hot.keys().next() {
            self.active = Some(first * PAGE);
        }
        (0..cells).map(|cell| self.cell(reader, &Snapshot::cell_span(size, cells, cell), &changed)).collect()
    }

    fn look_at_whole(&mut self, reader: &Reader, size: u64, cells: usize) -> io::Result<Vec<Cell>> {
        let seen = peek(reader, 0..size)?;
        let slice = |bytes: &[u8], span: &Range<u64>| {
            let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            bytes[at(span.start)..at(span.end)].to_vec()
        };
        let covers = |runs: &[Range<u64>], span: &Range<u64>| {
            runs.iter().any(|run| run.start <= span.start && span.end <= run.end)
        };
        let map = (0..cells).map(|cell| {
            // A cell of a tiny segment is a part of a byte.
            let span = Snapshot::cell_span(size, cells, cell);
            let span = span.start..span.end.max(span.start + 1).min(size);
            let now = slice(&seen.bytes, &span);
            let kind = if span.is_empty() || covers(&seen.swapped, &span) {
                CellKind::Unknown
            } else if covers(&seen.holes, &span) {
                CellKind::Hole
            } else if now.iter().all(|&byte| byte == 0) {
                CellKind::Zeros
            } else {
                CellKind::Data
            };
            let before = slice(&self.whole, &span);
            let changed = kind != CellKind::Unknown && before.len() == now.len() && before != now;
            Cell { kind, changed }
        });
        let map = map.collect();
        self.whole = seen.bytes;
        Ok(map)
    }

    /// Reads the next pages in turn. Holes take no time.
    fn take_turn(&mut self, reader: &Reader, size: u64, changed: &mut Vec<u64>) -> io::Result<()> {
        let end = size.div_ceil(PAGE);
        let mut left = TURN.min(end);
        // Each seek either finds data or skips a hole.
        for _ in 0..TURN {
            if left == 0 {
                break;
            }
            self.turn = if self.turn >= end { 0 } else { self.turn };
            let offset = self.turn * PAGE;
            // Searching for the end of the data would visit all of its pages.
            let Some(mut extent) = reader.extent_at(offset, left * PAGE)? else { break };
            if extent.kind == ExtentKind::Hole {
                extent = reader.extent_at(offset, size - offset)?.unwrap_or(extent);
            }
            let pages = self.turn..extent.end.div_ceil(PAGE).max(self.turn + 1);
            if extent.kind == ExtentKind::Hole {
                let gone: Vec<u64> =
                    self.pages.range(pages.clone()).map(|(&page, _)| page).take(MAX_PAGES).collect();
                for page in gone {
                    self.pages.remove(&page);
                }
                self.turn = pages.end;
                continue;
            }
            let run = pages.start..pages.end.min(pages.start + left);
            left -= run.end - run.start;
            self.turn = run.end;
            self.read(reader, run, changed)?;
        }
        Ok(())
    }

    /// Reads pages and compares them with the last poll.
    fn read(&mut self, reader: &Reader, pages: Range<u64>, changed: &mut Vec<u64>) -> io::Result<()> {
        let bytes = pages.start * PAGE..pages.end * PAGE;
        if !reader.swapped_in(bytes.clone())?.is_empty() {
            return Ok(());
        }
        let mut buffer = PageBuffer::default();
        reader.fill(
            &mut buffer,
            bytes.start,
            usize::try_from(bytes.end - bytes.start).map_err(io::Error::other)?,
        )?;
        for (page, bytes) in pages.zip(buffer.chunks(PAGE_BYTES)) {
            let seen = Page { hash: xxh3_64(bytes), zero: bytes.iter().all(|&byte| byte == 0) };
            let before = self.pages.get(&page).map(|page| page.hash);
            if before.is_some_and(|before| before != seen.hash) {
                changed.push(page);
            }
            if before.is_some() || self.pages.len() < MAX_PAGES {
                self.pages.insert(page, seen);
            }
        }
        Ok(())
    }

    fn cell(&self, reader: &Reader, span: &Range<u64>, changed: &[u64]) -> io::Result<Cell> {
        let pages = span.start / PAGE..span.end.div_ceil(PAGE);
        let mut seen = self.pages.range(pages.clone()).map(|(_, page)| page).peekable();
        let kind = if seen.peek().is_some() {
            if seen.any(|page| !page.zero) { CellKind::Data } else { CellKind::Zeros }
        } else {
            let length = (span.end - span.start).max(1);
            let start = reader.extent_at(span.start, length.min(PAGE))?;
            let is_hole = start.is_some_and(|extent| extent.kind == ExtentKind::Hole);
            match if is_hole { reader.extent_at(span.start, length)? } else { start } {
                Some(extent) if extent.kind == ExtentKind::Hole && extent.end >= span.end => CellKind::Hole,
                _ => CellKind::Unknown,
            }
        };
        Ok(Cell { kind, changed: changed.iter().any(|page| pages.contains(page)) })
    }
}

//! Jumps between differences from the baseline.

use super::Tracker;
use super::page::{PAGE, PAGE_BYTES, page_hash};
use crate::memory::extents::{DataBackward, DataForward};
use crate::memory::{Direction, PageBuffer, Progress, differences};
use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

/// Bytes per read.
const CHUNK_SIZE: u64 = 128 << 10;

impl Tracker {
    /// Returns the first changed byte of the next changed value at or after `from`, or of the last
    /// one before it. Values have a size of `value` bytes and are aligned to it.
    ///
    /// # Errors
    /// Fails if reading fails.
    pub fn next_changed_value(
        &mut self,
        from: u64,
        value: u64,
        direction: Direction,
        progress: &Progress,
    ) -> io::Result<Option<u64>> {
        let found = self.next_change(from, direction, progress)?;
        match (found, direction) {
            (Some(last), Direction::Backward) => {
                let start = last / value.max(1) * value.max(1);
                let first = self.next_change(start, Direction::Forward, progress)?;
                // The bytes may have changed back.
                Ok(first.filter(|first| *first < last).or(Some(last)))
            }
            (found, _) => Ok(found),
        }
    }

    /// Returns the first offset at or after `from`, or the last one before it, where the segment
    /// differs from the baseline. Rereads the segment to find it. If only a hash was kept, returns
    /// the start of the page, or of the block in a large segment. Bytes that were never read do not
    /// count as different. `None` if there is no difference, and after a cancellation.
    ///
    /// # Errors
    /// Fails if reading fails.
    pub fn next_change(
        &mut self,
        from: u64,
        direction: Direction,
        progress: &Progress,
    ) -> io::Result<Option<u64>> {
        let size = self.reader.size()?;
        self.resize(size);
        let within = match direction {
            Direction::Forward => from.min(size)..size,
            Direction::Backward => 0..from.min(size),
        };
        progress.begin(within.end - within.start);
        NextChange { tracker: self, direction, within, buffer: PageBuffer::default(), buffered: 0..0 }
            .find(progress)
    }
}

struct NextChange<'a> {
    tracker: &'a Tracker,
    direction: Direction,
    within: Range<u64>,
    buffer: PageBuffer,
    /// The range of bytes in the buffer.
    buffered: Range<u64>,
}

impl NextChange<'_> {
    fn find(mut self, progress: &Progress) -> io::Result<Option<u64>> {
        let tracker = self.tracker;
        let grain = tracker.hashes.grain();
        // Align to blocks, so that each block is compared as a whole.
        let end = self.within.end.checked_next_multiple_of(grain).unwrap_or(tracker.size).min(tracker.size);
        let whole = self.within.start / grain * grain..end;
        // Blocks to examine.
        let mut open = whole.start / grain..whole.end.div_ceil(grain);
        let length = whole.end - whole.start;
        let runs: Box<dyn Iterator<Item = io::Result<Range<u64>>>> = match self.direction {
            Direction::Forward => Box::new(DataForward::new(&tracker.reader, whole, progress)),
            Direction::Backward => Box::new(DataBackward::new(&tracker.reader, whole, progress)),
        };
        // An empty run at the end covers the last hole.
        let end = self.by_direction(u64::MAX, 0);
        for run in runs.chain(std::iter::once(Ok(end..end))) {
            let run = run?;
            let block = |at: u64| at.clamp(open.start, open.end);
            let blocks = block(run.start / grain)..block(run.end.div_ceil(grain));
            let (below, above) = (open.start..blocks.start, blocks.end..open.end);
            let (hole, rest) = self.by_direction((below.clone(), above.clone()), (above, below));
            let forward = self.direction == Direction::Forward;
            let data = (0..blocks.end - blocks.start)
                .map(|at| if forward { blocks.start + at } else { blocks.end - 1 - at });
            for block in self.with_baseline_data(hole).into_iter().chain(data) {
                if progress.is_cancelled() {
                    return Ok(None);
                }
                let found = self.in_block(block)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            open = rest;
            progress.reach(length.saturating_sub((open.end - open.start).saturating_mul(grain)));
        }
        Ok(None)
    }

    /// Selects a value by the direction of the search.
    fn by_direction<T>(&self, forward: T, backward: T) -> T {
        match self.direction {
            Direction::Forward => forward,
            Direction::Backward => backward,
        }
    }

    /// Returns the blocks of a hole that had data at the baseline, in the order of the search.
    fn with_baseline_data(&self, blocks: Range<u64>) -> Vec<u64> {
        if blocks.is_empty() {
            return vec![];
        }
        let grain = self.tracker.hashes.grain();
        let pages = blocks.start * (grain / PAGE)..blocks.end.saturating_mul(grain / PAGE);
        let kept = self.tracker.copies.within(pages).map(|page| page * PAGE / grain);
        let all: BTreeSet<u64> = self.tracker.hashes.with_base(blocks).chain(kept).collect();
        self.by_direction(all.iter().copied().collect(), all.iter().rev().copied().collect())
    }

    /// Returns the first or last difference in a block.
    fn in_block(&mut self, block: u64) -> io::Result<Option<u64>> {
        let tracker = self.tracker;
        let grain = tracker.hashes.grain();
        let start = block * grain;
        let known = tracker.hashes.known(block);
        let was_zero = known.is_some_and(|known| known.base == 0);
        let mut places = vec![];
        // The hash of the block if its copied pages were unchanged. If it differs from the baseline
        // hash, one of the other pages has changed.
        let mut sum = 0u64;
        for page in start / PAGE..(start.saturating_add(grain)).min(tracker.size).div_ceil(PAGE) {
            self.fill(page)?;
            let bytes = self.page(page);
            let base = tracker.copies.get(page).and_then(|copy| copy.base.as_deref());
            sum = sum.wrapping_add(page_hash(page, base.unwrap_or(bytes)));
            let zeros = was_zero.then(|| &tracker.zeros[..bytes.len()]);
            if let Some(base) = base.or(zeros) {
                let within = differences(base, bytes).into_iter().flatten().map(|at| page * PAGE + at as u64);
                places.extend(self.nearest(within));
            }
        }
        if known.is_some_and(|known| known.base != sum && !was_zero) {
            places.push(start);
        }
        Ok(self.nearest(places.into_iter()))
    }

    /// Returns the first or last offset within the searched range.
    fn nearest(&self, places: impl Iterator<Item = u64>) -> Option<u64> {
        let places = places.filter(|at| self.within.contains(at));
        match self.direction {
            Direction::Forward => places.min(),
            Direction::Backward => places.max(),
        }
    }

    /// Reads a page into the buffer unless it is already there.
    fn fill(&mut self, page: u64) -> io::Result<()> {
        let at = page * PAGE;
        if !self.buffered.contains(&at) {
            let start = at / CHUNK_SIZE * CHUNK_SIZE;
            let end = start.saturating_add(CHUNK_SIZE).min(self.tracker.size);
            let length = usize::try_from(end - start).map_err(io::Error::other)?;
            // Bytes that no longer exist do not differ.
            self.tracker.reader.fill(&mut self.buffer, start, length)?;
            self.buffered = start..end;
        }
        Ok(())
    }

    fn page(&self, page: u64) -> &[u8] {
        let start = usize::try_from(page * PAGE - self.buffered.start).unwrap_or(usize::MAX);
        let bytes = self.buffer.get(start..).unwrap_or_default();
        &bytes[..bytes.len().min(PAGE_BYTES)]
    }
}

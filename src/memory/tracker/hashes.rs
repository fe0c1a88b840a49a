//! Block hashes of a segment.
//!
//! A block starts as one page. Whenever there are too many allocated blocks, the block size
//! doubles.

use super::covered::CoveredRanges;
use std::collections::BTreeMap;
use std::ops::Range;

/// The state of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Block {
    /// The sum of the page hashes; 0 for zeros.
    pub now: u64,
    /// The same sum at the baseline.
    pub base: u64,
    /// Set if the block is allocated now.
    pub allocated: bool,
}

/// A summary of several blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Set if some block has a nonzero byte.
    pub data: bool,
    /// Set if some block is allocated.
    pub allocated: bool,
    /// Set if all blocks have been read.
    pub seen: bool,
}

#[derive(Debug)]
pub struct Hashes {
    /// The block size in bytes: a page times a power of two.
    grain: u64,
    /// The maximum number of blocks, about 60 bytes each.
    limit: usize,
    /// Cleared if the baseline is always the last read.
    pub baseline: bool,
    /// Set if blocks that were never read count as zeros, because the segment has grown by them.
    pub unread_is_zero: bool,
    /// The blocks that are allocated now or had data at the baseline.
    blocks: BTreeMap<u64, Block>,
    covered: CoveredRanges,
    /// The number of blocks in the segment.
    count: u64,
}

impl Hashes {
    pub const fn new(page: u64, limit: usize, baseline: bool) -> Self {
        Self {
            grain: page,
            limit,
            baseline,
            unread_is_zero: false,
            blocks: BTreeMap::new(),
            covered: CoveredRanges::new(),
            count: 0,
        }
    }

    /// Returns the block size in bytes.
    pub const fn grain(&self) -> u64 {
        self.grain
    }

    /// Sets the size of the segment and forgets the blocks past its end.
    pub fn resize(&mut self, size: u64) {
        let count = size.div_ceil(self.grain);
        if count < self.count {
            self.covered.cut(count);
            self.blocks.split_off(&count);
        }
        self.count = count;
    }

    /// Records the hash of a block. Returns true if it has changed; the first read is not a change.
    pub fn record(&mut self, block: u64, now: u64, allocated: bool) -> bool {
        let old = self.known(block);
        let base = old.filter(|_| self.baseline).map_or(now, |old| old.base);
        if allocated || base != 0 {
            self.blocks.insert(block, Block { now, base, allocated });
        } else {
            self.blocks.remove(&block);
        }
        self.covered.add(block..block + 1);
        while self.blocks.len() > self.limit {
            self.double();
        }
        old.is_some_and(|old| old.now != now)
    }

    /// Records that these blocks are holes, and passes those that had data to `emptied`.
    pub fn record_hole(&mut self, blocks: Range<u64>, mut emptied: impl FnMut(u64)) {
        for block in self.within(blocks.clone()).collect::<Vec<_>>() {
            if self.record(block, 0, false) {
                emptied(block);
            }
        }
        self.covered.add(blocks);
    }

    /// Returns true if the blocks from `first` on were allocated and had exactly these hashes when
    /// last read. A single pass over the blocks is several times as fast as individual lookups.
    pub fn all_unchanged(&self, first: u64, sums: &[u64]) -> bool {
        let blocks = first..first + sums.len() as u64;
        let mut known = self.blocks.range(blocks.clone());
        let same = blocks.clone().zip(sums).all(|(number, &sum)| {
            known.next().is_some_and(|(&at, block)| at == number && block.allocated && block.now == sum)
        });
        same && self.covered.contains(&blocks)
    }

    fn double(&mut self) {
        self.covered.double(self.count);
        self.count = self.count.div_ceil(2);
        self.grain *= 2;
        for (number, block) in std::mem::take(&mut self.blocks) {
            // Only one half was read: reread the whole block.
            if !self.covered.contains(&(number / 2..number / 2 + 1)) {
                continue;
            }
            let whole = self.blocks.entry(number / 2).or_default();
            whole.now = whole.now.wrapping_add(block.now);
            whole.base = whole.base.wrapping_add(block.base);
            whole.allocated |= block.allocated;
        }
    }

    /// Returns the hashes of a block; `None` if it was never read.
    pub fn known(&self, block: u64) -> Option<Block> {
        let was_read = self.unread_is_zero || self.covered.contains(&(block..block + 1));
        was_read.then(|| self.blocks.get(&block).copied().unwrap_or_default())
    }

    /// Returns the blocks within a range that are allocated or had data at the baseline.
    pub fn within(&self, blocks: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        self.blocks.range(blocks).map(|(&number, _)| number)
    }

    /// Summarizes a range of blocks.
    pub fn summary(&self, blocks: Range<u64>) -> Summary {
        let mut summary = Summary { data: false, allocated: false, seen: self.covered.contains(&blocks) };
        for block in self.blocks.range(blocks).map(|(_, block)| block) {
            summary.data |= block.now != 0;
            summary.allocated |= block.allocated;
            if summary.data {
                break;
            }
        }
        summary
    }

    /// Returns the run of blocks around `block` that are zero, and were at the baseline: its range
    /// and whether it is allocated. `None` if the block has data or was never read.
    pub fn quiet_run(&self, block: u64) -> Option<(Range<u64>, bool)> {
        let quiet = |state: &Block| state.now == 0 && state.base == 0;
        let Range { start, end } = self.covered.run(block)?;
        let before = self.blocks.range(start..block).rev();
        let after = self.blocks.range(block + 1..end.max(block + 1));
        if !self.blocks.contains_key(&block) {
            let start = before.map(|(&at, _)| at + 1).next().unwrap_or(start);
            return Some((start..after.map(|(&at, _)| at).next().unwrap_or(end), false));
        }
        if !self.blocks.get(&block).is_some_and(quiet) {
            return None;
        }
        let allocated =
            |(at, (&number, state)): (u64, (&u64, &Block))| (at == number && quiet(state)).then_some(number);
        let first = (start..block).rev().zip(before).map_while(allocated).last().unwrap_or(block);
        let last = (block + 1..end).zip(after).map_while(allocated).last().unwrap_or(block);
        Some((first..last + 1, true))
    }

    /// Returns the blocks within a range that had data at the baseline.
    pub fn with_base(&self, blocks: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        self.blocks.range(blocks).filter(|(_, block)| block.base != 0).map(|(&number, _)| number)
    }

    pub fn set_baseline(&mut self) {
        self.blocks.retain(|_, block| {
            block.base = block.now;
            block.allocated
        });
    }

    /// Returns the number of bytes that were read, given the segment size.
    pub fn seen(&self, size: u64) -> u64 {
        self.covered.count().saturating_mul(self.grain).min(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::tracker::MAX_BLOCKS;
    use crate::memory::tracker::page::PAGE;

    #[test]
    fn first_read_is_not_a_change() {
        let mut hashes = Hashes::new(PAGE, MAX_BLOCKS, true);
        hashes.resize(10 * PAGE);
        assert_eq!([7, 7, 8].map(|hash| hashes.record(3, hash, true)), [false, false, true]);
        assert_eq!(hashes.known(3), Some(Block { now: 8, base: 7, allocated: true }));
        assert_eq!(hashes.known(4), None);
        hashes.record_hole(4..10, |_| panic!("nothing was allocated"));
        assert!(hashes.record(5, 1, true));
        let mut emptied = vec![];
        hashes.record_hole(0..10, |block| emptied.push(block));
        assert_eq!(emptied, [3, 5]);
        assert_eq!(hashes.with_base(0..10).collect::<Vec<_>>(), [3]);
        assert_eq!(hashes.seen(10 * PAGE), 10 * PAGE);
        hashes.set_baseline();
        assert_eq!(hashes.with_base(0..10).count(), 0);
        assert_eq!(hashes.summary(0..10), Summary { data: false, allocated: false, seen: true });
    }

    #[test]
    fn quiet_run_is_a_hole_or_allocated_zeros() {
        let mut hashes = Hashes::new(PAGE, MAX_BLOCKS, true);
        hashes.resize(100 * PAGE);
        assert_eq!(hashes.quiet_run(3), None);
        hashes.record_hole(0..50, |_| {});
        for (block, hash) in [(10, 7), (11, 0), (12, 0), (13, 0), (20, 0), (21, 9)] {
            hashes.record(block, hash, true);
        }
        let run = |block| hashes.quiet_run(block);
        assert_eq!((run(3), run(9), run(10)), (Some((0..10, false)), Some((0..10, false)), None));
        assert_eq!((run(11), run(12)), (Some((11..14, true)), Some((11..14, true))));
        assert_eq!((run(15), run(20)), (Some((14..20, false)), Some((20..21, true))));
        assert_eq!((run(49), run(50)), (Some((22..50, false)), None));
        // Zeros that had data at the baseline are not quiet.
        hashes.set_baseline();
        hashes.record(21, 0, true);
        assert_eq!(hashes.quiet_run(21), None);
    }

    #[test]
    fn blocks_past_the_end_are_forgotten() {
        let mut hashes = Hashes::new(PAGE, MAX_BLOCKS, true);
        hashes.resize(10 * PAGE);
        hashes.record(9, 7, true);
        hashes.resize(9 * PAGE);
        hashes.resize(10 * PAGE);
        assert!(!hashes.record(9, 8, true));
    }

    #[test]
    fn too_many_blocks_double_the_block_size() {
        let mut hashes = Hashes::new(PAGE, MAX_BLOCKS, true);
        let count = 5 * MAX_BLOCKS as u64 + 1;
        hashes.resize(count * PAGE);
        let mut page = 0;
        while page < count {
            let grain = hashes.grain() / PAGE;
            // Record whole blocks from their start, like the scan.
            let block = page / grain;
            let pages = block * grain..((block + 1) * grain).min(count);
            page = pages.end;
            hashes.record(block, pages.map(|page| page + 1).sum(), true);
        }
        assert_eq!(hashes.grain(), 8 * PAGE);
        assert!(hashes.blocks.len() <= MAX_BLOCKS);
        let grain = hashes.grain() / PAGE;
        for block in 0..count.div_ceil(grain) {
            let Some(known) = hashes.known(block) else { continue };
            let sum: u64 = (block * grain..((block + 1) * grain).min(count)).map(|page| page + 1).sum();
            assert_eq!((known.now, known.base), (sum, sum), "{block}");
        }
        assert!(hashes.seen(count * PAGE) > 4 * MAX_BLOCKS as u64 * PAGE);
    }
}

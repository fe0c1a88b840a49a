//! Hashes of the blocks of a segment.
//!
//! A block starts as one page. Whenever there are too many allocated blocks, the block size
//! doubles.

use super::covered::Covered;
use super::page::PAGE;
use std::collections::BTreeMap;
use std::ops::Range;

/// The maximum number of blocks, about 60 bytes each. Small in tests.
const MAX_BLOCKS: usize = if cfg!(test) { 64 } else { 1 << 16 };

/// A block that is allocated now or was at the baseline.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// The sum of its page hashes: 0 for zeros.
    now: u64,
    /// The sum at the baseline.
    base: u64,
    /// True if the block is allocated now.
    allocated: bool,
}

/// The result of recording a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// The block was never read before.
    First,
    Same,
    /// The block has changed. A change from zeros is known to the byte.
    Changed {
        was_zero: bool,
    },
}

/// The hashes of a block that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The sum of the page hashes when the block was last read.
    pub now: u64,
    /// The sum at the baseline.
    pub base: u64,
}

/// A summary of several blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Some block has a nonzero byte.
    pub data: bool,
    /// Some block is allocated.
    pub allocated: bool,
    /// All blocks have been read.
    pub seen: bool,
}

#[derive(Debug)]
pub struct Hashes {
    /// The block size in bytes: a page times a power of two.
    grain: u64,
    blocks: BTreeMap<u64, Block>,
    covered: Covered,
    /// The number of blocks in the segment.
    count: u64,
}

impl Hashes {
    pub const fn new() -> Self {
        Self { grain: PAGE, blocks: BTreeMap::new(), covered: Covered::new(), count: 0 }
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

    /// Records the hash of a block that was read.
    pub fn note(&mut self, block: u64, now: u64, allocated: bool) -> Noted {
        let old = self.known(block);
        let base = old.map_or(now, |old| old.base);
        if allocated || base != 0 {
            self.blocks.insert(block, Block { now, base, allocated });
        } else {
            self.blocks.remove(&block);
        }
        self.covered.add(block..block + 1);
        while self.blocks.len() > MAX_BLOCKS {
            self.double();
        }
        match old {
            Some(old) if old.now == now => Noted::Same,
            Some(old) => Noted::Changed { was_zero: old.now == 0 },
            None => Noted::First,
        }
    }

    /// Records that these blocks are holes, and passes those that had data to `emptied`.
    pub fn note_hole(&mut self, blocks: Range<u64>, mut emptied: impl FnMut(u64)) {
        if blocks.is_empty() {
            return;
        }
        let known: Vec<u64> = self.blocks.range(blocks.clone()).map(|(&block, _)| block).collect();
        for block in known {
            if matches!(self.note(block, 0, false), Noted::Changed { .. }) {
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
            // If only one half was read, reread the whole block.
            if !self.covered.contains(&(number / 2..number / 2 + 1)) {
                continue;
            }
            let whole = self.blocks.entry(number / 2).or_insert(Block { now: 0, base: 0, allocated: false });
            whole.now = whole.now.wrapping_add(block.now);
            whole.base = whole.base.wrapping_add(block.base);
            whole.allocated |= block.allocated;
        }
    }

    /// Returns the hashes of a block; `None` if it was never read.
    pub fn known(&self, block: u64) -> Option<Known> {
        let known = || {
            self.blocks.get(&block).map_or(Known { now: 0, base: 0 }, |b| Known { now: b.now, base: b.base })
        };
        self.covered.contains(&(block..block + 1)).then(known)
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

    /// Returns the blocks within a range that had data at the baseline.
    pub fn with_base(&self, blocks: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        self.blocks.range(blocks).filter(|(_, block)| block.base != 0).map(|(&number, _)| number)
    }

    /// Makes the current hashes the baseline.
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

    #[test]
    fn the_first_read_is_not_a_change() {
        let mut hashes = Hashes::new();
        hashes.resize(10 * PAGE);
        assert_eq!(hashes.note(3, 7, true), Noted::First);
        assert_eq!(hashes.note(3, 7, true), Noted::Same);
        assert_eq!(hashes.note(3, 8, true), Noted::Changed { was_zero: false });
        assert_eq!(hashes.known(3), Some(Known { now: 8, base: 7 }));
        assert_eq!(hashes.known(4), None);
        hashes.note_hole(4..10, |_| panic!("nothing was allocated"));
        assert_eq!(hashes.note(5, 1, true), Noted::Changed { was_zero: true });
        let mut emptied = vec![];
        hashes.note_hole(0..10, |block| emptied.push(block));
        assert_eq!(emptied, [3, 5]);
        assert_eq!(hashes.with_base(0..10).collect::<Vec<_>>(), [3]);
        assert_eq!(hashes.seen(10 * PAGE), 10 * PAGE);
        hashes.set_baseline();
        assert_eq!(hashes.with_base(0..10).count(), 0);
        assert_eq!(hashes.summary(0..10), Summary { data: false, allocated: false, seen: true });
    }

    #[test]
    fn blocks_past_the_end_are_forgotten() {
        let mut hashes = Hashes::new();
        hashes.resize(10 * PAGE);
        hashes.note(9, 7, true);
        hashes.resize(9 * PAGE);
        hashes.resize(10 * PAGE);
        assert_eq!(hashes.note(9, 8, true), Noted::First);
    }

    #[test]
    fn too_many_blocks_double_the_block_size() {
        let mut hashes = Hashes::new();
        let count = 5 * MAX_BLOCKS as u64 + 1;
        hashes.resize(count * PAGE);
        let mut page = 0;
        while page < count {
            let grain = hashes.grain() / PAGE;
            // Record whole blocks from their start, like the scan.
            let block = page / grain;
            let pages = block * grain..((block + 1) * grain).min(count);
            page = pages.end;
            hashes.note(block, pages.map(|page| page + 1).sum(), true);
        }
        assert_eq!(hashes.grain(), 8 * PAGE);
        assert!(hashes.blocks.len() <= MAX_BLOCKS);
        let grain = hashes.grain() / PAGE;
        for block in 0..count.div_ceil(grain) {
            let Some(known) = hashes.known(block) else { continue };
            let sum: u64 = (block * grain..((block + 1) * grain).min(count)).map(|page| page + 1).sum();
            assert_eq!(known, Known { now: sum, base: sum }, "{block}");
        }
        assert!(hashes.seen(count * PAGE) > 4 * MAX_BLOCKS as u64 * PAGE);
    }
}

//! What is known of every part of a segment that was seen: a hash a block.
//!
//! A block is a page at first. When a segment has more pages with memory behind
//! them than are kept track of, two blocks become one, again and again.

use super::covered::Covered;
use super::page::PAGE;
use std::collections::BTreeMap;
use std::ops::Range;

/// The most blocks that are kept track of, about 60 bytes each; few in tests.
const MOST: usize = if cfg!(test) { 64 } else { 1 << 16 };

/// A block with memory behind it, now or at the baseline.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// The sum of its pages' hashes: 0 for zeros.
    now: u64,
    /// That of the baseline.
    base: u64,
    /// Whether there is memory behind it now.
    there: bool,
}

/// What a look at a block told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It was never seen before.
    First,
    /// It is as it was.
    Same,
    /// It has changed. Whether it was zeros before is told, since then it is
    /// known what changed.
    Changed {
        /// It was.
        was_zero: bool,
    },
}

/// What is known of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The sum of its pages' hashes when it was last seen.
    pub now: u64,
    /// That of the baseline.
    pub base: u64,
}

/// What is known of several blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// One of them is not all zeros.
    pub data: bool,
    /// One of them has memory behind it.
    pub there: bool,
    /// All of them were seen.
    pub seen: bool,
}

/// The blocks of a segment.
#[derive(Debug)]
pub struct Hashes {
    /// Bytes a block: a page, times a power of two.
    grain: u64,
    blocks: BTreeMap<u64, Block>,
    covered: Covered,
    /// How many blocks the segment has.
    count: u64,
}

impl Hashes {
    pub const fn new() -> Self {
        Self { grain: PAGE, blocks: BTreeMap::new(), covered: Covered::new(), count: 0 }
    }

    /// Bytes a block.
    pub const fn grain(&self) -> u64 {
        self.grain
    }

    /// Takes the size in. What lay beyond the end is forgotten.
    pub fn resize(&mut self, size: u64) {
        let count = size.div_ceil(self.grain);
        if count < self.count {
            self.covered.cut(count);
            self.blocks.split_off(&count);
        }
        self.count = count;
    }

    /// Takes in what a block was seen to be.
    pub fn note(&mut self, block: u64, now: u64, there: bool) -> Noted {
        let old = self.known(block);
        let base = old.map_or(now, |old| old.base);
        if there || base != 0 {
            self.blocks.insert(block, Block { now, base, there });
        } else {
            self.blocks.remove(&block);
        }
        self.covered.add(block..block + 1);
        while self.blocks.len() > MOST {
            self.double();
        }
        match old {
            Some(old) if old.now == now => Noted::Same,
            Some(old) => Noted::Changed { was_zero: old.now == 0 },
            None => Noted::First,
        }
    }

    /// Takes in that there is no memory behind these blocks. Those that were
    /// seen to hold something are given to `emptied`.
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

    /// Returns true if blocks from `first` on were last seen to be exactly this, with memory behind
    /// each. Walking along the blocks is several times as fast as looking each of them up.
    pub fn are(&self, first: u64, sums: &[u64]) -> bool {
        let blocks = first..first + sums.len() as u64;
        let mut known = self.blocks.range(blocks.clone());
        let same = blocks.clone().zip(sums).all(|(number, &sum)| {
            known.next().is_some_and(|(&at, block)| at == number && block.there && block.now == sum)
        });
        same && self.covered.has(&blocks)
    }

    fn double(&mut self) {
        self.covered.double(self.count);
        self.count = self.count.div_ceil(2);
        self.grain *= 2;
        for (number, block) in std::mem::take(&mut self.blocks) {
            // What was seen only by half is seen anew.
            if !self.covered.has(&(number / 2..number / 2 + 1)) {
                continue;
            }
            let whole = self.blocks.entry(number / 2).or_insert(Block { now: 0, base: 0, there: false });
            whole.now = whole.now.wrapping_add(block.now);
            whole.base = whole.base.wrapping_add(block.base);
            whole.there |= block.there;
        }
    }

    /// What is known of a block; `None` when it was never seen.
    pub fn known(&self, block: u64) -> Option<Known> {
        let known = || {
            self.blocks.get(&block).map_or(Known { now: 0, base: 0 }, |b| Known { now: b.now, base: b.base })
        };
        self.covered.has(&(block..block + 1)).then(known)
    }

    /// What is known of a range of blocks.
    pub fn about(&self, blocks: Range<u64>) -> About {
        let mut about = About { data: false, there: false, seen: self.covered.has(&blocks) };
        for block in self.blocks.range(blocks).map(|(_, block)| block) {
            about.data |= block.now != 0;
            about.there |= block.there;
            if about.data {
                break;
            }
        }
        about
    }

    /// The blocks within a range that held something at the baseline.
    pub fn with_base(&self, blocks: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        self.blocks.range(blocks).filter(|(_, block)| block.base != 0).map(|(&number, _)| number)
    }

    /// Makes what was last seen the baseline.
    pub fn set_baseline(&mut self) {
        self.blocks.retain(|_, block| {
            block.base = block.now;
            block.there
        });
    }

    /// How many bytes of a segment of that size were seen.
    pub fn seen(&self, size: u64) -> u64 {
        self.covered.count().saturating_mul(self.grain).min(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_is_no_change() {
        let mut hashes = Hashes::new();
        hashes.resize(10 * PAGE);
        assert_eq!(hashes.note(3, 7, true), Noted::First);
        assert_eq!(hashes.note(3, 7, true), Noted::Same);
        assert_eq!(hashes.note(3, 8, true), Noted::Changed { was_zero: false });
        assert_eq!(hashes.known(3), Some(Known { now: 8, base: 7 }));
        assert_eq!(hashes.known(4), None);
        hashes.note_hole(4..10, |_| panic!("nothing was there"));
        assert_eq!(hashes.note(5, 1, true), Noted::Changed { was_zero: true });
        let mut emptied = vec![];
        hashes.note_hole(0..10, |block| emptied.push(block));
        assert_eq!(emptied, [3, 5]);
        assert_eq!(hashes.with_base(0..10).collect::<Vec<_>>(), [3]);
        assert_eq!(hashes.seen(10 * PAGE), 10 * PAGE);
        hashes.set_baseline();
        assert_eq!(hashes.with_base(0..10).count(), 0);
        assert_eq!(hashes.about(0..10), About { data: false, there: false, seen: true });
    }

    #[test]
    fn what_is_beyond_the_end_is_forgotten() {
        let mut hashes = Hashes::new();
        hashes.resize(10 * PAGE);
        hashes.note(9, 7, true);
        hashes.resize(9 * PAGE);
        hashes.resize(10 * PAGE);
        assert_eq!(hashes.note(9, 8, true), Noted::First);
    }

    #[test]
    fn more_than_it_can_keep_becomes_coarser() {
        let mut hashes = Hashes::new();
        let count = 5 * MOST as u64 + 1;
        hashes.resize(count * PAGE);
        let mut page = 0;
        while page < count {
            let grain = hashes.grain() / PAGE;
            // As the scan does: whole blocks, from the start of a block.
            let block = page / grain;
            let pages = block * grain..((block + 1) * grain).min(count);
            page = pages.end;
            hashes.note(block, pages.map(|page| page + 1).sum(), true);
        }
        assert_eq!(hashes.grain(), 8 * PAGE);
        assert!(hashes.blocks.len() <= MOST);
        let grain = hashes.grain() / PAGE;
        for block in 0..count.div_ceil(grain) {
            let Some(known) = hashes.known(block) else { continue };
            let sum: u64 = (block * grain..((block + 1) * grain).min(count)).map(|page| page + 1).sum();
            assert_eq!(known, Known { now: sum, base: sum }, "{block}");
        }
        assert!(hashes.seen(count * PAGE) > 4 * MOST as u64 * PAGE);
    }
}

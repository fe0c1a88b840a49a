//! The blocks of a segment that have been read at least once.

use std::ops::Range;

/// Further blocks count as unread.
const MAX_RANGES: usize = 512;

/// Ranges of block numbers in ascending order, never adjacent.
#[derive(Debug)]
pub struct CoveredRanges(Vec<Range<u64>>);

impl CoveredRanges {
    pub const fn new() -> Self {
        Self(vec![])
    }

    pub fn contains(&self, blocks: &Range<u64>) -> bool {
        let after = self.0.partition_point(|range| range.end < blocks.end);
        blocks.is_empty() || self.0.get(after).is_some_and(|range| range.start <= blocks.start)
    }

    /// Returns the range that a block is in.
    pub fn run(&self, block: u64) -> Option<Range<u64>> {
        let at = self.0.partition_point(|range| range.end <= block);
        self.0.get(at).filter(|range| range.start <= block).cloned()
    }

    /// Adds a range, unless that would exceed the maximum.
    pub fn add(&mut self, blocks: Range<u64>) {
        if blocks.is_empty() {
            return;
        }
        let first = self.0.partition_point(|range| range.end < blocks.start);
        let last = self.0.partition_point(|range| range.start <= blocks.end);
        if first == last && self.0.len() >= MAX_RANGES {
            return;
        }
        let touched = &self.0[first..last];
        let start = touched.first().map_or(blocks.start, |range| range.start.min(blocks.start));
        let end = touched.last().map_or(blocks.end, |range| range.end.max(blocks.end));
        self.0.splice(first..last, std::iter::once(start..end));
    }

    pub fn cut(&mut self, end: u64) {
        self.0.retain_mut(|range| {
            range.end = range.end.min(end);
            !range.is_empty()
        });
    }

    /// Doubles the block size. Both halves of a new block must have been read. `count` is the
    /// number of old blocks; the last one may have no partner.
    pub fn double(&mut self, count: u64) {
        self.0.retain_mut(|range| {
            range.end = if range.end == count { range.end.div_ceil(2) } else { range.end / 2 };
            range.start = range.start.div_ceil(2);
            !range.is_empty()
        });
    }

    pub fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn double_keeps_only_complete_pairs() {
        let mut covered = CoveredRanges::new();
        covered.add(1..4);
        covered.add(6..9);
        covered.double(9);
        // Only one of 0 and 1 was read; 8 is the last and has no partner.
        assert_eq!(covered.0, [1..2, 3..5]);
    }

    proptest! {
        #[test]
        fn covered_ranges_behave_like_a_set(adds in proptest::collection::vec((0u64..60, 0u64..12), 0..20), end in 0u64..70, probe in (0u64..70, 0u64..9)) {
            let mut covered = CoveredRanges::new();
            let mut set = BTreeSet::new();
            for (start, length) in adds {
                covered.add(start..start + length);
                set.extend(start..start + length);
            }
            covered.cut(end);
            set.retain(|&block| block < end);
            prop_assert_eq!(covered.count(), set.len() as u64);
            let probe = probe.0..probe.0 + probe.1;
            prop_assert_eq!(covered.contains(&probe), probe.clone().all(|block| set.contains(&block)));
            prop_assert!(covered.0.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
}

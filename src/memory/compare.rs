//! Compares two versions of the same bytes.

use std::ops::Range;

/// Blocks of this size are compared as a whole before individual bytes.
const BLOCK_SIZE: usize = 64;

/// Returns the ranges in which two versions differ, in ascending order and never adjacent. Bytes
/// that exist in only one version are not compared.
#[must_use]
pub fn differences(old: &[u8], new: &[u8]) -> Vec<Range<usize>> {
    let length = old.len().min(new.len());
    let (old, new) = (&old[..length], &new[..length]);
    let mut ranges: Vec<Range<usize>> = vec![];
    if old == new {
        return ranges;
    }
    for (block, (old, new)) in old.chunks(BLOCK_SIZE).zip(new.chunks(BLOCK_SIZE)).enumerate() {
        if old == new {
            continue;
        }
        for at in (0..old.len()).filter(|&at| old[at] != new[at]) {
            let at = block * BLOCK_SIZE + at;
            match ranges.last_mut() {
                Some(last) if last.end == at => last.end += 1,
                _ => ranges.push(at..at + 1),
            }
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_bytes_have_no_differences() {
        assert!(differences(&[7; 1000], &[7; 1000]).is_empty());
        assert!(differences(&[], &[7]).is_empty());
    }

    #[test]
    fn adjacent_differences_are_one_range() {
        let mut new = [0u8; 200];
        new[62..67].fill(1);
        new[199] = 1;
        assert_eq!(differences(&[0; 200], &new), [62..67, 199..200]);
    }

    proptest! {
        #[test]
        fn comparison_matches_a_naive_one(old in proptest::collection::vec(0u8..2, 0..200), new in proptest::collection::vec(0u8..2, 0..200)) {
            let ranges = differences(&old, &new);
            let differing: Vec<usize> = ranges.iter().cloned().flatten().collect();
            let naive: Vec<usize> = (0..old.len().min(new.len())).filter(|&at| old[at] != new[at]).collect();
            prop_assert_eq!(differing, naive);
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
}

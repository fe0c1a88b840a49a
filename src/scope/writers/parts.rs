//! Splits the bytes of a value into the aligned parts that watchpoints can watch.

use crate::machine::watch::MAX_WATCHPOINTS;
use std::ops::Range;

/// Bytes of the largest watchpoint.
const LARGEST: u64 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    #[error("there is nothing to watch in 0 bytes")]
    Empty,
    #[error(
        "{length} bytes at offset {offset:#x} do not fit in the 4 watchpoints of a thread, of 8 aligned bytes each: \
         watch at most 32 bytes, at a multiple of 8"
    )]
    TooMany { offset: u64, length: u64 },
}

/// Returns the parts of a range of offsets: 1, 2, 4 or 8 bytes each, aligned to their size. Mappings
/// start at a page, so that addresses are aligned like offsets.
///
/// # Errors
/// Fails if there are more than a thread has watchpoints.
pub fn parts(range: &Range<u64>) -> Result<Vec<Range<u64>>, PartsError> {
    let mut parts = vec![];
    let mut at = range.start;
    while at < range.end {
        let mut length = LARGEST;
        while !at.is_multiple_of(length) || length > range.end - at {
            length /= 2;
        }
        if parts.len() == MAX_WATCHPOINTS {
            return Err(PartsError::TooMany { offset: range.start, length: range.end - range.start });
        }
        parts.push(at..at + length);
        at += length;
    }
    if parts.is_empty() { Err(PartsError::Empty) } else { Ok(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_split_into_aligned_parts() {
        assert_eq!(parts(&(16..24)).unwrap().len(), 1);
        assert_eq!(parts(&(0..32)), Ok(vec![0..8, 8..16, 16..24, 24..32]));
        assert_eq!(parts(&(4..12)), Ok(vec![4..8, 8..12]));
        assert_eq!(parts(&(3..11)), Ok(vec![3..4, 4..8, 8..10, 10..11]));
        assert_eq!(parts(&(7..8)).unwrap()[0], 7..8);
    }

    #[test]
    fn range_without_enough_watchpoints_is_refused() {
        assert_eq!(parts(&(0..33)), Err(PartsError::TooMany { offset: 0, length: 33 }));
        assert!(parts(&(1..16)).is_ok());
        assert_eq!(parts(&(4..36)), Err(PartsError::TooMany { offset: 4, length: 32 }));
        assert_eq!(parts(&(5..5)), Err(PartsError::Empty));
        assert!(parts(&(0..u64::MAX)).is_err());
    }
}

//! The known part of a segment: the bytes around the screen, and the runs of zeros between them.

use crate::memory::{Pattern, Quiet};
use std::ops::Range;

#[derive(Debug, Clone, Default)]
pub struct View {
    pub offset: u64,
    /// The bytes without the gaps.
    bytes: Vec<u8>,
    /// Runs of zeros that are not in `bytes`, in ascending order.
    gaps: Vec<(Range<u64>, Quiet)>,
    /// Ranges that differ from the baseline.
    pub differs: Vec<Range<u64>>,
    pub matches: Vec<Range<u64>>,
}

/// A part of a view: bytes or a run of zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    Bytes(&'a [u8]),
    Quiet(Quiet),
}

impl View {
    pub const fn new(offset: u64, bytes: Vec<u8>, gaps: Vec<(Range<u64>, Quiet)>) -> Self {
        Self { offset, bytes, gaps, differs: vec![], matches: vec![] }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.gaps.is_empty()
    }

    pub fn end(&self) -> u64 {
        let gaps: u64 = self.gaps.iter().map(|(gap, _)| gap.end - gap.start).sum();
        self.offset + self.bytes.len() as u64 + gaps
    }

    /// The parts in ascending order.
    pub fn parts(&self) -> impl Iterator<Item = (Range<u64>, Content<'_>)> {
        let (mut at, mut rest, mut gaps) = (self.offset, self.bytes.as_slice(), self.gaps.iter());
        let mut gap = gaps.next();
        std::iter::from_fn(move || {
            let start = at;
            match gap {
                Some((run, quiet)) if run.start <= at => {
                    at = run.end;
                    gap = gaps.next();
                    Some((start..at, Content::Quiet(*quiet)))
                }
                _ if rest.is_empty() => None,
                next => {
                    let length = next
                        .map_or(rest.len(), |(run, _)| usize::try_from(run.start - at).unwrap_or(usize::MAX));
                    let (bytes, after) = rest.split_at(length.min(rest.len()));
                    (at, rest) = (at + bytes.len() as u64, after);
                    Some((start..at, Content::Bytes(bytes)))
                }
            }
        })
    }

    /// Returns up to `length` bytes from an offset on, fewer at the end of the view.
    pub fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![];
        for (range, content) in self.parts() {
            let at = offset + bytes.len() as u64;
            if bytes.len() == length || !range.contains(&at) {
                continue;
            }
            let skipped = usize::try_from(at - range.start).unwrap_or(usize::MAX);
            let left = length - bytes.len();
            match content {
                Content::Bytes(part) => bytes.extend(part.iter().skip(skipped).take(left)),
                Content::Quiet(_) => {
                    let zeros = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(left);
                    bytes.resize(bytes.len() + zeros, 0);
                }
            }
        }
        bytes
    }

    /// Adds a part behind the others.
    pub fn push(&mut self, start: u64, content: Content<'_>, end: u64) {
        match content {
            Content::Bytes(bytes) => self.bytes.extend(bytes),
            Content::Quiet(quiet) => match self.gaps.last_mut() {
                Some((last, same)) if last.end == start && *same == quiet => last.end = end,
                _ => self.gaps.push((start..end, quiet)),
            },
        }
    }

    /// Finds the matches of a pattern that are not entirely in a gap.
    pub fn find_matches(&mut self, pattern: Option<&Pattern>) {
        let Some(pattern) = pattern else {
            self.matches.clear();
            return;
        };
        let (length, mut found) = (pattern.len() as u64, vec![]);
        for (range, content) in self.parts() {
            let Content::Bytes(bytes) = content else { continue };
            let start = range.start.saturating_sub(length - 1).max(self.offset);
            let around = usize::try_from(range.start - start).unwrap_or(0) + bytes.len() + pattern.len() - 1;
            let bytes = self.read(start, around);
            let mut from = 0;
            while let Some(at) = pattern.find(&bytes, from) {
                from = at + pattern.len();
                let at = start + at as u64;
                found.push(at..at + length);
            }
        }
        self.matches = found;
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of ranges is what is meant")]
mod tests {
    use super::*;

    fn view() -> View {
        View::new(10, b"abcdef".to_vec(), vec![(10..12, Quiet::Hole), (15..115, Quiet::Zeros)])
    }

    #[test]
    fn parts_alternate_between_bytes_and_gaps() {
        let view = view();
        let parts: Vec<_> = view.parts().collect();
        let expected = [
            (10..12, Content::Quiet(Quiet::Hole)),
            (12..15, Content::Bytes(b"abc")),
            (15..115, Content::Quiet(Quiet::Zeros)),
            (115..118, Content::Bytes(b"def")),
        ];
        assert_eq!((parts.as_slice(), view.end()), (expected.as_slice(), 118));
        let mut copy = View::new(10, vec![], vec![]);
        for (range, content) in view.parts() {
            copy.push(range.start, content, range.end);
        }
        assert!(copy.parts().eq(view.parts()));
    }

    #[test]
    fn gaps_read_as_zeros() {
        let view = view();
        assert_eq!(view.read(11, 6), b"\0abc\0\0");
        assert_eq!(view.read(114, 9), b"\0def");
        assert_eq!((view.read(9, 5), view.read(118, 5)), (vec![], vec![]));
        assert_eq!(view.read(50, 4), [0; 4]);
    }

    #[test]
    fn match_may_reach_into_a_gap() {
        let mut view = view();
        view.find_matches(Some(&Pattern::hex("00 64 65").unwrap()));
        assert_eq!(view.matches, [114..117]);
        view.find_matches(Some(&Pattern::hex("62 63 00 00").unwrap()));
        assert_eq!(view.matches, [13..17]);
        view.find_matches(None);
        assert!(view.matches.is_empty());
    }
}

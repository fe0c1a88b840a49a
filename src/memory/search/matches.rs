//! Runs of adjacent matches: a hole of several terabytes may be full of matches.

/// Adjacent matches of equal length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matches {
    /// The offset of the first match.
    pub first: u64,
    /// The length of each match.
    pub length: u64,
    /// The number of matches, at least one.
    pub count: u64,
}

impl Matches {
    /// Returns the offset after the last byte of the last match.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.first + self.length * self.count
    }

    /// Returns the offset of each match, in ascending order.
    pub fn offsets(self) -> impl Iterator<Item = u64> {
        (0..self.count).map(move |number| self.first + number * self.length)
    }

    /// Returns adjacent matches starting at the first of `places` and not past the last.
    pub(super) const fn throughout(places: std::ops::Range<u64>, length: u64) -> Self {
        let count = places.end.saturating_sub(places.start).div_ceil(length);
        Self { first: places.start, length, count }
    }

    /// Adds a match to a list in ascending order.
    pub(super) fn push(all: &mut Vec<Self>, offset: u64, length: u64) {
        match all.last_mut() {
            Some(last) if last.end() == offset => last.count += 1,
            _ => all.push(Self { first: offset, length, count: 1 }),
        }
    }
}

//! The history of a line of 64 bytes: a row of time and content for each sample that differed.

use std::collections::VecDeque;

/// Bytes per line.
pub const LINE: usize = 64;
/// Bytes per row. Values at the end of a line extend into the next one.
pub const ROW: usize = LINE + 8;
/// The maximum number of rows per line.
const ROWS: usize = 96;
/// Old changes of a byte may be dropped if it has more changes than this.
const ENOUGH: u16 = 24;

/// The content of a line at one time.
#[derive(Debug)]
pub struct Row {
    /// Monotonic time in nanoseconds.
    pub at: u64,
    pub bytes: [u8; ROW],
    /// The bytes that differ from the previous row, as bits.
    changed: u128,
}

/// The history of a line.
#[derive(Debug)]
pub struct Line {
    rows: VecDeque<Row>,
    /// The number of rows in which each byte changed.
    counts: [u16; ROW],
    /// All rows that were ever added, except the first.
    pub changes: u32,
    /// Bytes that were ever neither printable nor NUL.
    pub binary: u64,
    /// Bytes that were ever printable.
    pub printable: u64,
}

impl Line {
    /// `bytes` is the content before the first change.
    pub fn new(at: u64, bytes: [u8; ROW]) -> Self {
        let mut line = Self {
            rows: VecDeque::with_capacity(ROWS),
            counts: [0; ROW],
            changes: 0,
            binary: 0,
            printable: 0,
        };
        line.classify(&bytes);
        line.rows.push_back(Row { at, bytes, changed: 0 });
        line
    }

    /// Adds a row if the content changed.
    pub fn push(&mut self, at: u64, bytes: [u8; ROW]) {
        let changed = self.rows.back().map_or(0, |last| difference(&last.bytes, &bytes));
        if changed == 0 {
            return;
        }
        if self.rows.len() == ROWS {
            self.evict();
        }
        self.count(changed, 1);
        self.classify(&bytes);
        self.changes += 1;
        self.rows.push_back(Row { at, bytes, changed });
    }

    pub const fn rows(&self) -> &VecDeque<Row> {
        &self.rows
    }

    /// Returns the number of rows in which a byte changed.
    pub const fn count_of(&self, byte: usize) -> u16 {
        self.counts[byte]
    }

    /// Returns true if a byte changed within the history.
    pub const fn is_active(&self, byte: usize) -> bool {
        self.counts[byte] > 0
    }

    /// Returns the bytes that changed within the history, as bits.
    pub fn active(&self) -> u64 {
        self.changed_often(1)
    }

    /// Returns the bytes that changed at all, and often enough for a first and a second judgment.
    pub fn known(&self) -> [u64; 3] {
        [1, 5, 8].map(|count| self.changed_often(count))
    }

    fn changed_often(&self, count: u16) -> u64 {
        let changed = |byte| u64::from(self.counts[byte] >= count) << byte;
        (0..LINE).map(changed).fold(0, |bits, bit| bits | bit)
    }

    /// Removes the oldest row whose changes all have enough others, so that a fast counter does not
    /// evict the few changes of a slow flag next to it.
    fn evict(&mut self) {
        let spare = |row: &Row| bits(row.changed).all(|byte| self.counts[byte] > ENOUGH);
        // The second row depends on the first one, so keep that.
        let at = self.rows.iter().skip(1).position(spare).unwrap_or(0);
        let Some(gone) = self.rows.remove(at) else { return };
        let before = at.checked_sub(1).map(|before| self.rows[before].bytes);
        let Some(next) = self.rows.get(at) else { return };
        let changed = before.map_or(0, |before| difference(&before, &next.bytes));
        let (gone, next) = (gone.changed, next.changed);
        self.count(gone, u16::MAX);
        self.count(next, u16::MAX);
        self.count(changed, 1);
        self.rows[at].changed = changed;
    }

    /// Adds to the counts of these bytes. `u16::MAX` subtracts one.
    fn count(&mut self, changed: u128, by: u16) {
        for byte in bits(changed) {
            self.counts[byte] = self.counts[byte].wrapping_add(by);
        }
    }

    fn classify(&mut self, bytes: &[u8; ROW]) {
        for (at, &byte) in bytes[..LINE].iter().enumerate() {
            if (b' '..=b'~').contains(&byte) {
                self.printable |= 1 << at;
            } else if byte != 0 {
                self.binary |= 1 << at;
            }
        }
    }
}

/// Returns the bytes that differ, as bits.
fn difference(a: &[u8; ROW], b: &[u8; ROW]) -> u128 {
    let mut changed = 0;
    for (at, (a, b)) in a.iter().zip(b).enumerate() {
        changed |= u128::from(a != b) << at;
    }
    changed
}

/// Returns the indexes of the set bits.
fn bits(mut set: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (at < 128).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_counter_leaves_the_changes_of_a_slow_flag() {
        let mut line = Line::new(0, [0; ROW]);
        for tick in 1..2000_u64 {
            let mut bytes = [0; ROW];
            bytes[..8].copy_from_slice(&tick.to_le_bytes());
            bytes[8] = u8::from(tick / 100 % 2 == 1);
            line.push(tick, bytes);
        }
        assert_eq!((line.rows().len(), line.changes), (ROWS, 1999));
        assert_eq!(line.count_of(8), 19);
        let counted = line.rows().iter().filter(|row| row.changed & 0x100 != 0).count();
        assert_eq!(counted, 19);
        // The first row has no predecessor, and the newest rows are kept.
        assert_eq!(line.rows().back().map(|row| row.at), Some(1999));
    }

    #[test]
    fn equal_rows_are_not_kept() {
        let mut line = Line::new(0, [7; ROW]);
        line.push(1, [7; ROW]);
        assert_eq!((line.rows().len(), line.changes), (1, 0));
    }
}

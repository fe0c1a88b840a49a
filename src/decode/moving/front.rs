//! Finds the front of a ring buffer: changes that advance through memory.
//!
//! A field changes in place. A ring is written record by record, so each change starts where the
//! previous one ended, until the front returns to the start. Words that fronts pass are payload:
//! their bytes belong to records of the ring, not to fields at fixed offsets.

use super::line::LINE;
use std::ops::Range;

/// The maximum gap between two records of varying size.
const GAP: u64 = 256;
/// The maximum overlap of successive changes: a record may be completed after it was seen.
const OVERLAP: u64 = 8;
/// The minimum number of advances, and of bytes, for a front.
const STEPS: u32 = 4;
const DISTANCE: u64 = 96;
const CHAINS: usize = 16;
/// Changes are counted per word of this size.
const WORD: usize = 8;
/// Samples at least this many nanoseconds apart are from different polls.
const LONG: u64 = 50_000_000;
/// The number of samples for which a front may pause while other bytes change.
const PAUSE: u32 = 4;

/// The fronts in a window of a segment.
#[derive(Debug, Default)]
pub struct Fronts {
    chains: Vec<Chain>,
    /// The areas that changed between the last two polls.
    areas: Vec<Range<u64>>,
    words: Vec<Counts>,
    lines: Vec<Counts>,
}

/// Change counts of a word or line.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    changes: u32,
    /// Changes between samples of one burst.
    short: u32,
    /// Fronts that passed.
    passed: u32,
    /// Fronts that passed next to the area that changed between two polls.
    beside: u32,
}

#[derive(Debug)]
struct Chain {
    first: u64,
    /// The start of the last change.
    start: u64,
    end: u64,
    stride: u64,
    steps: u32,
    paused: u32,
}

impl Chain {
    const fn continues(&self, change: &Range<u64>) -> bool {
        let near = change.start <= self.end + GAP || change.start - self.start == self.stride;
        change.start > self.start && change.start + OVERLAP >= self.end && change.end > self.end && near
    }

    const fn is_front(&self) -> bool {
        self.steps >= STEPS && self.end - self.first >= DISTANCE
    }
}

impl Fronts {
    /// `size` is the size of the window.
    pub fn new(size: usize) -> Self {
        let counts = |unit: usize| vec![Counts::default(); size.div_ceil(unit)];
        Self { words: counts(WORD), lines: counts(LINE), ..Self::default() }
    }

    /// Adds the changes of a sample, in order of their offsets in the window. `waited` is the time
    /// since the last sample in nanoseconds.
    pub fn observe(&mut self, waited: u64, changes: &[Range<u64>]) {
        if changes.is_empty() {
            return;
        }
        let is_short = waited < LONG;
        for (counts, unit) in [(&mut self.words, WORD), (&mut self.lines, LINE)] {
            let mut last = usize::MAX;
            for at in changes.iter().flat_map(|change| units(change, unit)) {
                // Two changes may touch the same unit.
                if at != last {
                    counts[at].changes += 1;
                    counts[at].short += u32::from(is_short);
                }
                last = at;
            }
        }
        if !is_short {
            self.areas.clear();
            for change in changes {
                match self.areas.last_mut() {
                    Some(area) if change.start <= area.end + 64 => area.end = change.end,
                    _ => self.areas.push(change.clone()),
                }
            }
        }
        let mut taken = vec![false; changes.len()];
        let mut ended = vec![];
        for (at, chain) in self.chains.iter_mut().enumerate() {
            let mut advanced = false;
            for (change, taken) in changes.iter().zip(&mut taken).filter(|(_, taken)| !**taken) {
                if chain.continues(change) {
                    // The first two changes may be in a field and at the start of a ring.
                    *taken = chain.steps > 0;
                    if chain.steps == 0
                        && !advanced
                        && (chain.end - chain.start) * 4 < change.end - change.start
                    {
                        // The chain started at a field before the ring: drop that change.
                        chain.first = change.start;
                    }
                    chain.stride = change.start - chain.start;
                    (chain.start, chain.end) = (change.start, change.end);
                    advanced = true;
                }
            }
            let again = changes.iter().any(|change| change.start < chain.start && change.end > chain.first);
            chain.paused += 1;
            if advanced {
                chain.steps += 1;
                chain.paused = 0;
            }
            if again || chain.paused > PAUSE {
                ended.push(at);
            }
        }
        for at in ended.into_iter().rev() {
            let chain = self.chains.remove(at);
            self.pass(&chain);
        }
        for (change, _) in changes.iter().zip(taken).filter(|(_, taken)| !taken) {
            if self.chains.len() == CHAINS {
                let chain = self.chains.remove(0);
                self.pass(&chain);
            }
            let Range { start, end } = *change;
            self.chains.push(Chain { first: start, start, end, stride: u64::MAX, steps: 0, paused: 0 });
        }
    }

    fn pass(&mut self, chain: &Chain) {
        if !chain.is_front() {
            return;
        }
        let passed = chain.first..chain.end;
        // A fast front goes around the ring between two polls, so that the whole ring changes.
        let within = |area: &&Range<u64>| area.start <= passed.start && area.end >= passed.end;
        let area = self.areas.iter().find(within);
        for (counts, unit) in [(&mut self.words, WORD), (&mut self.lines, LINE)] {
            units(&passed, unit).for_each(|at| counts[at].passed += 1);
            if let Some(area) = area {
                units(area, unit).for_each(|at| counts[at].beside += 1);
            }
        }
    }

    /// Returns the bytes of a line that belong to a ring, as bits.
    pub fn ring(&self, line: usize) -> u64 {
        if !self.explain(line) {
            return 0;
        }
        let explain = |line: Option<usize>| line.is_some_and(|line| self.explain(line));
        if explain(line.checked_sub(1)) && explain(Some(line + 1)) {
            return u64::MAX;
        }
        // The first or last line of a ring may also have fields.
        let first = line * LINE / WORD;
        let in_ring = |word: &usize| !self.is_field(line, first + word);
        (0..LINE / WORD).filter(in_ring).fold(0, |ring, word| ring | 0xff << (word * WORD))
    }

    /// Returns true if fronts account for the changes of a line.
    fn explain(&self, line: usize) -> bool {
        let Some(Counts { changes, passed, beside, short }) = self.lines.get(line).copied() else {
            return false;
        };
        let running =
            |chain: &&Chain| chain.is_front() && units(&(chain.first..chain.end), LINE).contains(&line);
        let passed = passed + u32::from(self.chains.iter().any(|chain| running(&chain)));
        let fronts = passed.max(beside);
        fronts >= 2 && (fronts * 10 >= changes * 3 || passed * 3 >= short && beside * 2 >= changes - short)
            || fronts == 1 && changes <= 3
    }

    /// Returns true if a word next to a ring changes at other times than the ring.
    fn is_field(&self, line: usize, word: usize) -> bool {
        let Some(counts) = self.words.get(word) else { return false };
        counts.short > 3 * (counts.passed + 1) || counts.passed == 0 && self.lines[line].passed >= 2
    }
}

/// Returns the units of a size that a range touches.
fn units(range: &Range<u64>, size: usize) -> Range<usize> {
    let unit = |at: u64| usize::try_from(at).unwrap_or(usize::MAX) / size;
    unit(range.start)..unit(range.end - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_is_a_front_but_its_head_is_not() {
        let mut fronts = Fronts::new(1024);
        for tick in 0..64 {
            let slot = 128 + tick % 16 * 48;
            fronts.observe(1_000_000, &[0..2, slot..slot + 40]);
        }
        assert!((2..14).all(|line| fronts.ring(line) == u64::MAX || line == 2 || line == 13));
        assert_ne!(fronts.ring(2), 0);
        assert_eq!(fronts.ring(0), 0);
    }

    #[test]
    fn fields_that_change_in_turn_are_not_a_front() {
        let mut fronts = Fronts::new(1024);
        let mut noise = 1_u64;
        for _ in 0..2000 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            let field = noise % 16 * 16;
            fronts.observe(1_000_000, std::slice::from_ref(&(field..field + 4)));
        }
        assert!((0..4).all(|line| fronts.ring(line) == 0));
    }
}

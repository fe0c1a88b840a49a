//! Jumps from one run of data to the next, skipping zeros and holes.

use super::extents::{DataBackward, DataForward};
use super::zeros::{first_nonzero, last_nonzero};
use super::{Direction, PageBuffer, Progress, Reader};
use std::io;
use std::ops::Range;

/// Bytes per read. Small in tests, so that runs span several chunks.
const CHUNK_SIZE: usize = if cfg!(test) { 100 } else { 256 << 10 };

/// Returns the next run of data that starts after `from`, or the last one that starts before it.
/// Runs are separated by at least `gap` zeros, written or in a hole. At the start of the segment,
/// any number of zeros separates. `None` if there is no such run, and after a cancellation.
///
/// # Errors
/// Fails if the segment cannot be read.
pub fn next_data(
    reader: &Reader,
    from: u64,
    direction: Direction,
    gap: u64,
    progress: &Progress,
) -> io::Result<Option<u64>> {
    let size = reader.size()?;
    let walk = Walk { reader, gap: gap.max(1), bytes: PageBuffer::with_capacity(CHUNK_SIZE), progress };
    match direction {
        Direction::Forward if from >= size => Ok(None),
        Direction::Forward => walk.forward(from + 1, size),
        Direction::Backward => walk.backward(from.min(size)),
    }
}

struct Walk<'a> {
    reader: &'a Reader,
    gap: u64,
    bytes: PageBuffer,
    progress: &'a Progress,
}

impl Walk<'_> {
    /// Returns the first run that starts at or after `from`.
    fn forward(mut self, from: u64, size: u64) -> io::Result<Option<u64>> {
        self.progress.begin(size - from.min(size));
        let mut zeros = self.zeros_before(from)?;
        let mut at = from;
        for run in DataForward::new(self.reader, from..size, self.progress) {
            let run = run?;
            zeros = zeros.saturating_add(run.start - at);
            at = run.start;
            while at < run.end && !self.progress.is_cancelled() {
                let length = self.read(at..run.end.min(at + CHUNK_SIZE as u64))?;
                if length == 0 {
                    return Ok(None);
                }
                if let Some(found) = first_run(&self.bytes[..length], self.gap, &mut zeros) {
                    return Ok(Some(at + found as u64));
                }
                at += length as u64;
                self.progress.reach(at - from);
            }
        }
        Ok(None)
    }

    /// Returns the last run that starts before `from`.
    fn backward(mut self, from: u64) -> io::Result<Option<u64>> {
        self.progress.begin(from);
        // The lowest byte found so far of the current run.
        let mut start: Option<u64> = None;
        let separated = |start: Option<u64>, at: u64, gap: u64| start.is_some_and(|start| start - at >= gap);
        for run in DataBackward::new(self.reader, 0..from, self.progress) {
            let run = run?;
            let mut end = run.end;
            while end > run.start && !self.progress.is_cancelled() {
                if separated(start, end, self.gap) {
                    return Ok(start);
                }
                let base = end.saturating_sub(CHUNK_SIZE as u64).max(run.start);
                let length = self.read(base..end)?;
                let mut upto = length;
                while let Some(last) = last_nonzero(&self.bytes[..upto]) {
                    if separated(start, base + last as u64 + 1, self.gap) {
                        return Ok(start);
                    }
                    let (lowest, seen) = run_before(&self.bytes[..=last], self.gap);
                    start = Some(base + lowest as u64);
                    upto = seen;
                }
                end = base;
                self.progress.reach(from - end);
            }
        }
        Ok(if self.progress.is_cancelled() { None } else { start })
    }

    /// Counts the zeros before `at`, up to the gap. The start of the segment counts as a whole gap.
    fn zeros_before(&mut self, at: u64) -> io::Result<u64> {
        let mut zeros = 0;
        while zeros < self.gap {
            let end = at - zeros;
            if end == 0 {
                return Ok(u64::MAX);
            }
            let length = self.read(end.saturating_sub(CHUNK_SIZE as u64)..end)?;
            if let Some(last) = last_nonzero(&self.bytes[..length]) {
                return Ok(zeros + (length - last - 1) as u64);
            }
            zeros += (length as u64).max(1);
        }
        Ok(zeros)
    }

    fn read(&mut self, range: Range<u64>) -> io::Result<usize> {
        let length = usize::try_from(range.end - range.start).unwrap_or(CHUNK_SIZE).min(CHUNK_SIZE);
        self.reader.fill(&mut self.bytes, range.start, length)
    }
}

/// Returns the first nonzero byte that has at least `gap` zeros before it, of which `zeros` precede
/// `bytes`. If there is none, sets `zeros` to the number of zeros at the end.
fn first_run(bytes: &[u8], gap: u64, zeros: &mut u64) -> Option<usize> {
    let window = usize::try_from(gap).unwrap_or(usize::MAX);
    let mut at = 0;
    while let Some(ahead) = first_nonzero(&bytes[at..]) {
        at += ahead;
        *zeros = zeros.saturating_add(ahead as u64);
        if *zeros >= gap {
            return Some(at);
        }
        // A gap cannot start before the last nonzero byte of the window. This skips most bytes of
        // dense data.
        loop {
            let behind = &bytes[at + 1..(at + 1).saturating_add(window).min(bytes.len())];
            let Some(last) = last_nonzero(behind) else {
                *zeros = behind.len() as u64;
                at += 1 + behind.len();
                break;
            };
            at += 1 + last;
        }
    }
    *zeros = zeros.saturating_add((bytes.len() - at) as u64);
    None
}

/// Follows the run that ends at the last of `bytes` backward. Returns its lowest byte and the
/// number of bytes below it that were not examined.
fn run_before(bytes: &[u8], gap: u64) -> (usize, usize) {
    let window = usize::try_from(gap).unwrap_or(usize::MAX);
    let mut at = bytes.len() - 1;
    loop {
        let low = at.saturating_sub(window);
        match first_nonzero(&bytes[low..at]) {
            Some(first) => at = low + first,
            None => return (at, low),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeBytes;
    use crate::memory::example::{all, object, pages, sparse};
    use proptest::prelude::*;

    fn next(reader: &Reader, from: u64, direction: Direction, gap: u64) -> Option<u64> {
        next_data(reader, from, direction, gap, &Progress::new()).unwrap()
    }

    #[test]
    fn next_data_jumps_to_the_start_of_a_run() {
        let mut bytes = FakeBytes::hole(1 << 42);
        bytes.write(5, b"one");
        bytes.write(10, b"still one");
        bytes.write(100, b"two");
        bytes.write(1 << 40, b"three");
        let (machine, reader) = object(bytes);
        let forward = |from| next(&reader, from, Direction::Forward, 16);
        assert_eq!([0, 5, 6, 9, 50, 100].map(forward).map(Option::unwrap), [5, 100, 100, 100, 100, 1 << 40]);
        assert_eq!([1 << 40, u64::MAX].map(forward), [None, None]);
        let backward = |from| next(&reader, from, Direction::Backward, 16);
        assert_eq!(
            [u64::MAX, 1 << 41, 1 << 40, 101, 100, 7].map(backward).map(Option::unwrap),
            [1 << 40, 1 << 40, 100, 100, 5, 5]
        );
        assert_eq!([5, 0].map(backward), [None, None]);
        assert_eq!(pages(&machine), 2);
    }

    #[test]
    fn canceled_search_finds_nothing() {
        let (_machine, reader) = object(FakeBytes::full(&[1; 10_000]));
        let progress = Progress::new();
        progress.cancel();
        for direction in [Direction::Forward, Direction::Backward] {
            assert_eq!(next_data(&reader, 9000, direction, 1, &progress).unwrap(), None);
        }
    }

    proptest! {
        #[test]
        fn search_agrees_with_a_naive_one(bytes in sparse(), from in 0u64..25_000, gap in prop_oneof![0u64..40, 0u64..9000]) {
            let (machine, reader) = object(bytes);
            let before = pages(&machine);
            let all = all(&reader);
            let mut zeros = u64::MAX;
            let mut starts = vec![];
            for (offset, &byte) in all.iter().enumerate() {
                if byte == 0 {
                    zeros = zeros.saturating_add(1);
                } else {
                    if zeros >= gap.max(1) {
                        starts.push(offset as u64);
                    }
                    zeros = 0;
                }
            }
            prop_assert_eq!(next(&reader, from, Direction::Forward, gap), starts.iter().copied().find(|&at| at > from));
            prop_assert_eq!(next(&reader, from, Direction::Backward, gap), starts.iter().copied().rfind(|&at| at < from));
            prop_assert_eq!(pages(&machine), before);
        }
    }
}

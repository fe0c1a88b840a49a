//! The C struct in the demo's System V segment: `struct demo_state` of assets/demo/world.h, which
//! documents the layout.

use super::mark;
use crate::sys::shared_mutex::SharedMutex;
use std::ops::Range;

/// `sizeof(struct demo_state)`.
pub const SIZE: usize = LOCK_OFFSET + SharedMutex::SIZE;
/// The offset of the mutex, whose size depends on the C library.
pub const LOCK_OFFSET: usize = 376;

const TICK_OFFSET: usize = 64;
const STATE_OFFSET: usize = 80;
const NAME_RANGE: Range<usize> = 84..112;
const NEXT_OFFSET: usize = 112;
const RING_OFFSET: usize = 120;
const SAMPLE_SIZE: usize = 16;
const SAMPLES: u32 = 16;

/// Ticks between samples in the ring.
const SAMPLE_EVERY: u32 = 4;
/// Ticks between changes of the state.
const STATE_EVERY: u32 = 100;
const STATES: [&str; 3] = ["idle", "running", "paused"];

/// A sine with a period of six seconds.
pub fn sine(tick: u32) -> f64 {
    (f64::from(tick) / 20.0).sin()
}

/// Returns the number and the name of the state.
pub fn state(tick: u32) -> (u8, &'static str) {
    match tick / STATE_EVERY % 3 {
        0 => (0, STATES[0]),
        1 => (1, STATES[1]),
        _ => (2, STATES[2]),
    }
}

/// Returns the struct at tick 0.
pub fn first(mark: &[u8; mark::LENGTH]) -> Vec<u8> {
    let mut bytes = vec![0; SIZE];
    bytes[..mark.len()].copy_from_slice(mark);
    for (offset, change) in changes(0) {
        bytes[offset..offset + change.len()].copy_from_slice(&change);
    }
    bytes
}

/// Returns the bytes to write at a tick, with their offsets. Counters come last: a reader that sees
/// a new ring index finds the sample already written.
pub fn changes(tick: u32) -> Vec<(usize, Vec<u8>)> {
    let mut changes = vec![];
    if tick.is_multiple_of(STATE_EVERY) {
        let (number, name) = state(tick);
        let mut text = name.as_bytes().to_vec();
        text.resize(NAME_RANGE.len(), 0);
        changes.push((NAME_RANGE.start, text));
        changes.push((STATE_OFFSET, i32::from(number).to_ne_bytes().to_vec()));
    }
    if tick.is_multiple_of(SAMPLE_EVERY) {
        let taken = tick / SAMPLE_EVERY;
        let at = RING_OFFSET + SAMPLE_SIZE * (taken % SAMPLES) as usize;
        let next = ((taken + 1) % SAMPLES).to_ne_bytes();
        let filled = (taken + 1).min(SAMPLES).to_ne_bytes();
        changes.push((at, [u64::from(tick).to_ne_bytes(), sine(tick).to_ne_bytes()].concat()));
        changes.push((NEXT_OFFSET, [next, filled].concat()));
    }
    changes.push((TICK_OFFSET, [u64::from(tick).to_ne_bytes(), sine(tick).to_ne_bytes()].concat()));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_within_the_struct_after_the_mark() {
        for tick in 0..1000 {
            for (offset, bytes) in changes(tick) {
                assert!(offset >= mark::LENGTH && offset + bytes.len() <= LOCK_OFFSET, "{offset} at {tick}");
            }
        }
    }

    #[test]
    fn ring_holds_the_last_sixteen_samples() {
        let mut bytes = first(&[0; mark::LENGTH]);
        for tick in 1..=100 {
            for (offset, change) in changes(tick) {
                bytes[offset..offset + change.len()].copy_from_slice(&change);
            }
        }
        let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        let mut ticks: Vec<u64> = (0..16).map(|sample| word(RING_OFFSET + SAMPLE_SIZE * sample)).collect();
        ticks.sort_unstable();
        assert_eq!(ticks, (10..=25).map(|sample| sample * 4).collect::<Vec<u64>>());
        assert_eq!(u32::from_ne_bytes(bytes[NEXT_OFFSET..NEXT_OFFSET + 4].try_into().unwrap()), 26 % 16);
        assert_eq!(u32::from_ne_bytes(bytes[NEXT_OFFSET + 4..NEXT_OFFSET + 8].try_into().unwrap()), 16);
        assert_eq!(word(TICK_OFFSET), 100);
        assert_eq!(&bytes[NAME_RANGE][..8], b"running\0");
    }
}

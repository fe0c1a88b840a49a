//! A ring buffer of quotes: `struct demo_ring` of assets/demo/world.h, which documents the layout.

use super::mark;
use std::time::{SystemTime, UNIX_EPOCH};

pub const SIZE: usize = 64 << 10;

const HEADER_OFFSET: usize = mark::LENGTH;
const SLOTS_START: usize = 128;
const SLOT_SIZE: usize = 32;
const SLOTS: u32 = 2044;

/// Quotes per tick.
const QUOTES: u32 = 5;
const SYMBOLS: [&str; 4] = ["ACME", "GLOBEX", "INITECH", "UMBRELLA"];

/// Returns the header and the first quotes. The rest is never written before the ring gets there.
pub fn first(mark: &[u8; mark::LENGTH]) -> Vec<u8> {
    let mut bytes = vec![0; SLOTS_START + SLOT_SIZE * QUOTES as usize];
    bytes[..mark.len()].copy_from_slice(mark);
    for (offset, change) in changes(0) {
        bytes[offset..offset + change.len()].copy_from_slice(&change);
    }
    bytes
}

/// Returns the bytes to write at a tick, with their offsets. The header comes last: a reader that
/// sees a new count finds the quotes already written.
pub fn changes(tick: u32) -> Vec<(usize, Vec<u8>)> {
    let numbers = tick * QUOTES..(tick + 1) * QUOTES;
    let mut changes: Vec<(usize, Vec<u8>)> =
        numbers.clone().map(|number| (slot(number), quote(number))).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let header = [
        u64::from(numbers.end).to_ne_bytes(),
        u64::try_from(now.as_nanos()).unwrap_or(u64::MAX).to_ne_bytes(),
        price(numbers.end - 1).to_ne_bytes(),
        [SLOTS.to_ne_bytes(), numbers.end.min(SLOTS).to_ne_bytes()].concat().try_into().unwrap_or_default(),
    ];
    changes.push((HEADER_OFFSET, header.concat()));
    changes
}

fn slot(number: u32) -> usize {
    SLOTS_START + SLOT_SIZE * (number % SLOTS) as usize
}

/// Returns `struct demo_quote`.
fn quote(number: u32) -> Vec<u8> {
    let mut bytes = u64::from(number).to_ne_bytes().to_vec();
    bytes.extend(price(number).to_ne_bytes());
    bytes.extend((100 * (1 + number % 7)).to_ne_bytes());
    bytes.extend(SYMBOLS[(number % 4) as usize].as_bytes());
    bytes.resize(SLOT_SIZE, 0);
    bytes
}

/// A price between 92 and 108.
fn price(number: u32) -> f64 {
    let at = f64::from(number) / 40.0;
    100.0 + 5.0 * at.sin() + 2.0 * (at * 4.3).sin() + (at * 17.0).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_wraps_around_and_counts() {
        let mut bytes = vec![0; SIZE];
        let start = first(&[b'm'; mark::LENGTH]);
        bytes[..start.len()].copy_from_slice(&start);
        let rounds = 2 * SLOTS / QUOTES;
        for (offset, change) in (1..=rounds).flat_map(changes) {
            bytes[offset..offset + change.len()].copy_from_slice(&change);
        }
        let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        let written = word(HEADER_OFFSET);
        assert_eq!(written, u64::from((rounds + 1) * QUOTES));
        let mut numbers: Vec<u64> =
            (0..SLOTS as usize).map(|at| word(SLOTS_START + SLOT_SIZE * at)).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (written - u64::from(SLOTS)..written).collect::<Vec<u64>>());
        assert_eq!(&bytes[..mark::LENGTH], [b'm'; mark::LENGTH]);
        assert_eq!(SLOTS_START + SLOT_SIZE * SLOTS as usize, SIZE);
    }
}

//! Detects values in changing bytes: offset, width and kind, from the changes alone.
//!
//! A [`Detector`] gets samples of a window of a segment. It records the bytes that differ, splits
//! them into the fields that explain their changes best, and reports the fields that it is sure of.
//!
//! # Method
//! 1. Each line of 64 bytes that changes has a history of up to 96 rows. When the history is full,
//!    the first rows to go are those whose bytes changed in many other rows. This way, a slow flag
//!    next to a fast counter keeps its changes.
//! 2. Each candidate field is encoded with several models: counter, clock, float, wrapping index,
//!    flag, number. The cost of a model is the number of bits that encode the changes (minimum
//!    description length). Bytes without a model cost eight bits per change.
//! 3. The cheapest split wins. Alignment and common widths are cheap, but not required.
//! 4. Text is found first, by its bytes: always printable or NUL.
//! 5. Payload is dropped: fields surrounded by noise, long arrays of equal fields, areas that
//!    change as a whole, and rings, whose changes advance through memory.
//!
//! # Sampling
//! Poll about four times per second, with several reads per poll at the intervals of [`BURST`]. A
//! counter of a few bytes wraps many times between two polls, but within a burst it shows its
//! slope. The intervals differ, so that no rate is a multiple of all of them.
//!
//! # Limits
//! - A field needs five changes to be judged.
//! - Bytes that never changed may belong to the field before them: [`MovingValue::widths`] lists
//!   all widths that fit, the most likely first.
//! - Numbers are little-endian.
//! - A byte counter that wraps at 256 looks like an index modulo 256. With zeros up to the next
//!   multiple of four bytes, it is called an index.
//! - A cycle of up to five states is called a flag. Random integers are not reported.
//! - Two fields that change together may look like one: a random word below a counter, or an index
//!   below its lap count.
//! - Arrays of 32 or more equal fields, and 12 or more equal records, count as payload. So does a
//!   flag next to twelve bytes of noise.

mod clock;
mod detector;
mod float;
mod front;
mod integer;
mod line;
mod naming;
#[cfg(test)]
mod noise;
mod partition;
mod payload;
mod records;
mod round;
mod series;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use detector::Detector;
pub use value::{Kind, MovingValue, Origin, Sort, Unit};

use std::time::Duration;

/// Intervals between reads during a poll.
pub const BURST: [Duration; 7] = [
    Duration::from_micros(200),
    Duration::from_micros(450),
    Duration::from_micros(300),
    Duration::from_micros(700),
    Duration::from_micros(250),
    Duration::from_micros(1100),
    Duration::from_micros(400),
];

/// Repeating intervals between the starts of polls. They differ, so that a value that changes
/// at a multiple of the poll rate is not always seen in the same phase.
pub const POLLS: [Duration; 5] = [
    Duration::from_millis(230),
    Duration::from_millis(270),
    Duration::from_millis(211),
    Duration::from_millis(289),
    Duration::from_millis(250),
];

/// The time of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub monotonic: Duration,
    /// Wall-clock time since 1970.
    pub wall: Duration,
}

/// A model of a field, with its cost in bits.
#[derive(Debug, Clone, PartialEq)]
struct Fit {
    kind: Kind,
    sort: Sort,
    cost: f64,
}

//! Detects values in bytes that change: offset, width and kind, from the changes alone.
//!
//! A [`Detector`] is fed samples of a window of a segment. It keeps the bytes that differ, splits
//! them into the fields that explain their changes best, and names those of which it is sure.
//!
//! # Method
//! 1. Each 64 bytes that change have a history of up to 96 rows. When it is full,
//!    rows go whose changes are well covered by others, so a slow flag beside a fast counter keeps
//!    its changes.
//! 2. Each candidate field is encoded with several models: counter, clock, float, wrapping index, flag,
//!    number. The cost of a model is the number of bits that encode the changes with it
//!    (minimum description length); bytes without a model cost eight bits per change.
//! 3. The split with the least cost wins. Alignment and common widths are cheap, not required.
//! 4. Text is found first, by its bytes: printable or NUL at all times.
//! 5. Payload is dropped: fields amid noise, long arrays of equal fields, areas that change as a
//!    whole, and rings, whose changes advance through memory.
//!
//! # Sampling
//! Poll about four times per second, and read several times per poll at the distances of
//! [`BURST`]. A counter of a few bytes wraps many times between two polls; within a burst it does
//! not, and shows its slope. The distances differ, so that no rate hides behind them.
//!
//! # Limits
//! - A field is judged after five changes.
//! - Bytes that never changed do not show which field they belong to: [`MovingValue::widths`] lists
//!   all widths that fit, the most likely first.
//! - Numbers are little-endian.
//! - A byte counter that wraps at 256 and an index modulo 256 look alike: with zeros up to the next
//!   multiple of four bytes it is called an index.
//! - A cycle of up to five states is called a flag. A random integer is not reported.
//! - Two fields that change together may look like one: a random word below a counter, or an index
//!   below the number of its laps.
//! - Arrays of 32 or more equal fields, and 12 or more equal records, count as payload. So does a
//!   flag beside twelve bytes of noise.

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
mod series;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use detector::Detector;
pub use value::{Kind, MovingValue, Origin, Sort, Unit};

use std::time::Duration;

/// The distances between the reads of a poll.
pub const BURST: [Duration; 7] = [
    Duration::from_micros(200),
    Duration::from_micros(450),
    Duration::from_micros(300),
    Duration::from_micros(700),
    Duration::from_micros(250),
    Duration::from_micros(1100),
    Duration::from_micros(400),
];

/// The distances between the starts of polls, to be repeated. They differ, so that a value that
/// changes at a multiple of their rate is not always seen at the same place of its cycle.
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
    /// `CLOCK_MONOTONIC`.
    pub monotonic: Duration,
    /// Time since 1970 (`CLOCK_REALTIME`).
    pub wall: Duration,
}

/// A model of a field, with its cost in bits.
#[derive(Debug, Clone, PartialEq)]
struct Fit {
    kind: Kind,
    sort: Sort,
    cost: f64,
}

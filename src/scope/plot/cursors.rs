//! The readings of two cursors.

use super::{Marker, relative};
use crate::scope::units::{duration, frequency, rounded};
use crate::scope::{History, Sample};

/// The samples at two cursors, and their distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The samples nearest to the cursors. `None` in a gap.
    pub samples: [Option<Sample>; 2],
    /// Nanoseconds from the first sample, or cursor in a gap, to the second.
    pub time: f64,
    /// The difference of the values. `None` if one is missing or not finite.
    pub value: Option<f64>,
}

impl History {
    /// Reads a channel at two cursors.
    #[must_use]
    pub fn reading(&self, channel: usize, cursors: [u64; 2]) -> Reading {
        let samples = cursors.map(|time| self.nearest(channel, time));
        let time = |index: usize| samples[index].map_or(cursors[index], |sample: Sample| sample.time);
        let number = |index: usize| Some(self.kind(channel)?.number(samples[index]?.bits));
        let value = number(0).zip(number(1)).map(|(a, b)| b.minus(a));
        let value = value.filter(|value| value.is_finite());
        Reading { samples, time: relative(time(1), time(0)), value }
    }
}

impl Reading {
    /// The reciprocal of the time, in hertz.
    #[must_use]
    pub fn frequency(&self) -> Option<f64> {
        (self.time != 0.0).then(|| 1e9 / self.time.abs())
    }

    /// Time, value and frequency as text: `Δt 12.4 ms   Δ 0.12`, `80.6 Hz`.
    #[must_use]
    pub fn lines(&self, marker: Marker) -> [String; 2] {
        let value = self.value.map_or_else(|| "–".to_owned(), |value| rounded(value, 4));
        let frequency = self.frequency().map_or_else(String::new, frequency);
        [marker.text(&format!("Δt {}   Δ {value}", duration(self.time))), frequency]
    }
}

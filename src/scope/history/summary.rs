//! The summary of consecutive ticks of a channel.

use crate::scope::{Grade, NumberKind};

/// The values of consecutive ticks. A tick without a value is a gap: no sample was taken, or it was
/// not finite and cannot be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    /// Above `max` if there is no value.
    pub min: f64,
    pub max: f64,
    /// The first value; 0 if there is none.
    pub first: f64,
    pub last: f64,
    /// The lowest grade of the values.
    pub lowest: Grade,
    pub has_gap: bool,
}

impl Summary {
    /// The summary of no ticks.
    pub const EMPTY: Self = Self {
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        first: 0.0,
        last: 0.0,
        lowest: Grade::Verified,
        has_gap: false,
    };
    /// The summary of ticks without values.
    pub const GAP: Self = Self { has_gap: true, ..Self::EMPTY };

    pub const fn has_value(&self) -> bool {
        self.min <= self.max
    }

    /// Adds a tick.
    pub fn push(&mut self, value: Option<f64>, grade: Grade) {
        let Some(value) = value else {
            self.has_gap = true;
            return;
        };
        if !self.has_value() {
            self.first = value;
        }
        self.min = if value < self.min { value } else { self.min };
        self.max = if value > self.max { value } else { self.max };
        self.last = value;
        self.lowest = self.lowest.min(grade);
    }

    /// Adds the ticks after these.
    pub fn append(&mut self, next: &Self) {
        if !self.has_value() {
            self.first = next.first;
        }
        if next.has_value() {
            self.last = next.last;
        }
        self.min = if next.min < self.min { next.min } else { self.min };
        self.max = if next.max > self.max { next.max } else { self.max };
        self.lowest = self.lowest.min(next.lowest);
        self.has_gap |= next.has_gap;
    }
}

/// The value to draw. `None` for a gap.
pub(super) fn value(kind: NumberKind, bits: u64, grade: Grade) -> Option<f64> {
    let value = kind.number(bits).as_f64();
    (grade != Grade::Missing && value.is_finite()).then_some(value)
}

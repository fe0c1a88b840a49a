//! Detected values.

use crate::decode::{ByteOrder, Leaf, Scalar};
use crate::segment::escape;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Moves in one direction.
    Counter,
    Clock {
        unit: Unit,
        origin: Origin,
    },
    Float,
    /// Counts up and starts again at 0.
    Index {
        /// The number of values seen.
        modulus: u64,
    },
    Text,
    /// Has few values that recur.
    Flag,
    /// An integer that moves up and down in small steps.
    Number,
}

impl Kind {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Clock { .. } => "clock",
            Self::Float => "float",
            Self::Index { .. } => "index",
            Self::Text => "text",
            Self::Flag => "flag",
            Self::Number => "number",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "µs",
            Self::Nanos => "ns",
        }
    }

    /// Converts a time in this unit.
    #[must_use]
    pub fn duration(self, time: f64) -> Duration {
        Duration::try_from_secs_f64(time / self.per_second()).unwrap_or_default()
    }

    pub(super) const fn per_second(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Millis => 1e3,
            Self::Micros => 1e6,
            Self::Nanos => 1e9,
        }
    }
}

/// The time at which a clock is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// 1970-01-01T00:00:00Z.
    Epoch,
    /// The boot of the machine (`CLOCK_MONOTONIC`).
    Boot,
    Unknown,
}

/// The interpretation of the bytes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Unsigned,
    Signed,
    Float,
    Text,
}

impl Sort {
    /// Returns the scalar type of this width; `None` for text.
    #[must_use]
    pub const fn scalar(self, width: usize) -> Option<Scalar> {
        Some(match (self, width) {
            (Self::Unsigned, 1) => Scalar::U8,
            (Self::Unsigned, 2) => Scalar::U16,
            (Self::Unsigned, 4) => Scalar::U32,
            (Self::Unsigned, _) => Scalar::U64,
            (Self::Signed, 1) => Scalar::I8,
            (Self::Signed, 2) => Scalar::I16,
            (Self::Signed, 4) => Scalar::I32,
            (Self::Signed, _) => Scalar::I64,
            (Self::Float, 4) => Scalar::F32,
            (Self::Float, _) => Scalar::F64,
            (Self::Text, _) => return None,
        })
    }
}

/// A detected value, which is a guess.
#[derive(Debug, Clone, PartialEq)]
pub struct MovingValue {
    /// The offset in the segment.
    pub offset: u64,
    /// The most likely width in bytes.
    pub width: usize,
    /// All widths that fit, the most likely first.
    pub widths: Vec<usize>,
    pub kind: Kind,
    pub sort: Sort,
    /// The confidence, from 0 to 1.
    pub confidence: f64,
    /// The current bytes.
    pub bytes: Vec<u8>,
    /// Units per second, for counters, clocks and indexes.
    pub rate: Option<f64>,
    /// The distinct successive values with the monotonic time at which each was first seen, oldest
    /// first. Empty for text.
    pub history: Vec<(Duration, f64)>,
}

impl MovingValue {
    /// Returns the type: `u32/u64` if both widths fit, `text[16]`.
    #[must_use]
    pub fn type_text(&self) -> String {
        if self.sort == Sort::Text {
            return format!("text[{}]", self.width);
        }
        let mut widths = self.widths.clone();
        widths.sort_unstable();
        // A counter with one changing byte fits all widths: name the common ones.
        if widths.len() > 2 && self.width >= 4 {
            widths.retain(|&width| width >= 4);
        }
        let words: Vec<&str> =
            widths.iter().filter_map(|&width| self.sort.scalar(width)).map(Scalar::word).collect();
        words.join("/")
    }

    /// Decodes the current value. A clock since the epoch is a date.
    #[must_use]
    pub fn value(&self) -> Leaf<'static> {
        let scalar = match (self.kind, self.width, self.sort) {
            (Kind::Clock { unit, origin: Origin::Epoch }, 8, Sort::Unsigned) => Some(match unit {
                Unit::Seconds => Scalar::TimeSeconds,
                Unit::Millis => Scalar::TimeMillis,
                Unit::Micros => Scalar::TimeMicros,
                Unit::Nanos => Scalar::TimeNanos,
            }),
            _ => self.sort.scalar(self.width),
        };
        let text = || escape(self.bytes.split(|byte| *byte == 0).next().unwrap_or_default());
        let value = scalar.and_then(|scalar| scalar.read(&self.bytes, ByteOrder::native()));
        value.map_or_else(|| Leaf::Text(text()), Leaf::Value)
    }
}

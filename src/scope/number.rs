//! Numbers as samples: every value widened to 64 bits, so that a column is a plain array.

use crate::decode::{Place, Scalar, Time, TypeKind, Value};
use serde::Serialize;
use std::fmt;

/// The meaning of the 64 bits of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberKind {
    Unsigned,
    Signed,
    /// A `float` that was widened to a `double`, so that all samples of floats are alike.
    Single,
    /// A `double`.
    Float,
}

/// A sample as a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Number {
    Unsigned(u64),
    Signed(i64),
    /// Its text is shorter than that of the `double`: 0.1.
    Single(f32),
    Float(f64),
}

impl NumberKind {
    /// The kind of the numbers at a place. `None` for text, arrays, records, and numbers of more than
    /// 8 bytes.
    #[must_use]
    pub fn of(place: Place<'_>) -> Option<Self> {
        let scalar = match place.ty.kind() {
            TypeKind::Scalar(scalar, _) => *scalar,
            TypeKind::Enum(found) => found.underlying(),
            TypeKind::Pointer(_) => Scalar::U64,
            _ => return None,
        };
        Some(match scalar.read(&[0; 32], crate::decode::ByteOrder::Little)? {
            Value::Unsigned(_) | Value::Bool(_) | Value::Char(_) | Value::Wide(_) => Self::Unsigned,
            Value::Signed(_) | Value::Time(_) | Value::Datetime(..) | Value::Timedelta(..) => Self::Signed,
            Value::F16(_) | Value::F32(_) => Self::Single,
            Value::F64(_) if scalar.size() <= 8 => Self::Float,
            _ => return None,
        })
    }

    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Unsigned | Self::Signed)
    }

    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a float was widened before")]
    pub const fn number(self, bits: u64) -> Number {
        match self {
            Self::Unsigned => Number::Unsigned(bits),
            Self::Signed => Number::Signed(bits.cast_signed()),
            Self::Single => Number::Single(f64::from_bits(bits) as f32),
            Self::Float => Number::Float(f64::from_bits(bits)),
        }
    }
}

impl fmt::Display for Number {
    /// Writes as few digits as parse to the same number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Single(value) => fmt::Debug::fmt(value, f),
            Self::Float(value) => fmt::Debug::fmt(value, f),
        }
    }
}

impl Number {
    /// The number of a decoded value. `None` for values of more than 8 bytes.
    #[must_use]
    pub const fn of(value: Value) -> Option<Self> {
        Some(match value {
            Value::Unsigned(value) => Self::Unsigned(value),
            Value::Signed(value) | Value::Datetime(value, _) | Value::Timedelta(value, _) => {
                Self::Signed(value)
            }
            Value::Time(time) => Self::Signed(Time::count(time)),
            Value::F16(value) | Value::F32(value) => Self::Single(value),
            Value::F64(value) => Self::Float(value),
            Value::Bool(value) => Self::Unsigned(value as u64),
            Value::Char(byte) => Self::Unsigned(byte as u64),
            Value::Wide(code) => Self::Unsigned(code as u64),
            _ => return None,
        })
    }

    #[must_use]
    pub const fn kind(self) -> NumberKind {
        match self {
            Self::Unsigned(_) => NumberKind::Unsigned,
            Self::Signed(_) => NumberKind::Signed,
            Self::Single(_) => NumberKind::Single,
            Self::Float(_) => NumberKind::Float,
        }
    }

    #[must_use]
    pub const fn bits(self) -> u64 {
        match self {
            Self::Unsigned(value) => value,
            Self::Signed(value) => value.cast_unsigned(),
            Self::Single(value) => (value as f64).to_bits(),
            Self::Float(value) => value.to_bits(),
        }
    }

    /// The nearest `double`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "integers above 2^53 are rounded")]
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(value) => value as f64,
            Self::Signed(value) => value as f64,
            Self::Single(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// `None` for floats.
    #[must_use]
    pub fn integer(self) -> Option<i128> {
        match self {
            Self::Unsigned(value) => Some(value.into()),
            Self::Signed(value) => Some(value.into()),
            Self::Single(_) | Self::Float(_) => None,
        }
    }

    /// The difference of two numbers of a kind. That of integers is exact until it is rounded.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest double")]
    pub fn minus(self, other: Self) -> f64 {
        match (self.integer(), other.integer()) {
            (Some(a), Some(b)) => (a - b) as f64,
            _ => self.as_f64() - other.as_f64(),
        }
    }
}

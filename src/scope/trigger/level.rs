//! The numbers that a trigger compares with.

use crate::scope::Number;
use std::cmp::Ordering;
use std::fmt;

/// A number or the name of an enumerator, as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    text: String,
    /// `None` for a name.
    level: Option<Level>,
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    Integer(i128),
    Float(f64),
}

impl Operand {
    /// Parses a number, or takes a name. `None` for text that is neither.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let level = Level::read(text);
        let is_name = text.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        (level.is_some() || is_name).then(|| Self { text: text.to_owned(), level })
    }

    pub(super) const fn level(&self) -> Option<Level> {
        self.level
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Level {
    /// Parses `12`, `-0x1f`, `0b101`, `1_000` or `1.5e-3`.
    fn read(text: &str) -> Option<Self> {
        let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        let digits = digits.replace('_', "");
        let radix =
            |prefix: &str, radix| Some(i128::from_str_radix(digits.strip_prefix(prefix)?, radix).ok());
        let integer = radix("0x", 16).or_else(|| radix("0b", 2)).unwrap_or_else(|| digits.parse().ok());
        if let Some(integer) = integer {
            return Some(Self::Integer(if is_negative { -integer } else { integer }));
        }
        let float: f64 = digits.parse().ok()?;
        float.is_finite().then_some(Self::Float(if is_negative { -float } else { float }))
    }

    /// Compares a number with it. `None` for NaN.
    pub fn compare(self, number: Number) -> Option<Ordering> {
        let integer = match number {
            Number::Unsigned(value) => i128::from(value),
            Number::Signed(value) => value.into(),
            // The text of a float is that of the nearest number: 0.1f is 0.1.
            #[expect(clippy::cast_possible_truncation, reason = "rounded on purpose")]
            Number::Single(value) => return value.partial_cmp(&(self.as_f64() as f32)),
            Number::Float(value) => return value.partial_cmp(&self.as_f64()),
        };
        match self {
            Self::Integer(level) => Some(integer.cmp(&level)),
            Self::Float(level) => number.as_f64().partial_cmp(&level),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "floats are compared with the nearest one")]
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

//! Conditions that are ready to be checked: names of enumerators are numbers.

use super::condition::{Comparison, Edge, Test};
use super::level::{Level, Operand};
use crate::decode::{Enum, TypeKind};
use crate::scope::{Channel, Number, NumberKind, Source};
use crate::segment::resolve::listed;
use crate::segment::{nearest_word, quote};
use std::cmp::Ordering;

/// A test of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Check {
    /// Holds or not.
    Holds(Predicate),
    /// Happens between two numbers: the predicate becomes true.
    Becomes(Predicate),
    /// Happens between two numbers: the predicate becomes false.
    Ends(Predicate),
    Changes,
    /// Nanoseconds.
    Stale(u64),
}

/// A property of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Predicate {
    Compare(Comparison, Level),
    Inside(Level, Level),
    Bits { mask: u64, pattern: u64 },
}

impl Check {
    /// Prepares a test of numbers of a kind. `channel` is `None` for an expression.
    pub fn new(test: &Test, kind: NumberKind, channel: Option<&Channel>) -> Result<Self, String> {
        let level = |operand: &Operand| level(operand, channel);
        let inside = |from: &Operand, to: &Operand| {
            let (start, end) = (level(from)?, level(to)?);
            if start.as_f64() > end.as_f64() {
                return Err(format!("the range ends before it starts; did you mean {to}..{from}?"));
            }
            Ok(Predicate::Inside(start, end))
        };
        Ok(match test {
            Test::Compare { comparison, operand, edge: None } => {
                Self::Holds(Predicate::Compare(*comparison, level(operand)?))
            }
            Test::Compare { comparison, operand, edge: Some(edge) } => {
                let above = match comparison {
                    Comparison::Less | Comparison::GreaterOrEqual => Comparison::GreaterOrEqual,
                    _ => Comparison::Greater,
                };
                let above = Predicate::Compare(above, level(operand)?);
                match edge {
                    Edge::Rising => Self::Becomes(above),
                    Edge::Falling => Self::Ends(above),
                }
            }
            Test::Bits { .. } if !kind.is_integer() => {
                return Err(
                    "& needs an integer, and this is a floating-point number; compare it with < or >"
                        .to_owned(),
                );
            }
            Test::Bits { mask, pattern } => {
                let mask = bits(level(mask)?)?;
                let pattern = pattern.as_ref().map_or(Ok(mask), |pattern| bits(level(pattern)?))?;
                if mask == 0 {
                    return Err("a mask of 0 has no bits to test; name some, as in & 0x4".to_owned());
                }
                if pattern & !mask != 0 {
                    return Err(
                        "the bits after == are not all among those after &, so it never fires".to_owned()
                    );
                }
                Self::Holds(Predicate::Bits { mask, pattern })
            }
            Test::Changes => Self::Changes,
            Test::Leaves(from, to) => Self::Ends(inside(from, to)?),
            Test::Enters(from, to) => Self::Becomes(inside(from, to)?),
            Test::Stale(time) => Self::Stale(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        })
    }
}

impl Predicate {
    pub fn holds(self, number: Number) -> bool {
        match self {
            Self::Compare(comparison, level) => {
                let order = level.compare(number);
                match comparison {
                    Comparison::Less => order == Some(Ordering::Less),
                    Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
                    Comparison::Greater => order == Some(Ordering::Greater),
                    Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
                    Comparison::Equal => order == Some(Ordering::Equal),
                    Comparison::NotEqual => order != Some(Ordering::Equal),
                }
            }
            Self::Inside(from, to) => {
                from.compare(number).is_some_and(Ordering::is_ge)
                    && to.compare(number).is_some_and(Ordering::is_le)
            }
            Self::Bits { mask, pattern } => number.bits() & mask == pattern,
        }
    }
}

/// The value of an operand; enumerators are those of the channel's type.
fn level(operand: &Operand, channel: Option<&Channel>) -> Result<Level, String> {
    if let Some(level) = operand.level() {
        return Ok(level);
    }
    let shown = quote(operand.text().as_bytes());
    let Some(found) = channel.and_then(enumeration) else {
        return Err(format!("'{shown}' is not a number, and the channel is no enumeration"));
    };
    let name = operand.text().rsplit("::").next().unwrap_or_default();
    let enumerators = || found.enumerators().iter();
    if let Some(enumerator) = enumerators().find(|enumerator| &*enumerator.name == name) {
        return Ok(Level::Integer(enumerator.value));
    }
    let nearest = nearest_word(name, enumerators().map(|enumerator| &*enumerator.name));
    let hint = if let Some(nearest) = nearest {
        format!("did you mean {}?", quote(nearest.as_bytes()))
    } else {
        let names: Vec<String> = enumerators().map(|enumerator| quote(enumerator.name.as_bytes())).collect();
        format!("the enumerators are {}", listed(&names))
    };
    Err(format!("no enumerator named '{shown}'; {hint}"))
}

fn enumeration(channel: &Channel) -> Option<&Enum> {
    match &channel.source {
        Source::Value(value) => match value.ty.kind() {
            TypeKind::Enum(found) => Some(found),
            _ => None,
        },
        Source::Expression(_) | Source::Recorded => None,
    }
}

fn bits(level: Level) -> Result<u64, String> {
    let bits = match level {
        Level::Integer(value) => {
            u64::try_from(value).or_else(|_| i64::try_from(value).map(i64::cast_unsigned)).ok()
        }
        Level::Float(_) => None,
    };
    bits.ok_or_else(|| "bits are an integer of at most 64 bits, as in & 0x4".to_owned())
}

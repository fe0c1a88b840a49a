//! Numbers in JSON messages.

use crate::scope::recording::mcap::VALUE;
use crate::scope::{Number, NumberKind};
use serde_json::Value;

/// Objects inside objects that are searched.
const MAX_DEPTH: usize = 8;

/// The member of an object that stands for the whole object.
const VALUE_MEMBER: &str = "value";

/// Reads a message that shmlens wrote; `None` for others.
pub(super) fn parse_own(message: &[u8], kind: NumberKind) -> Option<u64> {
    let text = message.strip_prefix(VALUE.0)?.strip_suffix(VALUE.1)?;
    let text = std::str::from_utf8(text).ok()?;
    // The name of an enumerator, and the writer, may follow.
    let text = text.split_once(',').map_or(text, |(value, _)| value);
    Some(match kind {
        NumberKind::Unsigned => text.parse().ok()?,
        NumberKind::Signed => text.parse::<i64>().ok()?.cast_unsigned(),
        NumberKind::Single | NumberKind::Float => match text {
            "\"NaN\"" => f64::NAN,
            "\"Infinity\"" => f64::INFINITY,
            "\"-Infinity\"" => f64::NEG_INFINITY,
            _ if kind == NumberKind::Single => text.parse::<f32>().ok()?.into(),
            _ => text.parse().ok()?,
        }
        .to_bits(),
    })
}

/// Passes the numbers of a message to `take`, each with its path: `.pose.x`. The path of a bare number
/// and of a member `value` is empty.
pub(super) fn numbers(message: &[u8], take: &mut dyn FnMut(&str, Number)) {
    if let Ok(value) = serde_json::from_slice(message) {
        visit(&value, &mut String::new(), MAX_DEPTH, take);
    }
}

fn visit(value: &Value, path: &mut String, depth: usize, take: &mut dyn FnMut(&str, Number)) {
    match value {
        Value::Bool(value) => take(path, Number::Unsigned(u64::from(*value))),
        Value::Number(number) => take(path, number_of(number)),
        Value::Object(members) if depth > 0 => {
            for (name, member) in members {
                let length = path.len();
                if name != VALUE_MEMBER {
                    path.push('.');
                    path.push_str(name);
                }
                visit(member, path, depth - 1, take);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn number_of(number: &serde_json::Number) -> Number {
    if let Some(value) = number.as_u64() {
        Number::Unsigned(value)
    } else if let Some(value) = number.as_i64() {
        Number::Signed(value)
    } else {
        Number::Float(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// The kind that holds all numbers seen so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KindFacts {
    has_float: bool,
    has_negative: bool,
    has_huge: bool,
}

impl KindFacts {
    pub fn add(&mut self, number: Number) {
        match number {
            Number::Unsigned(value) => self.has_huge |= i64::try_from(value).is_err(),
            Number::Signed(value) => self.has_negative |= value < 0,
            Number::Single(_) | Number::Float(_) => self.has_float = true,
        }
    }

    pub const fn kind(self) -> NumberKind {
        match (self.has_float, self.has_negative, self.has_huge) {
            (true, ..) | (_, true, true) => NumberKind::Float,
            (_, true, false) => NumberKind::Signed,
            (_, false, _) => NumberKind::Unsigned,
        }
    }
}

/// Converts a number to the kind of its channel.
pub(super) const fn bits_as(number: Number, kind: NumberKind) -> u64 {
    match kind {
        NumberKind::Single | NumberKind::Float => number.as_f64().to_bits(),
        // The kind was chosen so that it holds all numbers.
        NumberKind::Unsigned | NumberKind::Signed => number.bits(),
    }
}

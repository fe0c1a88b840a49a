//! Decoded values and their text form.

use super::{Tick, float};
use crate::segment::{escape, json_text};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use serde::{Serialize, Serializer};
use std::fmt;
use std::io::Write as _;

/// A decoded value. Parsing its text form gives exactly the same value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
    Unsigned128(u128),
    Signed128(i128),
    /// A float of 16 bits.
    F16(f32),
    /// A `float`.
    F32(f32),
    /// A `double`.
    F64(f64),
    Complex64(f32, f32),
    Complex128(f64, f64),
    Bool(bool),
    /// A character of one byte.
    Char(u8),
    /// A unit of UTF-16, or a character of UTF-32.
    Wide(u32),
    /// A point in time.
    Time(Time),
    /// A count of ticks since 1970.
    Datetime(i64, Tick),
    /// A duration in ticks.
    Timedelta(i64, Tick),
}

/// A point in time as a count since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Seconds.
    Seconds(i64),
    /// Milliseconds.
    Millis(i64),
    /// Microseconds.
    Micros(i64),
    /// Nanoseconds.
    Nanos(i64),
}

impl Time {
    /// The number in memory.
    #[must_use]
    pub const fn count(self) -> i64 {
        match self {
            Self::Seconds(count) | Self::Millis(count) | Self::Micros(count) | Self::Nanos(count) => count,
        }
    }

    /// Converts to local time; `None` outside of the years -9999 to 9999.
    fn local(self) -> Option<ZonedDateTime> {
        let timestamp = match self {
            Self::Seconds(count) => Timestamp::from_second(count),
            Self::Millis(count) => Timestamp::from_millisecond(count),
            Self::Micros(count) => Timestamp::from_microsecond(count),
            Self::Nanos(count) => Timestamp::from_nanosecond(count.into()),
        };
        Some(timestamp.ok()?.to_zoned_datetime(TimeZone::system()))
    }
}

impl fmt::Display for Time {
    /// Writes local time, `2026-01-05 12:01:09.25 +01:00`, or the raw number if it is out of range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.local() {
            Some(zoned) => write!(f, "{}", zoned.strftime("%Y-%m-%d %H:%M:%S%.f %:z")),
            None => write!(f, "{}", self.count()),
        }
    }
}

impl Serialize for Time {
    /// Writes RFC 3339 local time with its UTC offset, or the raw number.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.local() {
            Some(zoned) => serializer.collect_str(&zoned.timestamp().display_with_offset(zoned.offset())),
            None => serializer.serialize_i64(self.count()),
        }
    }
}

impl Value {
    /// The number; `None` for floats, characters and times.
    #[must_use]
    pub fn integer(&self) -> Option<i128> {
        match *self {
            Self::Unsigned(value) => Some(value.into()),
            Self::Signed(value) => Some(value.into()),
            Self::Unsigned128(value) => value.try_into().ok(),
            Self::Signed128(value) => Some(value),
            Self::Bool(value) => Some(value.into()),
            Self::Char(value) => Some(value.into()),
            Self::Wide(value) => Some(value.into()),
            _ => None,
        }
    }
}

impl Value {
    /// Appends the text form of an integer or float without the detour through a formatter. Returns
    /// false for other values.
    pub(super) fn push_number(&self, out: &mut Vec<u8>) -> bool {
        match *self {
            Self::Unsigned(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
            Self::Signed(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
            Self::F64(value) if value.is_finite() => {
                push_float(zmij::Buffer::new().format_finite(value), &value, value.abs() >= PLAIN, out);
            }
            Self::F32(value) if value.is_finite() => {
                let is_plain = f64::from(value.abs()) >= PLAIN;
                push_float(zmij::Buffer::new().format_finite(value), &value, is_plain, out);
            }
            _ => return false,
        }
        true
    }
}

/// From this size on, numbers that have no exponent in one notation have none in the other.
const PLAIN: f64 = 1e-4;

/// Appends the text of a float, with an exponent where Debug, unlike Display, has one: very large and
/// very small numbers.
fn push_float(text: &str, value: &dyn fmt::Debug, is_plain: bool, out: &mut Vec<u8>) {
    if is_plain && !text.contains('e') {
        out.extend_from_slice(text.as_bytes());
    } else {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{value:?}");
    }
}

/// Writes a complex number: `1.0+2.5i`.
fn complex(f: &mut fmt::Formatter<'_>, re: Value, im: Value) -> fmt::Result {
    let im = im.to_string();
    let sign = if im.starts_with('-') { "" } else { "+" };
    f.pad(&format!("{re}{sign}{im}i"))
}

/// Formats a unit of UTF-16 or a character of UTF-32. Those that are no characters appear as
/// `\u{d800}`.
fn wide(code: u32) -> String {
    match char::from_u32(code) {
        Some('\'') => r"\x27".to_owned(),
        Some(c) => escape(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => format!("\\u{{{code:x}}}"),
    }
}

impl fmt::Display for Value {
    /// Writes floats in the shortest form that parses to the same value, or as `nan`, `inf`,
    /// `-inf`, and characters in single quotes, escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unsigned(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Unsigned128(value) => value.fmt(f),
            Self::Signed128(value) => value.fmt(f),
            Self::F16(value) => f.pad(&float::shortest_half(value)),
            Self::Complex64(re, im) => complex(f, Self::F32(re), Self::F32(im)),
            Self::Complex128(re, im) => complex(f, Self::F64(re), Self::F64(im)),
            Self::F32(value) if value.is_nan() => f.pad("nan"),
            Self::F64(value) if value.is_nan() => f.pad("nan"),
            Self::F32(value) if value.is_infinite() => f.pad(&value.to_string()),
            Self::F64(value) if value.is_infinite() => f.pad(&value.to_string()),
            Self::F32(_) | Self::F64(_) => {
                let mut text = vec![];
                self.push_number(&mut text);
                f.pad(&String::from_utf8_lossy(&text))
            }
            Self::Bool(value) => value.fmt(f),
            Self::Char(b'\'') => f.pad(r"'\x27'"),
            Self::Char(byte) => f.pad(&format!("'{}'", escape(&[byte]))),
            Self::Wide(code) => f.pad(&format!("'{}'", wide(code))),
            Self::Time(time) => f.pad(&time.to_string()),
            Self::Datetime(count, tick) => f.pad(&tick.time_text(count)),
            Self::Timedelta(count, tick) => f.pad(&tick.duration_text(count)),
        }
    }
}

impl Serialize for Value {
    /// Serializes floats that are not finite as `"NaN"`, `"inf"` and `"-inf"`, which JSON has no
    /// numbers for, complex numbers as arrays of two, characters as escaped text, and durations as
    /// numbers of their unit.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Unsigned(value) => serializer.serialize_u64(value),
            Self::Signed(value) => serializer.serialize_i64(value),
            Self::Unsigned128(value) => serializer.serialize_u128(value),
            Self::Signed128(value) => serializer.serialize_i128(value),
            Self::F16(value) | Self::F32(value) if !value.is_finite() => {
                serializer.serialize_str(not_finite(value.into()))
            }
            Self::F64(value) if !value.is_finite() => serializer.serialize_str(not_finite(value)),
            Self::F16(value) => {
                // The shortest decimal number, which is shorter than that of the float.
                serializer.serialize_f64(float::shortest_half(value).parse().unwrap_or(value.into()))
            }
            Self::Complex64(re, im) => [Self::F32(re), Self::F32(im)].serialize(serializer),
            Self::Complex128(re, im) => [Self::F64(re), Self::F64(im)].serialize(serializer),
            Self::F32(value) => serializer.serialize_f32(value),
            Self::F64(value) => serializer.serialize_f64(value),
            Self::Bool(value) => serializer.serialize_bool(value),
            Self::Char(byte) => serializer.serialize_str(&json_text(&escape(&[byte]))),
            Self::Wide(code) => serializer.serialize_str(&json_text(&wide(code))),
            Self::Time(time) => time.serialize(serializer),
            Self::Datetime(count, tick) => serializer.serialize_str(&tick.time_text(count)),
            Self::Timedelta(count, tick) => match tick.units(count) {
                Some(units) => serializer.serialize_i128(units),
                None => serializer.serialize_str("NaT"),
            },
        }
    }
}

const fn not_finite(value: f64) -> &'static str {
    match value {
        f64::INFINITY => "inf",
        f64::NEG_INFINITY => "-inf",
        _ => "NaN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn floats_parse_back(bits: u64, short: u32) {
            let (value, short) = (f64::from_bits(bits), f32::from_bits(short));
            if !value.is_nan() {
                prop_assert_eq!(Value::F64(value).to_string().parse::<f64>().unwrap().to_bits(), bits);
            }
            if !short.is_nan() {
                prop_assert_eq!(Value::F32(short).to_string().parse::<f32>().unwrap().to_bits(), short.to_bits());
            }
        }
    }

    #[test]
    fn floats_are_short_and_exact() {
        for (value, text) in [
            (3.25, "3.25"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e300, "1e300"),
            (5e-324, "5e-324"),
            (1e16, "1e16"),
            (123_456_789_012_345_680.0, "1.2345678901234568e17"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(Value::F64(value).to_string(), text);
            let mut pushed = vec![];
            assert!(!Value::F64(value).push_number(&mut pushed) || pushed == text.as_bytes(), "{text}");
        }
        assert_eq!(Value::F32(0.1).to_string(), "0.1");
        assert_eq!(format!("[{:>6}]", Value::F32(0.1)), "[   0.1]");
    }

    #[test]
    fn json_has_numbers_and_names_for_nan() {
        let values = [
            Value::Unsigned(u64::MAX),
            Value::Signed(i64::MIN),
            Value::F32(0.1),
            Value::F64(f64::NAN),
            Value::F64(f64::INFINITY),
            Value::Bool(true),
            Value::Char(b'a'),
            Value::Char(0xff),
            Value::Char(b'\\'),
        ];
        assert_eq!(
            serde_json::to_string(&values).unwrap(),
            r#"[18446744073709551615,-9223372036854775808,0.1,"NaN","inf",true,"a","\\xff","\\"]"#
        );
    }

    #[test]
    fn every_unit_gives_the_same_time() {
        let seconds = Value::Time(Time::Seconds(1_767_610_869)).to_string();
        assert_eq!(Value::Time(Time::Millis(1_767_610_869_000)).to_string(), seconds);
        assert_eq!(Value::Time(Time::Micros(1_767_610_869_000_000)).to_string(), seconds);
        assert_eq!(Value::Time(Time::Nanos(1_767_610_869_000_000_000)).to_string(), seconds);
        // Nearly all time zones are offset by whole hours.
        assert!(seconds.starts_with("2026-01-05 ") || seconds.starts_with("2026-01-06 "), "{seconds}");
        assert!(Value::Time(Time::Millis(1_767_610_869_250)).to_string().contains("09.25 "));
        let json = serde_json::to_string(&Time::Seconds(1_767_610_869)).unwrap();
        assert!(json.starts_with("\"2026-01-0") && json.contains('T'), "{json}");
        let back: Timestamp = json.trim_matches('"').parse().unwrap();
        assert_eq!(back.as_second(), 1_767_610_869);
    }

    #[test]
    fn times_out_of_range_are_numbers() {
        assert_eq!(Value::Time(Time::Seconds(i64::MAX)).to_string(), "9223372036854775807");
        assert_eq!(serde_json::to_string(&Time::Millis(i64::MIN)).unwrap(), "-9223372036854775808");
    }

    #[test]
    fn characters_are_escaped() {
        assert_eq!(Value::Char(0x1b).to_string(), r"'\x1b'");
        assert_eq!(Value::Char(b'\'').to_string(), r"'\x27'");
        assert_eq!(Value::Char(b'A').to_string(), "'A'");
    }

    proptest! {
        #[test]
        fn displayed_float_parses_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let back: f64 = Value::F64(value).to_string().parse().unwrap();
            prop_assert!(back.to_bits() == bits || (back.is_nan() && value.is_nan()));
        }
    }
}

//! Parses typed values into the bytes to search for.

use super::float::half_from_f64;
use super::types::{parse_scalar, scalar_names};
use super::{ByteOrder, Scalar};
use crate::segment::{escape, unescape};
use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseValueError {
    /// The type is missing or unknown.
    #[error("invalid value '{0}': expected TYPE:VALUE (u32:7, f64:3.5, u16be:0x1f). \
             Types: {names}, with le or be appended for the byte order",
            names = scalar_names())]
    Type(String),
    /// The text is not a value of the type.
    #[error("invalid {word} '{value}': {hint}")]
    Value {
        value: String,
        word: &'static str,
        /// Examples of values of the type.
        hint: String,
    },
}

/// Returns the bytes in memory of a value such as `f64:3.5`, `u32:7` or `u32be:0x1f`, in native
/// byte order unless `le` or `be` is given.
///
/// # Errors
/// Fails for an unknown type or an invalid value.
pub fn pattern_of_value(text: &str) -> Result<Vec<u8>, ParseValueError> {
    let wrong = || ParseValueError::Type(escape(text.trim().as_bytes()));
    let (name, value) = text.trim().split_once(':').ok_or_else(wrong)?;
    let (scalar, order) = parse_scalar(name.trim()).ok_or_else(wrong)?;
    encode(scalar, order, value.trim()).ok_or_else(|| ParseValueError::Value {
        value: escape(value.trim().as_bytes()),
        word: scalar.word(),
        hint: hint(scalar),
    })
}

fn encode(scalar: Scalar, order: ByteOrder, text: &str) -> Option<Vec<u8>> {
    Some(match scalar {
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => {
            integer(order, scalar.size(), parse_integer(text)?, 0, unsigned_end(scalar))?
        }
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => {
            let half = unsigned_end(scalar) / 2;
            integer(order, scalar.size(), parse_integer(text)?, -half, half)?
        }
        // Larger numbers are rare enough to search for their bytes.
        Scalar::U128 => integer(order, 16, parse_integer(text)?, 0, i128::MAX)?,
        Scalar::I128 => integer(order, 16, parse_integer(text)?, i128::MIN, i128::MAX)?,
        Scalar::F16 => order.convert(half_from_f64(text.parse().ok()?).to_ne_bytes()).to_vec(),
        Scalar::F32 => order.convert(text.parse::<f32>().ok()?.to_ne_bytes()).to_vec(),
        Scalar::F64 => order.convert(text.parse::<f64>().ok()?.to_ne_bytes()).to_vec(),
        // Other bytes of memory have the same value as the text.
        Scalar::F80 | Scalar::Complex64 | Scalar::Complex128 | Scalar::Datetime(_) | Scalar::Timedelta(_) => {
            return None;
        }
        Scalar::Bool => match text {
            "true" | "1" => vec![1],
            "false" | "0" => vec![0],
            _ => return None,
        },
        Scalar::Char | Scalar::Char8 => {
            unescape(unquoted(text)).try_into().map(|byte: [u8; 1]| byte.to_vec()).ok()?
        }
        Scalar::Char16 => {
            let [unit] = *character(text)?.encode_utf16(&mut [0; 2]) else { return None };
            order.convert(unit.to_ne_bytes()).to_vec()
        }
        Scalar::Char32 => order.convert(u32::from(character(text)?).to_ne_bytes()).to_vec(),
        Scalar::TimeSeconds => time(order, text, 1_000_000_000)?,
        Scalar::TimeMillis => time(order, text, 1_000_000)?,
        Scalar::TimeMicros => time(order, text, 1000)?,
        Scalar::TimeNanos => time(order, text, 1)?,
    })
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text)
}

/// Parses a character in any of its text forms.
fn character(text: &str) -> Option<char> {
    let text = String::from_utf8(unescape(unquoted(text))).ok()?;
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Returns the lowest number that an unsigned type cannot hold.
const fn unsigned_end(scalar: Scalar) -> i128 {
    1 << (8 * scalar.size())
}

/// Parses an integer: decimal, `0x1f`, `0b101`, `0o17`, with optional sign and `_`.
fn parse_integer(text: &str) -> Option<i128> {
    let clean = text.replace('_', "");
    let (negative, digits) = clean.strip_prefix('-').map_or((false, clean.as_str()), |rest| (true, rest));
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let prefixed = |prefix: &str, radix| digits.strip_prefix(prefix).map(|digits| (digits, radix));
    let (digits, radix) = prefixed("0x", 16)
        .or_else(|| prefixed("0b", 2))
        .or_else(|| prefixed("0o", 8))
        .unwrap_or((digits, 10));
    // Reject a sign after the prefix.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -value } else { value })
}

/// Encodes a number within `low..end` in `size` bytes.
fn integer(order: ByteOrder, size: usize, value: i128, low: i128, end: i128) -> Option<Vec<u8>> {
    if !(low..end).contains(&value) {
        return None;
    }
    let mut bytes = value.to_le_bytes()[..size].to_vec();
    if order == ByteOrder::Big {
        bytes.reverse();
    }
    Some(bytes)
}

/// Parses an RFC 3339 time, or a count since 1970 in units of `unit` nanoseconds.
fn time(order: ByteOrder, text: &str, unit: i128) -> Option<Vec<u8>> {
    let count = match parse_integer(text) {
        Some(count) => count,
        None => text.parse::<Timestamp>().ok()?.as_nanosecond().div_euclid(unit),
    };
    integer(order, 8, count, i64::MIN.into(), i128::from(i64::MAX) + 1)
}

fn hint(scalar: Scalar) -> String {
    match scalar {
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => {
            format!("expected an integer from 0 to {} (31, 0x1f)", unsigned_end(scalar) - 1)
        }
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => {
            let half = unsigned_end(scalar) / 2;
            format!("expected an integer from -{half} to {} (-31, 0x1f)", half - 1)
        }
        Scalar::U128 => "expected an integer from 0 to 2^127-1".to_owned(),
        Scalar::I128 => "expected an integer from -2^127 to 2^127-1".to_owned(),
        Scalar::F16 | Scalar::F32 | Scalar::F64 => "expected a number (3.5, -1e9, inf)".to_owned(),
        Scalar::F80 | Scalar::Complex64 | Scalar::Complex128 | Scalar::Datetime(_) | Scalar::Timedelta(_) => {
            "not supported; search for the bytes with --hex".to_owned()
        }
        Scalar::Bool => "expected true or false".to_owned(),
        Scalar::Char16 | Scalar::Char32 => "expected one character (a, ß)".to_owned(),
        Scalar::Char | Scalar::Char8 => r"expected one byte of text (a, \x1b)".to_owned(),
        Scalar::TimeSeconds | Scalar::TimeMillis | Scalar::TimeMicros | Scalar::TimeNanos => {
            "expected a time (2026-01-05T12:01:09+01:00) or a number since 1970".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_become_bytes() {
        for (text, bytes) in [
            ("u32le:7", &[7u8, 0, 0, 0][..]),
            ("u32be:7", &[0, 0, 0, 7]),
            (" u16be : 0x1f ", &[0, 31]),
            ("i8:-1", &[0xff]),
            ("u64le:18_446_744_073_709_551_615", &[0xff; 8]),
            ("i64be:-9223372036854775808", &[0x80, 0, 0, 0, 0, 0, 0, 0]),
            ("f64le:3.14", &[0x1f, 0x85, 0xeb, 0x51, 0xb8, 0x1e, 0x09, 0x40]),
            ("f32be:inf", &[0x7f, 0x80, 0, 0]),
            ("bool:true", &[1]),
            (r"char:\x1b", &[0x1b]),
            ("f16be:0.1", &[0x2e, 0x66]),
            ("i128be:-1", &[0xff; 16]),
            ("char16be:ß", &[0, 0xdf]),
            ("char32be:𝄞", &[0, 1, 0xd1, 0x1e]),
            ("char:'a'", b"a"),
            ("char::", b":"),
            ("time_be:1970-01-01T00:00:07Z", &[0, 0, 0, 0, 0, 0, 0, 7]),
            ("time_msbe:1970-01-01T01:00:07.5+01:00", &[0, 0, 0, 0, 0, 0, 0x1d, 0x4c]),
        ] {
            assert_eq!(pattern_of_value(text).as_deref(), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn errors_name_valid_values() {
        for text in ["", "7", "u33:7", "int:7", ":7"] {
            let error = pattern_of_value(text).unwrap_err().to_string();
            assert!(error.contains("u32") && error.contains("time_ns"), "{error}");
        }
        for (text, hint) in [
            ("u8:256", "to 255"),
            ("u8:-1", "from 0"),
            ("i8:128", "from -128 to 127"),
            ("u32:0x+1", "to 4294967295"),
            ("u32:--1", "to 4294967295"),
            ("f64:pi", "3.5"),
            ("bool:yes", "true or false"),
            ("char:ab", "one byte"),
            ("time:noon", "2026-01-05"),
            ("f80:1", "--hex"),
            ("char16:𝄞", "one character"),
        ] {
            let error = pattern_of_value(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

    proptest! {
        #[test]
        fn decoded_value_parses_to_its_bytes(bytes in proptest::array::uniform8(any::<u8>()), big: bool) {
            let order = if big { ByteOrder::Big } else { ByteOrder::Little };
            for scalar in Scalar::BASIC.into_iter().filter(|scalar| !scalar.word().starts_with("time")) {
                let value = scalar.read(&bytes, order).unwrap().to_string();
                if value == "nan" || (scalar == Scalar::Bool && bytes[0] > 1) {
                    continue;
                }
                let suffix = if scalar.size() > 1 { order.word() } else { "" };
                let found = pattern_of_value(&format!("{}{suffix}:{value}", scalar.word()));
                prop_assert_eq!(found.as_deref(), Ok(&bytes[..scalar.size()]), "{}", value);
            }
        }

        #[test]
        fn decoded_time_parses_to_its_bytes(count in 0i64..4_000_000_000) {
            for (scalar, unit) in [(Scalar::TimeSeconds, 1), (Scalar::TimeMicros, 1_000_000)] {
                let bytes = (count * unit).to_ne_bytes();
                let json = serde_json::to_string(&scalar.read(&bytes, ByteOrder::native()).unwrap()).unwrap();
                for value in [json.trim_matches('"').to_owned(), (count * unit).to_string()] {
                    let found = pattern_of_value(&format!("{}:{value}", scalar.word()));
                    prop_assert_eq!(found.as_deref(), Ok(&bytes[..]), "{}", value);
                }
            }
        }

        #[test]
        fn arbitrary_text_does_not_panic(text in "\\PC*") {
            let _ = pattern_of_value(&text);
        }
    }
}

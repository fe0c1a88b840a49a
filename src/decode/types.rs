//! The text form of a type: a scalar, its byte order, and array dimensions.

use super::text::until_nul;
use super::{ByteOrder, Scalar, Value};
use crate::segment::escape;
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// More than any real array has.
const MAX_DIMENSIONS: usize = 16;

/// A scalar or an array of scalars: `u32`, `u16be`, `f64[3][3]`. An array of `char` is a
/// fixed-length text: `char[16]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    scalar: Scalar,
    order: ByteOrder,
    dims: Vec<u64>,
    size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTypeError {
    /// The scalar is unknown.
    #[error(
        "invalid type '{0}': expected one of {names}, with le or be appended for the byte order and [n] for \
         an array (u32, u16be, f64[3][3], char[16])",
        names = scalar_names()
    )]
    Unknown(String),
    /// An array size is not a positive number.
    #[error("invalid array size in '{0}': expected a positive number in brackets (u32[4], f64[3][3])")]
    Dimension(String),
    /// The type is larger than any segment, or has too many dimensions.
    #[error("type '{0}' is too large for any segment")]
    TooLarge(String),
}

impl ParseTypeError {
    /// Describes the expected form, for messages that already quote the text.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Unknown(_) => format!(
                "expected one of {}, with le or be appended for the byte order and [n] for an array \
                 (u32, u16be, f64[3][3], char[16])",
                scalar_names()
            ),
            Self::Dimension(_) => "expected a number above 0 in brackets (u32[4], f64[3][3])".to_owned(),
            Self::TooLarge(_) => "too large for any segment".to_owned(),
        }
    }
}

impl Type {
    /// Returns a type. `dims` starts with the outermost dimension and is empty for a scalar.
    ///
    /// # Errors
    /// Fails if a dimension is 0, if there are more than 16, or if the size does not fit in 63
    /// bits.
    pub fn new(scalar: Scalar, order: ByteOrder, dims: Vec<u64>) -> Result<Self, ParseTypeError> {
        let mut parsed = Self { scalar, order, dims, size: scalar.size() as u64 };
        if parsed.dims.contains(&0) {
            return Err(ParseTypeError::Dimension(parsed.to_string()));
        }
        let size = parsed.dims.iter().try_fold(parsed.size, |size, &dim| size.checked_mul(dim));
        match size.filter(|&size| i64::try_from(size).is_ok() && parsed.dims.len() <= MAX_DIMENSIONS) {
            Some(size) => parsed.size = size,
            None => return Err(ParseTypeError::TooLarge(parsed.to_string())),
        }
        Ok(parsed)
    }

    #[must_use]
    pub const fn scalar(&self) -> Scalar {
        self.scalar
    }

    #[must_use]
    pub const fn order(&self) -> ByteOrder {
        self.order
    }

    /// Outermost first; empty for a scalar.
    #[must_use]
    pub fn dims(&self) -> &[u64] {
        &self.dims
    }

    /// In bytes: never 0, at most 2^63-1.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Decodes the start of `bytes`. If there are too few bytes, an array ends with its last whole
    /// element, and a scalar is [`Decoded::Missing`].
    #[must_use]
    pub fn decode(&self, bytes: &[u8]) -> Decoded {
        let bytes = usize::try_from(self.size).ok().and_then(|size| bytes.get(..size)).unwrap_or(bytes);
        self.part(&self.dims, bytes)
    }

    /// Decodes the remaining dimensions.
    fn part(&self, dims: &[u64], bytes: &[u8]) -> Decoded {
        match dims {
            [] => self.scalar.read(bytes, self.order).map_or(Decoded::Missing, Decoded::Value),
            [_] if self.scalar == Scalar::Char => Decoded::Text(escape(until_nul(bytes))),
            [_, inner @ ..] => {
                let step =
                    inner.iter().fold(self.scalar.size() as u64, |size, &dim| size.saturating_mul(dim));
                let step = usize::try_from(step).unwrap_or(usize::MAX).max(1);
                let parts = bytes.chunks(step).map(|part| self.part(inner, part));
                Decoded::Array(parts.filter(|part| !matches!(part, Decoded::Missing)).collect())
            }
        }
    }
}

impl fmt::Display for Type {
    /// Omits the native byte order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scalar.word())?;
        if self.order != ByteOrder::native() && self.scalar.size() > 1 {
            f.write_str(self.order.word())?;
        }
        self.dims.iter().try_for_each(|dim| write!(f, "[{dim}]"))
    }
}

impl FromStr for Type {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let shown = || escape(text.as_bytes());
        let (name, brackets) = text.split_at(text.find('[').unwrap_or(text.len()));
        let (scalar, order) =
            parse_scalar(name.trim_end()).ok_or_else(|| ParseTypeError::Unknown(shown()))?;
        let mut dims = vec![];
        let mut rest = brackets;
        while !rest.is_empty() {
            let (dim, after) = rest
                .strip_prefix('[')
                .and_then(|inside| inside.split_once(']'))
                .ok_or_else(|| ParseTypeError::Dimension(shown()))?;
            let dim = dim.trim();
            let dim = dim.strip_prefix("0x").map_or_else(|| dim.parse(), |hex| u64::from_str_radix(hex, 16));
            dims.push(dim.map_err(|_| ParseTypeError::Dimension(shown()))?);
            rest = after.trim_start();
        }
        Self::new(scalar, order, dims)
    }
}

/// Parses a scalar name, with a byte order if it has more than one byte.
pub(super) fn parse_scalar(name: &str) -> Option<(Scalar, ByteOrder)> {
    let named = |name: &str| Scalar::ALL.into_iter().find(|scalar| scalar.word() == name);
    if let Some(scalar) = named(name) {
        return Some((scalar, ByteOrder::native()));
    }
    [ByteOrder::Little, ByteOrder::Big].into_iter().find_map(|order| {
        let scalar = named(name.strip_suffix(order.word())?.trim_end_matches('_'))?;
        (scalar.size() > 1).then_some((scalar, order))
    })
}

/// Lists the names of all scalars, for error messages.
pub(super) fn scalar_names() -> String {
    Scalar::ALL.map(Scalar::word).join(", ")
}

#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    Value(Value),
    /// A fixed-length text up to its first NUL, escaped.
    Text(String),
    Array(Vec<Self>),
    /// There were too few bytes.
    Missing,
}

impl fmt::Display for Decoded {
    /// Writes a single line: `[[1.0, 2.0], [3.0, 4.0]]`, `"hello"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Text(text) => write!(f, "\"{}\"", text.replace('"', r"\x22")),
            Self::Array(parts) => {
                f.write_str("[")?;
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    part.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Missing => f.write_str("(past the end)"),
        }
    }
}

impl Serialize for Decoded {
    /// Serializes a missing value as null.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(parts) => {
                let mut sequence = serializer.serialize_seq(Some(parts.len()))?;
                for part in parts {
                    sequence.serialize_element(part)?;
                }
                sequence.end()
            }
            Self::Missing => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(name: &str, bytes: &[u8]) -> String {
        name.parse::<Type>().unwrap().decode(bytes).to_string()
    }

    #[test]
    fn decodes_scalars_arrays_and_texts() {
        assert_eq!(read("u32le", &[42, 0, 0, 0, 9]), "42");
        assert_eq!(read("u16be", &[0, 42]), "42");
        assert_eq!(read("u8[2][3]", &[1, 2, 3, 4, 5, 6, 7]), "[[1, 2, 3], [4, 5, 6]]");
        assert_eq!(read("i32_be [ 2 ]", &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7]), "[-1, 7]");
        assert_eq!(read("char[8]", b"hello\0\0\0"), r#""hello""#);
        assert_eq!(read("char[3]", b"hello"), r#""hel""#);
        assert_eq!(read("char[2][4]", b"ab\0\0c\"\x1bd"), r#"["ab", "c\x22\x1bd"]"#);
        assert_eq!(read("char", b"a"), "'a'");
        assert_eq!(read("u8[0x02]", &[1, 2, 3]), "[1, 2]");
    }

    #[test]
    fn array_ends_where_the_bytes_do() {
        assert_eq!(read("u16le[4]", &[1, 0, 2, 0, 3]), "[1, 2]");
        assert_eq!(read("u16le[9000000000][3]", &[1, 0, 2, 0, 3, 0, 4]), "[[1, 2, 3], []]");
        assert_eq!(read("u16", &[1]), "(past the end)");
        assert_eq!(read("f64[2]", &[]), "[]");
        assert_eq!(serde_json::to_string(&"u16".parse::<Type>().unwrap().decode(&[])).unwrap(), "null");
    }

    #[test]
    fn json_nests() {
        let decoded = "u8[2][2]".parse::<Type>().unwrap().decode(&[1, 2, 3, 4]);
        assert_eq!(serde_json::to_string(&decoded).unwrap(), "[[1,2],[3,4]]");
    }

    #[test]
    fn errors_name_valid_types() {
        let error = "u33".parse::<Type>().unwrap_err().to_string();
        for scalar in Scalar::ALL {
            assert!(error.contains(scalar.word()), "{error}");
        }
        for text in ["", "u8be", "int", "[3]", "u32 x", "\x1b[2J"] {
            assert!(matches!(text.parse::<Type>(), Err(ParseTypeError::Unknown(_))), "{text:?}");
        }
        for text in ["u8[", "u8[]", "u8[-1]", "u8[2]x", "u8[0]", "u8[2", "u8[99999999999999999999]"] {
            assert!(matches!(text.parse::<Type>(), Err(ParseTypeError::Dimension(_))), "{text:?}");
        }
        let many = format!("u8{}", "[1]".repeat(17));
        for text in ["u64[9223372036854775807]", "u8[4294967296][4294967296]", &many] {
            assert!(matches!(text.parse::<Type>(), Err(ParseTypeError::TooLarge(_))), "{text:?}");
        }
        let error = "\u{1b}[2J".parse::<Type>().unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }

    #[test]
    fn size_includes_all_elements() {
        for (text, size) in [("u8", 1), ("f64[3][3]", 72), ("char[16]", 16), ("time_ns", 8)] {
            assert_eq!(text.parse::<Type>().unwrap().size(), size, "{text}");
        }
    }

    proptest! {
        #[test]
        fn displayed_type_parses_back(scalar in 0..Scalar::ALL.len(), big: bool, dims in proptest::collection::vec(1u64..9, 0..4)) {
            let order = if big && Scalar::ALL[scalar].size() > 1 { ByteOrder::Big } else { ByteOrder::native() };
            let parsed = Type::new(Scalar::ALL[scalar], order, dims).unwrap();
            prop_assert_eq!(parsed.to_string().parse::<Type>(), Ok(parsed));
        }

        #[test]
        fn any_bytes_decode(bytes in proptest::collection::vec(any::<u8>(), 0..64), scalar in 0..Scalar::ALL.len()) {
            let parsed = Type::new(Scalar::ALL[scalar], ByteOrder::Big, vec![3, 2]).unwrap();
            let _ = parsed.decode(&bytes).to_string();
        }
    }
}

//! Values without parts, and their text and JSON forms.

use super::{Bits, Place, StringForm, Type, TypeKind, Window};
use crate::decode::text::{until_nul, utf32_text, wide_text};
use crate::decode::{ByteOrder, Scalar, Value};
use crate::segment::{escape, json_text};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A value without parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Leaf<'a> {
    Value(Value),
    /// The name of the value of an enumeration, or those of its flags. A value without a name is a
    /// number.
    Enumerator(Cow<'a, str>),
    /// An address in the holder's memory.
    Address(u64),
    /// Text up to its first NUL, escaped.
    Text(String),
    Bytes(&'a [u8]),
    /// Python's bytes, escaped.
    ByteText(String),
    /// Python's None.
    Null,
}

impl<'a> Leaf<'a> {
    /// Reads a leaf. `None` if its bytes are not in the window, or if it is not a leaf. Text and
    /// bytes may end early.
    pub(super) fn read(place: Place<'a>, window: Window<'a>) -> Option<Self> {
        let bytes = window.from(place.offset)?;
        if let Some(bits) = place.bits {
            return Self::read_bits(place, bits, bytes);
        }
        let part = || bytes.get(..usize::try_from(place.ty.size()).unwrap_or(bytes.len())).unwrap_or(bytes);
        match place.ty.kind() {
            TypeKind::Scalar(scalar, order) => scalar.read(bytes, *order).map(Self::Value),
            TypeKind::Enum(found) => {
                Some(Self::of_value(place.ty, found.underlying().read(bytes, found.order())?))
            }
            TypeKind::Pointer(pointer) => Self::address(bytes, place.ty.size(), pointer.order),
            _ if part().is_empty() && place.ty.size() > 0 => None,
            TypeKind::Text(scalar, order) => Some(Self::Text(match scalar.size() {
                1 => escape(until_nul(part())),
                size => wide_text(part(), size, *order),
            })),
            TypeKind::String(StringForm::Bytes) => Some(Self::ByteText(string(part(), StringForm::Bytes))),
            TypeKind::String(form) => Some(Self::Text(string(part(), *form))),
            TypeKind::Null => Some(Self::Null),
            TypeKind::Bytes => Some(Self::Bytes(part())),
            TypeKind::Array(_) | TypeKind::Record(_) => None,
        }
    }

    fn address(bytes: &[u8], size: u64, order: ByteOrder) -> Option<Self> {
        let scalar = if size == 4 { Scalar::U32 } else { Scalar::U64 };
        match scalar.read(bytes, order)? {
            Value::Unsigned(address) => Some(Self::Address(address)),
            _ => None,
        }
    }

    /// A value of a type: an enumeration names it, and a pointer makes it an address.
    #[must_use]
    pub fn of_value(ty: &'a Type, value: Value) -> Self {
        let number = match value {
            // Enumerators of a char are signed numbers.
            Value::Char(byte) => Some(byte.cast_signed().into()),
            _ => value.integer(),
        };
        let name = match (ty.kind(), number, value) {
            (TypeKind::Enum(found), Some(number), _) => found.text_of(number),
            (TypeKind::Pointer(_), _, Value::Unsigned(address)) => return Self::Address(address),
            _ => None,
        };
        name.map_or(Self::Value(value), Self::Enumerator)
    }

    /// Reads a bit-field as a value of its declared type.
    fn read_bits(place: Place<'a>, bits: Bits, bytes: &[u8]) -> Option<Self> {
        let scalar = match place.ty.kind() {
            TypeKind::Scalar(scalar, _) => *scalar,
            TypeKind::Enum(found) => found.underlying(),
            _ => return None,
        };
        let bytes = bytes.get(..usize::try_from(bits.bytes()).ok()?)?;
        let mut low = [0; 16];
        let count = bytes.len().min(low.len());
        low[..count].copy_from_slice(&bytes[..count]);
        let mut value = u128::from_le_bytes(low) >> bits.start;
        if let Some(&last) = bytes.get(16) {
            value |= u128::from(last) << (128 - u32::from(bits.start));
        }
        let unused = 128 - u32::from(bits.width.clamp(1, 128));
        value <<= unused;
        let value = if scalar.is_signed() {
            (value.cast_signed() >> unused).cast_unsigned()
        } else {
            value >> unused
        };
        let value = scalar.read(&value.to_le_bytes(), ByteOrder::Little)?;
        Some(Self::of_value(place.ty, value))
    }
}

fn string(bytes: &[u8], form: StringForm) -> String {
    match form {
        StringForm::Whole => escape(bytes),
        StringForm::Stripped | StringForm::Bytes => {
            let length = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            escape(&bytes[..length])
        }
        StringForm::Pascal => match bytes.split_first() {
            Some((&length, rest)) => escape(&rest[..rest.len().min(length.into())]),
            None => String::new(),
        },
        StringForm::Utf32(order) => utf32_text(bytes, order),
    }
}

impl fmt::Display for Leaf<'_> {
    /// Writes texts in double quotes, bytes as `1f 85` and Python's bytes as `b"…"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Enumerator(name) => f.write_str(&escape(name.as_bytes())),
            Self::Address(address) => write!(f, "{address:#x}"),
            Self::Text(text) => write!(f, "\"{}\"", text.replace('"', r"\x22")),
            Self::ByteText(text) => write!(f, "b\"{}\"", text.replace('"', r"\x22")),
            Self::Bytes(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    write!(f, "{}{byte:02x}", if at > 0 { " " } else { "" })?;
                }
                Ok(())
            }
            Self::Null => f.write_str("null"),
        }
    }
}

impl Serialize for Leaf<'_> {
    /// Serializes enumerators and texts as strings, flags as `"READ|WRITE"`, addresses as `"0x7f12"` and
    /// bytes as `"1f 85"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Enumerator(name) => serializer.serialize_str(name),
            Self::Text(text) | Self::ByteText(text) => serializer.serialize_str(&json_text(text)),
            Self::Null => serializer.serialize_none(),
            Self::Address(_) | Self::Bytes(_) => serializer.collect_str(self),
        }
    }
}

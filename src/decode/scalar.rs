//! The scalar types: names, sizes, and decoding.

use super::value::{Time, Value};
use super::{ByteOrder, Tick, float};

/// The type of a single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `uint8_t`.
    U8,
    /// `uint16_t`.
    U16,
    /// `uint32_t`.
    U32,
    /// `uint64_t`.
    U64,
    /// `int8_t`.
    I8,
    /// `int16_t`.
    I16,
    /// `int32_t`.
    I32,
    /// `int64_t`.
    I64,
    /// `float`.
    F32,
    /// `double`.
    F64,
    /// `__int128` without a sign.
    U128,
    /// `__int128`.
    I128,
    /// IEEE half precision: `_Float16`.
    F16,
    /// The `long double` of x86: 10 bytes in 16. Decodes to the nearest `double`.
    F80,
    /// Two `float`, the real part first.
    Complex64,
    /// Two `double`, the real part first.
    Complex128,
    /// A byte: 0 for false, 1 for true.
    Bool,
    /// A character of one byte.
    Char,
    /// A byte of UTF-8: `char8_t`.
    Char8,
    /// A unit of UTF-16: `char16_t`.
    Char16,
    /// A character of UTF-32: `char32_t`, and `wchar_t` on Linux.
    Char32,
    /// `time_t`: seconds since 1970 as an `int64_t`.
    TimeSeconds,
    /// Milliseconds since 1970 as an `int64_t`.
    TimeMillis,
    /// Microseconds since 1970 as an `int64_t`.
    TimeMicros,
    /// Nanoseconds since 1970 as an `int64_t`.
    TimeNanos,
    /// numpy's `datetime64`: a count of ticks since 1970, without a time zone.
    Datetime(Tick),
    /// numpy's `timedelta64`: a count of ticks.
    Timedelta(Tick),
}

impl Scalar {
    /// The scalars of the type menu, in its order.
    pub const BASIC: [Self; 16] = [
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::F32,
        Self::F64,
        Self::Bool,
        Self::Char,
        Self::TimeSeconds,
        Self::TimeMillis,
        Self::TimeMicros,
        Self::TimeNanos,
    ];
    /// The other scalars.
    const RARE: [Self; 9] = [
        Self::F16,
        Self::F80,
        Self::U128,
        Self::I128,
        Self::Complex64,
        Self::Complex128,
        Self::Char8,
        Self::Char16,
        Self::Char32,
    ];

    /// The scalars that have a name. Those with a unit have none.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::BASIC.into_iter().chain(Self::RARE)
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::U128 => "u128",
            Self::I128 => "i128",
            Self::F16 => "f16",
            Self::F80 => "f80",
            Self::Complex64 => "complex64",
            Self::Complex128 => "complex128",
            Self::Bool => "bool",
            Self::Char => "char",
            Self::Char8 => "char8",
            Self::Char16 => "char16",
            Self::Char32 => "char32",
            Self::TimeSeconds => "time",
            Self::TimeMillis => "time_ms",
            Self::TimeMicros => "time_us",
            Self::TimeNanos => "time_ns",
            Self::Datetime(_) => "datetime64",
            Self::Timedelta(_) => "timedelta64",
        }
    }

    /// In bytes: 1, 2, 4, 8 or 16.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool | Self::Char | Self::Char8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Char16 => 2,
            Self::U32 | Self::I32 | Self::F32 | Self::Char32 => 4,
            Self::U128 | Self::I128 | Self::F80 | Self::Complex128 => 16,
            Self::U64
            | Self::I64
            | Self::F64
            | Self::Complex64
            | Self::TimeSeconds
            | Self::TimeMillis
            | Self::TimeMicros
            | Self::TimeNanos
            | Self::Datetime(_)
            | Self::Timedelta(_) => 8,
        }
    }

    /// The alignment that C gives it.
    #[must_use]
    pub const fn align(self) -> usize {
        match self {
            Self::Complex64 => 4,
            Self::Complex128 => 8,
            _ => self.size(),
        }
    }

    /// Arrays of characters are texts.
    #[must_use]
    pub const fn is_character(self) -> bool {
        matches!(self, Self::Char | Self::Char8 | Self::Char16 | Self::Char32)
    }

    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64 | Self::I128 | Self::Char)
    }

    /// Decodes the value at the start of `bytes`; `None` if there are too few. A bool other than 0
    /// and 1 decodes as a number.
    #[must_use]
    pub fn read(self, bytes: &[u8], order: ByteOrder) -> Option<Value> {
        let time =
            |make: fn(i64) -> Time| first(bytes, order).map(i64::from_ne_bytes).map(make).map(Value::Time);
        Some(match self {
            Self::U8 => Value::Unsigned(u8::from_ne_bytes(first(bytes, order)?).into()),
            Self::U16 => Value::Unsigned(u16::from_ne_bytes(first(bytes, order)?).into()),
            Self::U32 => Value::Unsigned(u32::from_ne_bytes(first(bytes, order)?).into()),
            Self::U64 => Value::Unsigned(u64::from_ne_bytes(first(bytes, order)?)),
            Self::I8 => Value::Signed(i8::from_ne_bytes(first(bytes, order)?).into()),
            Self::I16 => Value::Signed(i16::from_ne_bytes(first(bytes, order)?).into()),
            Self::I32 => Value::Signed(i32::from_ne_bytes(first(bytes, order)?).into()),
            Self::I64 => Value::Signed(i64::from_ne_bytes(first(bytes, order)?)),
            Self::F32 => Value::F32(f32::from_ne_bytes(first(bytes, order)?)),
            Self::F64 => Value::F64(f64::from_ne_bytes(first(bytes, order)?)),
            Self::U128 => Value::Unsigned128(u128::from_ne_bytes(first(bytes, order)?)),
            Self::I128 => Value::Signed128(i128::from_ne_bytes(first(bytes, order)?)),
            Self::F16 => Value::F16(float::half_to_f32(u16::from_ne_bytes(first(bytes, order)?))),
            Self::F80 => Value::F64(float::extended_to_f64(extended(bytes, order)?)),
            Self::Complex64 => {
                let part = |bytes| Some(f32::from_ne_bytes(first(bytes, order)?));
                Value::Complex64(part(bytes)?, part(bytes.get(4..)?)?)
            }
            Self::Complex128 => {
                let part = |bytes| Some(f64::from_ne_bytes(first(bytes, order)?));
                Value::Complex128(part(bytes)?, part(bytes.get(8..)?)?)
            }
            Self::Bool => match *bytes.first()? {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                other => Value::Unsigned(other.into()),
            },
            Self::Char | Self::Char8 => Value::Char(*bytes.first()?),
            Self::Char16 => Value::Wide(u16::from_ne_bytes(first(bytes, order)?).into()),
            Self::Char32 => Value::Wide(u32::from_ne_bytes(first(bytes, order)?)),
            Self::TimeSeconds => time(Time::Seconds)?,
            Self::TimeMillis => time(Time::Millis)?,
            Self::TimeMicros => time(Time::Micros)?,
            Self::TimeNanos => time(Time::Nanos)?,
            Self::Datetime(tick) => Value::Datetime(i64::from_ne_bytes(first(bytes, order)?), tick),
            Self::Timedelta(tick) => Value::Timedelta(i64::from_ne_bytes(first(bytes, order)?), tick),
        })
    }
}

/// Returns the first bytes in native order. They are copied in a single access, so that no value is
/// torn.
fn first<const N: usize>(bytes: &[u8], order: ByteOrder) -> Option<[u8; N]> {
    bytes.first_chunk::<N>().map(|&bytes| order.convert(bytes))
}

/// Returns the 80 bits of a `long double` of 16 bytes.
fn extended(bytes: &[u8], order: ByteOrder) -> Option<u128> {
    Some(u128::from_ne_bytes(first(bytes, order)?) & ((1 << 80) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(scalar: Scalar, bytes: &[u8], order: ByteOrder) -> String {
        scalar.read(bytes, order).map_or_else(|| "none".to_owned(), |value| value.to_string())
    }

    #[test]
    fn decodes_both_byte_orders() {
        let bytes = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x55];
        let read = |scalar, order| text(scalar, &bytes, order);
        assert_eq!(read(Scalar::U8, ByteOrder::Big), "254");
        assert_eq!(read(Scalar::I8, ByteOrder::Big), "-2");
        assert_eq!(read(Scalar::U16, ByteOrder::Little), "65534");
        assert_eq!(read(Scalar::U16, ByteOrder::Big), "65279");
        assert_eq!(read(Scalar::I16, ByteOrder::Little), "-2");
        assert_eq!(read(Scalar::I32, ByteOrder::Little), "-2");
        assert_eq!(read(Scalar::I64, ByteOrder::Little), "9223372036854775806");
        assert_eq!(read(Scalar::U64, ByteOrder::Big), "18374686479671623551");
        assert_eq!(
            text(Scalar::F64, &[0x1f, 0x85, 0xeb, 0x51, 0xb8, 0x1e, 0x09, 0x40], ByteOrder::Little),
            "3.14"
        );
        assert_eq!(text(Scalar::F32, &[0x40, 0x48, 0xf5, 0xc3], ByteOrder::Big), "3.14");
    }

    #[test]
    fn invalid_bool_decodes_as_a_number() {
        let read = |byte: u8| text(Scalar::Bool, &[byte], ByteOrder::native());
        assert_eq!((read(0), read(1), read(7)), ("false".into(), "true".into(), "7".into()));
    }

    #[test]
    fn too_few_bytes_have_no_value() {
        for scalar in Scalar::all() {
            let bytes = vec![1; scalar.size()];
            assert!(scalar.read(&bytes, ByteOrder::Little).is_some(), "{}", scalar.word());
            assert!(scalar.read(&bytes[1..], ByteOrder::Little).is_none(), "{}", scalar.word());
        }
    }

    proptest! {
        #[test]
        fn other_order_reverses_the_bytes(bytes in proptest::array::uniform8(any::<u8>())) {
            let mut turned = bytes;
            turned.reverse();
            for scalar in Scalar::all().filter(|scalar| scalar.align() == 8 && *scalar != Scalar::Complex128) {
                let little = text(scalar, &bytes, ByteOrder::Little);
                prop_assert_eq!(little, text(scalar, &turned, ByteOrder::Big));
            }
        }
    }
}

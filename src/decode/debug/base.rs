//! Base types: integers, floats and characters.

use super::units::{Entry, number};
use crate::decode::Scalar;
use gimli::constants as dw;

/// The scalar of a base type. `None` if there is none of its kind and size. `long double` has several
/// formats; only that of x86 is known.
pub(super) fn scalar(entry: &Entry, name: &str, is_x86: bool) -> Option<Scalar> {
    let size = number(entry, dw::DW_AT_byte_size)?;
    let encoding = match entry.attr_value(dw::DW_AT_encoding)? {
        gimli::AttributeValue::Encoding(encoding) => encoding,
        value => gimli::DwAte(u8::try_from(value.udata_value()?).ok()?),
    };
    Some(match (encoding, size) {
        (dw::DW_ATE_boolean, 1) => Scalar::Bool,
        (dw::DW_ATE_signed_char | dw::DW_ATE_unsigned_char, 1) if name == "char" => Scalar::Char,
        (dw::DW_ATE_UTF, 1) => Scalar::Char8,
        (dw::DW_ATE_UTF, 2) => Scalar::Char16,
        (dw::DW_ATE_UTF, 4) => Scalar::Char32,
        (_, 4) if name == "wchar_t" => Scalar::Char32,
        (_, 1) if name == "char8_t" => Scalar::Char8,
        (_, 2) if name == "char16_t" => Scalar::Char16,
        (_, 4) if name == "char32_t" => Scalar::Char32,
        (dw::DW_ATE_signed | dw::DW_ATE_signed_char, _) => signed(size)?,
        (dw::DW_ATE_unsigned | dw::DW_ATE_unsigned_char | dw::DW_ATE_boolean | dw::DW_ATE_address, _) => {
            unsigned(size)?
        }
        // `__bf16` has the size of a half, but another format.
        (dw::DW_ATE_float, 2) if name != "__bf16" && name != "std::bfloat16_t" => Scalar::F16,
        (dw::DW_ATE_float, 4) => Scalar::F32,
        (dw::DW_ATE_float, 8) => Scalar::F64,
        // `_Float128` and `__float128` have the size of `long double`, but another format.
        (dw::DW_ATE_float, 16) if name == "long double" && is_x86 => Scalar::F80,
        (dw::DW_ATE_complex_float, 8) => Scalar::Complex64,
        (dw::DW_ATE_complex_float, 16) => Scalar::Complex128,
        _ => return None,
    })
}

/// The scalar of a `typedef` whose name tells more than its type. The characters of C are numbers.
pub(super) fn of_typedef(name: &str, scalar: Scalar) -> Option<Scalar> {
    Some(match (name, scalar) {
        ("time_t", Scalar::I64) => Scalar::TimeSeconds,
        ("wchar_t", Scalar::I32 | Scalar::U32) | ("char32_t", Scalar::U32) => Scalar::Char32,
        ("char16_t", Scalar::U16) => Scalar::Char16,
        ("char8_t", Scalar::U8) => Scalar::Char8,
        _ => return None,
    })
}

pub(super) const fn signed(size: u64) -> Option<Scalar> {
    Some(match size {
        1 => Scalar::I8,
        2 => Scalar::I16,
        4 => Scalar::I32,
        8 => Scalar::I64,
        16 => Scalar::I128,
        _ => return None,
    })
}

pub(super) const fn unsigned(size: u64) -> Option<Scalar> {
    Some(match size {
        1 => Scalar::U8,
        2 => Scalar::U16,
        4 => Scalar::U32,
        8 => Scalar::U64,
        16 => Scalar::U128,
        _ => return None,
    })
}

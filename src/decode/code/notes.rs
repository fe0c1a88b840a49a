//! Comments on members of a type.

use super::literal::in_comment;
use super::model::{Member, Part, Text};
use super::{dimensions, is_foreign};
use crate::decode::{ByteOrder, Scalar};

/// The meaning of a part that its type in the code does not tell.
pub fn meaning(part: &Part) -> Option<String> {
    let (part, _) = dimensions(part);
    let order = |scalar: Scalar, order: ByteOrder| {
        if is_foreign(order, scalar) { format!("{} ", order.long_word()) } else { String::new() }
    };
    match part {
        Part::Scalar(scalar, byte_order) | Part::Text(Text { unit: scalar, order: byte_order, .. }) => {
            let words = match scalar {
                Scalar::TimeSeconds => "seconds since 1970",
                Scalar::TimeMillis => "milliseconds since 1970",
                Scalar::TimeMicros => "microseconds since 1970",
                Scalar::TimeNanos => "nanoseconds since 1970",
                Scalar::F16 => "half precision",
                Scalar::Complex64 | Scalar::Complex128 => "real and imaginary part",
                Scalar::F80 => "long double of x86",
                Scalar::Char8 => "UTF-8",
                Scalar::Char16 => "UTF-16",
                Scalar::Char32 => "UTF-32",
                _ if is_foreign(*byte_order, *scalar) => scalar.word(),
                _ => return None,
            };
            Some(order(*scalar, *byte_order) + words)
        }
        Part::Pointer { target, order: byte_order, .. } => Some(format!(
            "{}address of {} in the other process",
            order(Scalar::U64, *byte_order),
            in_comment(target)
        )),
        _ => None,
    }
}

/// The comment of a member: its name in the program, its meaning, or nothing.
pub fn note(member: &Member, mark: &str) -> String {
    let name = member.name.original.as_ref().map(|name| format!("named {name}"));
    let notes: Vec<String> = name.into_iter().chain(meaning(&member.part)).collect();
    if notes.is_empty() { String::new() } else { format!("  {mark} {}", notes.join("; ")) }
}

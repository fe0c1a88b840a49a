//! The meaning of scalars that is the same in all languages.

use super::model::Part;
use crate::decode::{ByteOrder, Scalar, Tick, TickUnit};

/// The element at the bottom of nested arrays, and the counts from the outside in.
pub fn dimensions(mut part: &Part) -> (&Part, Vec<u64>) {
    let mut counts = vec![];
    while let Part::Array(element, count) = part {
        counts.push(*count);
        part = element;
    }
    (part, counts)
}

pub const fn is_foreign(order: ByteOrder, scalar: Scalar) -> bool {
    matches!(
        (order, ByteOrder::native()),
        (ByteOrder::Big, ByteOrder::Little) | (ByteOrder::Little, ByteOrder::Big)
    ) && scalar.size() > 1
}

/// Returns true if a language can have an enumeration of this type.
pub const fn is_integer(scalar: Scalar) -> bool {
    matches!(
        scalar,
        Scalar::U8
            | Scalar::U16
            | Scalar::U32
            | Scalar::U64
            | Scalar::I8
            | Scalar::I16
            | Scalar::I32
            | Scalar::I64
            | Scalar::U128
            | Scalar::I128
            | Scalar::Char
            | Scalar::Char16
            | Scalar::Char32
            | Scalar::Bool
    )
}

/// The function that shows a time or duration, and its arguments after the number.
pub fn time_call(scalar: Scalar, quote: fn(&str) -> String) -> Option<(&'static str, String)> {
    let time = |per_second: u32| Some(("show_time", per_second.to_string()));
    match scalar {
        Scalar::TimeSeconds => time(1),
        Scalar::TimeMillis => time(1000),
        Scalar::TimeMicros => time(1_000_000),
        Scalar::TimeNanos => time(1_000_000_000),
        Scalar::Timedelta(tick) => {
            Some(("show_duration", format!("{}, {}", tick.multiple, quote(tick.unit.suffix()))))
        }
        Scalar::Datetime(tick) => Some(date_call(tick, quote)),
        _ => None,
    }
}

fn date_call(Tick { unit, multiple }: Tick, quote: fn(&str) -> String) -> (&'static str, String) {
    let times = u64::from(multiple);
    let (function, times, part) = match unit {
        TickUnit::Generic => return ("show_duration", format!("{multiple}, {}", quote(""))),
        TickUnit::Years => ("show_month", times, 1),
        TickUnit::Months => ("show_month", times, 12),
        TickUnit::Weeks => ("show_date", times * 7, 1),
        TickUnit::Days => ("show_date", times, 1),
        TickUnit::Hours => ("show_date", times, 24),
        TickUnit::Minutes => ("show_date", times, 1440),
        _ => ("show_moment", times, unit.digits()),
    };
    (function, format!("{times}, {part}"))
}

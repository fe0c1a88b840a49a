//! The bytes at the cursor, decoded as every scalar type in both byte orders, the most plausible
//! first.

use crate::decode::{ByteOrder, Scalar, Value, text_at};
use std::cmp::Reverse;

/// An entry of the value panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueEntry {
    pub label: &'static str,
    /// Set if it differs from the selected byte order.
    pub order: Option<ByteOrder>,
    /// `None` past the end of the segment.
    pub text: Option<String>,
    /// Set if this is the display type.
    pub chosen: bool,
}

impl ValueEntry {
    /// Returns true for the entry that reads the bytes as text.
    pub fn is_text(&self) -> bool {
        self.label == TEXT
    }
}

const TEXT: &str = "text";

/// An interpretation of the bytes at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Scalar(Scalar),
    Text,
}

/// The readings in the selected byte order. Equally plausible readings keep this order.
const READINGS: [Reading; 12] = [
    Reading::Scalar(Scalar::U64),
    Reading::Scalar(Scalar::F64),
    Reading::Scalar(Scalar::U32),
    Reading::Scalar(Scalar::F32),
    Reading::Scalar(Scalar::I64),
    Reading::Scalar(Scalar::I32),
    Reading::Scalar(Scalar::U16),
    Reading::Scalar(Scalar::I16),
    Reading::Scalar(Scalar::U8),
    Reading::Scalar(Scalar::I8),
    Reading::Scalar(Scalar::TimeSeconds),
    Reading::Text,
];
/// The scalars that are also decoded in the opposite byte order.
const OPPOSITE_ORDER_SCALARS: [Scalar; 8] =
    [Scalar::U64, Scalar::F64, Scalar::U32, Scalar::F32, Scalar::I64, Scalar::I32, Scalar::U16, Scalar::I16];

/// The number of entries in the selected byte order.
pub const OWN: usize = READINGS.len();
pub const COUNT: usize = OWN + OPPOSITE_ORDER_SCALARS.len();

/// The order of the entries. It changes only when the cursor moves, so that no entry moves when the
/// bytes change.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    place: Option<Place>,
    readings: Vec<Reading>,
}

/// The offset of the cursor, and the settings that the order depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub offset: u64,
    pub order: ByteOrder,
    pub shown_as: Option<Scalar>,
}

impl Ranking {
    /// Ranks the readings of the bytes at a new place. Nothing is ranked before they are read.
    pub fn update(&mut self, place: Place, bytes: &[u8]) {
        if self.place == Some(place) {
            return;
        }
        self.place = (!bytes.is_empty()).then_some(place);
        self.readings = READINGS.to_vec();
        self.readings.sort_by_key(|&reading| Reverse(plausibility(reading, place, bytes)));
    }

    /// Returns the most plausible scalar.
    pub fn first(&self) -> Option<Scalar> {
        self.readings.iter().find_map(|reading| match reading {
            Reading::Scalar(scalar) => Some(*scalar),
            Reading::Text => None,
        })
    }

    pub fn entries(&self, bytes: &[u8], order: ByteOrder, shown_as: Option<Scalar>) -> Vec<ValueEntry> {
        let read =
            |scalar: Scalar, order: ByteOrder| scalar.read(bytes, order).map(|value| value.to_string());
        let own = self.readings.iter().map(|reading| match *reading {
            Reading::Scalar(scalar) => ValueEntry {
                label: scalar.word(),
                order: None,
                text: read(scalar, order),
                chosen: shown_as == Some(scalar),
            },
            Reading::Text => ValueEntry {
                label: TEXT,
                order: None,
                text: text_at(bytes).map(|text| format!("\"{text}\"")),
                chosen: false,
            },
        });
        let other = OPPOSITE_ORDER_SCALARS.into_iter().map(|scalar| ValueEntry {
            label: scalar.word(),
            order: Some(order.flip()),
            text: read(scalar, order.flip()),
            chosen: false,
        });
        own.chain(other).collect()
    }
}

/// Rates how plausible a reading is, by its alignment and the size of the number.
fn plausibility(reading: Reading, place: Place, bytes: &[u8]) -> u32 {
    let scalar = match reading {
        Reading::Text => {
            let printable = |byte: &&u8| matches!(byte, b' '..=b'~');
            return if bytes.iter().take_while(printable).count() >= 6 { 90 } else { 0 };
        }
        Reading::Scalar(scalar) => scalar,
    };
    if place.shown_as == Some(scalar) {
        return 100;
    }
    let Some(value) = scalar.read(bytes, place.order) else { return 0 };
    if !place.offset.is_multiple_of(scalar.size() as u64) {
        return 0;
    }
    match (scalar, value) {
        (Scalar::TimeSeconds, Value::Time(time)) if (946_684_800..4_102_444_800).contains(&time.count()) => {
            85
        }
        (Scalar::F64, Value::F64(value)) if (1e-6..1e12).contains(&value.abs()) => 80,
        (Scalar::U64, Value::Unsigned(value)) if (1..1 << 48).contains(&value) => {
            // Two 4-byte numbers are more likely than a single number above 2^40.
            if value < 1 << 40 { 75 } else { 40 }
        }
        (Scalar::I64, Value::Signed(value)) if (-(1 << 40)..0).contains(&value) => 78,
        (Scalar::F32, Value::F32(value)) if (1e-6..1e9).contains(&value.abs()) => 70,
        (Scalar::I32, Value::Signed(value)) if (-(1 << 24)..0).contains(&value) => 65,
        (Scalar::U32, Value::Unsigned(value)) if value > 0 => 60,
        (Scalar::U16, Value::Unsigned(value)) if value > 0 => 50,
        (Scalar::U8, Value::Unsigned(value)) if value > 0 => 45,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(offset: u64, bytes: &[u8], shown_as: Option<Scalar>) -> Vec<&'static str> {
        let mut ranking = Ranking::default();
        ranking.update(Place { offset, order: ByteOrder::Little, shown_as }, bytes);
        ranking.entries(bytes, ByteOrder::Little, shown_as).iter().map(|entry| entry.label).take(2).collect()
    }

    #[test]
    fn plausible_values_come_first() {
        let bytes = |parts: &[&[u8]]| parts.concat();
        assert_eq!(first(0, &bytes(&[&1.0701f64.to_le_bytes()]), None)[0], "f64");
        assert_eq!(first(8, &17022u64.to_le_bytes(), None), ["u64", "u32"]);
        assert_eq!(first(8, &(-3i64).to_le_bytes(), None)[0], "i64");
        assert_eq!(first(4, &bytes(&[&2.5f32.to_le_bytes(), &7u32.to_le_bytes()]), None)[0], "f32");
        assert_eq!(first(0, b"hello world", None)[0], "text");
        assert_eq!(first(0, &1_767_610_869u64.to_le_bytes(), None)[0], "time");
        assert_eq!(first(1, &[7, 1, 2, 3, 4, 5, 6, 7], None)[0], "u8");
        assert_eq!(first(8, &17022u64.to_le_bytes(), Some(Scalar::I16))[0], "i16");
        assert_eq!(first(0, &[0; 8], None), ["u64", "f64"]);
    }

    #[test]
    fn order_stays_while_the_cursor_stays() {
        let mut ranking = Ranking::default();
        let place = Place { offset: 0, order: ByteOrder::Little, shown_as: None };
        ranking.update(place, &[]);
        ranking.update(place, &1.5f64.to_le_bytes());
        ranking.update(place, &3u64.to_le_bytes());
        assert_eq!(ranking.first(), Some(Scalar::F64));
        ranking.update(Place { offset: 8, ..place }, &3u64.to_le_bytes());
        assert_eq!(ranking.first(), Some(Scalar::U64));
    }

    #[test]
    fn both_byte_orders_are_decoded() {
        let mut ranking = Ranking::default();
        ranking.update(Place { offset: 0, order: ByteOrder::Little, shown_as: None }, &[1, 2]);
        let entries = ranking.entries(&[1, 2], ByteOrder::Little, None);
        assert_eq!(entries.len(), COUNT);
        let text = |order| {
            entries.iter().find(|entry| entry.label == "u16" && entry.order == order).unwrap().text.clone()
        };
        assert_eq!((text(None), text(Some(ByteOrder::Big))), (Some("513".into()), Some("258".into())));
    }
}

//! The bytes at the cursor, decoded as every scalar type in both byte orders.

use crate::decode::{ByteOrder, Scalar, text_at};

/// An entry of the value panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueEntry {
    pub label: &'static str,
    /// Set if it differs from the selected byte order.
    pub order: Option<ByteOrder>,
    /// `None` past the end of the segment.
    pub text: Option<String>,
    /// This is the display type.
    pub chosen: bool,
}

/// The scalars in the selected byte order, in panel order: narrow values, then wide values, then
/// text.
const FIRST: [Scalar; 11] = [
    Scalar::U8,
    Scalar::I8,
    Scalar::U16,
    Scalar::I16,
    Scalar::U32,
    Scalar::I32,
    Scalar::U64,
    Scalar::I64,
    Scalar::F32,
    Scalar::F64,
    Scalar::TimeSeconds,
];
/// The scalars that are also decoded in the opposite byte order.
const OTHER: [Scalar; 8] =
    [Scalar::U16, Scalar::I16, Scalar::U32, Scalar::I32, Scalar::U64, Scalar::I64, Scalar::F32, Scalar::F64];

pub const COUNT: usize = FIRST.len() + 1 + OTHER.len();

pub fn entries(bytes: &[u8], order: ByteOrder, shown_as: Option<Scalar>) -> Vec<ValueEntry> {
    let read = |scalar: Scalar, order: ByteOrder| scalar.read(bytes, order).map(|value| value.to_string());
    let mut entries: Vec<ValueEntry> = FIRST
        .into_iter()
        .map(|scalar| ValueEntry {
            label: scalar.word(),
            order: None,
            text: read(scalar, order),
            chosen: shown_as == Some(scalar),
        })
        .collect();
    let text = text_at(bytes).map(|text| format!("\"{text}\""));
    entries.push(ValueEntry { label: "text", order: None, text, chosen: false });
    entries.extend(OTHER.into_iter().map(|scalar| ValueEntry {
        label: scalar.word(),
        order: Some(order.flip()),
        text: read(scalar, order.flip()),
        chosen: false,
    }));
    entries
}

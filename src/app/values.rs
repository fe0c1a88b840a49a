//! The value under the cursor, read as every scalar in both byte orders.

use crate::decode::{ByteOrder, Scalar, text_at};

/// An entry of the value panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueEntry {
    /// What it is read as.
    pub label: &'static str,
    /// The byte order, where the type has one and it is the other one.
    pub order: Option<ByteOrder>,
    /// The value; `None` where the segment ends before it does.
    pub text: Option<String>,
    /// Whether the bytes are shown as this type.
    pub chosen: bool,
}

/// The scalars that are read in the chosen order, in the order of the panel:
/// the narrow ones, then the wide ones with the text behind them.
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
/// Those that are read in the other order too.
const OTHER: [Scalar; 8] =
    [Scalar::U16, Scalar::I16, Scalar::U32, Scalar::I32, Scalar::U64, Scalar::I64, Scalar::F32, Scalar::F64];

/// How many entries there are.
pub const COUNT: usize = FIRST.len() + 1 + OTHER.len();

/// All readings of what stands at the cursor.
#[must_use]
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

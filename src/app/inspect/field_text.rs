//! The values of fields as texts for their rows, and the bytes to read for them.

use super::tree::{Row, RowKind};
use crate::decode::layouts::LockKind;
use crate::decode::{Decoded, Label, Place, TypeKind, Window};
use crate::segment::escape;
use std::fmt::Write as _;
use std::ops::Range;

/// Bytes of a field that are read for its row. Longer texts are cut.
pub const MAX_FIELD: usize = 256;
/// Ranges with smaller gaps are read at once.
const GAP: u64 = 64;
/// The maximum number of characters of a value on a row.
const MAX_TEXT: usize = 160;

/// The value of a field on its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldText {
    Value(String),
    PastEnd,
    /// Not read yet.
    Unread,
}

/// Text that ends after `MAX_TEXT` characters.
struct Limited(String);

impl std::fmt::Write for Limited {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let left = MAX_TEXT.saturating_sub(self.0.chars().count());
        self.0.extend(text.chars().take(left));
        if text.chars().nth(left).is_some() { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// Writes the parts of a value that are in the window: `{tick: 42, …`.
fn write_start(out: &mut Limited, value: Decoded<'_>) -> std::fmt::Result {
    let is_record = matches!(value.place.ty.kind(), TypeKind::Record(record) if !record.kind().is_row());
    out.write_str(if is_record { "{" } else { "[" })?;
    for child in value.place.children() {
        let part = Decoded { place: child.place, ..value };
        if part.is_truncated() {
            break;
        }
        match child.label {
            Label::Field(field) if !field.name.is_empty() => {
                write!(out, "{}: {part}, ", escape(field.name.as_bytes()))?;
            }
            _ => write!(out, "{part}, ")?,
        }
    }
    out.write_str("…")
}

/// Returns the value of a field on its row. `read` returns the known bytes of a range.
pub fn field_text(place: Place<'_>, size: u64, read: impl Fn(&Range<u64>) -> Vec<u8>) -> FieldText {
    let range = place.range();
    let length = range.end - range.start;
    let is_whole = place.ty.smallest() == place.ty.size() || place.bits.is_some();
    if range.end > size && (is_whole || range.start >= size) {
        return FieldText::PastEnd;
    }
    let range = head(&range, MAX_FIELD as u64);
    let bytes = read(&range);
    if (bytes.len() as u64) < range.end.min(size) - range.start {
        return FieldText::Unread;
    }
    // The state of a lock says more than its fields.
    if let Some(state) = LockKind::of(place.ty).and_then(|kind| kind.state(&bytes)) {
        return FieldText::Value(state.text());
    }
    let decoded = Decoded { place, window: Window { offset: range.start, bytes: &bytes } };
    let mut text = Limited(String::new());
    // An error means that the text is long enough.
    let _ = if place.ty.is_leaf() || range.end - range.start == length {
        write!(text, "{decoded}")
    } else {
        write_start(&mut text, decoded)
    };
    FieldText::Value(text.0)
}

/// Returns the bytes of a row that show its value; `None` for a row without one.
pub fn row_range(row: &Row<'_>, size: u64) -> Option<Range<u64>> {
    let is_shown = row.is_value() && row.kind != RowKind::Unfolded;
    let range = head(&row.place.range(), MAX_FIELD as u64);
    let range = range.start..range.end.min(size);
    (is_shown && !range.is_empty()).then_some(range)
}

/// Returns the first bytes of a range.
pub const fn head(range: &Range<u64>, length: u64) -> Range<u64> {
    let end = range.start.saturating_add(length);
    range.start..if end < range.end { end } else { range.end }
}

/// Joins ranges that overlap or are close to each other.
pub fn merged(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<u64>> = vec![];
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

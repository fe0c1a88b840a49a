//! A type and the bytes to read it from. Nothing is decoded before it is asked for.

use super::{Leaf, Place, Record, TypeKind};
use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use std::fmt;

/// Bytes of a segment, from an offset on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<'a> {
    pub offset: u64,
    pub bytes: &'a [u8],
}

impl<'a> Window<'a> {
    /// The bytes from an offset on. `None` before the window and past its end.
    pub(super) fn from(&self, offset: u64) -> Option<&'a [u8]> {
        self.bytes.get(usize::try_from(offset.checked_sub(self.offset)?).ok()?..)
    }

    const fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.len() as u64)
    }
}

/// A value: a place and the bytes to read it from. Its text and JSON forms end where the bytes do.
#[derive(Debug, Clone, Copy)]
pub struct Decoded<'a> {
    pub place: Place<'a>,
    pub window: Window<'a>,
}

impl<'a> Decoded<'a> {
    /// Returns true if the bytes end before the value does.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.place.range().end > self.window.end()
    }

    /// The value of a leaf. `None` if its bytes are missing, and for arrays and records.
    #[must_use]
    pub fn leaf(&self) -> Option<Leaf<'a>> {
        Leaf::read(self.place, self.window)
    }

    const fn of(&self, place: Place<'a>) -> Self {
        Self { place, window: self.window }
    }

    #[must_use]
    pub fn child(&self, index: u64) -> Option<Self> {
        self.place.child(index).map(|child| self.of(child.place))
    }

    /// The values of all leaves, in order.
    pub fn leaves(&self) -> impl Iterator<Item = (Place<'a>, Option<Leaf<'a>>)> + use<'a> {
        let window = self.window;
        super::Leaves::new(self.place).map(move |place| (place, Leaf::read(place, window)))
    }

    /// The elements of an array or row that have bytes.
    pub(super) fn elements(&self) -> impl Iterator<Item = Self> + use<'a> {
        let this = *self;
        let shown = match this.place.ty.kind() {
            TypeKind::Array(array) if array.element.leaf_count() > 0 => {
                let left = this.window.end().saturating_sub(this.place.offset);
                // Elements that share bytes have leaves of no size.
                left.div_ceil(array.stride.max(1)).min(array.count)
            }
            TypeKind::Array(_) => 0,
            _ => this.place.ty.child_count(),
        };
        (0..shown)
            .map_while(move |index| this.child(index))
            .filter(|child| !child.place.ty.is_leaf() || !child.is_past_end() && child.leaf().is_some())
    }

    fn is_past_end(&self) -> bool {
        self.place.offset >= self.window.end() && self.place.ty.size() > 0
    }

    /// The fields of a record, with those of anonymous fields and base classes in their place.
    fn for_each_field<E>(
        &self,
        record: &'a Record,
        visit: &mut impl FnMut(&'a str, Self) -> Result<(), E>,
    ) -> Result<(), E> {
        for (index, field) in (0..).zip(record.fields()) {
            let Some(child) = self.child(index) else { continue };
            match field.ty.kind() {
                TypeKind::Record(inner) if field.name.is_empty() => child.for_each_field(inner, visit)?,
                _ => visit(&field.name, child)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Decoded<'_> {
    /// Writes a single line: `{tick: 42, name: "x", m: [[1.0, 2.0], [3.0, 4.0]]}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.ty.kind() {
            TypeKind::Record(record) if !record.kind().is_row() => {
                let mut separator = "";
                f.write_str("{")?;
                self.for_each_field(record, &mut |name, value| {
                    write!(f, "{separator}{}: {value}", crate::segment::escape(name.as_bytes()))?;
                    separator = ", ";
                    Ok(())
                })?;
                f.write_str("}")
            }
            TypeKind::Array(_) | TypeKind::Record(_) => {
                f.write_str("[")?;
                for (at, element) in self.elements().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    element.fmt(f)?;
                }
                f.write_str("]")
            }
            _ => match self.leaf() {
                Some(leaf) => leaf.fmt(f),
                None => f.write_str("(past the end)"),
            },
        }
    }
}

impl Serialize for Decoded<'_> {
    /// Serializes a missing value as null. JSON has no NaN and no infinity: they are the strings
    /// `"NaN"`, `"inf"` and `"-inf"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.place.ty.kind() {
            TypeKind::Record(record) if !record.kind().is_row() => {
                let mut map = serializer.serialize_map(None)?;
                self.for_each_field(record, &mut |name, value| map.serialize_entry(name, &value))?;
                map.end()
            }
            TypeKind::Array(_) | TypeKind::Record(_) => {
                let mut sequence = serializer.serialize_seq(None)?;
                for element in self.elements() {
                    sequence.serialize_element(&element)?;
                }
                sequence.end()
            }
            _ => self.leaf().serialize(serializer),
        }
    }
}

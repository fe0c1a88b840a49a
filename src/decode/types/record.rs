//! Structs, classes, unions and rows of fields.

use super::{Type, TypeKind};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    Struct,
    Class,
    Union,
    /// Fields without names: `i32,f64`.
    Row,
    /// A row without padding: `packed:i32,f64`.
    PackedRow,
}

impl RecordKind {
    #[must_use]
    pub const fn is_row(self) -> bool {
        matches!(self, Self::Row | Self::PackedRow)
    }

    /// The keyword of C.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Union => "union",
            Self::Struct | Self::Row | Self::PackedRow => "struct",
        }
    }
}

/// A type with fields. The fields of a union overlap, and so may others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    kind: RecordKind,
    /// Empty for an anonymous one.
    name: Arc<str>,
    fields: Vec<Field>,
    /// The number of leaves before each field.
    leaves_before: Vec<u64>,
    leaves: u64,
    /// Each field ends before the next one starts.
    is_sorted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Empty for an anonymous struct or union, and for a base class: their fields appear as fields of
    /// the record itself.
    pub name: Arc<str>,
    pub ty: Type,
    pub offset: u64,
    /// Set for a bit-field.
    pub bits: Option<Bits>,
    /// A base class.
    pub is_base: bool,
}

/// The bits of a bit-field. Bit 0 is the lowest one of the byte at the field's offset, as in
/// little-endian memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bits {
    /// 0 to 7.
    pub start: u8,
    /// 1 to 128.
    pub width: u8,
}

impl Bits {
    /// The number of bytes that contain the bits.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        (self.start as u64 + self.width as u64).div_ceil(8)
    }
}

impl Field {
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, ty: Type, offset: u64) -> Self {
        Self { name: name.into(), ty, offset, bits: None, is_base: false }
    }

    /// The number of bytes that it takes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        match self.bits {
            Some(bits) => bits.bytes(),
            None => self.ty.size(),
        }
    }

    /// The offset of its end; `None` if that overflows.
    pub(super) const fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.length())
    }

    /// Its bits in the record, as far as they fit into 64 bits.
    const fn bit_range(&self) -> Range<u64> {
        let first = self.offset.saturating_mul(8);
        match self.bits {
            Some(bits) => {
                let start = first.saturating_add(bits.start as u64);
                start..start.saturating_add(bits.width as u64)
            }
            None => first..first.saturating_add(self.ty.size().saturating_mul(8)),
        }
    }
}

impl Record {
    /// Base classes have names; they lose them unless two visible fields would then have the same
    /// name.
    #[must_use]
    pub fn new(kind: RecordKind, name: impl Into<Arc<str>>, mut fields: Vec<Field>) -> Self {
        if fields.iter().any(|field| field.is_base) && !bases_hide_names(&fields) {
            for field in fields.iter_mut().filter(|field| field.is_base) {
                field.name = "".into();
            }
        }
        let mut leaves = 0_u64;
        let mut leaves_before = Vec::with_capacity(fields.len());
        for field in &fields {
            leaves_before.push(leaves);
            leaves = leaves.saturating_add(field.ty.leaf_count());
        }
        let is_sorted = fields.windows(2).all(|pair| pair[0].bit_range().end <= pair[1].bit_range().start);
        Self { kind, name: name.into(), fields, leaves_before, leaves, is_sorted }
    }

    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        self.kind
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) const fn leaves(&self) -> u64 {
        self.leaves
    }

    pub(super) fn leaves_before(&self, field: usize) -> u64 {
        self.leaves_before.get(field).copied().unwrap_or(self.leaves)
    }

    /// The field that contains a leaf.
    pub(super) fn field_of_leaf(&self, leaf: u64) -> Option<usize> {
        // Fields without leaves have as many before them as the next field.
        self.leaves_before.partition_point(|&before| before <= leaf).checked_sub(1)
    }

    /// The fields that contain a byte, in order.
    pub(super) fn fields_at(&self, offset: u64) -> impl Iterator<Item = usize> {
        let contains =
            move |field: &Field| field.offset <= offset && field.end().is_some_and(|end| offset < end);
        let from = if self.is_sorted {
            let after = self.fields.partition_point(|field| field.offset <= offset);
            // Bit-fields share bytes: start at the first one.
            let before = self.fields[..after].iter().rev().take_while(move |field| contains(field)).count();
            after - before
        } else {
            0
        };
        let near = self.fields.iter().enumerate().skip(from);
        let is_sorted = self.is_sorted;
        near.take_while(move |(_, field)| !is_sorted || field.offset <= offset)
            .filter(move |(_, field)| contains(field))
            .map(|(index, _)| index)
    }
}

fn bases_hide_names(fields: &[Field]) -> bool {
    let mut seen = HashSet::new();
    !fields.iter().all(|field| is_new(&mut seen, field, field.is_base))
}

/// Returns false if a field that appears in the record has a name that another one has.
fn is_new<'a>(seen: &mut HashSet<&'a str>, field: &'a Field, is_transparent: bool) -> bool {
    if !is_transparent && !field.name.is_empty() {
        return seen.insert(&field.name);
    }
    match field.ty.kind() {
        TypeKind::Record(record) => {
            record.fields().iter().all(|field| is_new(seen, field, field.name.is_empty()))
        }
        _ => true,
    }
}

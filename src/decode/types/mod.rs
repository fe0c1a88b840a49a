//! The type of a value in memory. Every source of types (names, C and C++ declarations, and others)
//! makes a [`Type`], and everything that shows values takes one.
//!
//! Nested types are shared, so that cloning a type and an array of any length cost nothing. The
//! constructors bound size, depth and the number of leaves: a `Type` that exists can be walked.

mod csv;
mod decoded;
mod enumeration;
mod leaf;
mod lines;
mod name;
mod place;
mod record;
#[cfg(test)]
mod tests;
mod walk;

pub use decoded::{Decoded, Window};
pub use enumeration::{Enum, Enumerator};
pub use leaf::Leaf;
pub use name::ParseNameError;
pub(super) use name::{parse_scalar, scalar_names};
pub use place::{Child, Label, Path, Place};
pub use record::{Bits, Field, Record, RecordKind};
pub use walk::Leaves;

use super::{ByteOrder, Scalar};
use std::sync::Arc;

/// Levels of nesting. Bounds every recursion over a type.
pub const MAX_DEPTH: u16 = 64;
/// The largest offset of a segment.
pub const MAX_SIZE: u64 = i64::MAX as u64;
/// Leaves of a type per byte. Only unions of unions exceed it: their leaves double at each level.
const MAX_LEAVES_PER_BYTE: u64 = 64;
/// Leaves that a type may have whatever its size.
const MAX_LEAVES: u64 = 1 << 16;

/// The type of a value: a scalar, or a composition of other types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    kind: TypeKind,
    size: u64,
    align: u64,
    leaves: u64,
    depth: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    Scalar(Scalar, ByteOrder),
    Enum(Arc<Enum>),
    /// An address in the holder's memory.
    Pointer(Arc<Pointer>),
    /// Text of a fixed size that ends at its first NUL, in units of a character type.
    Text(Scalar, ByteOrder),
    /// Text of a fixed size that does not end at its first NUL.
    String(StringForm),
    /// Python's None, whatever its bytes are.
    Null,
    /// Bytes of unknown meaning.
    Bytes,
    Array(Arc<Array>),
    Record(Arc<Record>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// The name of the type that it points to.
    pub target: Arc<str>,
    pub order: ByteOrder,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    pub element: Type,
    pub count: u64,
    /// The distance between elements.
    pub stride: u64,
}

/// The strings of Python. Their size includes the padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StringForm {
    /// Bytes or UTF-8 without the NULs at the end: `S8` of numpy.
    Stripped,
    /// Python's bytes without the NULs at the end, shown as such.
    Bytes,
    /// All bytes: `8s` of struct.
    Whole,
    /// The number of bytes, then the bytes: `8p` of struct.
    Pascal,
    /// UTF-32 without the NULs at the end: `U8` of numpy.
    Utf32(ByteOrder),
}

/// The reason that a type cannot exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    #[error("too large for any segment")]
    TooLarge,
    #[error("nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    #[error("too many fields")]
    TooManyFields,
    #[error("a field ends after its struct")]
    Outside,
}

impl Type {
    fn leaf(kind: TypeKind, size: u64, align: u64) -> Self {
        Self { kind, size, align, leaves: 1, depth: 0 }
    }

    #[must_use]
    pub fn scalar(scalar: Scalar, order: ByteOrder) -> Self {
        Self::leaf(TypeKind::Scalar(scalar, order), scalar.size() as u64, scalar.align() as u64)
    }

    /// An address of `size` bytes: 8, or 4 in a 32-bit holder.
    #[must_use]
    pub fn pointer(target: impl Into<Arc<str>>, size: u64, order: ByteOrder) -> Self {
        Self::leaf(TypeKind::Pointer(Arc::new(Pointer { target: target.into(), order })), size, size)
    }

    /// # Errors
    /// Fails if it is larger than any segment.
    pub fn bytes(size: u64) -> Result<Self, TypeError> {
        Self::leaf(TypeKind::Bytes, size, 1).checked()
    }

    /// A string of `size` bytes.
    ///
    /// # Errors
    /// Fails if it is larger than any segment.
    pub fn string(form: StringForm, size: u64) -> Result<Self, TypeError> {
        let align = if matches!(form, StringForm::Utf32(_)) { 4 } else { 1 };
        Self::leaf(TypeKind::String(form), size, align).checked()
    }

    /// None, in a slot of `size` bytes.
    #[must_use]
    pub fn null(size: u64) -> Self {
        Self::leaf(TypeKind::Null, size, 1)
    }

    #[must_use]
    pub fn enumeration(enumeration: Enum) -> Self {
        let scalar = enumeration.underlying();
        let kind = TypeKind::Enum(Arc::new(enumeration));
        Self::leaf(kind, scalar.size() as u64, scalar.align() as u64)
    }

    /// An array without gaps. An array of characters is a text.
    ///
    /// # Errors
    /// Fails if it is larger than any segment or nested too deeply.
    pub fn array(element: Self, count: u64) -> Result<Self, TypeError> {
        if let TypeKind::Scalar(scalar, order) = element.kind
            && scalar.is_character()
            && element.size == scalar.size() as u64
        {
            let size = element.size.checked_mul(count).ok_or(TypeError::TooLarge)?;
            return Self::leaf(TypeKind::Text(scalar, order), size, element.align).checked();
        }
        let stride = element.size;
        Self::array_with_stride(element, count, stride)
    }

    /// # Errors
    /// Fails if it is larger than any segment or nested too deeply.
    pub fn array_with_stride(element: Self, count: u64, stride: u64) -> Result<Self, TypeError> {
        let size = stride.checked_mul(count).ok_or(TypeError::TooLarge)?;
        let (align, depth) = (element.align, element.depth + 1);
        let leaves = element.leaves.saturating_mul(count);
        let kind = TypeKind::Array(Arc::new(Array { element, count, stride }));
        Self { kind, size, align, leaves, depth }.checked()
    }

    /// # Errors
    /// Fails if a field ends after `size`, or if the record is too large, too deep, or has too many
    /// fields.
    pub fn record(record: Record, size: u64, align: u64) -> Result<Self, TypeError> {
        if record.fields().iter().any(|field| field.end().is_none_or(|end| end > size)) {
            return Err(TypeError::Outside);
        }
        let depth = record.fields().iter().map(|field| field.ty.depth + 1).max().unwrap_or(0);
        let leaves = record.leaves();
        Self { kind: TypeKind::Record(Arc::new(record)), size, align, leaves, depth }.checked()
    }

    fn checked(self) -> Result<Self, TypeError> {
        if self.size > MAX_SIZE {
            return Err(TypeError::TooLarge);
        }
        if self.depth > MAX_DEPTH {
            return Err(TypeError::TooDeep);
        }
        let most = self.size.saturating_mul(MAX_LEAVES_PER_BYTE).saturating_add(MAX_LEAVES);
        if self.leaves > most {
            return Err(TypeError::TooManyFields);
        }
        Ok(self)
    }

    /// The same type with another alignment, for `alignas`, `packed` and atomics.
    #[must_use]
    pub const fn with_align(mut self, align: u64) -> Self {
        self.align = align;
        self
    }

    #[must_use]
    pub const fn kind(&self) -> &TypeKind {
        &self.kind
    }

    /// In bytes: at most 2^63-1. An empty struct of C and an array without elements have none.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// In bytes: a power of two.
    #[must_use]
    pub const fn align(&self) -> u64 {
        self.align
    }

    /// The number of scalars, enumerations, pointers, texts and blobs in it.
    #[must_use]
    pub const fn leaf_count(&self) -> u64 {
        self.leaves
    }

    #[must_use]
    pub const fn is_leaf(&self) -> bool {
        !matches!(self.kind, TypeKind::Array(_) | TypeKind::Record(_))
    }

    /// The smallest number of bytes that show anything: the size of a leaf, or of the first leaf of
    /// an array or record.
    #[must_use]
    pub fn smallest(&self) -> u64 {
        match &self.kind {
            TypeKind::Array(array) => array.element.smallest(),
            TypeKind::Record(_)
            | TypeKind::Text(..)
            | TypeKind::String(_)
            | TypeKind::Bytes
            | TypeKind::Null => self.size.min(1),
            _ => self.size,
        }
    }

    /// The elements or fields of it.
    #[must_use]
    pub fn child_count(&self) -> u64 {
        match &self.kind {
            TypeKind::Array(array) => array.count,
            TypeKind::Record(record) => record.fields().len() as u64,
            _ => 0,
        }
    }

    /// The place of the whole value, at an offset.
    #[must_use]
    pub const fn at(&self, offset: u64) -> Place<'_> {
        Place { ty: self, offset, bits: None }
    }

    /// The value at the start of `bytes`.
    #[must_use]
    pub const fn decode<'a>(&'a self, bytes: &'a [u8]) -> Decoded<'a> {
        Decoded { place: self.at(0), window: Window { offset: 0, bytes } }
    }

    /// The value at an offset of a segment, of which only a window was read.
    #[must_use]
    pub const fn decode_at<'a>(&'a self, offset: u64, window: Window<'a>) -> Decoded<'a> {
        Decoded { place: self.at(offset), window }
    }

    /// All leaves in order.
    #[must_use]
    pub fn leaves(&self) -> Leaves<'_> {
        Leaves::new(self.at(0))
    }
}

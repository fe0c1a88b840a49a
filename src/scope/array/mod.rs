//! Arrays of numbers in segments, which are read as a whole: waveforms, matrices, a field of each record of
//! a ring.

mod contents;
mod decode;

pub use contents::{ArrayContents, ArrayStatistics};

use super::number::NumberKind;
use crate::decode::{Bits, Place, Type, TypeKind};
use crate::segment::Segment;
use std::fmt::Write as _;
use std::ops::Range;

/// The part of an array that is read, in bytes.
pub const MAX_ARRAY_BYTES: u64 = 8 << 20;
/// The elements that are read: as many `double`s as are in that part.
pub const MAX_ELEMENTS: u64 = MAX_ARRAY_BYTES / 8;

/// An array with a name, which is unique among channels and waveforms.
#[derive(Debug, Clone)]
pub struct Waveform {
    pub name: String,
    pub array: SampledArray,
}

/// An array of numbers in a segment.
#[derive(Debug, Clone)]
pub struct SampledArray {
    /// The segment as it was found. When it is removed, its name or key finds the next one.
    pub segment: Box<Segment>,
    pub elements: Elements,
}

/// The numbers of an array. They are counted row after row if it has several dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elements {
    /// The offset of the first one.
    pub offset: u64,
    /// A type that has a [`NumberKind`].
    pub ty: Type,
    /// Set for bit-fields.
    pub bits: Option<Bits>,
    /// The length of each dimension, of which there is at least one.
    pub shape: Vec<u64>,
    /// The distance between elements.
    pub stride: u64,
    /// The index of the first one, if that is a part of a larger array.
    pub first: u64,
}

/// The reason that a value is no array of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNumbers {
    /// It has no elements, or is no array.
    NoArray,
    /// Its elements have parts, or are not numbers.
    OtherElements,
    /// The rows are not adjacent.
    Apart,
}

impl Elements {
    /// The numbers of an array of any number of dimensions.
    ///
    /// # Errors
    /// Fails for anything else.
    pub fn of(place: Place<'_>) -> Result<Self, NotNumbers> {
        let TypeKind::Array(outer) = place.ty.kind() else { return Err(NotNumbers::NoArray) };
        let (mut shape, mut array) = (vec![outer.count], outer);
        while let TypeKind::Array(inner) = array.element.kind() {
            if array.stride != inner.stride.saturating_mul(inner.count) {
                return Err(NotNumbers::Apart);
            }
            shape.push(inner.count);
            array = inner;
        }
        let ty = array.element.clone();
        if NumberKind::of(ty.at(0)).is_none() {
            return Err(NotNumbers::OtherElements);
        }
        if shape.contains(&0) {
            return Err(NotNumbers::NoArray);
        }
        Ok(Self { offset: place.offset, ty, bits: None, shape, stride: array.stride, first: 0 })
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.shape.iter().fold(1, |count, &length| count.saturating_mul(length))
    }

    /// The number of elements that are read.
    #[must_use]
    pub fn read_count(&self) -> u64 {
        let fitting = MAX_ARRAY_BYTES.saturating_sub(self.length()) / self.stride.max(1) + 1;
        self.count().min(MAX_ELEMENTS).min(fitting)
    }

    /// The bytes of the elements that are read.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let last = self.stride.saturating_mul(self.read_count().saturating_sub(1));
        self.offset..self.offset.saturating_add(last).saturating_add(self.length())
    }

    /// The end of the last element.
    #[must_use]
    pub fn end(&self) -> u64 {
        let last = self.stride.saturating_mul(self.count().saturating_sub(1));
        self.offset.saturating_add(last).saturating_add(self.length())
    }

    /// The bytes of an element.
    fn length(&self) -> u64 {
        self.bits.map_or(self.ty.size(), Bits::bytes)
    }

    /// The type of the array: `f64[512]`, `f32[3][4]`.
    #[must_use]
    pub fn type_text(&self) -> String {
        let mut text = self.ty.to_string();
        for length in &self.shape {
            let _ = write!(text, "[{length}]");
        }
        text
    }

    /// The index of an element, counted from 0: `7`, or `1][3` of two dimensions.
    #[must_use]
    pub fn index_text(&self, element: u64) -> String {
        if self.shape.len() == 1 {
            return (self.first + element).to_string();
        }
        let mut rest = element;
        let mut indices: Vec<String> = vec![];
        for &length in self.shape.iter().rev() {
            indices.push(format!("[{}]", rest % length.max(1)));
            rest /= length.max(1);
        }
        indices.reverse();
        indices.concat()
    }

    /// The kind of its numbers.
    #[must_use]
    pub fn kind(&self) -> NumberKind {
        NumberKind::of(self.ty.at(0)).unwrap_or(NumberKind::Unsigned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::parse_type;

    fn elements(ty: &str) -> Result<Elements, NotNumbers> {
        let ty = parse_type(ty, &|_| Err(String::new())).unwrap().ty;
        Elements::of(ty.at(16))
    }

    #[test]
    fn arrays_of_numbers_are_flattened() {
        let matrix = elements("f64[3][4]").unwrap();
        assert_eq!((matrix.type_text().as_str(), matrix.count(), matrix.range()), ("f64[3][4]", 12, 16..112));
        assert_eq!((matrix.index_text(7).as_str(), matrix.index_text(0).as_str()), ("[1][3]", "[0][0]"));
        let wide = elements("u16be[5]").unwrap();
        assert_eq!((wide.stride, wide.count(), wide.index_text(4).as_str()), (2, 5, "4"));
        let none = Type::array(Type::from_name("f64").unwrap(), 0).unwrap();
        assert_eq!(Elements::of(none.at(0)), Err(NotNumbers::NoArray));
        for (ty, error) in [
            ("f64", NotNumbers::NoArray),
            ("char[16]", NotNumbers::NoArray),
            ("u128[4]", NotNumbers::OtherElements),
            ("struct { struct { int a, b; } v[4]; }", NotNumbers::NoArray),
        ] {
            assert_eq!(elements(ty), Err(error), "{ty}");
        }
    }

    #[test]
    fn large_arrays_are_cut() {
        let large = elements("f64[100000000]").unwrap();
        assert_eq!((large.read_count(), large.range()), (MAX_ELEMENTS, 16..16 + MAX_ARRAY_BYTES));
        assert_eq!(large.end(), 16 + 800_000_000);
        let bytes = elements("u8[100000000]").unwrap();
        assert_eq!(bytes.range(), 16..16 + MAX_ELEMENTS);
        // Elements that are far apart: as many as end in the part.
        let apart = Elements { stride: 3 << 20, ..elements("u8[100]").unwrap() };
        assert_eq!((apart.read_count(), apart.range().end), (3, 16 + (6 << 20) + 1));
        let one = Elements { stride: 1 << 40, ..elements("u8[100]").unwrap() };
        assert_eq!(one.read_count(), 1);
    }
}

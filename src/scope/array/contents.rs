//! The contents of an array at one time.

use super::Elements;
use crate::decode::{Decoded, Leaf, Place, Scalar, TypeKind, Window};
use crate::scope::Number;

/// The contents of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayContents {
    bytes: Vec<u8>,
    /// The elements, for drawing. Those that are not finite, and those past the end of the segment, are NaN.
    values: Vec<f64>,
    pub statistics: ArrayStatistics,
}

/// Statistics of the elements at one time. Those that are not finite are only counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ArrayStatistics {
    pub range: Option<[f64; 2]>,
    pub average: Option<f64>,
    pub deviation: Option<f64>,
    pub not_finite: usize,
    /// The elements past the end of the segment.
    pub missing: usize,
}

impl ArrayContents {
    /// Decodes the bytes of [`Elements::range`], of which there are fewer at the end of the segment.
    #[must_use]
    pub fn new(elements: &Elements, bytes: Vec<u8>) -> Self {
        let count = usize::try_from(elements.read_count()).unwrap_or(0);
        let element = |index| read(elements, &bytes, index);
        let mut statistics = ArrayStatistics::default();
        let values = (0..count).map(|index| {
            let value = element(index).map(Number::as_f64);
            statistics.missing += usize::from(value.is_none());
            statistics.not_finite += usize::from(value.is_some_and(|value| !value.is_finite()));
            value.filter(|value| value.is_finite()).unwrap_or(f64::NAN)
        });
        let values: Vec<f64> = values.collect();
        statistics.summarize(&values);
        Self { bytes, values, statistics }
    }

    /// The elements that are read; NaN for a gap.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An element. `None` past the end of the segment.
    #[must_use]
    pub fn number(&self, elements: &Elements, index: usize) -> Option<Number> {
        read(elements, &self.bytes, index)
    }
}

impl ArrayStatistics {
    /// Computes the deviation as the distance from the average, which loses no digits.
    fn summarize(&mut self, values: &[f64]) {
        let finite = || values.iter().copied().filter(|value| !value.is_nan());
        let count = finite().count();
        let Some((min, max)) = finite().reduce(f64::min).zip(finite().reduce(f64::max)) else { return };
        #[expect(clippy::cast_precision_loss, reason = "at most a million")]
        let count = count as f64;
        // Of values near the largest double, the sum would overflow.
        let average = finite().map(|value| value / count).sum::<f64>();
        let squares = finite().map(|value| (value - average).powi(2) / count).sum::<f64>();
        self.range = Some([min, max]);
        self.average = Some(average);
        self.deviation = Some(squares.sqrt()).filter(|deviation| deviation.is_finite());
    }
}

fn read(elements: &Elements, bytes: &[u8], index: usize) -> Option<Number> {
    let at = usize::try_from(elements.stride).ok()?.checked_mul(index)?;
    let bytes = bytes.get(at..)?;
    if elements.bits.is_some() {
        return read_bits(elements, bytes);
    }
    let (scalar, order) = match elements.ty.kind() {
        TypeKind::Scalar(scalar, order) => (*scalar, *order),
        TypeKind::Enum(found) => (found.underlying(), found.order()),
        TypeKind::Pointer(pointer) if elements.ty.size() == 4 => (Scalar::U32, pointer.order),
        TypeKind::Pointer(pointer) => (Scalar::U64, pointer.order),
        _ => return None,
    };
    Number::of(scalar.read(bytes, order)?)
}

/// Reads a bit-field. Those of enumerations have no numbers but names, so that they are read as integers.
fn read_bits(elements: &Elements, bytes: &[u8]) -> Option<Number> {
    let ty = match elements.ty.kind() {
        TypeKind::Enum(found) => &crate::decode::Type::scalar(found.underlying(), found.order()),
        _ => &elements.ty,
    };
    let place = Place { ty, offset: 0, bits: elements.bits };
    match (Decoded { place, window: Window { offset: 0, bytes } }).leaf()? {
        Leaf::Value(value) => Number::of(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{ByteOrder, Type};
    use proptest::prelude::*;

    fn elements(ty: Type, stride: u64, count: u64) -> Elements {
        Elements { offset: 8, ty, bits: None, shape: vec![count], stride, first: 0 }
    }

    fn doubles(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn gaps_are_counted_and_left_out() {
        let array = elements(Type::scalar(Scalar::F64, ByteOrder::Little), 8, 6);
        let bytes = doubles(&[1.0, f64::NAN, 3.0, f64::INFINITY]);
        // The last element that is there is not whole.
        let contents = ArrayContents::new(&array, [bytes, vec![0; 5]].concat());
        let ArrayStatistics { range, average, deviation, not_finite, missing } = contents.statistics;
        assert_eq!((range, average, deviation), (Some([1.0, 3.0]), Some(2.0), Some(1.0)));
        assert_eq!((not_finite, missing), (2, 2));
        let is_gap: Vec<bool> = contents.values().iter().map(|value| value.is_nan()).collect();
        assert_eq!(is_gap, [false, true, false, true, true, true]);
        assert_eq!(contents.number(&array, 2), Some(Number::Float(3.0)));
        assert_eq!(contents.number(&array, 4), None);
        assert_eq!(ArrayContents::new(&array, vec![]).statistics.range, None);
        let huge = ArrayContents::new(&array, doubles(&[f64::MAX; 6])).statistics;
        assert_eq!((huge.average, huge.deviation), (Some(f64::MAX), Some(0.0)));
    }

    #[test]
    fn integers_keep_all_digits() {
        let array = elements(Type::scalar(Scalar::U64, ByteOrder::Big), 8, 1);
        let contents = ArrayContents::new(&array, u64::MAX.to_be_bytes().to_vec());
        assert_eq!(contents.number(&array, 0), Some(Number::Unsigned(u64::MAX)));
    }

    #[test]
    fn bit_fields_of_records_are_elements() {
        let ty = Type::scalar(Scalar::U32, ByteOrder::Little);
        let bits = Some(crate::decode::Bits { start: 2, width: 3 });
        let array = Elements { bits, ..elements(ty, 2, 3) };
        let contents = ArrayContents::new(&array, vec![0b111_0111, 9, 0b000_0100, 9, 0b1_1100]);
        assert_eq!(contents.values(), [5.0, 1.0, 7.0]);
    }

    proptest! {
        #[test]
        fn elements_are_what_the_decoder_reads(bytes in proptest::collection::vec(any::<u8>(), 0..64), stride in 1_u64..12) {
            for scalar in Scalar::BASIC {
                let ty = Type::scalar(scalar, ByteOrder::Big);
                let array = elements(ty.clone(), stride, 5);
                let contents = ArrayContents::new(&array, bytes.clone());
                for index in 0..5 {
                    let place = ty.at(8 + stride * index);
                    let leaf = Decoded { place, window: Window { offset: 8, bytes: &bytes } }.leaf();
                    let expected = match leaf {
                        Some(Leaf::Value(value)) => Number::of(value),
                        _ => None,
                    };
                    let found = contents.number(&array, usize::try_from(index).unwrap());
                    prop_assert_eq!(found.map(Number::bits), expected.map(Number::bits));
                }
            }
        }
    }
}

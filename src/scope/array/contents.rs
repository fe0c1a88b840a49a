//! The contents of an array at one time.

use super::Elements;
use super::decode::{decode, read};
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
        let mut values = decode(elements, &bytes, count);
        let missing = count.saturating_sub(values.len());
        let mut not_finite = 0;
        for value in values.iter_mut().filter(|value| !value.is_finite()) {
            not_finite += 1;
            *value = f64::NAN;
        }
        values.resize(count, f64::NAN);
        let found = count - missing - not_finite;
        let statistics = ArrayStatistics { not_finite, missing, ..ArrayStatistics::of(&values, found) };
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
    /// The statistics of `count` values, and of gaps. The deviation is computed as the distance from the
    /// average, which loses no digits.
    fn of(values: &[f64], count: usize) -> Self {
        if count == 0 {
            return Self::default();
        }
        let [mut min, mut max] = [f64::INFINITY, f64::NEG_INFINITY];
        for &value in values {
            // No comparison with NaN is true.
            min = if value < min { value } else { min };
            max = if value > max { value } else { max };
        }
        #[expect(clippy::cast_precision_loss, reason = "at most a million")]
        let share = 1.0 / count as f64;
        // Of values near the largest double, the sum would overflow.
        let average = sum(values, |value| value * share).clamp(min, max);
        let squares = sum(values, |value| (value - average) * (value - average) * share);
        let deviation = Some(squares.sqrt()).filter(|deviation| deviation.is_finite());
        Self { range: Some([min, max]), average: Some(average), deviation, ..Self::default() }
    }
}

/// Adds up what a function returns for the values. Several sums at once do not wait for each other.
fn sum(values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let add = |sum: &mut f64, value: f64| *sum += if value.is_nan() { 0.0 } else { of(value) };
    let (chunks, rest) = values.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            add(sum, value);
        }
    }
    for &value in rest {
        add(&mut sums[0], value);
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{ByteOrder, Decoded, Leaf, Scalar, Type, Window};
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
                    let drawn = contents.values()[usize::try_from(index).unwrap()];
                    let finite = expected.map(Number::as_f64).filter(|value| value.is_finite());
                    prop_assert_eq!(Some(drawn).filter(|value| !value.is_nan()), finite);
                }
            }
        }
    }
}

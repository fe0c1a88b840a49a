//! Finds numbered records: an array of structs whose counters have successive numbers.
//!
//! In a ring each record is written once per lap, and its number grows by the number of records. A
//! fast ring completes many laps between two samples, so nothing appears to advance through it.

use std::ops::Range;

/// The smallest number of successive records.
const RECORDS: usize = 4;
const LARGEST: usize = 4096;

/// Returns the range of the records if the number at `offset`, which grows by at least `step`,
/// belongs to a record in a ring.
pub fn records(bytes: &[u8], offset: usize, step: u64) -> Option<Range<usize>> {
    if step < RECORDS as u64 {
        return None;
    }
    let number = |at: usize| {
        bytes.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes))
    };
    (8..=LARGEST).step_by(4).find_map(|stride| {
        let follows = |a: usize, b: usize, distance: u32| {
            number(a).zip(number(b)).is_some_and(|(a, b)| b.wrapping_sub(a) == distance)
        };
        // Most strides are rejected here.
        let distance =
            [offset.checked_sub(stride).map(|before| (before, offset)), Some((offset, offset + stride))]
                .into_iter()
                .flatten()
                .filter_map(|(a, b)| Some(number(b)?.wrapping_sub(number(a)?)))
                .find(|&distance| distance != 0 && u64::from(distance) * (RECORDS as u64 - 1) <= step)?;
        let before = (1..).take_while(|&k| {
            k * stride <= offset && follows(offset - k * stride, offset - (k - 1) * stride, distance)
        });
        let after = (1..).take_while(|&k| follows(offset + (k - 1) * stride, offset + k * stride, distance));
        let (before, after) = (before.count(), after.count());
        if before + after + 1 < RECORDS {
            return None;
        }
        // The records after the front are from the previous lap.
        let laps = u64::from(distance) * 2 + step;
        let near = |at: usize| {
            number(at).zip(number(offset)).is_some_and(|(a, b)| a != 0 && u64::from(a.abs_diff(b)) <= laps)
        };
        let first = (0..=offset / stride).take_while(|k| near(offset - k * stride)).last()?;
        let last = (0..bytes.len() / stride).take_while(|k| near(offset + k * stride)).last()?;
        // The number may be anywhere in its record.
        let start = offset - first * stride;
        Some(start..offset + last * stride + stride)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        for number in numbers {
            bytes.extend(number.to_le_bytes());
            bytes.extend([7; 28]);
        }
        bytes
    }

    #[test]
    fn numbered_records_are_a_ring() {
        let bytes = ring((0..16).map(|slot| if slot < 5 { 1600 + slot } else { 1584 + slot }));
        for slot in [0, 3, 4, 5, 9, 15] {
            assert_eq!(records(&bytes, 64 + slot * 32, 16), Some(64..64 + 16 * 32), "{slot}");
        }
    }

    #[test]
    fn independent_counters_are_not_records() {
        assert_eq!(records(&ring([812, 17, 90_443, 5, 33, 9].into_iter()), 64, 100), None);
        // Each counter counts every event.
        assert_eq!(records(&ring(100..116), 64, 1), None);
    }
}

//! Floats with round values, like prices in quarters and integers stored as doubles. Their low
//! bytes are always zero, so the upper ones alone look like a narrower float, or like integers.

#![expect(clippy::cast_precision_loss, reason = "lengths are estimates")]

use super::float::is_usual;
use super::line::{LINE, Line};
use std::ops::Range;

/// The length in bits of a number that is not round.
const LONG: f64 = 40.0;
/// Bits by which a float must be shorter than an integer with the same bytes.
const MARGIN: f64 = 2.0;
/// The largest distance of a plausible exponent of a double from 0.
const FAR: i32 = 40;
/// The largest range of exponents of doubles that are not round.
const OCTAVES: i32 = 8;
/// Trailing zeros of the upper half from which it is the half of a double, rather than a float.
const ZEROS: u32 = 8;

/// Returns the aligned places of a line at which floats with round values change.
pub fn round_floats(line: &Line) -> Vec<Range<usize>> {
    let mut found = vec![];
    for start in (0..LINE).step_by(8) {
        if is_candidate(line, start, 8) && is_double(line, start) {
            found.push(start..start + 8);
            continue;
        }
        let halves = [start, start + 4].into_iter();
        let floats = halves.filter(|&half| is_candidate(line, half, 4) && is_float(line, half));
        found.extend(floats.map(|half| half..half + 4));
    }
    found
}

/// Returns true if only the upper half changes, and not only the top byte, and the lower half is
/// zero.
pub fn is_candidate(line: &Line, start: usize, width: usize) -> bool {
    let middle = start + width / 2;
    let is_zero = |byte| !line.is_active(byte) && line.rows().back().is_some_and(|row| row.bytes[byte] == 0);
    (middle..start + width - 1).any(|byte| line.is_active(byte)) && (start..middle).all(is_zero)
}

/// Returns the values of four bytes that are not zero.
fn words(line: &Line, start: usize) -> Vec<u32> {
    let bytes = line.rows().iter().map(|row| &row.bytes[start..start + 4]);
    let words = bytes.map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    words.filter(|word| word & 0x7fff_ffff != 0).collect()
}

/// Returns true if the upper halves of eight bytes belong to doubles.
fn is_double(line: &Line, start: usize) -> bool {
    let words = words(line, start + 4);
    let exponent = |word: &u32| (word >> 20 & 0x7ff).cast_signed() - 1023;
    let sane = words.iter().filter(|word| exponent(word).abs() <= FAR).count();
    if words.is_empty() || sane * 10 < words.len() * 9 {
        return false;
    }
    let double = mean(&words, |word| digits(f64::from_bits(u64::from(word) << 32)));
    let float =
        mean(&words, |word| if is_usual(word.into()) { digits(f32::from_bits(word).into()) } else { LONG });
    let narrow = words.iter().all(|word| word.trailing_zeros() >= 16);
    let integer = mean(&words, |word| bits(f64::from(if narrow { word >> 16 } else { word })));
    let zeros = words.iter().map(|word| word.trailing_zeros()).min().unwrap_or_default();
    let exponents = || words.iter().map(exponent);
    let octaves = exponents().max().unwrap_or_default() - exponents().min().unwrap_or_default();
    let is_round = double + MARGIN < integer;
    let is_fraction = !narrow && zeros >= ZEROS && octaves <= OCTAVES;
    double <= float && (is_round || is_fraction)
}

/// Returns true if the upper halves of four bytes belong to floats.
fn is_float(line: &Line, start: usize) -> bool {
    let words = words(line, start);
    let usual = words.iter().filter(|&&word| is_usual(word.into())).count();
    let float = || mean(&words, |word| digits(f32::from_bits(word).into()));
    let integer = || mean(&words, |word| bits(f64::from(word >> 16)));
    !words.is_empty() && usual * 10 >= words.len() * 9 && float() + MARGIN < integer()
}

fn mean(words: &[u32], length: impl Fn(u32) -> f64) -> f64 {
    words.iter().map(|&word| length(word)).sum::<f64>() / words.len() as f64
}

fn bits(number: f64) -> f64 {
    (1.0 + number.abs()).log2()
}

/// Returns the bits of a number without its decimal point.
fn digits(number: f64) -> f64 {
    let scaled = (0..7).map(|power| number * 10_f64.powi(power));
    scaled.map(|number| if number.fract() == 0.0 { bits(number) } else { LONG }).fold(LONG, f64::min)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Memory, Random, run};
    use super::super::{Detector, Moment};
    use std::time::Duration;

    /// Runs a program at several rates, and asserts the types of the values after each second.
    #[track_caller]
    fn assert_types(expected: &[&str], write: impl Fn(u64, &mut Random, &mut Memory)) {
        for per_second in [2.0, 20.0, 1000.0] {
            for seconds in [4, 5, 8, 30] {
                let mut random = Random(11);
                let values = run(per_second, seconds, |tick, _, memory| write(tick, &mut random, memory));
                let types: Vec<String> = values
                    .iter()
                    .map(|value| format!("{} {}", value.offset - 4096, value.type_text()))
                    .collect();
                assert_eq!(types, expected, "at {per_second}/s after {seconds} s");
            }
        }
    }

    #[test]
    fn doubles_with_round_values_are_not_split() {
        assert_types(&["0 f64", "8 f64", "16 f64", "24 f64"], |tick, random, memory| {
            let tick = f64::from(u32::try_from(tick).unwrap());
            memory.put(0, tick.to_le_bytes());
            memory.put(8, (100.25 + f64::from(random.byte() % 16) / 4.0).to_le_bytes());
            memory.put(16, f64::from(1 + random.byte() % 4).to_le_bytes());
            memory.put(24, (f64::from(random.byte()) * 50.0 - 3000.0).to_le_bytes());
        });
    }

    #[test]
    fn floats_with_round_values_are_not_split() {
        assert_types(&["0 f32", "4 f32", "12 f32"], |tick, random, memory| {
            memory.put(0, (20.5 + f32::from(random.byte() % 8) / 2.0).to_le_bytes());
            memory.put(4, f32::from(u8::try_from(tick % 100).unwrap()).to_le_bytes());
            memory.put(12, f32::from(random.byte() % 100).to_le_bytes());
        });
    }

    #[test]
    fn integer_above_a_zero_stays_an_integer() {
        assert_types(&["4 u32/u64", "20 u32/u64"], |tick, random, memory| {
            memory.put(4, u32::try_from(tick).unwrap().to_le_bytes());
            memory.put(
                20,
                (1_800_000_000 + u32::try_from(tick).unwrap() * 7 + u32::from(random.byte() % 7))
                    .to_le_bytes(),
            );
        });
    }

    #[test]
    fn float_above_a_zero_stays_a_float() {
        assert_types(&["4 f32", "12 f32"], |tick, random, memory| {
            let angle = f64::from(u32::try_from(tick).unwrap()) / 7.0;
            #[expect(clippy::cast_possible_truncation, reason = "a float with all of its digits")]
            let sine = (angle.sin() * 3.0) as f32;
            memory.put(4, sine.to_le_bytes());
            memory.put(12, (f32::from(random.byte()) + 0.1).to_le_bytes());
        });
    }

    #[test]
    fn double_whose_lower_bytes_rest_is_not_split() {
        let mut random = Random(5);
        let mut detector = Detector::new();
        let mut bytes = [0; 128];
        for tick in 0..4000_u32 {
            // All digits change at first, then only the upper half.
            let price = if tick < 100 {
                100.0 + random.uniform() * 100.0
            } else {
                100.0 + f64::from(random.byte() % 16) / 4.0 + 0.1
            };
            let mut value = price.to_le_bytes();
            if tick >= 100 {
                value[..4].copy_from_slice(&[1, 2, 3, 4]);
            }
            bytes[8..16].copy_from_slice(&value);
            let at = Duration::from_millis(50 * u64::from(tick));
            detector.observe(Moment { monotonic: at, wall: at }, 0, &bytes);
            let values = detector.values();
            let types: Vec<String> = values.iter().map(super::super::MovingValue::type_text).collect();
            assert!(tick < 20 || types == ["f64"], "{types:?} at {tick}");
        }
    }
}

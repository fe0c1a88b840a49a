//! Pinned values: a type at an offset, with its last samples, on screen or not.

use crate::decode::{Bits, ByteOrder, Decoded, Leaf, Place, Scalar, Type, TypeKind, Value, Window};
use crate::engine::{Clock, Moving, value_rate};
use std::collections::VecDeque;
use std::ops::Range;

/// Samples of a sparkline: four seconds at four samples a second.
const SAMPLES: usize = 16;
/// The maximum number of pins. Each is read four times a second.
const MAX_PINS: usize = 32;
/// Bytes of a pinned text.
const MAX_BYTES: u64 = 64;

/// A pinned value.
#[derive(Debug, Clone)]
pub struct Pin {
    pub offset: u64,
    /// The path of a field; empty for a value without a name.
    pub name: String,
    ty: Type,
    bits: Option<Bits>,
    /// The last samples, oldest first.
    samples: VecDeque<(Clock, Vec<u8>)>,
}

/// The pinned values, in the order of their offsets.
#[derive(Debug, Clone, Default)]
pub struct Pins(Vec<Pin>);

impl Pins {
    /// Unpins the values that cover an offset. Pins this one if there are none. Returns true if it
    /// was pinned, `None` if there are too many pins.
    pub fn toggle(&mut self, offset: u64, scalar: Scalar, order: ByteOrder) -> Option<bool> {
        self.toggle_field(String::new(), Type::scalar(scalar, order).at(offset))
    }

    /// Like [`Pins::toggle`], for a field without parts.
    pub fn toggle_field(&mut self, name: String, place: Place<'_>) -> Option<bool> {
        let Place { ty, offset, bits } = place;
        let before = self.0.len();
        self.0.retain(|pin| !pin.range().contains(&offset));
        if self.0.len() < before {
            return Some(false);
        }
        if before == MAX_PINS {
            return None;
        }
        let at = self.0.partition_point(|pin| pin.offset < offset);
        self.0.insert(at, Pin { offset, name, ty: ty.clone(), bits, samples: VecDeque::new() });
        Some(true)
    }

    pub const fn len(&self) -> usize {
        self.0.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Pin> {
        self.0.iter()
    }

    pub fn ranges(&self) -> Vec<Range<u64>> {
        self.0.iter().map(Pin::range).collect()
    }

    pub(super) fn forget_samples(&mut self) {
        for pin in &mut self.0 {
            pin.samples.clear();
        }
    }

    /// Adds a sample to each pin. `samples` has the same order as the pins.
    pub fn sample(&mut self, samples: &[Vec<u8>], now: Clock) {
        for (pin, bytes) in self.0.iter_mut().zip(samples) {
            if (bytes.len() as u64) < pin.range().end - pin.offset {
                // Past the end of the segment.
                pin.samples.clear();
                continue;
            }
            if pin.samples.len() == SAMPLES {
                pin.samples.pop_front();
            }
            pin.samples.push_back((now, bytes.clone()));
        }
    }
}

impl Pin {
    const fn place(&self) -> Place<'_> {
        Place { ty: &self.ty, offset: self.offset, bits: self.bits }
    }

    pub fn range(&self) -> Range<u64> {
        let range = self.place().range();
        range.start..range.end.min(range.start.saturating_add(MAX_BYTES))
    }

    fn read<'a>(&'a self, bytes: &'a [u8]) -> Option<Leaf<'a>> {
        Decoded { place: self.place(), window: Window { offset: self.offset, bytes } }.leaf()
    }

    /// The value as a number; `None` for text and bytes.
    fn value(&self, bytes: &[u8]) -> Option<Value> {
        match (self.read(bytes)?, self.ty.kind()) {
            (Leaf::Value(value), _) => Some(value),
            (Leaf::Enumerator(_), TypeKind::Enum(found)) if self.bits.is_none() => {
                found.underlying().read(bytes, found.order())
            }
            _ => None,
        }
    }

    /// Returns the line of the pin in a segment of `size` bytes. `bytes` are those at its offset if
    /// they are known, which are more recent than the last sample.
    pub fn shown(&self, bytes: &[u8], size: u64) -> Moving {
        let line = Moving {
            offset: self.offset,
            kind: self.ty.to_string(),
            value: "past the end".to_owned(),
            history: vec![],
            rate: String::new(),
        };
        if self.range().end > size {
            return line;
        }
        let newest = (bytes.len() as u64) >= self.range().end - self.offset;
        let newest =
            if newest { Some(bytes) } else { self.samples.back().map(|(_, bytes)| bytes.as_slice()) };
        let samples = self.samples.iter();
        Moving {
            value: newest
                .and_then(|bytes| self.read(bytes))
                .map_or_else(String::new, |leaf| leaf.to_string()),
            history: samples.filter_map(|(_, bytes)| self.value(bytes)).map(number).collect(),
            rate: self.rate(self.value(bytes)),
            ..line
        }
    }

    /// Returns the rate of a counter, or the range of another value; empty for one that has not
    /// changed.
    fn rate(&self, latest: Option<Value>) -> String {
        let samples = self.samples.iter().filter_map(|(_, bytes)| self.value(bytes));
        let numbers: Vec<f64> = samples.chain(latest).map(number).filter(|value| value.is_finite()).collect();
        let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sample = |sample: Option<&(Clock, Vec<u8>)>| {
            let (at, bytes) = sample?;
            Some((*at, self.value(bytes)?))
        };
        let (Some((started, first)), Some((ended, last))) =
            (sample(self.samples.front()), sample(self.samples.back()))
        else {
            return String::new();
        };
        if low >= high {
            return String::new();
        }
        let whole = !matches!(last, Value::F32(_) | Value::F64(_));
        // The bytes on screen may be older than the last sample.
        let newest = usize::from(latest.is_some_and(|value| number(value).is_finite()));
        let numbers = &numbers[..numbers.len() - newest];
        let rises = numbers.windows(2).all(|pair| pair[0] <= pair[1]);
        let seconds = ended.saturating_sub(started).as_secs_f64();
        if whole && rises && seconds > 0.0 {
            return value_rate((number(last) - number(first)) / seconds);
        }
        format!("{}–{}", short(low), short(high))
    }
}

#[expect(clippy::cast_precision_loss, reason = "only drawn")]
const fn number(value: Value) -> f64 {
    match value {
        Value::Unsigned(value) => value as f64,
        Value::Signed(value) => value as f64,
        Value::Unsigned128(value) => value as f64,
        Value::Signed128(value) => value as f64,
        Value::F16(value) | Value::F32(value) | Value::Complex64(value, _) => value as f64,
        Value::F64(value) | Value::Complex128(value, _) => value,
        Value::Wide(code) => code as f64,
        Value::Bool(value) => value as u8 as f64,
        Value::Char(byte) => byte as f64,
        Value::Time(time) => time.count() as f64,
        Value::Datetime(count, _) | Value::Timedelta(count, _) => count as f64,
    }
}

/// Formats a number in about four digits.
fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 1e6 || size > 0.0 && size < 1e-3 {
        return format!("{value:.2e}");
    }
    let decimals = [1000.0, 100.0, 10.0].iter().filter(|&&limit| size < limit).count();
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn sampled(scalar: Scalar, samples: &[Vec<u8>]) -> Moving {
        let mut pins = Pins::default();
        assert_eq!(pins.toggle(8, scalar, ByteOrder::Little), Some(true));
        for (at, bytes) in samples.iter().enumerate() {
            pins.sample(std::slice::from_ref(bytes), Duration::from_millis(250 * at as u64));
        }
        pins.iter().next().unwrap().shown(&[], 16)
    }

    #[test]
    fn counter_shows_its_rate_and_float_its_range() {
        let counts: Vec<Vec<u8>> = (0u64..5).map(|count| (100 + 5 * count).to_le_bytes().to_vec()).collect();
        let line = sampled(Scalar::U64, &counts);
        assert_eq!((line.value.as_str(), line.rate.as_str(), line.history.len()), ("120", "+20/s", 5));
        let prices: Vec<Vec<u8>> = [1.07f64, 1.09, 1.08].map(|price| price.to_le_bytes().to_vec()).into();
        assert_eq!(sampled(Scalar::F64, &prices).rate, "1.07–1.09");
        let down: Vec<Vec<u8>> = [9u8, 7, 8].map(|byte| vec![byte]).into();
        assert_eq!(sampled(Scalar::U8, &down).rate, "7–9");
        assert_eq!(sampled(Scalar::U8, &down[..1]).rate, "");
        assert_eq!(sampled(Scalar::F64, &[f64::NAN.to_le_bytes().to_vec()]).rate, "");
    }

    #[test]
    fn range_includes_the_bytes_on_screen() {
        let mut pins = Pins::default();
        pins.toggle(0, Scalar::U8, ByteOrder::Little);
        for (second, byte) in [(0, 7), (1, 5)] {
            pins.sample(&[vec![byte]], Duration::from_secs(second));
        }
        let pin = pins.iter().next().unwrap();
        assert_eq!((pin.shown(&[9], 1).rate.as_str(), pin.shown(&[], 1).rate.as_str()), ("5–9", "5–7"));
    }

    #[test]
    fn pin_past_the_end_has_neither_value_nor_rate() {
        let mut pins = Pins::default();
        pins.toggle(8, Scalar::U32, ByteOrder::Little);
        let sample = |pins: &mut Pins, second, bytes: &[u8]| {
            pins.sample(&[bytes.to_vec()], Duration::from_secs(second));
        };
        sample(&mut pins, 0, &[1, 0, 0, 0]);
        sample(&mut pins, 1, &[5, 0, 0, 0]);
        let shown = |pins: &Pins, size| {
            let line = pins.iter().next().unwrap().shown(&[], size);
            (line.value, line.rate, line.history.len())
        };
        assert_eq!(shown(&pins, 12), ("5".into(), "+4.0/s".into(), 2));
        assert_eq!(shown(&pins, 11), ("past the end".into(), String::new(), 0));
        // The rate starts anew when the segment has grown again.
        sample(&mut pins, 2, &[5, 0, 0]);
        sample(&mut pins, 3, &[6, 0, 0, 0]);
        assert_eq!(shown(&pins, 12), ("6".into(), String::new(), 1));
    }

    #[test]
    fn bytes_on_screen_are_shown_before_a_sample() {
        let mut pins = Pins::default();
        pins.toggle(0, Scalar::U16, ByteOrder::Big);
        pins.sample(&[vec![0, 1]], Duration::ZERO);
        let pin = pins.iter().next().unwrap();
        let (on_screen, off_screen) = (pin.shown(&[0, 2], 2), pin.shown(&[], 2));
        assert_eq!((on_screen.value.as_str(), off_screen.value.as_str()), ("2", "1"));
        assert_eq!(on_screen.kind, if cfg!(target_endian = "big") { "u16" } else { "u16be" });
    }

    #[test]
    fn pins_toggle_by_any_of_their_bytes_and_stay_sorted() {
        let mut pins = Pins::default();
        for offset in [16, 0, 8] {
            assert_eq!(pins.toggle(offset, Scalar::U32, ByteOrder::Little), Some(true));
        }
        assert_eq!(pins.ranges(), [0..4, 8..12, 16..20]);
        assert_eq!(pins.toggle(11, Scalar::U8, ByteOrder::Little), Some(false));
        assert_eq!(pins.ranges(), [0..4, 16..20]);
        for offset in 2..32 {
            pins.toggle(1000 * offset, Scalar::U8, ByteOrder::Little);
        }
        assert_eq!(pins.toggle(1, Scalar::U8, ByteOrder::Little), Some(false));
        pins.toggle(500, Scalar::U8, ByteOrder::Little);
        assert_eq!((pins.len(), pins.toggle(501, Scalar::U8, ByteOrder::Little)), (32, None));
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (1.071_23, "1.071"),
            (-12.5, "-12.5"),
            (1234.6, "1235"),
            (1e9, "1.00e9"),
            (0.5, "0.5"),
            (1e-5, "1.00e-5"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}

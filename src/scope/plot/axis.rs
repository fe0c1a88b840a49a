//! The range of an axis, and its ticks at round numbers.

use super::raster::{as_f64, as_index};

/// The range of an axis. `low` is less than `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    pub unit: Unit,
}

/// The meaning of the numbers on an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    #[default]
    Number,
    /// Nanoseconds from the time that is called 0.
    Time,
    /// Whole numbers.
    Index,
}

/// A labeled position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub value: f64,
    /// Without the unit.
    pub label: String,
}

/// The ticks of an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ticks {
    pub ticks: Vec<Tick>,
    /// The unit of all labels.
    pub unit: &'static str,
}

/// The share of the range that an automatic axis leaves free at each end, at least.
const MARGIN: f64 = 0.02;
/// Ticks that an automatic range is rounded for.
const ROUND_TICKS: f64 = 4.0;
/// Beyond this, sums of ends overflow.
const MAX: f64 = f64::MAX / 4.0;
/// Further outside of the range, positions are the same.
const FAR: f64 = 1e9;
/// Numbers from here on have an exponent.
const MAX_PLAIN: f64 = 1e9;
const MIN_PLAIN: f64 = 1e-6;

const TIMES: [(f64, &str); 5] = [(60e9, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];
const MINUTE: f64 = 60e9;

impl Axis {
    /// A range with a margin around values, ending at round numbers, so that it rarely changes while
    /// values do.
    #[must_use]
    pub fn around([min, max]: [f64; 2]) -> Self {
        let (min, max) = (min.clamp(-MAX, MAX), max.clamp(-MAX, MAX));
        let span = max - min;
        if span <= min.abs().max(max.abs()) * 1e-12 {
            let margin = if min == 0.0 { 1.0 } else { (min.abs() * 0.1).max(f64::MIN_POSITIVE) };
            return Self { low: min - margin, high: min + margin, unit: Unit::Number };
        }
        let step = round_step(span / ROUND_TICKS) / 5.0;
        let low = ((min - span * MARGIN) / step).floor() * step;
        let high = ((max + span * MARGIN) / step).ceil() * step;
        Self { low, high, unit: Unit::Number }
    }

    /// A range that was given; `None` if it is no range.
    pub(super) fn fixed(range: Option<[f64; 2]>) -> Option<Self> {
        let [low, high] = range?;
        (low < high && (high - low).is_finite()).then_some(Self { low, high, unit: Unit::Number })
    }

    /// The position of a value among `dots` dots, from 0 for `low` on.
    pub(super) fn position(&self, value: f64, dots: usize) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        share.clamp(-FAR, FAR) * as_f64(dots.saturating_sub(1))
    }

    /// The value at a position among `dots` dots.
    pub(super) fn value(&self, position: f64, dots: usize) -> f64 {
        self.low + (self.high - self.low) * position / (as_f64(dots) - 1.0).max(1.0)
    }

    /// At most about `most` ticks at round numbers; at least two if there is any room.
    pub(super) fn ticks(&self, most: usize) -> Ticks {
        let span = self.high - self.low;
        if !(span > 0.0 && span.is_finite()) || most == 0 {
            return Ticks::default();
        }
        let raw = span / as_f64(most);
        let step = match self.unit {
            Unit::Time if raw > MINUTE / 2.0 => (round_step(raw / MINUTE)).max(1.0) * MINUTE,
            Unit::Index => round_step(raw).max(1.0),
            _ => round_step(raw),
        };
        let first = (self.low / step - 1e-9).ceil();
        let count = as_index((self.high / step + 1e-9).floor() - first + 1.0).min(2 * most + 2);
        let values: Vec<f64> = (0..count).map(|index| (first + as_f64(index)) * step).collect();
        let greatest = self.low.abs().max(self.high.abs());
        let (scale, unit) = match self.unit {
            Unit::Number | Unit::Index => (1.0, ""),
            Unit::Time => time_unit(step, greatest),
        };
        let label = |value: f64| number(value / scale, step / scale, greatest / scale);
        Ticks { ticks: values.into_iter().map(|value| Tick { value, label: label(value) }).collect(), unit }
    }
}

/// Minutes if ticks are at whole ones, else the largest unit of which there is at least one.
fn time_unit(step: f64, greatest: f64) -> (f64, &'static str) {
    if step >= MINUTE {
        return TIMES[0];
    }
    TIMES[1..].iter().copied().find(|(unit, _)| greatest >= *unit).unwrap_or(TIMES[4])
}

/// The least of 1, 2 and 5 times a power of ten that is not below a step.
fn round_step(raw: f64) -> f64 {
    let power = 10_f64.powf(raw.log10().floor());
    let found = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= raw * (1.0 - 1e-9));
    found.unwrap_or(10.0) * power
}

/// A multiple of a step with as many digits as the step needs.
fn number(value: f64, step: f64, greatest: f64) -> String {
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    let exponent = step.log10().floor();
    if !(MIN_PLAIN..MAX_PLAIN).contains(&greatest) {
        // The digits from the greatest down to the step.
        let digits = as_index((value.abs().log10().floor() - exponent).clamp(0.0, 15.0));
        return if value == 0.0 { "0".to_owned() } else { format!("{value:.digits$e}") };
    }
    let decimals = as_index((-exponent).clamp(0.0, 15.0));
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(low: f64, high: f64, unit: Unit, most: usize) -> String {
        let ticks = Axis { low, high, unit }.ticks(most);
        let labels: Vec<&str> = ticks.ticks.iter().map(|tick| &*tick.label).collect();
        format!("{} {}", labels.join(" "), ticks.unit).trim_end().to_owned()
    }

    #[test]
    fn ticks_are_round_numbers() {
        use Unit::{Index, Number, Time};
        assert_eq!(labels(0.0, 10.0, Number, 5), "0 2 4 6 8 10");
        assert_eq!(labels(6.41, 6.62, Number, 3), "6.5 6.6");
        assert_eq!(labels(-0.3, 0.3, Number, 4), "-0.2 0.0 0.2");
        assert_eq!(labels(0.0, 5e9, Number, 3), "0 2e9 4e9");
        assert_eq!(labels(1e9, 1e9 + 10.0, Number, 2), "1.000000000e9 1.000000005e9 1.000000010e9");
        assert_eq!(labels(0.0, 3e-9, Number, 3), "0 1e-9 2e-9 3e-9");
        assert_eq!(labels(-600e6, 30e6, Time, 7), "-600 -500 -400 -300 -200 -100 0 ms");
        assert_eq!(labels(-2.2e9, 0.0, Time, 5), "-2.0 -1.5 -1.0 -0.5 0.0 s");
        assert_eq!(labels(-1e12, 0.0, Time, 4), "-15 -10 -5 0 min");
        assert_eq!(labels(-90e9, 0.0, Time, 3), "-50 0 s");
        assert_eq!(labels(0.0, 800.0, Time, 4), "0 200 400 600 800 ns");
        assert_eq!(labels(3.0, 5.0, Index, 8), "3 4 5");
        assert_eq!(labels(12_000.0, 14_000.0, Time, 4), "12.0 12.5 13.0 13.5 14.0 µs");
    }

    #[test]
    fn automatic_range_is_round_and_has_a_margin() {
        let range = |min, max| {
            let axis = Axis::around([min, max]);
            format!("{} to {}", axis.low, axis.high)
        };
        assert_eq!(range(-1.0, 1.0), "-1.1 to 1.1");
        assert_eq!(range(5.0, 5.0), "4.5 to 5.5");
        assert_eq!(range(0.0, 0.0), "-1 to 1");
        assert_eq!(range(0.0, 100.0), "-10 to 110");
    }

    proptest! {
        #[test]
        fn automatic_range_holds_its_values(a: u64, b: u64, most in 1_usize..30) {
            let (a, b) = (f64::from_bits(a), f64::from_bits(b));
            prop_assume!(a.is_finite() && b.is_finite());
            let axis = Axis::around([a.min(b), a.max(b)]);
            prop_assert!(axis.low < axis.high, "{axis:?}");
            prop_assert!(axis.low <= a.clamp(-MAX, MAX) && axis.high >= b.clamp(-MAX, MAX), "{axis:?}");
            let ticks = axis.ticks(most);
            prop_assert!(ticks.ticks.len() <= 2 * most + 2);
            prop_assert!(ticks.ticks.windows(2).all(|pair| pair[0].value < pair[1].value));
        }
    }
}

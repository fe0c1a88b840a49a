//! Running statistics of a channel.

use super::{Column, Grade, Number, NumberKind};
use std::collections::VecDeque;
use std::time::Duration;

/// Statistics of the samples of a channel since the start or the last reset.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    kind: NumberKind,
    last: Option<Number>,
    range: Option<[Number; 2]>,
    moments: Moments,
    grades: [u64; 5],
    not_finite: u64,
    /// The last bits, and the time since which they have been the same.
    current: Option<(u64, u64)>,
    changes: u64,
    has_fallen: bool,
    /// The times and numbers from which the rate is computed, the oldest first.
    recent: VecDeque<(u64, Number)>,
}

/// The running mean and deviation by Welford's method, as distances from the first number, so that large
/// integers lose nothing.
#[derive(Debug, Clone, PartialEq)]
struct Moments {
    first: Number,
    count: u64,
    mean: f64,
    squares: f64,
}

/// A rate is that of the last second.
const RATE_WINDOW: u64 = 1_000_000_000;
/// The time between two numbers that are kept for it.
const RATE_STEP: u64 = RATE_WINDOW / 8;

impl Statistics {
    #[must_use]
    pub const fn new(kind: NumberKind) -> Self {
        Self {
            kind,
            last: None,
            range: None,
            moments: Moments { first: kind.number(0), count: 0, mean: 0.0, squares: 0.0 },
            grades: [0; 5],
            not_finite: 0,
            current: None,
            changes: 0,
            has_fallen: false,
            recent: VecDeque::new(),
        }
    }

    /// Starts again.
    pub fn reset(&mut self) {
        *self = Self::new(self.kind);
    }

    /// Adds the samples of a batch.
    pub fn push(&mut self, times: &[u64], column: &Column) {
        for ((&time, &bits), &grade) in times.iter().zip(&column.bits).zip(&column.grades) {
            self.grades[grade as usize] += 1;
            if grade != Grade::Missing {
                self.sample(time, bits);
            }
        }
    }

    fn sample(&mut self, time: u64, bits: u64) {
        let number = self.kind.number(bits);
        self.has_fallen |= self.last.is_some_and(|last| is_less(number, last));
        self.last = Some(number);
        match self.current {
            Some((current, _)) if current == bits => {}
            before => {
                self.changes += u64::from(before.is_some());
                self.current = Some((bits, time));
            }
        }
        if !number.as_f64().is_finite() {
            self.not_finite += 1;
            return;
        }
        let [min, max] = self.range.unwrap_or([number; 2]);
        self.range = Some([
            if is_less(number, min) { number } else { min },
            if is_less(max, number) { number } else { max },
        ]);
        self.moments.push(number);
        self.note_recent(time, number);
    }

    /// Keeps a number for the rate now and then, up to the last that is a second old.
    fn note_recent(&mut self, time: u64, number: Number) {
        // The newest entry follows the samples; the others are apart by a step.
        let before = self.recent.len().checked_sub(2).and_then(|index| self.recent.get(index));
        if before.is_some_and(|(before, _)| time.saturating_sub(*before) < RATE_STEP) {
            self.recent.pop_back();
        }
        self.recent.push_back((time, number));
        while self.recent.get(1).is_some_and(|(second, _)| time.saturating_sub(*second) >= RATE_WINDOW) {
            self.recent.pop_front();
        }
    }

    /// The last number, which may not be finite.
    #[must_use]
    pub const fn last(&self) -> Option<Number> {
        self.last
    }

    /// The bits of the last number.
    #[must_use]
    pub fn last_bits(&self) -> Option<u64> {
        self.current.map(|(bits, _)| bits)
    }

    #[must_use]
    pub fn min(&self) -> Option<Number> {
        self.range.map(|[min, _]| min)
    }

    #[must_use]
    pub fn max(&self) -> Option<Number> {
        self.range.map(|[_, max]| max)
    }

    /// `None` also if it is too large for a `double`.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        let average = self.moments.first.as_f64() + self.moments.mean;
        Some(average).filter(|average| self.moments.count > 0 && average.is_finite())
    }

    /// The standard deviation of all samples. `None` also if it is too large for a `double`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
    pub fn deviation(&self) -> Option<f64> {
        let Moments { count, squares, .. } = self.moments;
        Some((squares / count as f64).sqrt()).filter(|deviation| deviation.is_finite())
    }

    /// The change per second over the last second, or over what there is of it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "only a rate")]
    pub fn rate(&self) -> Option<f64> {
        let (&(start, from), &(end, to)) = (self.recent.front()?, self.recent.back()?);
        let rate = to.minus(from) / (end.saturating_sub(start) as f64 / 1e9);
        Some(rate).filter(|rate| end > start && rate.is_finite())
    }

    /// Returns true for an integer that has grown and never fallen. Its rate says more than its average.
    #[must_use]
    pub fn is_counter(&self) -> bool {
        self.kind.is_integer() && self.changes > 0 && !self.has_fallen
    }

    /// The time of the last change; that of the first sample if there was none.
    #[must_use]
    pub fn last_change(&self) -> Option<u64> {
        self.current.map(|(_, since)| since)
    }

    /// The time since the last change, or since the first sample if there was none.
    #[must_use]
    pub fn unchanged(&self, now: u64) -> Option<Duration> {
        self.last_change().map(|since| Duration::from_nanos(now.saturating_sub(since)))
    }

    /// The samples that differed from the one before.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// The samples of a grade. Of [`Grade::Missing`], those that were not taken.
    #[must_use]
    pub const fn count(&self, grade: Grade) -> u64 {
        self.grades[grade as usize]
    }

    /// The samples that were taken.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.grades.iter().sum::<u64>() - self.count(Grade::Missing)
    }

    /// The samples that were infinite or no number. Only [`last`](Self::last), the changes and the grades
    /// include them.
    #[must_use]
    pub const fn not_finite(&self) -> u64 {
        self.not_finite
    }
}

impl Moments {
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
    fn push(&mut self, number: Number) {
        if self.count == 0 {
            self.first = number;
        }
        self.count += 1;
        let value = number.minus(self.first);
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }
}

fn is_less(a: Number, b: Number) -> bool {
    match (a.integer(), b.integer()) {
        (Some(a), Some(b)) => a < b,
        _ => a.as_f64() < b.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(kind: NumberKind, samples: &[(u64, Number)]) -> Statistics {
        let mut statistics = Statistics::new(kind);
        let times: Vec<u64> = samples.iter().map(|(time, _)| *time).collect();
        let bits = samples.iter().map(|(_, number)| number.bits()).collect();
        statistics.push(&times, &Column { bits, grades: vec![Grade::Whole; samples.len()] });
        statistics
    }

    /// A counter that is read every millisecond.
    fn counter(seconds: u64, at: impl Fn(u64) -> u64) -> Statistics {
        let samples: Vec<_> =
            (0..seconds * 1000).map(|ms| (ms * 1_000_000, Number::Unsigned(at(ms)))).collect();
        of(NumberKind::Unsigned, &samples)
    }

    #[test]
    fn rate_is_that_of_the_last_second() {
        let rate = counter(5, |ms| 3 * ms).rate().unwrap();
        assert!((rate - 3000.0).abs() < 1e-6, "{rate}");
        let stopped = counter(5, |ms| 3 * ms.min(3500));
        assert_eq!(stopped.rate(), Some(0.0));
        assert!(stopped.recent.len() < 12, "{}", stopped.recent.len());
        let at_once = counter(5, |ms| if ms > 4500 { 10 } else { 0 }).rate().unwrap();
        assert!((8.8..=10.0).contains(&at_once), "{at_once}");
        assert_eq!(of(NumberKind::Unsigned, &[(5, Number::Unsigned(1))]).rate(), None);
    }

    #[test]
    fn counters_never_fall() {
        assert!(counter(1, |ms| ms / 10).is_counter());
        assert!(!counter(1, |_| 5).is_counter());
        assert!(!counter(1, |ms| if ms == 500 { 0 } else { ms }).is_counter());
    }

    #[test]
    fn large_integers_are_exact() {
        let base = u64::MAX - 10;
        let numbers = [0, 4, 2].map(|offset| (offset, Number::Unsigned(base + offset)));
        let statistics = of(NumberKind::Unsigned, &numbers);
        assert_eq!(
            (statistics.min(), statistics.max()),
            (Some(Number::Unsigned(base)), Some(Number::Unsigned(base + 4)))
        );
        let deviation = statistics.deviation().unwrap();
        assert!((deviation - (8.0_f64 / 3.0).sqrt()).abs() < 1e-12, "{deviation}");
    }

    #[test]
    fn numbers_that_are_not_finite_are_counted_apart() {
        let numbers = [(0, 1.0), (1, f64::NAN), (2, 3.0), (3, f64::INFINITY)];
        let statistics = of(NumberKind::Float, &numbers.map(|(time, value)| (time, Number::Float(value))));
        assert_eq!((statistics.not_finite(), statistics.samples(), statistics.changes()), (2, 4, 3));
        assert_eq!((statistics.average(), statistics.max()), (Some(2.0), Some(Number::Float(3.0))));
        assert_eq!(statistics.last(), Some(Number::Float(f64::INFINITY)));
        let extreme =
            of(NumberKind::Float, &[f64::MAX, f64::MIN, f64::MAX].map(|value| (0, Number::Float(value))));
        assert_eq!((extreme.average(), extreme.deviation(), extreme.rate()), (None, None, None));
        assert_eq!(Statistics::new(NumberKind::Float).deviation(), None);
    }

    #[test]
    fn grades_are_counted_and_missing_samples_change_nothing() {
        let mut statistics = Statistics::new(NumberKind::Signed);
        let grades = vec![Grade::Whole, Grade::Missing, Grade::Unverified, Grade::Unverified];
        statistics.push(&[10, 20, 30, 40], &Column { bits: vec![7, 99, 7, 8], grades });
        assert_eq!((statistics.count(Grade::Unverified), statistics.count(Grade::Missing)), (2, 1));
        assert_eq!((statistics.samples(), statistics.changes(), statistics.last_change()), (3, 1, Some(40)));
        assert_eq!(statistics.max(), Some(Number::Signed(8)));
        assert_eq!(statistics.unchanged(1040), Some(Duration::from_micros(1)));
        statistics.reset();
        assert_eq!(statistics, Statistics::new(NumberKind::Signed));
    }

    proptest! {
        #[test]
        #[expect(clippy::cast_precision_loss, reason = "at most 300 values")]
        fn statistics_equal_those_of_all_samples(values in prop::collection::vec(-1e6_f64..1e6, 1..300)) {
            let samples: Vec<_> = (0..).zip(&values).map(|(time, &value)| (time, Number::Float(value))).collect();
            let found = of(NumberKind::Float, &samples);
            let count = values.len() as f64;
            let average = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|value| (value - average).powi(2)).sum::<f64>() / count;
            prop_assert!((found.average().unwrap() - average).abs() < 1e-6);
            prop_assert!((found.deviation().unwrap() - variance.sqrt()).abs() < 1e-6);
            let least = values.iter().copied().reduce(f64::min).map(Number::Float);
            let greatest = values.iter().copied().reduce(f64::max).map(Number::Float);
            prop_assert_eq!((found.min(), found.max()), (least, greatest));
            prop_assert_eq!(found.last(), values.last().copied().map(Number::Float));
            let changes = values.windows(2).filter(|pair| pair[0].to_bits() != pair[1].to_bits()).count();
            prop_assert_eq!(found.changes(), changes as u64);
        }
    }
}

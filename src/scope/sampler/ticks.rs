//! The times at which samples are due, and the counts of those that were taken.

use crate::scope::{Rate, Timing};
use std::time::Duration;

/// Ticks at a fixed interval since the first. All times are nanoseconds of the same clock.
#[derive(Debug)]
pub struct Ticks {
    /// `None` in a burst.
    period: Option<u64>,
    /// The time of the first tick; `None` before it.
    first: Option<u64>,
    /// The index of the next tick since the first.
    next: u64,
    timing: Timing,
    /// The sum of all deviations.
    deviations: u64,
    /// The time from the first to the last tick before the last pause.
    before: u64,
}

impl Ticks {
    pub fn new(rate: Rate) -> Self {
        let period = rate.period().map(|period| nanoseconds(period).max(1));
        Self { period, first: None, next: 0, timing: Timing::default(), deviations: 0, before: 0 }
    }

    /// Returns the time of the next tick; `None` if it is due at once.
    pub fn due(&self) -> Option<u64> {
        Some(self.first?.saturating_add(self.next.saturating_mul(self.period?)))
    }

    /// Begins the last tick that is due, and returns the time of the first one that was missed.
    pub fn wake(&mut self, now: u64) -> Option<u64> {
        let first = *self.first.get_or_insert(now);
        let period = self.period?;
        let last = now.saturating_sub(first) / period;
        let skipped = last.saturating_sub(self.next);
        let missed = (skipped > 0).then(|| first + self.next * period);
        self.timing.missed += skipped;
        self.timing.ticks += skipped + 1;
        self.next = self.next.max(last) + 1;
        self.set_elapsed((self.next - 1) * period);
        missed
    }

    /// Counts the sample of the tick that began, whose middle is `at`.
    pub fn sampled(&mut self, at: u64) {
        self.timing.samples += 1;
        let Some((period, first)) = self.period.zip(self.first) else {
            self.timing.ticks += 1;
            self.set_elapsed(at.saturating_sub(self.first.unwrap_or(at)));
            return;
        };
        let deviation = at.abs_diff(first + (self.next - 1) * period);
        self.deviations = self.deviations.saturating_add(deviation);
        self.timing.jitter = Duration::from_nanos(self.deviations / self.timing.samples);
        self.timing.worst = self.timing.worst.max(Duration::from_nanos(deviation));
    }

    /// Counts the tick that began as missed.
    pub fn failed(&mut self) {
        self.timing.missed += u64::from(self.period.is_some());
    }

    /// Starts anew at the next tick, and keeps the counts.
    pub fn pause(&mut self) {
        self.before = nanoseconds(self.timing.elapsed);
        (self.first, self.next) = (None, 0);
    }

    pub const fn timing(&self) -> Timing {
        self.timing
    }

    fn set_elapsed(&mut self, since_first: u64) {
        self.timing.elapsed = Duration::from_nanos(self.before.saturating_add(since_first));
    }
}

/// 584 years fit.
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn late_wakeup_misses_the_ticks_that_it_slept_through() {
        let mut ticks = Ticks::new(Rate::Hertz(1000.0));
        assert_eq!(ticks.due(), None);
        assert_eq!(ticks.wake(5_000_000), None);
        ticks.sampled(5_000_100);
        assert_eq!(ticks.due(), Some(6_000_000));
        assert_eq!(ticks.wake(6_000_040), None);
        ticks.sampled(6_000_300);
        assert_eq!(ticks.wake(10_999_999), Some(7_000_000), "7, 8 and 9 ms were missed");
        ticks.sampled(10_999_999);
        assert_eq!(ticks.due(), Some(11_000_000));
        let timing = ticks.timing();
        assert_eq!((timing.ticks, timing.samples, timing.missed), (6, 3, 3));
        assert_eq!(timing.elapsed, Duration::from_millis(5));
        assert_eq!(timing.worst, Duration::from_nanos(999_999));
        assert_eq!(timing.jitter, Duration::from_nanos((100 + 300 + 999_999) / 3));
    }

    #[test]
    fn pause_is_neither_missed_nor_elapsed() {
        let mut ticks = Ticks::new(Rate::Hertz(10.0));
        for now in [0, 100_000_000] {
            ticks.wake(now);
            ticks.sampled(now);
        }
        ticks.pause();
        assert_eq!(ticks.due(), None);
        for now in [900_000_000, 1_000_000_000] {
            assert_eq!(ticks.wake(now), None);
            ticks.sampled(now);
        }
        let timing = ticks.timing();
        assert_eq!((timing.ticks, timing.samples, timing.missed), (4, 4, 0));
        assert_eq!((timing.elapsed, timing.worst), (Duration::from_millis(200), Duration::ZERO));
    }

    #[test]
    fn burst_counts_its_samples() {
        let mut ticks = Ticks::new(Rate::Burst);
        for now in [50, 70, 100] {
            assert_eq!((ticks.due(), ticks.wake(now)), (None, None));
            ticks.sampled(now);
        }
        ticks.failed();
        let timing = ticks.timing();
        assert_eq!((timing.ticks, timing.samples, timing.missed), (3, 3, 0));
        assert_eq!((timing.elapsed, timing.jitter), (Duration::from_nanos(50), Duration::ZERO));
    }

    proptest! {
        #[test]
        fn samples_and_missed_add_up_to_ticks(
            hertz in 1.0_f64..10_000.0,
            steps in proptest::collection::vec((0_u64..5_000_000_000, any::<bool>()), 1..50),
        ) {
            let mut ticks = Ticks::new(Rate::Hertz(hertz));
            let mut now = 7;
            for (late, works) in steps {
                now = ticks.due().unwrap_or(now).max(now) + late;
                let missed = ticks.wake(now);
                prop_assert!(missed.is_none_or(|missed| missed < now));
                if works { ticks.sampled(now) } else { ticks.failed() }
                let timing = ticks.timing();
                prop_assert_eq!(timing.samples + timing.missed, timing.ticks);
                let period = Rate::Hertz(hertz).period().unwrap();
                prop_assert_eq!(timing.elapsed, period * u32::try_from(timing.ticks - 1).unwrap());
                prop_assert!(ticks.due().unwrap() > now);
            }
        }
    }
}

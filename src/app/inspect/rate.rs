//! The rate of changes per second, averaged over three seconds.

use crate::engine::Clock;
use std::collections::VecDeque;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(3);
/// The width of a bar of the sparkline.
const BAR_MILLIS: u128 = 250;
/// Bars of the sparkline.
const BARS: usize = 8;

#[derive(Debug, Clone, Default)]
pub struct Rate {
    seen: VecDeque<(Clock, u64)>,
    started: Option<Clock>,
}

impl Rate {
    /// Records changes.
    pub fn add(&mut self, changes: u64, now: Clock) {
        self.started.get_or_insert(now);
        self.forget(now);
        if changes > 0 {
            self.seen.push_back((now, changes));
        }
    }

    fn forget(&mut self, now: Clock) {
        while self.seen.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW) {
            self.seen.pop_front();
        }
    }

    /// Returns the number of changes in each bar, oldest first. Omits the bar that is still
    /// growing.
    pub fn bars(&self, now: Clock) -> [u64; BARS] {
        let mut bars = [0u64; BARS];
        let end = now.as_millis() / BAR_MILLIS;
        for (at, changes) in &self.seen {
            let age = end.saturating_sub(at.as_millis() / BAR_MILLIS);
            if let Some(bar) =
                usize::try_from(age).ok().and_then(|age| BARS.checked_sub(age)).filter(|bar| *bar < BARS)
            {
                bars[bar] = bars[bar].saturating_add(*changes);
            }
        }
        bars
    }

    pub fn per_second(&self, now: Clock) -> u64 {
        let sum: u64 = self
            .seen
            .iter()
            .filter(|(at, _)| now.saturating_sub(*at) < WINDOW)
            .fold(0, |sum, (_, changes)| sum.saturating_add(*changes));
        let started = self.started.unwrap_or(now);
        let over = now.saturating_sub(started).clamp(Duration::from_secs(1), WINDOW);
        let millis = u64::try_from(over.as_millis()).unwrap_or(3000);
        sum.saturating_mul(1000).saturating_add(millis / 2) / millis
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_quarters_of_a_second() {
        let mut rate = Rate::default();
        for (millis, changes) in [(100, 1), (1100, 5), (1200, 6), (1900, 7), (2010, 8)] {
            rate.add(changes, Duration::from_millis(millis));
        }
        assert_eq!(rate.bars(Duration::from_millis(2020)), [1, 0, 0, 0, 11, 0, 0, 7]);
        assert_eq!(rate.bars(Duration::from_millis(2260)), [0, 0, 0, 11, 0, 0, 7, 8]);
        assert_eq!(rate.bars(Duration::from_secs(9)), [0; 8]);
    }

    #[test]
    fn rate_is_averaged_over_three_seconds() {
        let mut rate = Rate::default();
        let at = Duration::from_millis;
        for tick in 0..50 {
            rate.add(4, at(tick * 100));
        }
        assert_eq!(rate.per_second(at(4900)), 40);
        assert_eq!(rate.per_second(at(9000)), 0);
        rate.add(0, at(9000));
        assert!(rate.seen.is_empty());
    }

    #[test]
    fn rate_of_the_first_second_is_not_extrapolated() {
        let mut rate = Rate::default();
        rate.add(10, Duration::from_millis(5));
        assert_eq!(rate.per_second(Duration::from_millis(100)), 10);
    }
}

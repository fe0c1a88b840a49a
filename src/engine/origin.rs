//! The relation between two clocks of the same speed.

use std::time::Duration;

/// Readings within this time count as simultaneous.
const SIMULTANEOUS: Duration = Duration::from_micros(2);
const MAX_READINGS: usize = 100;

/// Returns the time of `other` when `clock` was 0. Reads both several times if this thread is
/// interrupted in between.
pub fn origin(other: impl Fn() -> Duration, clock: impl Fn() -> Duration) -> Duration {
    let mut best = (Duration::MAX, Duration::ZERO);
    for _ in 0..MAX_READINGS {
        let (before, reading, after) = (clock(), other(), clock());
        let width = after.saturating_sub(before);
        if width < best.0 {
            best = (width, reading.saturating_sub(before + width / 2));
        }
        if width <= SIMULTANEOUS {
            break;
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn interruption_between_two_readings_does_not_count() {
        let now = Cell::new(Duration::from_secs(100));
        let reads = Cell::new(0);
        let clock = || {
            reads.set(reads.get() + 1);
            // Interrupted in the first round, before and after the other clock is read.
            now.set(now.get() + Duration::from_micros(if reads.get() < 3 { 900 } else { 1 }));
            now.get().saturating_sub(Duration::from_secs(40))
        };
        let found = origin(|| now.get(), clock);
        assert!(found.abs_diff(Duration::from_secs(40)) <= Duration::from_micros(1), "{found:?}");
    }
}

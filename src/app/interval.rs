//! Refresh intervals, which `+` and `-` change in steps.

use std::time::Duration;

/// An interval, as an index into a list of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    steps: &'static [u64],
    index: usize,
}

/// Intervals in milliseconds. Refresh is paused after the last step.
const SURVEY_STEPS: &[u64] = &[100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const LIVE_STEPS: &[u64] = &[33, 50, 100, 200, 500, 1000, 2000, 5000];

impl Interval {
    /// Returns the survey interval at the step nearest to `wanted`.
    pub fn survey(every: Duration) -> Self {
        Self::nearest(SURVEY_STEPS, every)
    }

    pub fn live(every: Duration) -> Self {
        Self::nearest(LIVE_STEPS, every)
    }

    fn nearest(steps: &'static [u64], every: Duration) -> Self {
        let wanted = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        let index = (0..steps.len()).min_by_key(|&index| steps[index].abs_diff(wanted)).unwrap_or(0);
        Self { steps, index }
    }

    /// The step after the longest interval is the pause.
    pub fn longer(&mut self) {
        self.index = (self.index + 1).min(self.steps.len());
    }

    pub const fn shorter(&mut self) {
        self.index = self.index.saturating_sub(1);
    }

    /// `None` when paused.
    pub fn duration(self) -> Option<Duration> {
        self.steps.get(self.index).map(|&step| Duration::from_millis(step))
    }

    /// Text for the table's header: `every 1 s`, `paused`.
    pub fn every_text(self) -> String {
        match self.steps.get(self.index) {
            None => "paused".to_owned(),
            Some(&step) if step < 1000 => format!("every {step} ms"),
            Some(&step) => format!("every {} s", step / 1000),
        }
    }

    /// Text for the title of Inspect: `live 10/s`, `live every 2 s`, `paused`.
    pub fn rate_text(self) -> String {
        match self.steps.get(self.index) {
            Some(&step) if step <= 1000 => format!("live {}/s", 1000 / step),
            _ => match self.every_text().as_str() {
                "paused" => "paused".to_owned(),
                every => format!("live {every}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_interval_is_followed_by_pause() {
        let mut interval = Interval::survey(Duration::from_secs(1));
        assert_eq!(interval.every_text(), "every 1 s");
        for _ in 0..20 {
            interval.longer();
        }
        assert_eq!((interval.duration(), interval.every_text().as_str()), (None, "paused"));
        interval.shorter();
        assert_eq!(interval.duration(), Some(Duration::from_secs(60)));
        for _ in 0..20 {
            interval.shorter();
        }
        assert_eq!(interval.every_text(), "every 100 ms");
        assert_eq!(Interval::live(Duration::from_millis(100)).rate_text(), "live 10/s");
        assert_eq!(Interval::live(Duration::from_secs(2)).rate_text(), "live every 2 s");
    }
}

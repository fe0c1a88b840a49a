//! The requested sample rate, and the one that was reached.

use std::time::Duration;

/// The requested rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// Ticks per second, 1 to 10,000.
    Hertz(f64),
    /// As often as a processor can read.
    Burst,
}

/// Counts since sampling began. `samples + missed == ticks`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timing {
    /// Ticks that were due. In a burst, the samples.
    pub ticks: u64,
    pub samples: u64,
    /// Ticks at which no sample was taken.
    pub missed: u64,
    /// Runs of ticks without a sample, also in a burst.
    pub gaps: u64,
    /// Values that may be torn: see [`Grade::Unverified`](super::Grade).
    pub unverified: u64,
    /// Values, sampled at writes, that may be those of a later write.
    pub late: u64,
    /// The time from the first tick to the last.
    pub elapsed: Duration,
    /// The mean deviation of the samples from their ticks.
    pub jitter: Duration,
    /// The largest deviation.
    pub worst: Duration,
}

impl Timing {
    /// The samples per second; 0 before the second sample.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "only a rate")]
    pub fn achieved(&self) -> f64 {
        if self.samples < 2 || self.elapsed.is_zero() {
            return 0.0;
        }
        (self.samples - 1) as f64 / self.elapsed.as_secs_f64()
    }
}

impl Rate {
    /// The time between two ticks; `None` in a burst.
    #[must_use]
    pub fn period(self) -> Option<Duration> {
        match self {
            Self::Hertz(rate) => Some(Duration::from_secs_f64(1.0 / rate.clamp(1.0, 10_000.0))),
            Self::Burst => None,
        }
    }
}

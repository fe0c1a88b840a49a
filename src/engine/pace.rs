//! The pace of periodic work.

use super::Clock;
use std::time::Duration;

/// The schedule of periodic work.
#[derive(Debug)]
pub struct Pace {
    /// The interval; `None` to run only on request.
    pub every: Option<Duration>,
    /// The work takes at most 1/`share` of the time, whatever the interval.
    share: u32,
    /// The time of a pending request.
    asked: Option<Clock>,
    /// The start and duration of the last run.
    last: Option<(Clock, Duration)>,
}

impl Pace {
    /// Returns a schedule for periodic work that is due immediately.
    pub const fn new(every: Option<Duration>, share: u32) -> Self {
        Self { every, share, asked: None, last: None }
    }

    /// Makes the work due at this time.
    pub const fn ask(&mut self, at: Clock) {
        self.asked = Some(at);
    }

    /// Returns the time at which the work is due.
    pub fn due(&self) -> Option<Clock> {
        let regular = self.every.map(|every| {
            self.last.map_or(Clock::ZERO, |(started, took)| started + every.max(self.share * took))
        });
        self.asked.into_iter().chain(regular).min()
    }

    /// Starts the work. Returns true if it was requested.
    pub const fn begin(&mut self, now: Clock) -> bool {
        self.last = Some((now, Duration::ZERO));
        self.asked.take().is_some()
    }

    /// Continues work that was interrupted.
    pub const fn resume(&mut self) {
        self.asked = None;
    }

    /// Adds the duration of a part of the work.
    pub fn took(&mut self, time: Duration) {
        if let Some((_, took)) = &mut self.last {
            *took += time;
        }
    }
}

//! Schedules periodic work.

use super::Clock;
use std::time::Duration;

#[derive(Debug)]
pub struct Pace {
    /// The interval; `None` to run only on request.
    pub every: Option<Duration>,
    /// The work takes at most 1/`share` of the time, even if the interval is shorter.
    share: u32,
    /// The time of a pending request.
    requested: Option<Clock>,
    /// The start and duration of the last run.
    last: Option<(Clock, Duration)>,
}

impl Pace {
    /// Periodic work is due immediately.
    pub const fn new(every: Option<Duration>, share: u32) -> Self {
        Self { every, share, requested: None, last: None }
    }

    /// Makes the work due at this time.
    pub const fn request(&mut self, at: Clock) {
        self.requested = Some(at);
    }

    /// Returns the time at which the work is due.
    pub fn due(&self) -> Option<Clock> {
        let regular = self.every.map(|every| {
            self.last
                .map_or(Clock::ZERO, |(started, add_duration)| started + every.max(self.share * add_duration))
        });
        self.requested.into_iter().chain(regular).min()
    }

    /// Starts the work. Returns true if it was requested.
    pub const fn start(&mut self, now: Clock) -> bool {
        self.last = Some((now, Duration::ZERO));
        self.requested.take().is_some()
    }

    /// Continues work that was interrupted.
    pub const fn resume(&mut self) {
        self.requested = None;
    }

    /// Adds the duration of some work.
    pub fn add_duration(&mut self, time: Duration) {
        if let Some((_, add_duration)) = &mut self.last {
            *add_duration += time;
        }
    }
}

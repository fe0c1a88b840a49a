//! The rate of work that is repeated.

use super::Clock;
use std::time::Duration;

/// When repeated work is due.
#[derive(Debug)]
pub struct Pace {
    /// The interval; `None`: only on request.
    pub every: Option<Duration>,
    /// The work takes at most one part in `share` of the time, whatever the interval.
    share: u32,
    /// It was requested for this time.
    asked: Option<Clock>,
    /// When it last began, and how long it took.
    last: Option<(Clock, Duration)>,
}

impl Pace {
    /// Work at an interval, the first time at once.
    pub const fn new(every: Option<Duration>, share: u32) -> Self {
        Self { every, share, asked: None, last: None }
    }

    /// Makes it due from this time on.
    pub const fn ask(&mut self, at: Clock) {
        self.asked = Some(at);
    }

    /// When it is due.
    pub fn due(&self) -> Option<Clock> {
        let regular = self
            .every
            .map(|every| self.last.map_or(Clock::ZERO, |(began, took)| began + every.max(self.share * took)));
        self.asked.into_iter().chain(regular).min()
    }

    /// The work begins. Returns true if it was requested.
    pub const fn begin(&mut self, now: Clock) -> bool {
        self.last = Some((now, Duration::ZERO));
        self.asked.take().is_some()
    }

    /// The work goes on that began before.
    pub const fn resume(&mut self) {
        self.asked = None;
    }

    /// A part of the work has taken so long.
    pub fn took(&mut self, time: Duration) {
        if let Some((_, took)) = &mut self.last {
            *took += time;
        }
    }
}

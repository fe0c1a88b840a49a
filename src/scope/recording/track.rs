//! The channels of a recording, and its clock.

use crate::machine::Machine;
use crate::scope::{Channel, NumberKind};
use std::time::Duration;

/// A channel as a recording keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    pub name: String,
    pub kind: NumberKind,
}

impl From<&Channel> for Track {
    fn from(channel: &Channel) -> Self {
        Self { name: channel.name.clone(), kind: channel.kind }
    }
}

/// A moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub monotonic: u64,
    /// Nanoseconds since 1970.
    pub realtime: u64,
}

impl Epoch {
    /// The current moment.
    #[must_use]
    pub fn of(machine: &dyn Machine) -> Self {
        let monotonic = u64::try_from(machine.monotonic_time().as_nanos()).unwrap_or(u64::MAX);
        Self::new(monotonic, machine.now().since_epoch())
    }

    /// The moment `now` since 1970 that is `monotonic` nanoseconds of `CLOCK_MONOTONIC`.
    #[must_use]
    pub fn new(monotonic: u64, now: Duration) -> Self {
        Self { monotonic, realtime: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX) }
    }

    /// Converts a time of `CLOCK_MONOTONIC`, which may be before this moment, to nanoseconds since 1970.
    #[must_use]
    pub const fn realtime_of(self, monotonic: u64) -> u64 {
        match monotonic.checked_sub(self.monotonic) {
            Some(later) => self.realtime.saturating_add(later),
            None => self.realtime.saturating_sub(self.monotonic - monotonic),
        }
    }
}

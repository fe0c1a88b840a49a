//! Sleeps that end at exact times: `clock_nanosleep(2)` with an absolute time, and no timer slack.

use nix::errno::Errno;
use nix::sys::prctl::set_timerslack;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};
use std::time::Duration;

/// Makes timeouts of this thread end as early as the kernel can, instead of up to 50 µs later
/// (`PR_SET_TIMERSLACK`). Without permission, they stay late.
pub fn be_precise() {
    // 0 restores the default.
    let _ = set_timerslack(1);
}

/// Returns the time of `CLOCK_MONOTONIC`.
#[must_use]
pub fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// Sleeps until a time of `CLOCK_MONOTONIC`. Returns at once if it has passed.
pub fn sleep_until(time: Duration) {
    let until = time.into();
    let flags = ClockNanosleepFlags::TIMER_ABSTIME;
    while clock_nanosleep(ClockId::CLOCK_MONOTONIC, flags, &until) == Err(Errno::EINTR) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_ends_after_its_time_and_not_before() {
        be_precise();
        let until = monotonic() + Duration::from_millis(3);
        sleep_until(until);
        assert!(monotonic() >= until);
        let before = monotonic();
        sleep_until(until);
        assert!(monotonic().saturating_sub(before) < Duration::from_secs(1), "the time has passed");
    }
}

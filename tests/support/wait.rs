//! Waits for conditions. Tests never sleep for a guessed time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Timeout for events that are immediate on an idle machine, but may be slow on a busy one.
pub const SOON: Duration = Duration::from_secs(20);

/// Waits until a condition holds.
///
/// # Panics
/// If it does not hold within the limit.
#[track_caller]
pub fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < limit, "what was waited for did not come within {limit:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Sets a flag on drop, so that threads that run until it is set end with the test, even if the
/// test fails.
pub struct SetOnDrop<'a>(pub &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn wait_returns_when_the_condition_holds() {
    let mut calls = 0;
    wait_until(SOON, || {
        calls += 1;
        calls == 3
    });
    assert_eq!(calls, 3);
}

#[test]
#[should_panic(expected = "did not come within")]
fn wait_panics_at_the_limit() {
    wait_until(Duration::from_millis(10), || false);
}

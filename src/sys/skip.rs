//! Skips tests that cannot run here, and lists them when the test program exits.

use nix::unistd::geteuid;
use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The skipped tests, with reasons.
static SKIPPED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Skips the current test because a tool or a privilege is missing. Under `CI=true` the test fails
/// instead.
///
/// # Panics
/// Under `CI=true`.
pub fn skip(reason: &str) {
    assert!(env::var_os("CI").is_none_or(|value| value != "true"), "not skipped under CI=true: {reason}");
    skip_for_kernel(reason);
}

/// Skips the current test because the kernel lacks a feature, even under `CI=true`.
pub fn skip_for_kernel(reason: &str) {
    let test = thread::current().name().unwrap_or("unknown test").to_owned();
    let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if skipped.is_empty() {
        // SAFETY: report is a C function that does not unwind: it ignores errors.
        unsafe { libc::atexit(report) };
    }
    skipped.insert(test, reason.to_owned());
}

/// Returns true for root, and skips the current test otherwise.
pub fn is_root_or_skip() -> bool {
    let root = geteuid().is_root();
    if !root {
        skip("needs root");
    }
    root
}

extern "C" fn report() {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "\nskipped {} tests:", skipped.len());
    for (test, reason) in skipped.iter() {
        let _ = writeln!(out, "  {test}: {reason}");
    }
}

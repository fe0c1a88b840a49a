//! The times of samples, and the ticks that were missed.

use super::{Scope, last, posix, value, writer};
use crate::support::{Child, Namespaces, Object, SOON, wait_until};
use shmlens::decode::Scalar;
use shmlens::engine::Request;
use shmlens::scope::sampler::nanoseconds;
use shmlens::scope::{Grade, Rate};
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Processes that use all processors.
fn busy() -> Vec<Child> {
    let busy = || Child::spawn(Command::new("sh").args(["-c", "while :; do :; done"]));
    (0..2).map(|_| busy()).collect()
}

#[test]
fn no_tick_is_lost_on_a_busy_machine() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let segment = posix("/stamped");
    let _busy = busy();
    let values = vec![value(&segment, Scalar::U64, 0), value(&segment, Scalar::U64, 8)];
    let mut scope = Scope::start(Rate::Hertz(1000.0), values);
    scope.sample_for(Duration::from_millis(1500));
    let all = scope.stop();
    let taken: Vec<usize> =
        (0..all.len()).filter(|&row| all.columns[0].grades[row] == Grade::Whole).collect();
    let (first, end) = (taken[0], taken[taken.len() - 1]);
    // The count of the writer is the number of milliseconds, whatever the sampler did. Its last
    // change may be old if the writer had to wait for a processor.
    let counted = (all.columns[0].bits[end] - all.columns[0].bits[first]) * 1_000_000;
    let age = |row: usize| all.times[row].saturating_sub(all.columns[1].bits[row]);
    let slack = age(first) + age(end) + 2 * nanoseconds(all.timing.worst) + 2_000_000;
    let ticks = (all.timing.ticks - 1) * 1_000_000;
    assert!(counted.abs_diff(ticks) <= slack, "{counted} counted, {ticks} in ticks, {:?}", all.timing);
    assert!(all.timing.samples > 300, "{:?}", all.timing);
    assert!(taken.iter().map(|&row| all.columns[0].bits[row]).is_sorted());
    // A value is read after it was written, by the same clock. A thread that was preempted between
    // reading and taking the time is rare.
    let early = taken.iter().filter(|&&row| all.columns[1].bits[row] > all.times[row]).count();
    assert!(early * 20 < taken.len(), "{early} of {} were read before they were written", taken.len());
    let freshest = taken.iter().map(|&row| age(row)).min().unwrap();
    assert!(freshest < 2_000_000, "{freshest} ns");
}

#[test]
fn any_rate_is_kept() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 4096, 0o600);
    object.write(8, &7_u64.to_ne_bytes());
    for (hertz, millis) in [(20.0, 200), (777.7, 200), (10_000.0, 200)] {
        let mut scope = Scope::start(Rate::Hertz(hertz), vec![value(&posix("/a"), Scalar::U64, 8)]);
        scope.sample_for(Duration::from_millis(millis));
        let all = scope.stop();
        assert!(all.events.is_empty() && last(&all, 0) == Some((7, Grade::Whole)), "{:?}", all.events);
        let expected = all.timing.elapsed.as_secs_f64() * hertz;
        let ticks = f64::from(u32::try_from(all.timing.ticks - 1).unwrap());
        assert!((ticks - expected).abs() < 1.0, "{hertz} Hz: {:?}", all.timing);
        assert!(all.timing.jitter <= all.timing.worst);
    }
}

#[test]
fn burst_is_faster_than_any_timer() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let segment = posix("/stamped");
    let values = vec![value(&segment, Scalar::U64, 0), value(&segment, Scalar::U64, 8)];
    let mut scope = Scope::start(Rate::Burst, values);
    scope.until(|all| all.timing.samples > 100_000);
    let all = scope.stop();
    assert!(all.timing.achieved() > 50_000.0, "{:?}", all.timing);
    assert!(all.columns[0].bits.is_sorted() || all.columns[0].grades.contains(&Grade::Missing));
}

/// Returns the voluntary context switches of the threads of the scope in this namespace.
fn wakeups() -> Option<u64> {
    let (mut sum, mut count) = (0, 0);
    let here = fs::read_link("/proc/thread-self/ns/ipc").ok()?;
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let is_ours = fs::read_link(task.path().join("ns/ipc")).is_ok_and(|namespace| namespace == here);
        if is_ours && matches!(name.trim(), "scope" | "scope-sources") {
            let status = fs::read_to_string(task.path().join("status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            sum += line.trim().parse::<u64>().ok()?;
            count += 1;
        }
    }
    (count == 2).then_some(sum)
}

#[test]
fn scope_that_is_closed_or_paused_never_wakes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    let mut scope = Scope::start(Rate::Hertz(1000.0), vec![value(&posix("/a"), Scalar::U64, 8)]);
    scope.sample_for(Duration::from_millis(50));
    for request in [Request::PauseScope(true), Request::Scope(None)] {
        scope.engine.send(request);
        let mut before = None;
        // It stops soon.
        wait_until(SOON, || {
            thread::sleep(Duration::from_millis(100));
            let now = wakeups();
            std::mem::replace(&mut before, now) == now
        });
        // The absence of wakeups can only be waited for.
        thread::sleep(Duration::from_millis(500));
        assert_eq!(wakeups(), before);
        assert!(before.is_some());
    }
}

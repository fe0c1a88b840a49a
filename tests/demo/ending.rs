//! The demo removes its segments, however it ends.

use super::{Headless, row, totals};
use crate::support::{Child, Namespaces, SOON, shmlens, wait_until};
use nix::sys::signal::{Signal, kill};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

#[test]
fn printed_segments_exist_with_their_sizes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let demo = Headless::start();
    assert_eq!((demo.count(), totals()), (5, (2, 3)));
    let (state, orphan) = (row(demo.state).unwrap(), row(demo.orphan).unwrap());
    // The monitor may be there already.
    assert!((2..=3).contains(&state.nattch), "{}", state.nattch);
    assert_eq!(state.mode.bits(), 0o600);
    assert!(state.size.0 > 376);
    assert_eq!((orphan.size.0, orphan.mode.bits(), orphan.nattch), (1 << 20, 0o600, 0));
    let size = |path| fs::metadata(path).unwrap().size();
    assert_eq!((size(&demo.ring), size(&demo.sparse)), (1 << 16, 256 << 20));
    for path in [&demo.ring, &demo.list, &demo.sparse] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o7777, 0o600);
    }
}

#[test]
fn signal_ends_the_demo_and_removes_everything() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut demo = Headless::start();
        demo.child.signal(signal);
        assert!(demo.child.wait(SOON).success(), "{signal}");
        assert_eq!(totals(), (0, 0), "after {signal}");
    }
}

/// Returns true if a process has a segment mapped. A zombie has no mappings.
fn is_holder(pid: &str) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.contains("/dev/shm/demo-ring") || maps.contains("/SYSV")
}

#[test]
fn processes_of_a_killed_demo_exit() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for stopped in [false, true] {
        let mut demo = Headless::start();
        demo.wait_for_monitor();
        let pid = demo.child.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let pids: Vec<&str> = children.split_whitespace().collect();
        assert!(pids.len() >= 2 && pids.iter().all(|pid| is_holder(pid)), "{pids:?}");
        if stopped {
            kill(nix::unistd::Pid::from_raw(pids[0].parse().unwrap()), Signal::SIGSTOP).unwrap();
        }
        demo.child.signal(Signal::SIGKILL);
        demo.child.wait(SOON);
        wait_until(SOON, || !pids.iter().any(|pid| is_holder(pid)));
    }
}

#[test]
fn signal_during_startup_leaves_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for delay in 0..20 {
        let mut child = Child::spawn(shmlens().args(["demo", "--headless"]).stdout(Stdio::null()));
        // This is the moment under test, not a wait.
        thread::sleep(Duration::from_millis(delay));
        child.signal(Signal::SIGTERM);
        // Before it handles signals, it has not created anything.
        child.wait(SOON);
        assert_eq!(totals(), (0, 0), "after {delay} ms");
    }
}

#[test]
fn closed_pipe_ends_the_demo() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut command = shmlens();
    let mut child = command.args(["demo", "--headless"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(totals(), (0, 0));
}

#[test]
fn suspended_demo_resumes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut command = shmlens();
    let mut child = command.args(["demo", "--headless"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    for signal in [Signal::SIGSTOP, Signal::SIGCONT, Signal::SIGTERM] {
        kill(pid, signal).unwrap();
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(totals(), (0, 0));
}

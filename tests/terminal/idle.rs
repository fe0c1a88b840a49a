//! No output and no wakeups while nothing changes.

use super::open_program;
use crate::support::{Namespaces, Object, SOON, Terminal, wait_until};
use nix::sys::signal::Signal;
use std::fs;
use std::mem;
use std::thread;
use std::time::Duration;

/// Counts the voluntary sleeps of the threads with this name, or of all threads.
fn sleeps(pid: i32, name: Option<&str>) -> u64 {
    fs::read_dir(format!("/proc/{pid}/task"))
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.unwrap().path().join("status")).ok())
        .filter(|status| name.is_none_or(|name| status.starts_with(&format!("Name:\t{name}\n"))))
        .filter_map(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse::<u64>().ok()
        })
        .sum()
}

#[test]
fn unchanged_surveys_write_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut terminal = open_program();
    let pid = terminal.child().pid().as_raw();
    let written = terminal.raw().len();
    let before = sleeps(pid, Some("survey"));
    wait_until(SOON, || sleeps(pid, Some("survey")) >= before + 3);
    assert_eq!(terminal.raw().len(), written, "{:?}", String::from_utf8_lossy(&terminal.raw()[written..]));
    terminal.send("q");
    terminal.wait_exit(SOON);
}

#[test]
fn paused_program_sleeps() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut terminal = open_program();
    terminal.send(&"+".repeat(20));
    terminal.wait_for("paused", SOON);
    sleeps_on(&mut terminal);
}

#[test]
fn frozen_view_with_a_paused_survey_sleeps() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("moves", 4096, 0o600);
    let mut terminal = open_program();
    terminal.wait_for("/moves", SOON);
    terminal.send(&"+".repeat(20));
    terminal.wait_for("paused", SOON);
    terminal.send("<Enter>");
    terminal.wait_for("live", SOON);
    terminal.send("<Space>");
    terminal.wait_for("frozen", SOON);
    object.write(0, b"changed");
    sleeps_on(&mut terminal);
}

/// Asserts that nothing happens for a while, and ends the program.
fn sleeps_on(terminal: &mut Terminal) {
    let pid = terminal.child().pid().as_raw();
    // Wait until all threads sleep for a moment, so that the work of the last key is done.
    let mut before = 0;
    wait_until(SOON, || {
        thread::sleep(Duration::from_millis(100));
        mem::replace(&mut before, sleeps(pid, None)) == before
    });
    // The absence of events can only be waited for.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(sleeps(pid, None), before);
    terminal.child().signal(Signal::SIGTERM);
    assert_eq!(terminal.wait_exit(SOON).code(), Some(143));
}

//! Nothing is written while nothing changes, and nobody wakes while nothing
//! can change.

use super::opened;
use crate::support::{SOON, World, wait_until};
use std::fs;
use std::thread;
use std::time::Duration;

/// How often the threads of a process have slept, those of this name or all.
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
fn surveys_that_find_nothing_new_write_nothing() {
    let Some(_world) = World::new() else { return };
    let mut terminal = opened();
    let pid = terminal.child().pid().as_raw();
    let written = terminal.raw().len();
    let before = sleeps(pid, Some("survey"));
    wait_until(SOON, || sleeps(pid, Some("survey")) >= before + 3);
    assert_eq!(terminal.raw().len(), written, "{:?}", String::from_utf8_lossy(&terminal.raw()[written..]));
    terminal.send("q");
    terminal.wait_exit(SOON);
}

#[test]
fn a_paused_program_sleeps() {
    let Some(_world) = World::new() else { return };
    let mut terminal = opened();
    let pid = terminal.child().pid().as_raw();
    terminal.send(&"+".repeat(20));
    terminal.wait_for("paused", SOON);
    let slept = sleeps(pid, None);
    // That nothing happens can only be waited for.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(sleeps(pid, None), slept);
    terminal.send("q");
    terminal.wait_exit(SOON);
}

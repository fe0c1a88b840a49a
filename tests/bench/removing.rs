//! Removes 4000 System V segments without copies, compared with a single call of `ipcrm`. Runs in
//! its own namespaces, because it removes every segment.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

#[expect(dead_code, reason = "it makes and times its runs itself")]
mod support;
#[expect(dead_code, reason = "the benchmark creates its own segments")]
mod world;

use shmlens::sys::shm;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Contest, installed, shmlens, short};

/// The number of segments to remove.
const SEGMENTS: usize = 4000;
/// The required ratio of our speed. `ipcrm` checks nothing before or after, and keeps no log.
const REQUIRED_RATIO: Option<f64> = Some(1.0 / 3.0);

fn main() {
    if std::env::args().any(|argument| argument == "--list") || !world::enter("removing") {
        return;
    }
    let state = tempfile::tempdir().expect("a state directory");
    let rounds = if short() { 5 } else { 41 };
    let mut contest = Contest::new(format!("rm of {SEGMENTS} empty System V segments"));
    let path = state.path().to_owned();
    contest.add("shmlens rm --no-copy --yes", 0, None, move || {
        let mut command = shmlens();
        command.args(["rm", "--no-copy", "--yes"]).env("XDG_STATE_HOME", &path);
        measure_removal(command, &[])
    });
    if installed("ipcrm") {
        contest.add("ipcrm -m … -m …", 0, REQUIRED_RATIO, || {
            measure_removal(Command::new("ipcrm"), &["-m"])
        });
    }
    contest.run(rounds);
}

/// Returns the time that a command takes to remove new segments. `before` precedes each id on the
/// command line.
fn measure_removal(mut command: Command, before: &[&str]) -> Duration {
    for _ in 0..SEGMENTS {
        let shmid = shm::create(0, 4096, 0o600).expect("a new segment");
        command.args(before).arg(shmid.to_string());
    }
    let started = Instant::now();
    let output = command.output().expect("the command runs");
    let took = started.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let left = fs::read_to_string("/proc/sysvipc/shm").expect("the table").lines().count() - 1;
    assert_eq!(left, 0, "the command left segments behind");
    took
}

//! Programs that create shared memory: the verdicts on their segments while they run, and after
//! they are killed.

mod boost;
mod escaping;
mod never_leaked;
mod postgresql;
mod python;
mod sharing;
mod visibility;
mod x11;

use crate::support::{Child, SOON, python, shmlens, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

/// Returns a user without other processes: processes of root or of other tests would count as
/// helpers.
fn isolated_user() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const FIRST_UID: u32 = 200_000_000;
    FIRST_UID + process::id() * 64 + NEXT.fetch_add(1, Ordering::Relaxed)
}

fn run_by(user: u32, mut command: Command) -> Command {
    command.uid(user).gid(user).current_dir("/");
    command
}

/// Returns a Python that any user can run, because its path may lead through root's directories.
/// `None` without Python.
fn python_of(user: u32, text: &str) -> Option<Command> {
    let system_python = Path::new("/usr/bin/python3");
    let mut command = if system_python.exists() {
        let mut command = Command::new(system_python);
        command.args(["-u", "-c", text]);
        command
    } else {
        python(text)?
    };
    // The tracker would warn about objects that it unlinks.
    command.env("PYTHONWARNINGS", "ignore");
    Some(run_by(user, command))
}

/// A segment as reported by shmlens.
#[derive(Debug, Clone)]
struct Verdict {
    id: String,
    state: String,
    maker: String,
    reasons: String,
    holders: Vec<i32>,
    segment: Value,
}

impl Verdict {
    fn new(segment: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let certainty = text(&segment["certainty"]);
        let reasons = segment["reasons"].as_array().unwrap().iter().map(text);
        let pids = segment["holders"].as_array().into_iter().flatten();
        Self {
            id: text(&segment["id"]),
            state: format!("{} {certainty}", text(&segment["state"])).trim().to_owned(),
            maker: text(&segment["made_by"]["id"]),
            reasons: reasons.collect::<Vec<_>>().join("\n"),
            holders: pids.map(|holder| i32::try_from(holder["pid"].as_i64().unwrap()).unwrap()).collect(),
            segment: segment.clone(),
        }
    }

    /// Asserts the state. An object in a pid namespace is never a certain leak, because processes
    /// outside may need it.
    #[track_caller]
    fn assert_is(&self, state: &str, words: &[&str]) {
        let unheld = matches!(state.split(' ').next(), Some("idle" | "leaked" | "protected"));
        if unheld && self.segment["kind"] == "posix" && !sees_all() {
            assert_ne!(self.state, "in-use", "{self:#?}");
            assert!(state.starts_with("leaked") || !self.state.starts_with("leaked"), "{self:#?}");
            return;
        }
        assert_eq!(self.state, state, "{self:#?}");
        for word in words {
            assert!(self.reasons.contains(word), "'{word}' is not in the reasons of {self:#?}");
        }
    }
}

/// Returns true if every process is visible.
fn sees_all() -> bool {
    // `PROC_PID_INIT_INO` of the kernel.
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link == Path::new("pid:[4026531836]"))
}

/// Returns `list --json`, where use within `settle` is recent.
#[track_caller]
fn listed_with(mut command: Command, settle: &str) -> Vec<Verdict> {
    let output = command.args(["list", "--json", "--settle", settle]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["segments"].as_array().unwrap().iter().map(Verdict::new).collect()
}

/// Returns all segments, without an age limit.
#[track_caller]
fn listed() -> Vec<Verdict> {
    listed_with(shmlens(), "0s")
}

/// Returns the only segment.
#[track_caller]
fn verdict(id: &str) -> Verdict {
    let all = listed();
    let found = all.iter().find(|verdict| verdict.id == id);
    found.unwrap_or_else(|| panic!("no {id} among {all:#?}")).clone()
}

/// Returns the segments of a maker.
#[track_caller]
fn made_by(maker: &str) -> Vec<Verdict> {
    listed().into_iter().filter(|verdict| verdict.maker == maker).collect()
}

/// Kills a process, and waits until it is a zombie or reaped.
fn kill_and_wait(pid: i32) {
    let pid = Pid::from_raw(pid);
    let _ = kill(pid, Signal::SIGKILL);
    wait_until(SOON, || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with(['Z', 'X']))
    });
}

/// Waits for a line that starts with a word. Returns the rest of the line.
#[track_caller]
fn line_with(child: &mut Child, word: &str) -> String {
    let line = child.line(SOON);
    let rest = line.strip_prefix(word).unwrap_or_else(|| panic!("'{line}' does not begin with '{word}'"));
    rest.trim().to_owned()
}

/// Creates a directory of this user, in one that every user may enter.
fn directory_of(user: u32) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    nix::unistd::chown(directory.path(), Some(user.into()), Some(user.into())).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    directory
}

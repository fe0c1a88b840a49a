//! The command line, compared with common tools on real segments.

mod answers;
mod dump;
mod find;
mod info;
mod limits;
mod list;
mod names;
mod output;
mod unlinked;
mod values;
mod watch;

use crate::support::{SOON, Sysv, shmlens, wait_until};
use serde_json::Value;
use shmlens::sys::shm;
use std::process::Output;

fn run<const N: usize>(arguments: [&str; N]) -> Output {
    shmlens().args(arguments).output().unwrap()
}

/// Returns standard output. The command must succeed without messages.
#[track_caller]
fn printed<const N: usize>(arguments: [&str; N]) -> String {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{arguments:?}: {}: {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Returns standard output as JSON.
#[track_caller]
fn json<const N: usize>(arguments: [&str; N]) -> Value {
    serde_json::from_str(&printed(arguments)).unwrap()
}

/// Returns standard error. The command must exit with this status and print nothing else.
#[track_caller]
fn stderr_of<const N: usize>(arguments: [&str; N], status: i32) -> String {
    let output = run(arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert!(!stderr.contains('\x1b') && !stderr.contains("os error"), "{stderr:?}");
    stderr
}

/// Waits until the segment is detached: a child forked by another test inherits the attachments of
/// this process until it execs.
fn settle(sysv: &Sysv) {
    wait_until(SOON, || shm::stat(sysv.shmid).unwrap().nattch == 0);
}

#[track_caller]
fn tool_output(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

//! The command line, against real segments and the tools that people compare with.

mod answers;
mod dump;
mod find;
mod info;
mod limits;
mod list;
mod names;
mod output;
mod unlinked;
mod watch;

use crate::support::{SOON, Sysv, shmlens, wait_until};
use serde_json::Value;
use shmlens::sys::shm;
use std::process::Output;

/// What the program says to these arguments.
fn run<const N: usize>(arguments: [&str; N]) -> Output {
    shmlens().args(arguments).output().unwrap()
}

/// Its standard output, when it succeeds and has nothing to complain about.
#[track_caller]
fn printed<const N: usize>(arguments: [&str; N]) -> String {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{arguments:?}: {}: {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The same as JSON.
#[track_caller]
fn json<const N: usize>(arguments: [&str; N]) -> Value {
    serde_json::from_str(&printed(arguments)).unwrap()
}

/// Its complaint, when it ends with that status and prints nothing.
#[track_caller]
fn complaint<const N: usize>(arguments: [&str; N], status: i32) -> String {
    let output = run(arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert!(!stderr.contains('\x1b') && !stderr.contains("os error"), "{stderr:?}");
    stderr
}

/// Waits until nobody is attached. While this process has been, any process
/// that another test started in that moment is for a moment too.
fn settle(sysv: &Sysv) {
    wait_until(SOON, || shm::stat(sysv.shmid).unwrap().nattch == 0);
}

/// What another tool prints.
#[track_caller]
fn told(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

//! Save, restore, and removal with a copy: the restored segment equals the original, and a failure
//! leaves the segment or a complete copy.

mod acl;
mod command;
mod damage;
mod disk_space;
mod kills;
mod memory;
mod obstacles;
mod races;
mod round_trip;
mod streams;
mod trust;
mod unfinished;

use crate::support::shmlens;
use shmlens::act::{self, RestoreResult, SaveResult};
use shmlens::machine::real::RealMachine;
use shmlens::memory::Progress;
use shmlens::segment::{Segment, SegmentId};
use shmlens::survey::{Names, Survey};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Returns a directory for files and for the state directory.
fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn segments() -> Vec<Segment> {
    Survey::take(&RealMachine, &mut Names::default()).segments
}

fn segment(id: &SegmentId) -> Segment {
    segments().into_iter().find(|segment| segment.id == *id).unwrap_or_else(|| panic!("no {id}"))
}

fn save(id: &SegmentId, path: &Path) -> SaveResult {
    act::Actor::new(&RealMachine, &Progress::new())
        .save(&segment(id), path)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn restore(path: &Path) -> RestoreResult {
    act::Actor::new(&RealMachine, &Progress::new()).restore(path).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns a shmlens command with its state in this directory.
fn program(directory: &TempDir) -> Command {
    let mut command = shmlens();
    command.env("XDG_STATE_HOME", directory.path().join("state"));
    command.env_remove("SUDO_UID");
    command
}

fn run<const N: usize>(directory: &TempDir, arguments: [&str; N]) -> Output {
    program(directory).args(arguments).output().unwrap()
}

/// Returns the output of a successful command.
#[track_caller]
fn stdout_of<const N: usize>(directory: &TempDir, arguments: [&str; N]) -> String {
    let output = run(directory, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the standard error of a failing command.
#[track_caller]
fn stderr_of<const N: usize>(directory: &TempDir, arguments: [&str; N]) -> String {
    let output = run(directory, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
    assert!(!stderr.contains("os error"), "{stderr}");
    stderr
}

/// Returns the files in a directory, without subdirectories.
fn files(directory: &Path) -> Vec<OsString> {
    let Ok(entries) = fs::read_dir(directory) else { return vec![] };
    let mut names: Vec<OsString> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// Returns the copies that `rm` saved.
fn copies(directory: &TempDir) -> Vec<PathBuf> {
    let subdirectory = directory.path().join("state/shmlens/copies");
    files(&subdirectory).into_iter().map(|name| subdirectory.join(name)).collect()
}

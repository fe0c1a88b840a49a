//! Programs that hold the same object, one or two at a time.

use super::programs::compile;
use crate::support::{Child, SOON, as_nobody, shmlens};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// The object that they share.
pub const OBJECT: &str = "/telemetry";

/// The program of a recipe, in a directory that lives as long.
pub struct Program {
    _directory: TempDir,
    path: PathBuf,
}

impl Program {
    /// `None` without its compiler.
    pub fn new(name: &'static str) -> Option<Self> {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = compile(directory.path(), |one| one == name).remove(name)?;
        Some(Self { _directory: directory, path })
    }

    /// Starts it, and waits until it has the object.
    pub fn start(&self, arguments: &[&str]) -> Child {
        start(Command::new(&self.path).arg(OBJECT).args(arguments))
    }

    /// Needs root.
    pub fn start_as_nobody(&self) -> Child {
        start(&mut as_nobody(&self.path, [OBJECT]))
    }
}

fn start(command: &mut Command) -> Child {
    let mut child = Child::spawn_piped(command);
    assert_eq!(child.line(SOON), "ready");
    child
}

pub fn run(arguments: &[&str]) -> Output {
    shmlens().args(arguments).output().unwrap()
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

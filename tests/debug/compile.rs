//! Compiles programs with debug information, and opens them.

use crate::support::tool;
use shmlens::decode::debug::{FileSource, Program};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A directory with the source of a program, and the program.
pub struct Compiled {
    pub directory: TempDir,
    pub path: PathBuf,
}

/// Compiles a program. `None` without the compiler.
///
/// # Panics
/// If it does not compile.
pub fn compile(compiler: &str, extension: &str, source: &str, options: &[&str]) -> Option<Compiled> {
    let compiler = tool(compiler)?;
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = directory.path().join("program");
    let name = format!("source.{extension}");
    fs::write(directory.path().join(&name), source).unwrap();
    run(Command::new(compiler).args(options).args(["-o", "program", &name]).current_dir(directory.path()));
    Some(Compiled { directory, path })
}

/// Runs a tool in the directory of a program.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let first: Vec<&str> = errors.lines().filter(|line| line.contains("rror")).take(5).collect();
    assert!(output.status.success(), "{}", first.join("\n"));
}

pub fn open_file(path: &Path) -> Option<Box<dyn FileSource>> {
    Some(Box::new(File::open(path).ok()?))
}

pub fn open(path: &Path) -> Program {
    Program::open(&File::open(path).unwrap(), path, &open_file).unwrap()
}

impl Compiled {
    pub fn open(&self) -> Program {
        open(&self.path)
    }

    /// The text that the program prints.
    pub fn output(&self) -> String {
        let output = Command::new(&self.path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a tool in the directory of the program. `None` without the tool.
    pub fn tool(&self, name: &str, arguments: &[&str]) -> Option<()> {
        let mut command = Command::new(tool(name)?);
        run(command.args(arguments).current_dir(self.directory.path()));
        Some(())
    }
}

//! Unfinished copies after a kill, on a file system without `O_TMPFILE`.

use super::{directory, files, program, run};
use crate::support::{Child, Namespaces, Object, SOON, wait_until, without_tmpfile};
use nix::sys::signal::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

fn unfinished(directory: &Path) -> Option<PathBuf> {
    let mut names = files(directory).into_iter();
    let name = names.find(|name| name.to_string_lossy().starts_with(".shmlens-unfinished-"))?;
    Some(directory.join(name))
}

/// Starts a command, and suspends it once its unfinished copy has some data.
fn suspend(command: &mut Command, directory: &Path) -> (Child, PathBuf) {
    let child = Child::spawn(without_tmpfile(command).stdout(Stdio::null()).stderr(Stdio::null()));
    let grown = || {
        let path = unfinished(directory);
        path.is_some_and(|path| fs::metadata(path).is_ok_and(|stat| stat.len() >= 8 * MIB as u64))
    };
    wait_until(SOON, grown);
    child.signal(Signal::SIGSTOP);
    (child, unfinished(directory).unwrap())
}

fn object(name: &str, mib: usize) -> Object {
    let object = Object::new(name, (mib * MIB) as u64, 0o600);
    object.write(0, &vec![7; mib * MIB]);
    object
}

fn output_of<const N: usize>(directory: &TempDir, arguments: [&str; N]) -> String {
    String::from_utf8(run(directory, arguments).stderr).unwrap()
}

#[test]
fn next_command_removes_an_abandoned_unfinished_copy() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let copies = directory.path().join("state/shmlens/copies");
    let (large, other) = (object("large", 256), object("other", 8));
    let mut command = program(&directory);
    let (mut child, left) = suspend(command.args(["rm", "--yes", "--force", "/large"]), &copies);
    // The writer still holds the lock.
    assert_eq!(output_of(&directory, ["chmod", "0600", "/other"]), "");
    assert!(left.exists());
    // The unfinished copy counts toward the limit.
    fs::create_dir_all(directory.path().join("config/shmlens")).unwrap();
    fs::write(directory.path().join("config/shmlens/config.toml"), "copies = \"15M\"").unwrap();
    let mut command = program(&directory);
    command.env("XDG_CONFIG_HOME", directory.path().join("config"));
    let output = command.args(["rm", "--yes", "--force", "/other"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("copy limit of 15 MiB") && error.contains("unfinished copies"), "{error}");
    assert!(other.path().exists());
    child.end();
    // Commands that change nothing do not remove it.
    for arguments in [
        &["list"][..],
        &["chmod", "--dry-run", "0600", "/other"],
        &["--read-only", "chmod", "0600", "/other"],
    ] {
        program(&directory).args(arguments).output().unwrap();
        assert!(left.exists(), "{arguments:?}");
    }
    let removed = output_of(&directory, ["chmod", "0600", "/other"]);
    assert!(removed.contains("removed 1 unfinished copy (") && !left.exists(), "{removed}");
    assert!(large.path().exists() && files(&copies).is_empty());
    assert_eq!(output_of(&directory, ["chmod", "0600", "/other"]), "");
}

#[test]
fn next_save_into_a_directory_removes_an_unfinished_file() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let to = directory.path().join("to");
    fs::create_dir(&to).unwrap();
    let _objects = (object("large", 256), object("other", 1));
    let file = to.join("file");
    let mut command = program(&directory);
    let (mut child, left) = suspend(command.args(["save", "/large"]).arg(&file), &to);
    let save = |read_only: bool, name: &str| {
        let mut command = program(&directory);
        command.args(read_only.then_some("--read-only")).args(["save", "/other"]).arg(to.join(name));
        assert!(command.output().unwrap().status.success());
    };
    save(false, "a");
    assert!(left.exists());
    child.end();
    save(true, "b");
    assert!(left.exists());
    let mut command = program(&directory);
    let output = command.args(["rm", "--dry-run", "/other", "--save"]).arg(&to).output().unwrap();
    assert!(left.exists(), "{output:?}");
    save(false, "c");
    assert_eq!(files(&to), ["a", "b", "c"]);
    // The fallback also creates only complete files.
    let mut command = program(&directory);
    command.args(["save", "--force", "/other"]).arg(to.join("a"));
    assert!(without_tmpfile(&mut command).output().unwrap().status.success());
    assert_eq!(files(&to), ["a", "b", "c"]);
}

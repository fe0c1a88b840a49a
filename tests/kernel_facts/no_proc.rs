//! Without `/proc`, segments are listed, read and saved. No segment counts as gone or leaked just
//! because processes are not visible.

use crate::support::{Namespaces, Object, Sysv, shmlens, tool};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// Runs shmlens in a mount namespace where an empty file system covers `/proc`.
fn without_proc(arguments: &[&str]) -> Option<Output> {
    let (unshare, _) = (tool("unshare")?, tool("mount")?);
    let mut command = Command::new(unshare);
    let program = shmlens();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$0\" \"$@\""]);
    Some(command.arg(program.get_program()).args(arguments.iter().map(OsStr::new)).output().unwrap())
}

/// Returns the output of the command.
#[track_caller]
fn stdout_of(arguments: &[&str]) -> String {
    let output = without_proc(arguments).expect("unshare and mount, which were there before");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn existing_segments_are_found_without_proc() {
    let Some(_namespaces) = Namespaces::new() else { return };
    if without_proc(&["list"]).is_none() {
        return;
    }
    let object = Object::new("here", 5, 0o644);
    object.write(0, b"hello");
    let sysv = Sysv::new(0x4d2, 4096, 0o644);
    sysv.write(0, b"hello");
    let id = format!("sysv:{}", sysv.shmid);

    assert_eq!(stdout_of(&["list", "--columns", "id", "--no-header"]), format!("{id}\nposix:/here\n"));
    assert_eq!(stdout_of(&["dump", "--raw", "/here"]), "hello");
    assert_eq!(stdout_of(&["dump", "--raw", "--length", "5", &id]), "hello");
    assert!(stdout_of(&["find", "ell", "/here", &id]).lines().count() == 2);
    let info = stdout_of(&["info", "/here"]);
    assert!(info.contains("/proc is not mounted"), "{info}");

    let directory = tempfile::tempdir().unwrap();
    for segment in ["/here", &id] {
        let file = directory.path().join("copy");
        stdout_of(&["save", "--force", segment, file.to_str().unwrap()]);
        assert!(file.exists());
    }
    let (object_file, kept) = (directory.path().join("object"), directory.path());
    stdout_of(&["save", "/here", object_file.to_str().unwrap()]);
    assert!(Path::new("/dev/shm/here").exists() && kept.exists());
    std::fs::remove_file("/dev/shm/here").unwrap();
    stdout_of(&["restore", object_file.to_str().unwrap()]);
    assert_eq!(std::fs::read("/dev/shm/here").unwrap(), b"hello");
}

#[test]
fn segments_are_not_leaked_without_proc() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("here", 5, 0o644);
    let Some(output) = without_proc(&["list", "--leaked", "--columns", "id", "--no-header"]) else { return };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let listed = without_proc(&["list", "--columns", "state", "--no-header"]).unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "unknown\n");
    // Unlinked objects are found only through /proc.
    let message = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(
        message.contains("failed to find unlinked objects") && message.contains("/proc is not mounted"),
        "{message}"
    );
    assert_eq!(listed.status.code(), Some(1));
    let clean = without_proc(&["clean"]).unwrap();
    assert_eq!(clean.status.code(), Some(1), "{clean:?}");
}

#[test]
fn limits_are_known_without_proc() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(output) = without_proc(&["limits"]) else { return };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("no limit"), "{text}");
    let shmmni = std::fs::read_to_string("/proc/sys/kernel/shmmni").unwrap();
    assert!(
        text.lines().any(|line| line.starts_with("kernel.shmmni") && line.contains(shmmni.trim())),
        "{text}"
    );
}

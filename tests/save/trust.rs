//! Confirmation for files of other users, and attributes that are never restored.

use super::{acl, copies, directory, files, program, run, save, segment, stderr_of, stdout_of};

use crate::support::{NOBODY, Namespaces, Object, SOON, Terminal};
use nix::sys::signal::Signal;
use shmlens::act::SavedFile;
use shmlens::sys::handle;
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Saves a setuid object of root to a file with this owner and mode.
fn setuid_program(directory: &TempDir, owner: u32, mode: u32) -> PathBuf {
    let path = directory.path().join("file");
    let object = Object::new("program", 5000, 0o600);
    fs::set_permissions(object.path(), fs::Permissions::from_mode(0o4755)).unwrap();
    assert_eq!(segment(&object.id()).mode.bits(), 0o4755);
    save(&object.id(), &path);
    chown(&path, Some(owner), Some(owner)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    fs::remove_file(object.path()).unwrap();
    path
}

fn is_nothing_restored() -> bool {
    files(Path::new("/dev/shm")).is_empty()
}

#[track_caller]
fn assert_restored_without_special_bits() {
    let stat = fs::metadata("/dev/shm/program").unwrap();
    assert_eq!((stat.uid(), stat.mode() & 0o7777), (0, 0o755));
    fs::remove_file("/dev/shm/program").unwrap();
}

#[test]
fn setuid_bits_are_never_restored() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = setuid_program(&directory, 0, 0o600);
    let text = stdout_of(&directory, ["restore", path.to_str().unwrap()]);
    assert!(text.contains("mode 4755") && text.contains("0755") && text.contains("never restored"), "{text}");
    assert_restored_without_special_bits();
}

#[test]
fn undo_does_not_restore_setuid_bits() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let object = Object::new("program", 5000, 0o600);
    fs::set_permissions(object.path(), fs::Permissions::from_mode(0o6755)).unwrap();
    stdout_of(&directory, ["rm", "--yes", "--force", "/program"]);
    let state = shmlens::act::StateDirectory::at(directory.path().join("state/shmlens"));
    assert_eq!(copies(&directory).len(), 1);
    let progress = shmlens::memory::Progress::new();
    shmlens::act::Actor::new(&shmlens::machine::real::RealMachine, &progress)
        .with_state(Some(&state))
        .restore_copy(&copies(&directory)[0])
        .unwrap_or_else(|error| panic!("{error}"));
    assert_restored_without_special_bits();
}

#[test]
fn file_of_another_user_needs_confirmation() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = setuid_program(&directory, NOBODY, 0o600);
    let file = path.to_str().unwrap();
    let message = stderr_of(&directory, ["restore", file]);
    for part in ["belongs to nobody", "posix:/program", "4.9 KiB", "mode 0755", "owner root", "use --yes"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(is_nothing_restored());
    let json = run(&directory, ["restore", file, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["status"], "refused", "{json}");
    let refused = run(&directory, ["--read-only", "restore", file, "--yes"]);
    assert!(refused.status.code() == Some(1) && is_nothing_restored(), "{refused:?}");
    stdout_of(&directory, ["restore", file, "--yes"]);
    assert_restored_without_special_bits();
}

#[test]
fn only_the_user_who_called_sudo_is_trusted() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = setuid_program(&directory, NOBODY, 0o600);
    for (caller, status) in [("1000", 1), ("65534", 0)] {
        let mut command = program(&directory);
        let output = command.arg("restore").arg(&path).env("SUDO_UID", caller).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert_eq!(is_nothing_restored(), status == 1);
    }
}

#[test]
fn file_writable_by_others_needs_confirmation() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = setuid_program(&directory, 0, 0o602);
    let message = stderr_of(&directory, ["restore", path.to_str().unwrap()]);
    assert!(message.contains("is writable by other users") && is_nothing_restored(), "{message}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
    chown(&path, None, Some(NOBODY)).unwrap();
    let message = stderr_of(&directory, ["restore", path.to_str().unwrap()]);
    assert!(message.contains("is writable by other users") && is_nothing_restored(), "{message}");
}

#[test]
fn confirmation_restores_exactly_the_file_shown() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = setuid_program(&directory, NOBODY, 0o600);
    let ask = || {
        let mut command = program(&directory);
        command.arg("restore").arg(&path);
        let terminal = Terminal::start((100, 30), command);
        terminal.wait_for("Restore it? [y/N]", SOON);
        let screen = terminal.screen();
        assert!(
            screen.contains("belongs to nobody") && screen.contains("posix:/program: 4.9 KiB"),
            "{screen}"
        );
        terminal
    };
    let mut terminal = ask();
    terminal.send("n\r");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(1));
    assert!(terminal.screen().contains("nothing was restored") && is_nothing_restored());
    let mut terminal = ask();
    // A file that is renamed into place after the question was not confirmed.
    let other = Object::new("other", 10, 0o600);
    let newer = directory.path().join("newer");
    save(&other.id(), &newer);
    drop(other);
    fs::rename(&newer, &path).unwrap();
    terminal.send("y\r");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(files(Path::new("/dev/shm")), ["program"]);
    assert_restored_without_special_bits();
}

#[test]
fn shown_user_names_come_from_this_machine() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = setuid_program(&directory, NOBODY, 0o600);
    let shown = SavedFile::open(&path).unwrap();
    let machine = shmlens::machine::fake::FakeMachine::new();
    // The user names in the file differ from this machine's user names.
    machine.edit(|facts| facts.users.insert(0, "toor".to_owned()));
    assert!(shown.description(&machine).contains("owner toor"), "{}", shown.description(&machine));
}

#[test]
fn read_only_removes_no_restore_mark() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let marks = directory.path().join("state/shmlens/unfinished");
    fs::create_dir_all(&marks).unwrap();
    let mark = marks.join("00000000000000000001-1.jsonl");
    let line = r#"{"world":"another boot","file":"a","command":"create","shmid":1,"key":1,"size":1,"mode":1,"creator_pid":1,"creator_uid":0,"change":1,"whole":false}"#;
    fs::write(&mark, line).unwrap();
    for arguments in [&["--read-only", "rm", "/nothing"][..], &["rm", "--dry-run", "/nothing"]] {
        run_all(&directory, arguments);
        assert!(mark.exists(), "{arguments:?}");
    }
    run_all(&directory, &["rm", "--recover"]);
    assert!(!mark.exists());
}

fn run_all(directory: &TempDir, arguments: &[&str]) {
    program(directory).args(arguments).output().unwrap();
}

#[test]
fn file_writable_through_an_acl_needs_confirmation() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    // The group bits are the mask of the ACL. The owning group is root.
    for (entry, refused) in
        [((2, 6, 1001), true), ((8, 6, 1001), true), ((2, 4, 1001), false), ((2, 6, 0), false)]
    {
        let path = setuid_program(&directory, 0, 0o600);
        let mut entries = vec![(1, 6, u32::MAX), (4, 0, u32::MAX), (16, 6, u32::MAX), (32, 0, u32::MAX)];
        entries.insert(if entry.0 == 2 { 1 } else { 2 }, entry);
        handle::set_acl(File::open(&path).unwrap().as_fd(), &acl::list(&entries)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
        let output = run(&directory, ["restore", path.to_str().unwrap()]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(i32::from(refused)), "{entry:?}: {message}");
        assert_eq!(message.contains("is writable by other users through its ACL"), refused, "{message}");
        assert_eq!(is_nothing_restored(), refused);
        let _ = fs::remove_file("/dev/shm/program");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn signal_during_the_question_ends_restore() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = setuid_program(&directory, NOBODY, 0o600);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut command = program(&directory);
        command.arg("restore").arg(&path);
        let mut terminal = Terminal::start((100, 30), command);
        terminal.wait_for("Restore it? [y/N]", SOON);
        terminal.child().signal(signal);
        assert_eq!(terminal.wait_exit(SOON).signal(), Some(signal as i32));
        assert!(is_nothing_restored());
    }
}

#[test]
fn question_lists_the_rights_of_the_acl() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let object = Object::new("a", 5000, 0o600);
    let path = directory.path().join("file");
    let entries = [(1, 6, u32::MAX), (2, 7, 1), (4, 4, u32::MAX), (16, 6, u32::MAX), (32, 0, u32::MAX)];
    handle::set_acl(object.file.as_fd(), &acl::list(&entries)).unwrap();
    save(&object.id(), &path);
    chown(&path, Some(NOBODY), None).unwrap();
    drop(object);
    let message = stderr_of(&directory, ["restore", path.to_str().unwrap()]);
    assert!(
        message.contains("mode 0660") && message.contains("an ACL (user daemon rw, owning group r-)"),
        "{message}"
    );
}

//! The commands: what they take, tell and end with.

use super::shown;
use crate::support::{NOBODY, Object, SOON, Sysv, Terminal, World, as_nobody, limit_locked, shmlens};
use serde_json::Value;
use shmlens::sys::shm;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> Output {
    shmlens().args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn ended(output: &Output, status: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{stdout}\n{stderr}");
    assert!(!stderr.contains("os error"), "{stderr}");
    (stdout, stderr)
}

#[test]
fn one_failure_stops_no_other() {
    let Some(_world) = World::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let object = Object::new("name", 100, 0o600);
    let (stdout, stderr) = ended(&run(&["chmod", "a+r,u-w", "nowhere", "nam", "0x4d2", "/name", "name"]), 1);
    assert_eq!(
        stdout,
        format!(
            "{}: its mode is 0444 (r--r--r--) now; it was 0600\n\
             posix:/name: its mode is 0444 (r--r--r--) now; it was 0600\n",
            sysv.id()
        )
    );
    assert!(stderr.contains("'nowhere'") && stderr.contains("'nam'; did you mean /name?"), "{stderr}");
    assert_eq!(shm::stat(sysv.shmid).unwrap().mode, 0o444);
    assert_eq!(object.file.metadata().unwrap().mode() & 0o7777, 0o444);
    let (stdout, _) = ended(&run(&["chmod", "--json", "0600", "gone", "/name"]), 1);
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["status"], &lines[0]["segment"]), (&"refused".into(), &"gone".into()));
    assert_eq!((&lines[1]["status"], &lines[1]["action"]), (&"done".into(), &"chmod".into()));
    assert_eq!(lines[1]["segment"], "posix:/name");
    ended(&run(&["chmod", "rw", "/name"]), 2);
    ended(&run(&["chown", "no such user", "/name"]), 2);
    ended(&run(&["chmod", "0600"]), 2);
}

#[test]
fn a_dry_run_and_read_only_change_nothing() {
    let Some(_world) = World::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let object = Object::new("name", 100, 0o600);
    let before = (shown(&sysv.id()), shown(&object.id()));
    let changes: [&[&str]; 6] = [
        &["chmod", "0666", "0x4d2", "name"],
        &["chown", "nobody", "0x4d2", "name"],
        &["lock", "0x4d2"],
        &["unlock", "0x4d2"],
        &["rm", "--force", "--no-copy", "--yes", "0x4d2", "name"],
        &["create", "posix", "new", "--size", "1"],
    ];
    for change in changes {
        let (stdout, _) = ended(&run(&[change, &["--dry-run"]].concat()), 0);
        assert!(!stdout.is_empty(), "{change:?}");
        let (stdout, stderr) = ended(&run(&[&["--read-only"], change].concat()), 1);
        assert!(stdout.is_empty() && stderr.contains("read-only"), "{change:?}: {stderr}");
        ended(&run(&[change, &["--read-only", "--json"]].concat()), 1);
    }
    assert_eq!((shown(&sysv.id()), shown(&object.id())), before);
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 1);
}

#[test]
fn rm_without_a_terminal_says_what_it_needs() {
    let Some(_world) = World::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let object = Object::new("name", 100, 0o600);
    let (_, stderr) = ended(&run(&["rm", "name"]), 2);
    assert!(stderr.contains("--yes"), "{stderr}");
    let (stdout, stderr) = ended(&run(&["rm", "--yes", "--no-copy", "name", "0x4d2"]), 1);
    // The test itself has it open.
    assert!(stderr.contains("it is in use") && stderr.contains("--force"), "{stderr}");
    assert_eq!(stdout, format!("{}: it is removed\n", sysv.id()));
    ended(&run(&["rm", "--yes", "--force", "--no-copy", "name"]), 0);
    assert!(!object.path().exists() && shm::stat(sysv.shmid).is_err());
}

#[test]
fn on_a_terminal_each_that_may_be_held_is_asked_for() {
    let Some(_world) = World::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let (one, two) = (Object::new("one", 100, 0o600), Object::new("two", 100, 0o600));
    let mut command = shmlens();
    command.args(["rm", "--no-copy", "0x4d2", "one", "two"]);
    let mut terminal = Terminal::start((100, 30), command);
    terminal.wait_for("Remove it all the same?", SOON);
    assert!(terminal.screen().contains("posix:/one"), "{}", terminal.screen());
    // What is no yes is a no.
    terminal.send("\r");
    terminal.wait_for("posix:/two", SOON);
    terminal.send("y\r");
    terminal.wait_for("Remove it? [y/N]", SOON);
    terminal.send("yes\r");
    assert!(terminal.wait_exit(SOON).code() == Some(1));
    assert!(one.path().exists() && !two.path().exists() && shm::stat(sysv.shmid).is_err());
}

#[test]
fn the_limit_of_locked_memory_is_told() {
    let Some(_world) = World::new() else { return };
    // The kernel counts what a user has locked on the whole machine, so that two
    // runs of this are not to be the same one.
    let user = 200_000 + std::process::id();
    let as_user = |arguments: [&str; 2]| {
        let mut command: Command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments);
        command.uid(user);
        command
    };
    let sysv = Sysv::new(0x4d2, 1 << 20, 0o600).owned_by(user, NOBODY);
    let lock = |limit| {
        let mut command = as_user(["lock", "0x4d2"]);
        limit_locked(&mut command, limit);
        command.output().unwrap()
    };
    let (_, stderr) = ended(&lock(0), 1);
    assert!(stderr.contains("RLIMIT_MEMLOCK is 0") && stderr.contains("ulimit -l"), "{stderr}");
    let (_, stderr) = ended(&lock(64 << 10), 1);
    assert!(stderr.contains("RLIMIT_MEMLOCK is 64 KiB, and the segment has 1.0 MiB"), "{stderr}");
    // Two of them are more than the limit: this the kernel alone knows.
    let second = Sysv::new(0x4d3, 1 << 20, 0o600).owned_by(user, NOBODY);
    ended(&lock(3 << 19), 0);
    let mut command = as_user(["lock", "0x4d3"]);
    limit_locked(&mut command, 3 << 19);
    let (_, stderr) = ended(&command.output().unwrap(), 1);
    assert!(stderr.contains("what you have locked already"), "{stderr}");
    assert_eq!(shm::stat(sysv.shmid).unwrap().mode, 0o2600);
    assert_eq!(shm::stat(second.shmid).unwrap().mode, 0o600);
    ended(&as_user(["unlock", "0x4d2"]).output().unwrap(), 0);
    let object = Object::new("name", 1, 0o600);
    let (_, stderr) = ended(&run(&["lock", "name"]), 1);
    assert!(stderr.contains("mlock(2)") && object.path().exists(), "{stderr}");
}

#[test]
fn hostile_names_reach_no_terminal_raw() {
    let Some(_world) = World::new() else { return };
    let object = Object::new(b"a\x1b[2J\n\xff", 1, 0o600);
    let id = object.id().to_string();
    let (stdout, _) = ended(&run(&["chmod", "0640", &id]), 0);
    assert_eq!(stdout, format!("{id}: its mode is 0640 (rw-r-----) now; it was 0600\n"));
    let (stdout, _) = ended(&run(&["rm", "--dry-run", "--no-copy", "--force", &id]), 0);
    assert!(!stdout.contains('\x1b') && stdout.lines().count() == 2, "{stdout:?}");
    ended(&run(&["rm", "--yes", "--no-copy", "--force", &id]), 0);
    assert!(!object.path().exists());
}

#[test]
fn the_settings_turn_every_change_off() {
    let Some(_world) = World::new() else { return };
    let object = Object::new("settled", 10, 0o644);
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("shmlens")).unwrap();
    let settings = home.path().join("shmlens/config.toml");
    let chmod = |line: &str| {
        fs::write(&settings, line).unwrap();
        let mut command = shmlens();
        command.env("XDG_CONFIG_HOME", home.path()).args(["chmod", "0600", "/settled"]);
        let output = command.output().unwrap();
        let mode = fs::metadata(object.path()).unwrap().permissions().mode() & 0o777;
        (output.status.code(), mode, String::from_utf8(output.stderr).unwrap())
    };
    let (status, mode, said) = chmod("read-only = true\n");
    assert_eq!((status, mode), (Some(1), 0o644));
    assert!(said.contains("read-only in the settings"), "{said}");
    // Settings that are not understood may mean just that.
    assert_eq!(chmod("read-onyl = true\n").1, 0o644);
    assert_eq!(chmod("read-only = false\n").1, 0o600);
}

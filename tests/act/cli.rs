//! The commands: arguments, output and exit status.

use super::find_segment;
use crate::support::{NOBODY, Namespaces, Object, SOON, Sysv, Terminal, as_nobody, limit_locked, shmlens};
use serde_json::Value;
use shmlens::sys::shm;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> Output {
    shmlens().args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn status_and_output(output: &Output, status: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{stdout}\n{stderr}");
    assert!(!stderr.contains("os error"), "{stderr}");
    (stdout, stderr)
}

#[test]
fn one_failure_does_not_stop_the_rest() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let object = Object::new("name", 100, 0o600);
    let (stdout, stderr) =
        status_and_output(&run(&["chmod", "a+r,u-w", "nowhere", "nam", "0x4d2", "/name", "name"]), 1);
    assert_eq!(
        stdout,
        format!(
            "{}: mode 0600 → 0444\n\
             posix:/name: mode 0600 → 0444\n",
            sysv.id()
        )
    );
    assert!(stderr.contains("'nowhere'") && stderr.contains("'nam'; did you mean /name?"), "{stderr}");
    assert_eq!(shm::stat(sysv.shmid).unwrap().mode, 0o444);
    assert_eq!(object.file.metadata().unwrap().mode() & 0o7777, 0o444);
    let (stdout, _) = status_and_output(&run(&["chmod", "--json", "0600", "gone", "/name"]), 1);
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["status"], &lines[0]["segment"]), (&"refused".into(), &"gone".into()));
    assert_eq!((&lines[1]["status"], &lines[1]["action"]), (&"done".into(), &"chmod".into()));
    assert_eq!(lines[1]["segment"], "posix:/name");
    status_and_output(&run(&["chmod", "rw", "/name"]), 2);
    status_and_output(&run(&["chown", "no such user", "/name"]), 2);
    status_and_output(&run(&["chmod", "0600"]), 2);
}

#[test]
fn dry_run_and_read_only_mode_change_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let object = Object::new("name", 100, 0o600);
    let before = (find_segment(&sysv.id()), find_segment(&object.id()));
    let changes: [&[&str]; 6] = [
        &["chmod", "0666", "0x4d2", "name"],
        &["chown", "nobody", "0x4d2", "name"],
        &["lock", "0x4d2"],
        &["unlock", "0x4d2"],
        &["rm", "--force", "--no-copy", "--yes", "0x4d2", "name"],
        &["create", "posix", "new", "--size", "1"],
    ];
    for change in changes {
        let (stdout, _) = status_and_output(&run(&[change, &["--dry-run"]].concat()), 0);
        assert!(!stdout.is_empty(), "{change:?}");
        let (stdout, stderr) = status_and_output(&run(&[&["--read-only"], change].concat()), 1);
        assert!(stdout.is_empty() && stderr.contains("read-only"), "{change:?}: {stderr}");
        status_and_output(&run(&[change, &["--read-only", "--json"]].concat()), 1);
    }
    assert_eq!((find_segment(&sysv.id()), find_segment(&object.id())), before);
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 1);
}

#[test]
fn rm_without_a_terminal_names_the_missing_option() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let object = Object::new("name", 100, 0o600);
    let (_, stderr) = status_and_output(&run(&["rm", "name"]), 2);
    assert!(stderr.contains("--yes"), "{stderr}");
    let (stdout, stderr) = status_and_output(&run(&["rm", "--yes", "--no-copy", "name", "0x4d2"]), 1);
    // The object is open in this test.
    assert!(stderr.contains("name: in use: ") && stderr.contains("Use --force"), "{stderr}");
    assert_eq!(stdout, format!("{}: removed\n", sysv.id()));
    status_and_output(&run(&["rm", "--yes", "--force", "--no-copy", "name"]), 0);
    assert!(!object.path().exists() && shm::stat(sysv.shmid).is_err());
}

#[test]
fn rm_on_a_terminal_asks_about_each_possibly_held_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let (one, two) = (Object::new("one", 100, 0o600), Object::new("two", 100, 0o600));
    let mut command = shmlens();
    command.args(["rm", "--no-copy", "0x4d2", "one", "two"]);
    let mut terminal = Terminal::start((100, 30), command);
    terminal.wait_for("Remove it anyway?", SOON);
    assert!(terminal.screen().contains("posix:/one"), "{}", terminal.screen());
    // Only `y` and `yes` mean yes.
    terminal.send("\r");
    terminal.wait_for("posix:/two", SOON);
    terminal.send("y\r");
    terminal.wait_for("Remove it? [y/N]", SOON);
    terminal.send("yes\r");
    assert!(terminal.wait_exit(SOON).code() == Some(1));
    assert!(one.path().exists() && !two.path().exists() && shm::stat(sysv.shmid).is_err());
}

#[test]
fn lock_reports_the_memlock_limit() {
    let Some(_namespaces) = Namespaces::new() else { return };
    // The kernel counts locked memory per user, so two runs of this test must not use the same
    // user.
    let user = 200_000 + std::process::id();
    let run_as_user = |arguments: [&str; 2]| {
        let mut command: Command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments);
        command.uid(user);
        command
    };
    let sysv = Sysv::new(0x4d2, 1 << 20, 0o600).owned_by(user, NOBODY);
    let lock = |limit| {
        let mut command = run_as_user(["lock", "0x4d2"]);
        limit_locked(&mut command, limit);
        command.output().unwrap()
    };
    let (_, stderr) = status_and_output(&lock(0), 1);
    assert!(stderr.contains("your limit for locked memory is 0") && stderr.contains("ulimit -l"), "{stderr}");
    let (_, stderr) = status_and_output(&lock(64 << 10), 1);
    assert!(
        stderr.contains("your limit for locked memory is 64 KiB, but the segment is 1.0 MiB"),
        "{stderr}"
    );
    // Both together exceed the limit, which only the kernel can tell.
    let second = Sysv::new(0x4d3, 1 << 20, 0o600).owned_by(user, NOBODY);
    status_and_output(&lock(3 << 19), 0);
    let mut command = run_as_user(["lock", "0x4d3"]);
    limit_locked(&mut command, 3 << 19);
    let (_, stderr) = status_and_output(&command.output().unwrap(), 1);
    assert!(stderr.contains("locking another"), "{stderr}");
    assert_eq!(shm::stat(sysv.shmid).unwrap().mode, 0o2600);
    assert_eq!(shm::stat(second.shmid).unwrap().mode, 0o600);
    status_and_output(&run_as_user(["unlock", "0x4d2"]).output().unwrap(), 0);
    let object = Object::new("name", 1, 0o600);
    let (_, stderr) = status_and_output(&run(&["lock", "name"]), 1);
    assert!(stderr.contains("mlock(2)") && object.path().exists(), "{stderr}");
}

#[test]
fn hostile_names_are_escaped() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new(b"a\x1b[2J\n\xff", 1, 0o600);
    let id = object.id().to_string();
    let (stdout, _) = status_and_output(&run(&["chmod", "0640", &id]), 0);
    assert_eq!(stdout, format!("{id}: mode 0600 → 0640\n"));
    let (stdout, _) = status_and_output(&run(&["rm", "--dry-run", "--no-copy", "--force", &id]), 0);
    assert!(!stdout.contains('\x1b') && stdout.lines().count() == 2, "{stdout:?}");
    status_and_output(&run(&["rm", "--yes", "--no-copy", "--force", &id]), 0);
    assert!(!object.path().exists());
}

#[test]
fn read_only_setting_disables_every_change() {
    let Some(_namespaces) = Namespaces::new() else { return };
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
    let (status, mode, report) = chmod("read-only = true\n");
    assert_eq!((status, mode), (Some(1), 0o644));
    assert!(report.contains("read-only = false in the config"), "{report}");
    // A typo in read-only must not permit changes.
    assert_eq!(chmod("read-onyl = true\n").1, 0o644);
    assert_eq!(chmod("read-only = false\n").1, 0o600);
}

/// Runs `shmlens` from PATH through a shell, like a pasted command.
fn paste(command: &str, state: &Path) -> Output {
    let bin = tempfile::tempdir().unwrap();
    symlink(env!("CARGO_BIN_EXE_shmlens"), bin.path().join("shmlens")).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).env("PATH", path).env("XDG_STATE_HOME", state).stdin(Stdio::null());
    shell.output().unwrap()
}

#[test]
fn printed_commands_can_be_pasted() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let home = tempfile::tempdir().unwrap();
    for directory in [
        &b"plain"[..],
        b"my state",
        b"it's $(touch pwned)`id`\\",
        b"a\n\x1b[2J\xff!",
        "Größe \u{202e}".as_bytes(),
    ] {
        let state = home.path().join(OsStr::from_bytes(directory));
        // The name needs quoting but is valid UTF-8.
        let name = b"it's \xff\x1b $(id) \\ -x";
        let object = Object::new(name, 9, 0o640);
        object.write(0, b"contents\n");
        let id = object.id().to_string();
        let shmlens = |arguments: &[&str]| {
            let mut command = shmlens();
            let output = command.args(arguments).env("XDG_STATE_HOME", &state).stdin(Stdio::null()).output();
            status_and_output(&output.unwrap(), 0).0
        };
        // Compares the plan of a change, as JSON.
        for (change, undone) in [(["chmod", "0600"], 0o640), (["chown", "0:7"], 0o640)] {
            let arguments = [&change[..], &[&id]].concat();
            let plan = shmlens(&[&arguments[..], &["--dry-run", "--json"]].concat());
            let plan: Value = serde_json::from_str(&plan).unwrap();
            let done = shmlens(&[&arguments[..], &["--json"]].concat());
            let done: Value = serde_json::from_str(&done).unwrap();
            assert_eq!(done["undo"], plan["undo"]);
            status_and_output(&paste(plan["undo"].as_str().unwrap(), &state), 0);
            let facts = object.file.metadata().unwrap();
            assert_eq!((facts.mode() & 0o7777, facts.gid()), (undone, 0), "{plan}");
        }
        // Compares the result of a removal, as text.
        let removed = shmlens(&["rm", "--yes", "--force", &id]);
        assert!(removed.lines().count() == 1 && !removed.contains('\x1b'), "{removed:?}");
        assert_eq!(removed.matches("shmlens restore").count(), 1, "{removed}");
        let (result, command) = removed.trim_end().split_once("; undo: ").unwrap();
        assert_eq!(result, format!("{id}: removed"));
        assert!(!object.path().exists());
        status_and_output(&paste(command, &state), 0);
        assert_eq!(fs::read(object.path()).unwrap(), b"contents\n", "{command}");
        // The name must be a single word to the shell.
        assert!(!Path::new("pwned").exists());
    }
}

#[test]
fn undo_ignores_saves() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("name", 9, 0o640);
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("saved");
    let (stdout, _) = status_and_output(&run(&["save", &object.id().to_string(), file.to_str().unwrap()]), 0);
    assert!(!stdout.contains("undo"), "{stdout}");
}

#[test]
fn batch_messages_name_their_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let home = tempfile::tempdir().unwrap();
    let sysv = [Sysv::new(0x4d2, 1 << 20, 0o600), Sysv::new(0, 1 << 20, 0o600).owned_by(NOBODY, NOBODY)];
    let objects = [Object::new("one", 1 << 20, 0o600), Object::new("two", 9, 0o600)];
    for object in &objects {
        object.write(0, &vec![7; usize::try_from(object.file.metadata().unwrap().len()).unwrap()]);
    }
    sysv[0].write(0, &vec![7; 1 << 20]);
    let all = sysv.iter().map(Sysv::id).chain(objects.iter().map(Object::id));
    let names: Vec<String> = all.map(|id| id.to_string()).collect();
    // A state directory that is a file, a limit that is too small, and a limit that is large
    // enough.
    fs::write(home.path().join("file"), "").unwrap();
    fs::create_dir(home.path().join("small")).unwrap();
    nix::mount::mount(
        Some("tmpfs"),
        &home.path().join("small"),
        Some("tmpfs"),
        nix::mount::MsFlags::empty(),
        Some("size=64k"),
    )
    .unwrap();
    fs::create_dir_all(home.path().join("config/shmlens")).unwrap();
    let config = home.path().join("config/shmlens/config.toml");
    let taken = home.path().join("taken");
    fs::create_dir(&taken).unwrap();
    for name in ["posix_one.saved", "posix_two.saved"] {
        fs::write(taken.join(name), "").unwrap();
    }
    let (missing, taken) = (home.path().join("missing/"), taken.to_str().unwrap());
    // Every line names a segment, except for lines about the log.
    let check = |stderr: &str| {
        let is_named = |line: &&str| names.iter().any(|name| line.contains(name));
        let other: Vec<&str> = stderr.lines().filter(|line| !is_named(line)).collect();
        assert!(other.iter().all(|line| line.contains("record") || line.contains(" log")), "{other:?}");
        stderr.lines().filter(is_named).count()
    };
    let mut messages = 0;
    for (state, copies) in [("file", "1G"), ("small", "1G"), ("state", "4K")] {
        for batch in [
            &["rm", "--yes", "--force"][..],
            &["rm", "--yes"],
            &["rm", "--yes", "--force", "--save", missing.to_str().unwrap()],
            &["rm", "--yes", "--force", "--save", taken],
            &["chmod", "4755"],
            &["lock"],
            &["clean", "--yes", "--settle", "0s"],
        ] {
            // Only failures are compared: later batches need the segments.
            let dry = batch[0] == "rm";
            for json in [false, true] {
                fs::write(&config, format!("copies = \"{copies}\"\n")).unwrap();
                let mut command = shmlens();
                command.args(batch).env("XDG_STATE_HOME", home.path().join(state));
                command.env("XDG_CONFIG_HOME", home.path().join("config")).stdin(Stdio::null());
                if batch[0] != "clean" {
                    command.args(&names);
                }
                if dry {
                    command.arg("--dry-run");
                }
                if json {
                    command.arg("--json");
                }
                let output = command.output().unwrap();
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
                messages += check(&stderr);
                for line in stdout.lines().filter(|_| json) {
                    let line: Value = serde_json::from_str(line).unwrap();
                    assert!(names.iter().any(|name| line["segment"] == name.as_str()), "{line}");
                }
            }
        }
    }
    // The real run fails because there is nowhere to save the copy.
    for state in ["file", "small"] {
        let mut command = shmlens();
        command.args(["rm", "--yes", "--force"]).args(&names).env("XDG_STATE_HOME", home.path().join(state));
        let output = command.stdin(Stdio::null()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let count = check(&stderr);
        assert!(count > 0, "{state}: {stderr}");
        messages += count;
    }
    assert!(messages > 5, "{messages}");
}

#[test]
fn own_segments_without_read_permission_name_the_remedy() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 10, 0o000).owned_by(NOBODY, NOBODY);
    let sysv = Sysv::new(7, 10, 0o000).owned_by(NOBODY, NOBODY);
    for (name, id) in [("/a", "posix:/a".to_owned()), ("key:7", format!("sysv:{}", sysv.shmid))] {
        let output = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["dump", name]).output().unwrap();
        let (_, message) = status_and_output(&output, 1);
        assert!(
            message.contains(&format!("`shmlens chmod u+r {id}`")) && !message.contains("Run as"),
            "{message}"
        );
    }
}

#[test]
fn invalid_values_are_quoted_once() {
    for arguments in [&["dump", "--as", "\x1b[1m", "/a"][..], &["chmod", "\x1b[1m", "/a"]] {
        let (_, message) = status_and_output(&run(arguments), 2);
        assert!(message.contains(r"'\x1b[1m'") && !message.contains("x5c"), "{message}");
    }
}

#[test]
fn copies_in_a_directory_get_distinct_names() {
    let Some(_namespaces) = Namespaces::new() else { return };
    fs::create_dir("/dev/shm/p").unwrap();
    let long = "x".repeat(100);
    let names =
        ["p/q".to_owned(), "p_q".to_owned(), "p_q-2".to_owned(), format!("{long}1"), format!("{long}2")];
    let objects = names.each_ref().map(|name| Object::new(name, 10, 0o600));
    let home = tempfile::tempdir().unwrap();
    let save = format!("{}/", home.path().display());
    let ids = objects.each_ref().map(|object| object.id().to_string());
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let plan =
        status_and_output(&run(&[&["rm", "--dry-run", "--force", "--save", &save], &ids[..]].concat()), 0).0;
    status_and_output(&run(&[&["rm", "--yes", "--force", "--save", &save], &ids[..]].concat()), 0);
    let saved: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(saved.len(), ids.len());
    assert!(saved.iter().all(|path| plan.contains(path.to_str().unwrap())), "{plan}");
    assert!(objects.iter().all(|object| !object.path().exists()));
}

//! Races between survey and removal, and failures.

use super::{Leaks, list_segments};
use crate::support::{NOBODY, Object, SOON, Terminal, as_nobody, tool, wait_until};
use shmlens::sys::shm;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

impl Leaks {
    /// Starts `clean` on a terminal and waits for its question.
    fn ask(&self, arguments: &[&str], question: &str) -> Terminal {
        let mut command = self.command();
        command.args(["clean", "--settle", "0s"]).args(arguments);
        let terminal = Terminal::start((120, 40), command);
        terminal.wait_for(question, SOON);
        terminal
    }
}

#[test]
fn clean_on_a_terminal_asks() {
    let Some(leaks) = Leaks::new() else { return };
    let (one, two) = (leaks.sysv("4K"), leaks.sysv("8K"));
    let mut terminal = leaks.ask(&[], "Remove these 2 segments? [y/N]");
    assert!(terminal.screen().contains(&one) && terminal.screen().contains("2 segments leaked"));
    terminal.send("n\r");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(1));
    assert_eq!(list_segments().len(), 2);
    let mut terminal = leaks.ask(&["size=8K"], "Remove it? [y/N]");
    terminal.send("y\r");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(list_segments(), [one.as_str()], "{two} is removed");
}

#[test]
fn clean_keeps_a_segment_attached_meanwhile() {
    let Some(leaks) = Leaks::new() else { return };
    let (held, free) = (leaks.sysv("4K"), leaks.sysv("8K"));
    let (opened, other) = (Leaks::object("nccl-a1B2c3", 8), Leaks::object("nccl-d4E5f6", 8));
    let mut terminal = leaks.ask(&[], "Remove these 4 segments? [y/N]");
    let shmid = held.strip_prefix("sysv:").unwrap().parse().unwrap();
    let attachment = shm::Attachment::read_only(shmid).unwrap();
    let file = File::open("/dev/shm/nccl-a1B2c3").unwrap();
    terminal.send("y\r");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(1));
    let screen = terminal.screen();
    assert!(
        screen.contains("in use now: attached once (nattch 1)")
            && screen.contains("in use now: held by")
            && screen.matches("Run clean again").count() == 2
            && !screen.contains("--force"),
        "{screen}"
    );
    let mut left = vec![held.clone(), opened.clone()];
    left.sort();
    assert_eq!(list_segments(), left, "{free} and {other} are removed");
    // Copies of segments that were not removed are discarded.
    assert_eq!(leaks.copies().len(), 2);
    drop((attachment, file));
    // A child forked by another test may hold descriptors until it execs.
    wait_until(SOON, || leaks.clean(&["--yes", "--likely"]).status == Some(0));
    // This test attached it last and is still running, so it may attach it again.
    assert_eq!(list_segments(), [held]);
}

#[test]
fn clean_keeps_an_object_that_reused_the_name() {
    let Some(leaks) = Leaks::new() else { return };
    Leaks::object("nccl-a1B2c3", 8);
    let mut terminal = leaks.ask(&[], "Remove it? [y/N]");
    fs::remove_file("/dev/shm/nccl-a1B2c3").unwrap();
    Leaks::object("nccl-a1B2c3", 9);
    terminal.send("y\r");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(1));
    assert_eq!(fs::metadata("/dev/shm/nccl-a1B2c3").unwrap().len(), 9);
}

#[test]
fn object_opened_after_the_lease_gets_its_name_back() {
    let (Some(leaks), Some(strace)) = (Leaks::new(), tool("strace")) else { return };
    let object = Leaks::object("nccl-a1B2c3", 8);
    let trace = leaks.home.path().join("trace");
    let delay = "inject=renameat2:delay_enter=1000000:when=1";
    let mut command = leaks.command();
    let program = command.get_program().to_owned();
    let arguments = ["clean", "--settle", "0s", "--yes", "--no-copy"];
    let environment: Vec<_> =
        command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    command = std::process::Command::new(strace);
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .args(["-f", "-o"])
        .arg(&trace)
        .args(["-e", "trace=renameat2", "-e", delay])
        .arg(program)
        .args(arguments);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(SOON, || fs::read_to_string(&trace).is_ok_and(|trace| trace.contains("renameat2")));
    let opened = File::open("/dev/shm/nccl-a1B2c3").unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr.contains("in use now: ") && stderr.contains("Run clean again"), "{stderr}");
    assert_eq!(list_segments(), [object]);
    drop(opened);
}

#[test]
fn clean_ignores_segments_already_gone() {
    let Some(leaks) = Leaks::new() else { return };
    let (gone, left) = (leaks.sysv("4K"), leaks.sysv("8K"));
    Leaks::object("nccl-a1B2c3", 8);
    let mut terminal = leaks.ask(&[], "Remove these 3 segments? [y/N]");
    shm::remove(gone.strip_prefix("sysv:").unwrap().parse().unwrap()).unwrap();
    fs::remove_file("/dev/shm/nccl-a1B2c3").unwrap();
    terminal.send("y\r");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0), "{}", terminal.screen());
    let screen = terminal.screen();
    assert!(
        screen.matches("already gone").count() == 2 && screen.contains(&format!("{left}: removed")),
        "{screen}"
    );
    assert_eq!((leaks.copies().len(), list_segments().len()), (1, 0));
}

#[test]
fn parallel_runs_leave_nothing() {
    let Some(leaks) = Leaks::new() else { return };
    for number in 0..6 {
        leaks.sysv("1M");
        let name = format!("nccl-a1B2c{number}");
        Leaks::object(&name, 1 << 20);
        fs::write(format!("/dev/shm/{name}"), vec![1; 1 << 20]).unwrap();
    }
    let spawn = |_| {
        let mut command = leaks.command();
        command.args(["clean", "--settle", "0s", "--yes"]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..5).map(spawn).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!((list_segments(), leaks.copies().len()), (vec![], 12));
}

#[test]
fn names_of_one_object_count_once() {
    let Some(leaks) = Leaks::new() else { return };
    Leaks::object("nccl-a1B2c3", 4096);
    fs::write("/dev/shm/nccl-a1B2c3", [1; 4096]).unwrap();
    fs::hard_link("/dev/shm/nccl-a1B2c3", "/dev/shm/nccl-d4E5f6").unwrap();
    fs::hard_link("/dev/shm/nccl-a1B2c3", "/dev/shm/.kept").unwrap();
    leaks.clean(&["name~nccl"]).assert_is(
        1,
        &["1 segment leaked; removal frees 0 B", "same object (hard links): /nccl-d4E5f6, 1 more"],
    );
    fs::remove_file("/dev/shm/.kept").unwrap();
    leaks.clean(&[]).assert_is(1, &["1 segment leaked; removal frees 4.0 KiB"]);
}

#[test]
fn log_has_the_evidence() {
    let Some(leaks) = Leaks::new() else { return };
    leaks.sysv("4K");
    leaks.clean(&["--yes"]).assert_is(0, &[": removed"]);
    let log = fs::read_to_string(leaks.home.path().join("shmlens/log.jsonl")).unwrap();
    assert!(log.contains(r#""action":"clean""#) && log.contains("evidence: no holders; creator "), "{log}");
}

#[test]
fn shared_text_is_printed_once() {
    let Some(leaks) = Leaks::new() else { return };
    let all = [leaks.sysv("4K"), leaks.sysv("4K"), leaks.sysv("4K")];
    let listed = all.join(", ");
    let ended = leaks.run(&["--read-only", "clean", "--settle", "0s"]);
    ended.assert_is(1, &[&format!("{listed}: not removed: changes are disabled")]);
    assert_eq!((ended.stdout.matches("read-only)").count(), ended.stderr.as_str()), (1, ""));
    let ended = leaks.run(&["--read-only", "clean", "--settle", "0s", "--yes"]);
    assert_eq!(
        ended.stderr,
        format!(
            "shmlens: {listed}: changes are disabled (read-only). Omit --read-only, and set read-only = false in the config file\n"
        )
    );
    assert!(!ended.stdout.contains("read-only"), "{ended:?}");
    let rm = [&["rm", "--dry-run"], &all.each_ref().map(String::as_str)[..]].concat();
    let planned = leaks.run(&rm);
    planned.assert_is(0, &["all: a copy is saved first, without "]);
    assert_eq!(
        (planned.stdout.matches("copy").count(), planned.stdout.matches("undo: ").count()),
        (1, 1),
        "{planned:?}"
    );
}

#[test]
fn one_failure_does_not_stop_the_rest() {
    let Some(leaks) = Leaks::new() else { return };
    fs::create_dir_all(leaks.home.path().join("shmlens")).unwrap();
    fs::write(leaks.home.path().join("shmlens/config.toml"), "copies = \"1M\"\n").unwrap();
    let (first, last) = (leaks.sysv("4K"), Leaks::object("nccl-z1B2c3", 8));
    // This object is too large to copy.
    let large = Leaks::object("nccl-a1B2c3", 8 << 20);
    fs::write("/dev/shm/nccl-a1B2c3", vec![1; 8 << 20]).unwrap();
    leaks.clean(&[]).assert_is(1, &["3 segments leaked", ": not removed: "]);
    let ended = leaks.clean(&["--yes"]);
    ended.assert_is(1, &[&format!("{first}: removed"), &format!("{last}: removed")]);
    assert!(ended.stderr.contains(&large) && ended.stderr.contains("--no-copy"), "{ended:?}");
    assert_eq!(list_segments(), [large.as_str()]);
    leaks.clean(&["--yes", "--no-copy"]).assert_is(0, &[]);
}

#[test]
fn unlistable_segments_are_not_reported_as_clean() {
    let Some(_leaks) = Leaks::new() else { return };
    fs::create_dir("/dev/shm/closed").unwrap();
    fs::set_permissions("/dev/shm/closed", Permissions::from_mode(0o700)).unwrap();
    let output = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["clean"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "Nothing is leaked among the segments that could be listed.\n"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("closed"), "{output:?}");
}

#[test]
fn unreadable_settings_do_not_stop_clean() {
    let Some(leaks) = Leaks::new() else { return };
    // Like `sudo -u`, which keeps the home directory of another user.
    let closed = leaks.home.path().join("closed/shmlens");
    fs::create_dir_all(&closed).unwrap();
    fs::write(closed.join("config.toml"), "copies = '1M'").unwrap();
    fs::set_permissions(closed.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
    let program = env!("CARGO_BIN_EXE_shmlens");
    let output = as_nobody(program, ["create", "sysv", "--size", "4K"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut command = as_nobody(program, ["clean", "--settle", "0s", "--yes"]);
    command.env("XDG_CONFIG_HOME", closed.parent().unwrap()).env("XDG_STATE_HOME", home.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("Using the defaults"), "{output:?}");
    assert_eq!(list_segments(), Vec::<String>::new());
}

#[test]
fn unprivileged_clean_removes_own_leaks_and_fails_for_others() {
    let Some(leaks) = Leaks::new() else { return };
    let roots = leaks.sysv("4K");
    let program = env!("CARGO_BIN_EXE_shmlens");
    let output = as_nobody(program, ["create", "sysv", "--size", "4K"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // nobody cannot examine root's processes, so every object is unknown.
    let object = Object::new("nccl-a1B2c3", 8, 0o600).owned_by(NOBODY, NOBODY);
    let arguments = ["clean", "--settle", "0s", "--yes", "--no-copy"];
    let output = as_nobody(program, arguments).stdin(Stdio::null()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    assert!(stdout.contains(": removed") && !stdout.contains(&format!("{roots}: ")), "{stdout}");
    assert!(stderr.contains(&roots) && stderr.contains("root"), "{stderr}");
    let mut left = vec![roots, object.id().to_string()];
    left.sort();
    assert_eq!(list_segments(), left);
}

//! Runs shmlens where it cannot see every process: in a pid namespace, and where `/proc` hides
//! processes of other users. Segments held by invisible processes are not leaked.

use super::{Verdict, listed_with};
use crate::support::{NOBODY, Namespaces, Object, Sysv, shmlens, skip, tool};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Returns shmlens, started by another command. `None` if that command does not work.
fn started_by(starter: &str, arguments: &[&str]) -> Option<Command> {
    let starter = tool(starter)?;
    let command = |program: &Path| {
        let mut command = Command::new(&starter);
        command.args(arguments).arg(program);
        command
    };
    let tried = command(&tool("true")?).stdin(Stdio::null()).output().unwrap();
    if !tried.status.success() {
        skip(&format!("{arguments:?} fails: {}", String::from_utf8_lossy(&tried.stderr)));
        return None;
    }
    let program = shmlens();
    let mut command = command(Path::new(program.get_program()));
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(command)
}

/// Returns a command that runs in a pid namespace with its own `/proc`.
fn in_pid_namespace() -> Option<Command> {
    started_by("unshare", &["--pid", "--fork", "--kill-child", "--mount-proc"])
}

/// Returns a command that runs as nobody, with a `/proc` that hides processes of other users.
fn with_hidden_processes() -> Option<Command> {
    // nobody may not be able to reach the program by its path, so open it first.
    let nobody = format!("setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups");
    let text = format!(
        "mount -t proc -o hidepid=2 proc /proc && exec 9<\"$0\" && exec {nobody} /proc/self/fd/9 \"$@\""
    );
    tool("setpriv").and_then(|_| started_by("unshare", &["--mount", "sh", "-c", &text]))
}

#[track_caller]
fn one<'a>(verdicts: &'a [Verdict], id: &str) -> &'a Verdict {
    verdicts.iter().find(|verdict| verdict.id == id).unwrap_or_else(|| panic!("no {id} among {verdicts:#?}"))
}

#[track_caller]
fn assert_is(verdict: &Verdict, state: &str, words: &str) {
    assert!(verdict.state == state && verdict.reasons.contains(words), "{verdict:#?}");
}

#[test]
fn segment_held_outside_the_pid_namespace_is_not_leaked() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (Some(inside), Some(mut clean)) = (in_pid_namespace(), in_pid_namespace()) else { return };
    // This test holds one object and created the other.
    let held = Object::new("nccl-a1B2c3", 8, 0o600);
    let sysv = Sysv::new(0, 4096, 0o600);
    fs::write("/dev/shm/nccl-d4E5f6", "left").unwrap();
    let verdict = listed_with(inside, "0s");
    assert_is(one(&verdict, &held.id().to_string()), "unknown", "or a process that is not visible");
    assert_is(
        one(&verdict, &sysv.id().to_string()),
        "leaked likely",
        "its creator is in another pid namespace",
    );
    assert_is(one(&verdict, "posix:/nccl-d4E5f6"), "leaked certain", "the kernel granted a write lease");
    let arguments = ["clean", "--settle", "0s", "--yes", "--no-copy"];
    let output = clean.args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.code() == Some(1), "what is likely is left: {output:?}");
    assert!(held.path().exists() && !Path::new("/dev/shm/nccl-d4E5f6").exists(), "{output:?}");
}

#[test]
fn descriptor_shared_by_threads_is_counted_once() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut inside) = started_by("unshare", &["--pid", "--fork", "--kill-child"]) else { return };
    let _held = Object::new("held-once", 8, 0o600);
    // Start another thread, so that there is more than one with any test runner.
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || stopped.recv());
    let output = inside.args(["info", "held-once"]).stdin(Stdio::null()).output().unwrap();
    drop(stop);
    assert!(thread.join().unwrap().is_err());
    let verdict = String::from_utf8_lossy(&output.stdout);
    let own = format!("{} ", std::process::id());
    let counted =
        |line: &&str| line.contains(&own) && line.contains("  rw  ") && line.contains(", 1 descriptor");
    assert!(verdict.lines().any(|line| counted(&line)), "{verdict}");
}

#[test]
fn hidden_processes_make_verdicts_unknown() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(inside) = with_hidden_processes() else { return };
    let sysv = Sysv::new(0, 4096, 0o600);
    // Only processes of nobody and root can hold these segments.
    fs::write("/dev/shm/nccl-a1B2c3", "left").unwrap();
    std::os::unix::fs::chown("/dev/shm/nccl-a1B2c3", Some(NOBODY), Some(NOBODY)).unwrap();
    let verdict = listed_with(inside, "0s");
    assert_is(one(&verdict, &sysv.id().to_string()), "leaked likely", "/proc hides processes of other users");
    // The owner may request a lease.
    assert_is(one(&verdict, "posix:/nccl-a1B2c3"), "leaked certain", "granted a write lease");
}

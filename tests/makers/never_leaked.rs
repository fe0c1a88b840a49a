//! Segments that must never count as leaked, although their creators and holders look dead.

use super::{Verdict, line_with, listed, listed_with, verdict};
use crate::support::{
    Child, NOBODY, Namespaces, Object, SOON, Sysv, as_nobody, compile_cpp, skip_for_kernel, tool, wait_until,
};
use std::fs;
use std::process::Command;

/// A program in a certain role, and the segments that it reported.
struct Player {
    child: Child,
    reported: Vec<(String, String)>,
}

impl Player {
    /// Starts the program. `None` without a compiler.
    fn start(role: &str) -> Option<Self> {
        Self::start_by(Command::new(compile_cpp("tests/makers/lives.cpp")?).arg(role))
    }

    fn start_by(command: &mut Command) -> Option<Self> {
        let child = Child::spawn_piped(command);
        let mut player = Self { child, reported: vec![] };
        player.listen().then_some(player)
    }

    /// Reads lines until the program is ready. Skips the test and returns false if the kernel does
    /// not support the role.
    fn listen(&mut self) -> bool {
        loop {
            let line = line_with(&mut self.child, "");
            match line.split_once(' ') {
                Some(("cannot", why)) => {
                    skip_for_kernel(&format!("cannot {why} here"));
                    return false;
                }
                Some((word, value)) => self.reported.push((word.to_owned(), value.to_owned())),
                None => return true,
            }
        }
    }

    #[track_caller]
    fn reported(&self, word: &str) -> &str {
        let found = self.reported.iter().find(|(of, _)| of == word);
        &found.unwrap_or_else(|| panic!("no {word} among {:?}", self.reported)).1
    }

    #[track_caller]
    fn verdict(&self, word: &str) -> Verdict {
        verdict(self.reported(word))
    }
}

#[test]
fn renamed_live_creator_counts_as_running() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(player) = Player::start("renamed") else { return };
    let comm = format!("/proc/{}/comm", player.reported("pid"));
    wait_until(SOON, || fs::read_to_string(&comm).unwrap() == "cat\n");
    player.verdict("sysv").assert_is("idle", &["creator is running: cat (", "nattch 0"]);
    player.verdict("posix").assert_is("idle", &["may still be needed: its creator (pid ", "is running"]);
    drop(player.child);
    for one in listed() {
        one.assert_is("leaked certain", &[]);
    }
}

#[test]
fn creator_without_a_main_thread_counts_as_running() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(player) = Player::start("without-first-thread") else { return };
    let stat = format!("/proc/{}/stat", player.child.pid());
    wait_until(SOON, || fs::read_to_string(&stat).unwrap().contains(") Z "));
    player.verdict("sysv").assert_is("idle", &["creator is running"]);
    player.verdict("posix").assert_is("idle", &["is running"]);
}

#[test]
fn immediately_reused_pid_is_not_the_creator() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut player) = Player::start("recycled") else { return };
    player.child.send("!");
    if !player.listen() {
        return;
    }
    // System V times are whole seconds, so the process may be the creator.
    for word in ["old-sysv", "new-sysv"] {
        player.verdict(word).assert_is("idle", &["creator is running: heir ("]);
    }
    player.verdict("old-posix").assert_is("idle", &["its creator (pid ", "is running"]);
}

/// Only a segment that the new process may have created counts as its own.
#[test]
fn later_reused_pid_is_not_the_creator() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut player) = Player::start("recycled") else { return };
    player.verdict("old-sysv").assert_is("leaked certain", &["no process "]);
    wait_until(SOON, || player.verdict("old-sysv").segment["age"].as_f64().unwrap() > 4.0);
    player.child.send("!");
    if !player.listen() {
        return;
    }
    player.verdict("new-sysv").assert_is("idle", &["creator is running: heir ("]);
    let old = player.verdict("old-sysv");
    old.assert_is("leaked certain", &[" is now heir", "started after the last change"]);
    assert_eq!(old.maker, "gone");
    player.verdict("old-posix").assert_is("leaked certain", &["its creator (pid ", "exited"]);
    // Attachments count, whichever process created the segment.
    let shmid = old.id.strip_prefix("sysv:").unwrap().parse().unwrap();
    let _attached = shmlens::sys::shm::Attachment::read_only(shmid).unwrap();
    player.verdict("old-sysv").assert_is("in-use", &["nattch 1"]);
}

/// A container with a `/dev` older than its first process looks like a clock that was set forward.
/// Segments created later are still told apart.
#[test]
fn reused_pid_in_a_container_with_older_dev_is_not_the_creator() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (Some(unshare), Some(nsenter)) = (tool("unshare"), tool("nsenter")) else { return };
    let Some(program) = compile_cpp("tests/makers/lives.cpp") else { return };
    let mut command = Command::new(unshare);
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(program).arg("recycled");
    let Some(mut player) = Player::start_by(&mut command) else { return };
    let namespaces = format!("/proc/{}/ns", player.child.pid());
    let verdict = || {
        let mut inside = Command::new(&nsenter);
        inside.arg(format!("--pid={namespaces}/pid_for_children")).arg(format!("--mount={namespaces}/mnt"));
        inside.arg(env!("CARGO_BIN_EXE_shmlens"));
        listed_with(inside, "0s")
    };
    let verdict_on =
        |verdicts: Vec<Verdict>, id: &str| verdicts.into_iter().find(|verdict| verdict.id == id).unwrap();
    let old = player.reported("old-sysv").to_owned();
    verdict_on(verdict(), &old).assert_is("leaked certain", &["no process "]);
    wait_until(SOON, || verdict_on(verdict(), &old).segment["age"].as_f64().unwrap() > 4.0);
    player.child.send("!");
    if player.listen() {
        verdict_on(verdict(), &old)
            .assert_is("leaked certain", &[" is now heir", "started after the last change"]);
        verdict_on(verdict(), player.reported("new-sysv")).assert_is("idle", &["creator is running: heir ("]);
    }
}

#[test]
fn creator_and_holder_in_another_pid_namespace_count() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(player) = Player::start("in-pid-namespace") else { return };
    player.verdict("held").assert_is("in-use", &["held by 1 process"]);
    // The kernel reports its pid in this namespace.
    player.verdict("sysv").assert_is("idle", &["creator is running: lives-cpp ("]);
    // The pid in the name belongs to the other namespace.
    player.verdict("posix").assert_is("idle", &["may be running in another pid namespace"]);
}

/// The namespace has no `/proc` of its own.
#[test]
fn creator_pid_of_another_process_in_proc_is_not_trusted() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(nsenter) = tool("nsenter") else { return };
    let Some(mut player) = Player::start("below-anothers-proc") else { return };
    let namespace = format!("--pid={}", player.reported("namespace"));
    let verdict = || {
        let mut inside = Command::new(&nsenter);
        inside.args([&namespace, env!("CARGO_BIN_EXE_shmlens")]);
        listed_with(inside, "0s")
    };
    wait_until(SOON, || player.verdict("sysv").segment["age"].as_f64().unwrap() > 4.0);
    player.child.send("!");
    assert!(player.listen());
    let verdict = verdict();
    let verdict_on = |word| verdict.iter().find(|verdict| verdict.id == player.reported(word)).unwrap();
    let sysv = verdict_on("sysv");
    sysv.assert_is("leaked likely", &["/proc is not mounted or shows another pid namespace"]);
    assert_eq!(sysv.maker, "");
    assert_ne!(verdict_on("posix").state, "leaked certain", "{verdict:#?}");
}

#[test]
fn holder_in_another_mount_namespace_counts() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(player) = Player::start("in-mount-namespace") else { return };
    player.verdict("held").assert_is("in-use", &["held by 1 process"]);
    assert_eq!(listed().len(), 1, "the object of that name there is a different one");
}

#[test]
fn holder_in_another_ipc_namespace_counts() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(player) = Player::start("in-ipc-namespace") else { return };
    let held = player.verdict("held");
    // Its attachment in the other namespace does not count, even with the same shmid.
    assert_eq!(held.segment["nattch"], 1, "{held:#?}");
    held.assert_is("in-use", &[]);
    assert_eq!(listed().len(), 1);
    // The object was removed here, but still exists in the other namespace.
    let id = player.reported("held");
    let rm = crate::support::shmlens().args(["rm", "--yes", "--force", "--no-copy", id]).output().unwrap();
    assert!(rm.status.success(), "{rm:?}");
    verdict(id).assert_is("removed", &["kept alive by"]);
}

#[test]
fn private_mapping_alone_counts_as_held() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(player) = Player::start("held-privately") else { return };
    player.verdict("held").assert_is("in-use", &["held by 1 process"]);
}

#[test]
fn unexaminable_segment_is_unknown() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(player) = Player::start("locked") else { return };
    let sysv = Sysv::new(0x4d2, 4096, 0o600).owned_by(NOBODY, NOBODY);
    let held = Sysv::new(0x4d3, 4096, 0o600);
    let _attached = shmlens::sys::shm::Attachment::read_only(held.shmid).unwrap();
    let names = ["nccl-a1B2c3", "psm_1f09ab2c", "torch_4194303_1", "plain"];
    let objects = names.map(|name| Object::new(name, 4096, 0o600));
    let theirs =
        ["nccl-d4E5f6", "theirs"].map(|name| Object::new(name, 4096, 0o600).owned_by(NOBODY, NOBODY));
    let held_open = Object::new("nccl-000000", 4096, 0o666);
    let look = |settle| listed_with(as_nobody(env!("CARGO_BIN_EXE_shmlens"), [""; 0]), settle);
    let state = |verdicts: &[Verdict], id: &str| -> String {
        verdicts.iter().find(|verdict| verdict.id == id).unwrap_or_else(|| panic!("no {id}")).state.clone()
    };
    let verdict = look("0s");
    for object in objects.iter().chain(&theirs).chain([&held_open]) {
        assert_eq!(state(&verdict, &object.id().to_string()), "unknown", "{verdict:#?}");
    }
    // Locks and attachments are visible to every user, and this test is running.
    let locked = verdict.iter().find(|verdict| verdict.id == player.reported("held")).unwrap();
    locked.assert_is("in-use", &[&format!("file lock held by pid {}", player.child.pid())]);
    assert_eq!(state(&verdict, &held.id().to_string()), "in-use");
    assert_eq!(state(&verdict, &sysv.id().to_string()), "idle");
    assert!(verdict.iter().all(|verdict| !verdict.state.starts_with("leaked")), "{verdict:#?}");
}

#[test]
fn unattached_segment_of_a_dead_creator_is_leaked_for_every_user() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let output = crate::support::shmlens().args(["create", "sysv", "--size", "4K"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let verdict = listed_with(as_nobody(env!("CARGO_BIN_EXE_shmlens"), [""; 0]), "0s").remove(0);
    verdict.assert_is("leaked certain", &["nattch 0", "exited"]);
}

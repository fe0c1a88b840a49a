//! What is leaked for certain, likely, or not known, by root and by its owner, and the exit status of `clean`.

use super::{Ended, Leaks, there};
use crate::support::{NOBODY, Object, SOON, as_nobody, orphan, tool, wait_until};
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair};
use std::fs::{self, File, Permissions};
use std::io::IoSlice;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Nobody runs shmlens; nobody has no home, so nothing is logged.
fn as_nobody_ended(arguments: &[&str]) -> Ended {
    let mut command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn nobodys(name: &str) -> String {
    let id = Leaks::object(name, 8);
    chown(format!("/dev/shm/{name}"), Some(NOBODY), Some(NOBODY)).unwrap();
    id
}

/// A descriptor that is in no process: it waits in a socket.
fn in_transit(path: &str) -> (OwnedFd, OwnedFd) {
    let file = File::open(path).unwrap();
    let (from, to) =
        socketpair(AddressFamily::Unix, SockType::Datagram, None, SockFlag::SOCK_CLOEXEC).unwrap();
    let (descriptors, data) = ([file.as_raw_fd()], [IoSlice::new(b"x")]);
    let message = [ControlMessage::ScmRights(&descriptors)];
    sendmsg::<()>(from.as_raw_fd(), &data, &message, MsgFlags::empty(), None).unwrap();
    (from, to)
}

#[test]
fn a_key_makes_a_leak_likely_at_most() {
    let Some(leaks) = Leaks::new() else { return };
    let id = orphan(0x7068, 4096, b"state").to_string();
    leaks.clean(&["--yes"]).assert_is(0, &["leaked?", "programs may attach to its key 0x00007068"]);
    assert_eq!(there(), [id.as_str()]);
    leaks.clean(&["--yes", "--likely"]).assert_is(0, &[&format!("{id}: removed")]);
}

#[test]
fn what_this_program_created_or_restored_is_likely_at_most() {
    let Some(leaks) = Leaks::new() else { return };
    let created = [
        leaks.created(&["sysv", "--size", "4K"]),
        leaks.created(&["sysv", "--size", "4K", "--key", "0x4d2"]),
        leaks.created(&["posix", "nccl-a1B2c3", "--size", "4K"]),
    ];
    leaks.clean(&["--yes"]).assert_is(0, &["3 segments likely leaked", "shmlens created or restored it"]);
    let mut all = created.to_vec();
    all.sort();
    assert_eq!(there(), all);
    // Another object of that name was made by its maker.
    fs::remove_file("/dev/shm/nccl-a1B2c3").unwrap();
    let after = Instant::now() + Duration::from_millis(300);
    wait_until(SOON, || Instant::now() > after);
    let other = Leaks::object("nccl-a1B2c3", 8);
    leaks.clean(&["--yes"]).assert_is(0, &[&format!("{other}: removed"), "2 segments likely leaked"]);
}

#[test]
fn an_ordinary_user_gets_a_verdict_on_their_own() {
    let Some(leaks) = Leaks::new() else { return };
    // Everybody may open it, so that not even the processes of its owner and root would settle it.
    let id = nobodys("nccl-onFp46");
    fs::set_permissions("/dev/shm/nccl-onFp46", Permissions::from_mode(0o666)).unwrap();
    let words = [format!("{id}  leaked  8 B, nobody"), "granted a write lease".to_owned()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    as_nobody_ended(&["clean", "--settle", "0s", "--dry-run"]).assert_is(1, &words);
    leaks.clean(&["--dry-run"]).assert_is(1, &words[..1]);
    as_nobody_ended(&["clean", "--settle", "0s", "--yes", "--no-copy"])
        .assert_is(0, &[&format!("{id}: removed")]);
    assert!(there().is_empty());
    // Before it has settled it is idle, not unknown.
    nobodys("nccl-onFp46");
    let list = as_nobody_ended(&["list", "--csv", "--no-header", "--columns", "state"]);
    list.assert_is(0, &["idle"]);
    as_nobody_ended(&["clean"]).assert_is(0, &["Nothing is leaked."]);
}

#[test]
fn what_is_in_transit_is_unknown_and_stays() {
    let Some(leaks) = Leaks::new() else { return };
    let (id, theirs) = (Leaks::object("nccl-a1B2c3", 8), nobodys("nccl-d4E5f6"));
    let sockets = [in_transit("/dev/shm/nccl-a1B2c3"), in_transit("/dev/shm/nccl-d4E5f6")];
    let ended = leaks.clean(&["--yes", "--likely"]);
    ended.assert_is(1, &["2 segments unknown: holder not visible: descriptor in transit, loop device"]);
    assert!(!ended.stdout.contains("Nothing is leaked"), "{ended:?}");
    let json = leaks.clean_json(&["--yes"], 1);
    assert_eq!((&json[&id]["status"], &json[&id]["state"]), (&"left".into(), &"unknown".into()));
    // The other one is not root's: it is told and does not count.
    leaks.clean(&["--yes", "owner=nobody"]).assert_is(0, &["1 segment unknown: "]);
    as_nobody_ended(&["clean", "--settle", "0s", "--user", "nobody"]).assert_is(1, &["1 segment unknown: "]);
    let refused = leaks.run(&["rm", "--yes", "/nccl-a1B2c3"]);
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("may still be in use"), "{refused:?}");
    assert_eq!(there(), [id, theirs]);
    drop(sockets);
    leaks.clean(&["--yes"]).assert_is(0, &["2 segments leaked"]);
    assert!(there().is_empty());
}

#[test]
fn a_loop_device_holds_its_file() {
    let Some(leaks) = Leaks::new() else { return };
    let Some(losetup) = tool("losetup") else { return };
    let id = Leaks::object("nccl-a1B2c3", 1 << 20);
    let attached = Command::new(&losetup).args(["-f", "--show", "/dev/shm/nccl-a1B2c3"]).output().unwrap();
    if !attached.status.success() {
        println!("skipped a_loop_device_holds_its_file: no loop devices here");
        return;
    }
    leaks.clean(&["--yes"]).assert_is(1, &["1 segment unknown: holder not visible"]);
    let device = String::from_utf8(attached.stdout).unwrap();
    assert!(Command::new(&losetup).args(["-d", device.trim()]).status().unwrap().success());
    wait_until(SOON, || leaks.clean(&["--yes"]).status == Some(0) && there().is_empty());
    drop(id);
}

#[test]
fn what_a_person_names_is_asked_about_at_once() {
    let Some(_leaks) = Leaks::new() else { return };
    nobodys("x");
    // Root's processes cannot be examined by nobody.
    let removed = as_nobody_ended(&["rm", "--yes", "--no-copy", "/x"]);
    removed.assert_is(0, &["posix:/x: removed"]);
    // Where somebody has it open who cannot be seen, the dry run says so too.
    let object = Object::new("y", 8, 0o600).owned_by(NOBODY, NOBODY);
    for arguments in [["rm", "--no-copy", "--dry-run", "/y"], ["rm", "--no-copy", "--yes", "/y"]] {
        let refused = as_nobody_ended(&arguments);
        assert_eq!(refused.status, Some(1), "{refused:?}");
        assert!(
            format!("{}{}", refused.stdout, refused.stderr).contains("may still be in use"),
            "{refused:?}"
        );
    }
    drop(object);
}

#[test]
fn older_than_counts_from_the_last_use() {
    let Some(leaks) = Leaks::new() else { return };
    let id = Leaks::object("nccl-a1B2c3", 8);
    let listed = leaks.run(&["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let segment = &listed["segments"][0];
    assert_eq!(segment["last_used"], segment["times"]["change"]);
    let made = Instant::now();
    wait_until(SOON, || made.elapsed() > Duration::from_millis(1500));
    let old = |least: &str| leaks.clean_json(&["--older-than", least, "--dry-run"], i32::from(least == "1s"));
    assert!(old("1s").contains_key(&id) && old("1h").is_empty());
    // A write makes it young, whenever it was created.
    fs::write("/dev/shm/nccl-a1B2c3", "again").unwrap();
    leaks.clean_json(&["--older-than", "1s", "--dry-run"], 0);
}

#[test]
fn a_kind_that_could_not_be_listed_is_a_failure() {
    let Some(leaks) = Leaks::new() else { return };
    let id = Leaks::object("a", 8);
    let Some(shell) = tool("sh") else { return };
    // Nobody may not read the directory.
    fs::set_permissions("/dev/shm", Permissions::from_mode(0o700)).unwrap();
    let list = as_nobody_ended(&["list", "--json"]);
    let clean = as_nobody_ended(&["clean"]);
    fs::set_permissions("/dev/shm", Permissions::from_mode(0o1777)).unwrap();
    assert_eq!((list.status, clean.status), (Some(1), Some(1)), "{list:?} {clean:?}");
    let json: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(json["coverage"]["unlisted"], serde_json::json!(["posix"]));
    // Too few descriptors: whatever is printed, what is missing is not said to be all right.
    for command in ["list --json", "clean"] {
        for most in 3..12 {
            let script = format!("ulimit -n {most}; exec \"$0\" {command}");
            let output = Command::new(&shell)
                .args(["-c", &script, env!("CARGO_BIN_EXE_shmlens")])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let shown = String::from_utf8_lossy(&output.stdout).contains(&*id);
            let whole = output.status.success();
            assert!(!whole || command == "clean" || shown, "{command} with {most}: {output:?}");
        }
    }
    // Nothing is missing here.
    let list = leaks.run(&["list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!((list.status, &json["coverage"]["unlisted"]), (Some(0), &serde_json::json!([])));
}

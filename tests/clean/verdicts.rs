//! Verdicts for root and the owner (certain leak, likely leak, unknown), and the exit status of
//! `clean`.

use super::{Leaks, RunResult, list_segments};
use crate::support::{NOBODY, Object, SOON, as_nobody, orphan, skip_for_kernel, tool, wait_until};
use nix::mount::{MsFlags, mount};
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair};
use shmlens::sys::shm::Attachment;
use std::fs::{self, File, Permissions};
use std::io::IoSlice;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs shmlens as nobody, who has no home directory and therefore no log.
fn as_nobody_ended(arguments: &[&str]) -> RunResult {
    let mut command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    RunResult { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Returns the state and the reasons of a segment.
fn state_of(leaks: &Leaks, id: &str) -> (String, String) {
    let listed = leaks.run(&["list", "--json", "--settle", "0s"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let segments = listed["segments"].as_array().unwrap();
    let segment = segments.iter().find(|segment| segment["id"] == id).unwrap();
    let text = |name: &str| segment[name].as_str().unwrap_or_default().to_owned();
    (format!("{} {}", text("state"), text("certainty")).trim().to_owned(), segment["reasons"].to_string())
}

/// Attaches and detaches the segment, so that this test used it last.
fn use_last(id: &str) {
    let shmid = id.strip_prefix("sysv:").unwrap().parse().unwrap();
    drop(Attachment::read_only(shmid).unwrap());
}

fn create_object_of_nobody(name: &str) -> String {
    let id = Leaks::object(name, 8);
    chown(format!("/dev/shm/{name}"), Some(NOBODY), Some(NOBODY)).unwrap();
    id
}

/// Sends a descriptor to a socket without receiving it, so that no process has it open.
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
fn key_limits_the_verdict_to_likely() {
    let Some(leaks) = Leaks::new() else { return };
    let id = orphan(0x7068, 4096, b"state").to_string();
    leaks.clean(&["--yes"]).assert_is(0, &["leaked?", "programs may attach to its key 0x00007068"]);
    assert_eq!(list_segments(), [id.as_str()]);
    leaks.clean(&["--yes", "--likely"]).assert_is(0, &[&format!("{id}: removed")]);
}

#[test]
fn own_creations_are_at_most_likely_leaks() {
    let Some(leaks) = Leaks::new() else { return };
    let created = [
        leaks.create_segment(&["sysv", "--size", "4K"]),
        leaks.create_segment(&["sysv", "--size", "4K", "--key", "0x4d2"]),
        leaks.create_segment(&["posix", "nccl-a1B2c3", "--size", "4K"]),
    ];
    leaks.clean(&["--yes"]).assert_is(0, &["3 segments likely leaked", "shmlens created or restored it"]);
    let mut all = created.to_vec();
    all.sort();
    assert_eq!(list_segments(), all);
    // Another program has created an object with the same name.
    fs::remove_file("/dev/shm/nccl-a1B2c3").unwrap();
    let after = Instant::now() + Duration::from_millis(300);
    wait_until(SOON, || Instant::now() > after);
    let other = Leaks::object("nccl-a1B2c3", 8);
    leaks.clean(&["--yes"]).assert_is(0, &[&format!("{other}: removed"), "2 segments likely leaked"]);
}

#[test]
fn unprivileged_user_gets_verdicts_on_own_segments() {
    let Some(leaks) = Leaks::new() else { return };
    // Namespaces-readable, so examining the processes of the owner and root is not enough.
    let id = create_object_of_nobody("nccl-onFp46");
    fs::set_permissions("/dev/shm/nccl-onFp46", Permissions::from_mode(0o666)).unwrap();
    let words = [format!("{id}  leaked  8 B, nobody"), "granted a write lease".to_owned()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    as_nobody_ended(&["clean", "--settle", "0s", "--dry-run"]).assert_is(1, &words);
    leaks.clean(&["--dry-run"]).assert_is(1, &words[..1]);
    as_nobody_ended(&["clean", "--settle", "0s", "--yes", "--no-copy"])
        .assert_is(0, &[&format!("{id}: removed")]);
    assert!(list_segments().is_empty());
    // The object was used recently, so it is idle, not unknown.
    create_object_of_nobody("nccl-onFp46");
    let list = as_nobody_ended(&["list", "--csv", "--no-header", "--columns", "state"]);
    list.assert_is(0, &["idle"]);
    as_nobody_ended(&["clean"]).assert_is(0, &["No leaked segments found.", "posix:/nccl-onFp46 (in "]);
}

#[test]
fn descriptor_in_transit_makes_the_verdict_unknown() {
    let Some(leaks) = Leaks::new() else { return };
    let (id, theirs) = (Leaks::object("nccl-a1B2c3", 8), create_object_of_nobody("nccl-d4E5f6"));
    let sockets = [in_transit("/dev/shm/nccl-a1B2c3"), in_transit("/dev/shm/nccl-d4E5f6")];
    let ended = leaks.clean(&["--yes", "--likely"]);
    ended.assert_is(1, &["2 segments unknown: holder not visible: descriptor in transit, loop device"]);
    assert!(!ended.stdout.contains("Nothing is leaked"), "{ended:?}");
    let json = leaks.clean_json(&["--yes"], 1);
    assert_eq!((&json[&id]["status"], &json[&id]["state"]), (&"left".into(), &"unknown".into()));
    // An unknown segment of another user is reported, but does not affect the status.
    leaks.clean(&["--yes", "owner=nobody"]).assert_is(0, &["1 segment unknown: "]);
    as_nobody_ended(&["clean", "--settle", "0s", "--user", "nobody"]).assert_is(1, &["1 segment unknown: "]);
    let refused = leaks.run(&["rm", "--yes", "/nccl-a1B2c3"]);
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("may still be in use"), "{refused:?}");
    assert_eq!(list_segments(), [id, theirs]);
    drop(sockets);
    leaks.clean(&["--yes"]).assert_is(0, &["2 segments leaked"]);
    assert!(list_segments().is_empty());
}

#[test]
fn loop_device_counts_as_a_holder() {
    let Some(leaks) = Leaks::new() else { return };
    let Some(losetup) = tool("losetup") else { return };
    let id = Leaks::object("nccl-a1B2c3", 1 << 20);
    let attached = Command::new(&losetup).args(["-f", "--show", "/dev/shm/nccl-a1B2c3"]).output().unwrap();
    if !attached.status.success() {
        skip_for_kernel(&format!("needs loop devices: {}", String::from_utf8_lossy(&attached.stderr)));
        return;
    }
    leaks.clean(&["--yes"]).assert_is(1, &["1 segment unknown: holder not visible"]);
    let device = String::from_utf8(attached.stdout).unwrap();
    assert!(Command::new(&losetup).args(["-d", device.trim()]).status().unwrap().success());
    wait_until(SOON, || leaks.clean(&["--yes"]).status == Some(0) && list_segments().is_empty());
    drop(id);
}

#[test]
fn named_segments_are_checked_without_delay() {
    let Some(_leaks) = Leaks::new() else { return };
    create_object_of_nobody("x");
    // nobody cannot examine root's processes.
    let removed = as_nobody_ended(&["rm", "--yes", "--no-copy", "/x"]);
    removed.assert_is(0, &["posix:/x: removed"]);
    // The dry run also reports a holder that is not visible.
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
    let created = Instant::now();
    wait_until(SOON, || created.elapsed() > Duration::from_millis(1500));
    let old = |least: &str| leaks.clean_json(&["--older-than", least, "--dry-run"], i32::from(least == "1s"));
    assert!(old("1s").contains_key(&id) && old("1h").is_empty());
    // A write counts as use.
    fs::write("/dev/shm/nccl-a1B2c3", "again").unwrap();
    leaks.clean_json(&["--older-than", "1s", "--dry-run"], 0);
}

#[test]
fn clean_fails_when_a_kind_cannot_be_listed() {
    let Some(leaks) = Leaks::new() else { return };
    let id = Leaks::object("a", 8);
    let Some(shell) = tool("sh") else { return };
    // nobody cannot read the directory.
    fs::set_permissions("/dev/shm", Permissions::from_mode(0o700)).unwrap();
    let list = as_nobody_ended(&["list", "--json"]);
    let clean = as_nobody_ended(&["clean"]);
    fs::set_permissions("/dev/shm", Permissions::from_mode(0o1777)).unwrap();
    assert_eq!((list.status, clean.status), (Some(1), Some(1)), "{list:?} {clean:?}");
    let json: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(json["coverage"]["unlisted"], serde_json::json!(["posix", "deleted"]));
    // If descriptors run out, the report must not claim that nothing is leaked.
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
    // This time everything is listed.
    let list = leaks.run(&["list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!((list.status, &json["coverage"]["unlisted"]), (Some(0), &serde_json::json!([])));
}

#[test]
fn reading_a_segment_does_not_make_it_a_certain_leak() {
    let Some(leaks) = Leaks::new() else { return };
    let id = leaks.sysv("4K");
    use_last(&id);
    let file = leaks.home.path().join("copy");
    for command in [&["dump", &id][..], &["find", "x", &id], &["save", &id, file.to_str().unwrap()]] {
        let before = state_of(&leaks, &id);
        assert_eq!(before.0, "idle", "{}", before.1);
        assert!(before.1.contains("its last user is running"), "{}", before.1);
        let ended = leaks.run(command);
        assert!(ended.stderr.is_empty() || command[0] != "dump", "{ended:?}");
    }
    assert_eq!(state_of(&leaks, &id).0, "idle");
    leaks.clean(&["--yes", "--likely"]).assert_is(0, &["Nothing is leaked."]);
    assert_eq!(list_segments(), [id]);
    // Reading a leak does not change the verdict, because the use before the read counts.
    let leak = leaks.sysv("4K");
    let created = Instant::now();
    wait_until(SOON, || created.elapsed() > Duration::from_millis(3100));
    leaks.run(&["dump", &leak]);
    leaks.run(&["clean", "--settle", "3s", "--yes"]).assert_is(0, &[&format!("{leak}: removed")]);
}

#[test]
fn reads_without_a_state_directory_are_no_evidence() {
    let Some(leaks) = Leaks::new() else { return };
    let id = orphan(0, 4096, b"text").to_string();
    assert_eq!(leaks.run(&["chmod", "0666", &id]).status, Some(0));
    use_last(&id);
    let dumped = as_nobody_ended(&["dump", &id]);
    assert_eq!(dumped.status, Some(0), "{dumped:?}");
    let clean = as_nobody_ended(&["clean", "--settle", "0s", "--dry-run"]);
    clean.assert_is(0, &["leaked?", "may have been shmlens, which has no state directory"]);
}

/// Gives nobody a home directory until it is dropped.
fn home_of_nobody() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let users = home.path().join("passwd");
    let text =
        format!("root:x:0:0::/root:/bin/sh\nnobody:x:{NOBODY}:{NOBODY}::{}:/bin/sh\n", home.path().display());
    fs::write(&users, text).unwrap();
    mount(Some(&users), "/etc/passwd", None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    home
}

#[test]
fn root_reads_the_log_of_the_owner() {
    let Some(leaks) = Leaks::new() else { return };
    let home = home_of_nobody();
    let run_as_owner = |arguments: &[&str]| {
        let mut command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments);
        let command = command.env_remove("XDG_STATE_HOME").env("HOME", home.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let sysv = orphan(0, 4096, b"text").to_string();
    run_as_owner(&["create", "posix", "nccl-a1B2c3", "--size", "8"]);
    let created = "posix:/nccl-a1B2c3".to_owned();
    assert_eq!(state_of(&leaks, &created).0, "leaked likely");
    // This object has the same name, but is older than the log record, which identifies an object
    // and not a name.
    Leaks::object("nccl-d4E5f6", 8);
    assert_eq!(state_of(&leaks, "posix:/nccl-d4E5f6").0, "leaked certain");
    fs::rename("/dev/shm/nccl-d4E5f6", "/dev/shm/nccl-a1B2c3").unwrap();
    chown("/dev/shm/nccl-a1B2c3", Some(NOBODY), Some(NOBODY)).unwrap();
    assert_eq!(state_of(&leaks, &created).0, "leaked certain");
    // Make the reader the owner of the segment.
    assert_eq!(leaks.run(&["chown", "nobody", &sysv]).status, Some(0));
    use_last(&sysv);
    run_as_owner(&["dump", &sysv]);
    let (state, reasons) = state_of(&leaks, &sysv);
    assert_eq!(state, "idle", "{reasons}");
    assert!(home.path().join(".local/state/shmlens/attached.jsonl").exists());
    // Another user's log is ignored.
    chown(home.path().join(".local/state/shmlens/attached.jsonl"), Some(1), None).unwrap();
    assert_eq!(state_of(&leaks, &sysv).0, "leaked certain");
}

#[test]
fn file_mounted_elsewhere_is_in_use() {
    let Some(leaks) = Leaks::new() else { return };
    let id = Leaks::object("nccl-a1 B2", 8);
    let _certain = Leaks::object("nccl-a1B2c3", 8);
    let point = leaks.home.path().join("mounted here");
    fs::write(&point, "").unwrap();
    mount(Some("/dev/shm/nccl-a1 B2"), &point, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    let (state, reasons) = state_of(&leaks, &id);
    assert_eq!(state, "in-use", "{reasons}");
    assert!(reasons.contains(&format!("mounted at {}", point.display())), "{reasons}");
    nix::mount::umount(&point).unwrap();
    assert_ne!(state_of(&leaks, &id).0, "in-use");
}

#[test]
fn owner_without_read_permission_probes_with_a_write_lease() {
    let Some(_leaks) = Leaks::new() else { return };
    let id = create_object_of_nobody("nccl-a1B2c3");
    for (mode, state, words) in [
        (0o266, "leaked", "granted a write lease"),
        (
            0o066,
            "unknown",
            "you cannot open it to ask the kernel: run `shmlens chmod u+r posix:/nccl-a1B2c3` first",
        ),
    ] {
        fs::set_permissions("/dev/shm/nccl-a1B2c3", Permissions::from_mode(mode)).unwrap();
        let listed = as_nobody_ended(&[
            "list",
            "--csv",
            "--no-header",
            "--columns",
            "state,reasons",
            "--settle",
            "0s",
        ]);
        listed.assert_is(0, &[state, words]);
    }
    drop(id);
}

#[test]
fn unlisted_kinds_are_reported_with_a_remedy() {
    let Some(leaks) = Leaks::new() else { return };
    fs::create_dir("/dev/shm/private").unwrap();
    fs::set_permissions("/dev/shm/private", Permissions::from_mode(0o700)).unwrap();
    let unlisted = |ended: &RunResult| {
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        json["coverage"]["unlisted"].clone()
    };
    let list = as_nobody_ended(&["list", "--json"]);
    assert_eq!((list.status, unlisted(&list)), (Some(0), serde_json::json!(["posix"])));
    let clean = as_nobody_ended(&["clean"]);
    assert_eq!(clean.status, Some(1), "{clean:?}");
    for reported in [&list, &clean] {
        assert!(
            reported.stderr.contains("/dev/shm/private: permission denied")
                && reported.stderr.contains("Run as root")
        );
    }
    assert_eq!(unlisted(&leaks.run(&["list", "--json"])), serde_json::json!([]));
    let Some(shell) = tool("sh") else { return };
    let mut exhausted = 0;
    for most in 5..12 {
        let script = format!("ulimit -n {most}; exec \"$0\" list --json");
        let mut command = leaks.command();
        let program = command.get_program().to_owned();
        command = Command::new(&shell);
        let output = command.args(["-c", &script]).arg(program).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else { continue };
        let whole = json["coverage"]["unlisted"] == serde_json::json!([]);
        assert_eq!(output.status.success(), whole, "{most}: {stderr}");
        assert!(whole || stderr.contains("ulimit -n"), "{most}: {stderr}");
        assert!(whole || json["coverage"]["unreadable"] != 0 || !stderr.is_empty());
        exhausted += usize::from(!whole);
    }
    assert!(exhausted > 0, "no run had too few descriptors");
}

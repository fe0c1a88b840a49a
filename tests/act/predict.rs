//! Compares the predictions of plans with the kernel, and dry runs with real runs.

use super::{FORCE, REMOVE, find_segment, set_mode};
use crate::support::{
    Child, NOBODY, Namespaces, Nobody, Object, SOON, Sysv, as_nobody, limit_locked, shmlens, tool, wait_until,
};
use nix::mount::{MsFlags, mount};
use serde_json::Value;
use shmlens::act::{self, Action, ModeChange, OwnerChange, Plan};
use shmlens::machine::real::RealMachine;
use shmlens::segment::{Mode, SegmentId};
use shmlens::sys::shm;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Stdio};

const ROOT: u32 = 0;
const ANN: u32 = 1000;

/// A segment that is removed on drop.
enum TestSegment {
    Sysv(Sysv),
    Object(Object),
}

impl TestSegment {
    fn id(&self) -> SegmentId {
        match self {
            Self::Sysv(sysv) => sysv.id(),
            Self::Object(object) => object.id(),
        }
    }
}

fn sysv(uid: u32) -> TestSegment {
    TestSegment::Sysv(Sysv::new(0, 5000, 0o666).owned_by(uid, uid))
}

/// Returns a segment that user nobody created and root owns.
fn sysv_created_by_nobody() -> TestSegment {
    let nobody = Nobody::here();
    let sysv = Sysv::new(0, 5000, 0o666);
    drop(nobody);
    TestSegment::Sysv(sysv.owned_by(ROOT, ROOT))
}

fn object(name: &str, uid: u32) -> TestSegment {
    TestSegment::Object(Object::new(name, 5000, 0o666).owned_by(uid, uid))
}

fn directory(name: &str, uid: u32, mode: u32) {
    let path = Path::new("/dev/shm").join(name);
    fs::create_dir(&path).unwrap();
    chown(&path, Some(uid), Some(uid)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
}

fn chattr(flag: &str, path: &str) {
    let chattr = tool("chattr").unwrap();
    let status = Command::new(chattr).args([flag, path]).status().unwrap();
    assert!(status.success(), "chattr {flag} {path}");
}

fn remount(flags: MsFlags) {
    let none: Option<&str> = None;
    mount(none, "/dev/shm", none, MsFlags::MS_REMOUNT | flags, none).unwrap();
}

/// Creates a segment for each case that the kernel treats differently.
fn segments() -> Vec<(&'static str, TestSegment)> {
    for (name, uid, mode) in [
        ("open", ROOT, 0o777),
        ("closed", ROOT, 0o755),
        ("nobodys", NOBODY, 0o1777),
        ("anns", ANN, 0o1777),
        ("immutable", ROOT, 0o777),
        ("append", ROOT, 0o777),
    ] {
        directory(name, uid, mode);
    }
    let created = vec![
        ("System V, own", sysv(NOBODY)),
        ("System V, root's", sysv(ROOT)),
        ("System V, ann's", sysv(ANN)),
        ("System V, created by nobody", sysv_created_by_nobody()),
        ("own", object("own", NOBODY)),
        ("root's", object("roots", ROOT)),
        ("ann's", object("anns_object", ANN)),
        ("own with a foreign group", TestSegment::Object(Object::new("g", 1, 0o600).owned_by(NOBODY, 7))),
        ("set-user-id", TestSegment::Object(Object::new("suid", 1, 0o600).owned_by(NOBODY, NOBODY))),
        ("root's in an open directory", object("open/roots", ROOT)),
        ("own in a closed directory", object("closed/own", NOBODY)),
        ("root's in nobody's sticky directory", object("nobodys/roots", ROOT)),
        ("own in ann's sticky directory", object("anns/own", NOBODY)),
        ("root's in ann's sticky directory", object("anns/roots", ROOT)),
        ("immutable", object("flag_i", NOBODY)),
        ("append-only", object("flag_a", NOBODY)),
        ("in an immutable directory", object("immutable/own", NOBODY)),
        ("in an append-only directory", object("append/own", NOBODY)),
    ];
    fs::set_permissions("/dev/shm/suid", Permissions::from_mode(0o4755)).unwrap();
    chattr("+i", "/dev/shm/flag_i");
    chattr("+a", "/dev/shm/flag_a");
    chattr("+i", "/dev/shm/immutable");
    chattr("+a", "/dev/shm/append");
    created
}

fn clear() {
    for (flag, path) in [("-i", "flag_i"), ("-a", "flag_a"), ("-i", "immutable"), ("-a", "append")] {
        let path = format!("/dev/shm/{path}");
        chattr(flag, &path);
        // Dropping the object would not remove it.
        let _ = fs::remove_file(path);
    }
    for directory in ["open", "closed", "nobodys", "anns", "immutable", "append"] {
        fs::remove_dir_all(Path::new("/dev/shm").join(directory)).unwrap();
    }
}

fn actions() -> Vec<Action> {
    let owner = |uid, gid| Action::SetOwner(OwnerChange { uid, gid });
    let both =
        |mode, uid, gid| Action::SetModeAndOwner(ModeChange::to(Mode::new(mode)), OwnerChange { uid, gid });
    vec![
        REMOVE,
        set_mode(0o640),
        set_mode(0o666),
        set_mode(0o2755),
        owner(Some(ANN), None),
        owner(Some(NOBODY), None),
        owner(Some(ROOT), Some(ROOT)),
        owner(None, Some(NOBODY)),
        owner(None, Some(ANN)),
        both(0o600, Some(NOBODY), Some(NOBODY)),
        both(0o660, Some(ANN), None),
        Action::Lock,
        Action::Unlock,
    ]
}

/// Compares the plan with the result of applying the action anyway. Returns true if it succeeded.
#[track_caller]
fn compare(about: &str, shown: &shmlens::segment::Segment, action: &Action) -> bool {
    let plan = act::plan(&RealMachine, shown, action, &FORCE);
    let predicted = plan.refusal.clone();
    let result = act::apply(&RealMachine, &Plan { refusal: None, ..plan }).result;
    match (&predicted, &result) {
        (None, Ok(_)) => true,
        (Some(refusal), Err(error)) => {
            // Prediction and error use the same words, unless only the kernel knows the reason.
            let message = error.to_string();
            let unverified = matches!(error, act::ActError::Unverified { .. });
            assert!(!refusal.forceable, "{about}: {refusal:?}");
            assert!(
                unverified || message.contains(&refusal.reason),
                "{about}: {message}\npredicted {refusal:?}"
            );
            false
        }
        _ => panic!("{about}, {action:?}: predicted {predicted:?}, but {result:?}"),
    }
}

#[test]
fn plans_predict_kernel_refusals() {
    let Some(_namespaces) = Namespaces::new() else { return };
    if tool("chattr").is_none() {
        return;
    }
    let mut counts = BTreeMap::new();
    for action in actions() {
        for as_root in [false, true] {
            for (what, created) in segments() {
                // POSIX segments cannot be locked, and System V has nine mode bits.
                let posix = matches!(created, TestSegment::Object(_));
                let lock = matches!(action, Action::Lock | Action::Unlock);
                if (posix && lock) || (!posix && action == set_mode(0o2755)) {
                    continue;
                }
                let shown = find_segment(&created.id());
                let nobody = (!as_root).then(Nobody::here);
                let about = format!("{what}, {}", if as_root { "root" } else { "nobody" });
                let allowed = compare(&about, &shown, &action);
                drop(nobody);
                *counts.entry((as_root, allowed)).or_insert(0) += 1;
            }
            clear();
        }
    }
    // Both users had successes and refusals.
    assert_eq!(counts.len(), 4, "{counts:?}");
}

#[test]
fn plans_predict_a_read_only_mount() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("own", 5000, 0o600).owned_by(NOBODY, NOBODY);
    let shown = find_segment(&object.id());
    // A writable descriptor would keep the mount busy.
    let _object = close_descriptor(object);
    remount(MsFlags::MS_RDONLY);
    for action in [REMOVE, set_mode(0o640), Action::SetOwner(OwnerChange { uid: Some(ANN), gid: None })] {
        let plan = act::plan(&RealMachine, &shown, &action, &FORCE);
        let error = act::apply(&RealMachine, &Plan { refusal: None, ..plan.clone() }).result.unwrap_err();
        let refusal = plan.refusal.unwrap();
        assert_eq!(refusal.reason, "/dev/shm is mounted read-only");
        assert!(error.to_string().contains("read-only"), "{error}");
    }
    remount(MsFlags::empty());
}

#[test]
fn remedies_work() {
    let Some(_namespaces) = Namespaces::new() else { return };
    if tool("chattr").is_none() {
        return;
    }
    let refusal = |id: &SegmentId| {
        let shown = find_segment(id);
        let nobody = Nobody::here();
        let refusal = act::plan(&RealMachine, &shown, &REMOVE, &FORCE).refusal.unwrap();
        drop(nobody);
        format!("{}. {}", refusal.reason, refusal.remedy)
    };
    directory("daemons", 1, 0o1777);
    let cases = [
        (sysv(ROOT), "only root can remove it. Run as root"),
        (sysv(4242), "only its owner user 4242 or root can remove it. Run as user 4242 or with sudo"),
        (object("roots", ROOT), "only root can remove it. Run as root"),
        (
            object("daemons/roots", ROOT),
            "only its directory's owner daemon or root can remove it. Run as daemon or with sudo",
        ),
    ];
    for (created, expected) in &cases {
        assert_eq!(refusal(&created.id()), *expected);
    }
    drop(cases);
    let odd = Object::new("it's $(odd)", 1, 0o600).owned_by(NOBODY, NOBODY);
    let path = "/dev/shm/it's $(odd)";
    chattr("+i", path);
    let text = refusal(&odd.id());
    assert_eq!(
        text,
        r"immutable (chattr +i). As root, clear the flag with `chattr -i '/dev/shm/it'\''s $(odd)'`"
    );
    // The command in the message can be pasted.
    let command = text.split('`').nth(1).unwrap();
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success());
    fs::remove_file(path).unwrap();
}

/// Runs the command. Returns success or failure and the error of each segment.
fn run(
    as_root: bool,
    home: &Path,
    limit: Option<u64>,
    arguments: &[&str],
) -> BTreeMap<String, (bool, String)> {
    let mut command = if as_root {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shmlens"));
        command.args(arguments);
        command
    } else {
        as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments)
    };
    if let Some(limit) = limit {
        limit_locked(&mut command, limit);
    }
    let state = home.join(if as_root { "root" } else { "nobody" });
    command.env("XDG_STATE_HOME", state).env("XDG_CONFIG_HOME", home).arg("--json").stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut all_done = true;
    let by_segment = lines.map(|line| {
        let done = match line["status"].as_str().unwrap() {
            "planned" | "done" => true,
            "refused" | "failed" => false,
            other => panic!("{other}"),
        };
        all_done &= done;
        let segment = line["segment"].as_str().unwrap();
        let error = line["error"].as_str().unwrap_or_default();
        // The segment has its own field in JSON, but the error may name it too.
        let error = error.strip_prefix(&format!("{segment}: ")).unwrap_or(error);
        // A child that another test has just forked holds descriptors of this process until it
        // execs.
        let error = match error.strip_prefix("in use: held by ").and_then(|rest| rest.split_once(". ")) {
            Some((_, remedy)) => format!("in use. {remedy}"),
            None => error.to_owned(),
        };
        (segment.to_owned(), (done, error))
    });
    let by_segment: BTreeMap<_, _> = by_segment.collect();
    assert_eq!(output.status.code(), Some(i32::from(!all_done)), "{arguments:?} {text}");
    by_segment
}

#[test]
fn dry_run_matches_the_real_run() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    for (user, uid) in [("root", ROOT), ("nobody", NOBODY)] {
        fs::create_dir(home.path().join(user)).unwrap();
        chown(home.path().join(user), Some(uid), Some(uid)).unwrap();
    }
    let config = "[[maker]]\nid = \"kept\"\nname = \"Kept\"\npattern = '^kept_'\nunheld = \"protected\"\n\
                  reason = \"it is needed\"\n";
    fs::create_dir(home.path().join("shmlens")).unwrap();
    fs::write(home.path().join("shmlens/config.toml"), config).unwrap();
    let missing = home.path().join("missing/");
    let unwritable = home.path().join("unwritable/");
    fs::create_dir(&unwritable).unwrap();
    let (missing, unwritable) = (missing.to_str().unwrap(), unwritable.to_str().unwrap());
    let commands: [&[&str]; 13] = [
        &["rm", "--yes", "--no-copy"],
        &["rm", "--yes", "--no-copy", "--force"],
        &["rm", "--yes"],
        &["rm", "--yes", "--force"],
        &["rm", "--yes", "--force", "--save", missing],
        &["rm", "--yes", "--force", "--save", unwritable],
        &["--read-only", "rm", "--yes", "--force"],
        &["chmod", "0604"],
        &["chown", "0"],
        &["chown", "65534"],
        &["chown", ":65534"],
        &["lock"],
        &["unlock"],
    ];
    let mut seen = BTreeMap::new();
    for command in commands {
        for (as_root, limit) in [(true, None), (false, None), (false, Some(4096)), (false, Some(0))] {
            if limit.is_some() && command[0] != "lock" {
                continue;
            }
            let (created, _held) = segments_of_each_state(as_root);
            let names: Vec<String> =
                created.iter().map(|created| created.id().to_string()).chain(["none".to_owned()]).collect();
            let names = names.iter().map(String::as_str);
            let arguments: Vec<&str> = command.iter().copied().chain(names).collect();
            let dry = run(as_root, home.path(), limit, &[&arguments[..], &["--dry-run"]].concat());
            let real = run(as_root, home.path(), limit, &arguments);
            assert_eq!(dry.len(), created.len() + 1, "{dry:?}");
            for (segment, dry) in &dry {
                assert_eq!(dry, &real[segment], "{command:?}, root {as_root}: {segment}");
                // `--force` is only suggested where it helps.
                let suggests_force = dry.1.contains("--force");
                let forced = command.contains(&"--force");
                assert!(!(suggests_force && forced), "{command:?} {segment}: {}", dry.1);
                *seen.entry((as_root, dry.0, suggests_force)).or_insert(0) += 1;
            }
            if command == ["rm", "--yes", "--no-copy"] {
                // With --force, the removal succeeds.
                let suggestions = dry.iter().filter(|(_, (_, error))| error.contains("--force"));
                let suggestions: Vec<&str> = suggestions.map(|(segment, _)| segment.as_str()).collect();
                assert!(suggestions.len() > 1, "{dry:?}");
                let arguments = [&["rm", "--yes", "--no-copy", "--force"], &suggestions[..]].concat();
                for (segment, (done, error)) in run(as_root, home.path(), None, &arguments) {
                    assert!(done, "{segment}: {error}");
                }
            }
        }
    }
    eprintln!("{seen:?}");
    for as_root in [false, true] {
        for outcome in [(true, false), (false, true), (false, false)] {
            assert!(seen.contains_key(&(as_root, outcome.0, outcome.1)), "{as_root} {outcome:?} {seen:?}");
        }
    }
}

#[test]
fn dry_run_keeps_the_order_of_the_arguments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (sysv, held) = (Sysv::new(0x4d2, 5000, 0o600), Object::new("held", 10, 0o600));
    for name in ["a", "b"] {
        fs::write(Path::new("/dev/shm").join(name), name).unwrap();
        fs::hard_link(Path::new("/dev/shm").join(name), format!("/dev/shm/{name}2")).unwrap();
    }
    // A child forked by another test would inherit a descriptor and add a holder.
    let file = fs::File::open(held.path()).unwrap();
    let _holder = Child::spawn(Command::new("sleep").arg("60").stdin(file));
    let held = close_descriptor(held);
    let number = sysv.shmid.to_string();
    let run = |how: &str| {
        let names = ["/b2", "gone", "0x4d2", "/held", "/a", "key:77", "/b", &number, "/b2"];
        let mut command = shmlens();
        let output = command.args(["rm", "--no-copy", "--json", how]).args(names).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect::<Vec<Value>>()
    };
    wait_until(SOON, || run("--dry-run")[3]["error"].as_str().unwrap().contains("held by 1 process"));
    let (dry, real) = (run("--dry-run"), run("--yes"));
    let ids = ["posix:/b2", "gone", &sysv.id().to_string(), "posix:/held", "posix:/a", "key:77", "posix:/b"];
    let subject = |line: &Value| line["segment"].as_str().unwrap().to_owned();
    assert_eq!(dry.iter().map(subject).collect::<Vec<_>>(), ids);
    assert_eq!(real.iter().map(subject).collect::<Vec<_>>(), ids);
    for (dry, real) in dry.iter().zip(&real) {
        assert_eq!(dry["status"] == "planned", real["status"] == "done", "{dry} {real}");
        // Removing the second name frees the object.
        let message = |line: &Value| line["said"].to_string().contains("1 other hard link remains");
        assert_eq!(message(dry), message(real), "{dry} {real}");
        if let (Some(dry), Some(real)) = (dry["error"].as_str(), real["error"].as_str()) {
            assert!(real.ends_with(dry), "{dry} {real}");
        }
    }
    assert_eq!(real.iter().filter(|line| line["said"].to_string().contains("hard link")).count(), 2);
    assert!(held.path().exists());
}

/// Returns segments in each state (in use, idle, protected, unknown), of this user and of others,
/// and one that its owner cannot read.
fn segments_of_each_state(as_root: bool) -> (Vec<TestSegment>, shm::Attachment) {
    let in_use = Sysv::new(0, 5000, 0o666).owned_by(NOBODY, NOBODY);
    let held = shm::Attachment::read_only(in_use.shmid).unwrap();
    let mut created = vec![
        sysv(NOBODY),
        sysv(ROOT),
        sysv_created_by_nobody(),
        TestSegment::Sysv(in_use),
        TestSegment::Sysv(Sysv::new(0, 5000, 0).owned_by(NOBODY, NOBODY)),
        // The object is open in this test.
        object("in_use", NOBODY),
    ];
    for (name, uid, mode) in [
        ("idle", NOBODY, 0o600),
        ("roots", ROOT, 0o644),
        ("kept_it", NOBODY, 0o600),
        ("unreadable", NOBODY, 0),
    ] {
        let object = Object::new(format!("{name}_{as_root}"), 5000, mode).owned_by(uid, uid);
        // An open descriptor would count as a holder.
        created.push(TestSegment::Object(close_descriptor(object)));
    }
    // A child forked by another test may keep the descriptor until it execs.
    wait_until(SOON, || {
        let output = Command::new(env!("CARGO_BIN_EXE_shmlens")).args(["list", "--json"]).output().unwrap();
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        let in_use =
            list["segments"].as_array().unwrap().iter().filter(|segment| segment["state"] == "in-use");
        in_use.count() == 2
    });
    (created, held)
}

/// Closes the descriptor of the object.
fn close_descriptor(mut object: Object) -> Object {
    object.file = fs::File::open("/dev/null").unwrap();
    object
}

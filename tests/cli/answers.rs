//! Answers to common questions: which process holds a segment, who uses the memory, what will raise
//! SIGBUS, and which number is a key.

use super::{json, printed, stderr_of};
use crate::support::{Child, NOBODY, Namespaces, Object, SOON, Sysv, as_nobody, shmlens, skip};
use serde_json::{Value, json as value};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

const PYTHON: &str = "/usr/bin/python3";

/// Starts a Python program as root or nobody, and waits until it prints `ready`.
fn start(text: &str, as_root: bool) -> Option<Child> {
    // nobody cannot run a Python below /root.
    if !Path::new(PYTHON).exists() {
        skip("has no /usr/bin/python3");
        return None;
    }
    let mut command = Command::new(PYTHON);
    command.args(["-u", "-c", text]);
    if !as_root {
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    let mut child = Child::spawn_piped(&mut command);
    assert_eq!(child.line(SOON), "ready");
    Some(child)
}

/// Returns the standard output of shmlens, run as root or nobody.
fn output_as(arguments: &[&str], as_root: bool) -> String {
    let mut command = if as_root { shmlens() } else { as_nobody(env!("CARGO_BIN_EXE_shmlens"), [""; 0]) };
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json_as(arguments: &[&str], as_root: bool) -> Value {
    serde_json::from_str(&output_as(arguments, as_root)).unwrap()
}

/// Returns a program that maps 1 MiB of `/dev/shm/NAME` privately or shared, and truncates it to 4
/// KiB.
fn truncating_program(name: &str, flags: &str) -> String {
    format!(
        "import mmap, os, sys
fd = os.open('/dev/shm/{name}', os.O_RDWR)
m = mmap.mmap(fd, 1 << 20, flags=mmap.{flags})
os.ftruncate(fd, 4096)
os.close(fd)
print('ready'); sys.stdin.read()"
    )
}

/// The Python code that calls `shmget` and `shmat` through ctypes.
const SHM_SETUP: &str = "import ctypes, mmap, os, sys
c = ctypes.CDLL(None, use_errno=True)
c.shmat.restype = ctypes.c_void_p
c.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
";

#[test]
fn filter_that_matches_nothing_is_explained() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o666);
    let notes = |arguments: &[&str], as_root: bool| {
        let mut command = if as_root { shmlens() } else { as_nobody(env!("CARGO_BIN_EXE_shmlens"), [""; 0]) };
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        // nobody may not read root's config file.
        let stderr = String::from_utf8(output.stderr).unwrap();
        let notes = stderr.lines().filter(|line| !line.contains("config file"));
        notes.map(|line| format!("{line}\n")).collect::<Vec<_>>().concat()
    };
    assert_eq!(notes(&["list", "pid=4194305"], true), "shmlens: no process 4194305\n");
    assert_eq!(notes(&["list", "owner=nosuch"], true), "shmlens: no user named 'nosuch'\n");
    assert_eq!(notes(&["list", "owner=nobody"], true), "");
    let own = std::process::id();
    let note = notes(&["list", &format!("pid={own}")], false);
    assert_eq!(note, format!("shmlens: process {own} cannot be inspected. Run as root\n"));
}

#[test]
fn object_larger_than_free_space_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let size = nix::sys::statvfs::statvfs("/dev/shm").unwrap();
    let size = (size.blocks() * size.fragment_size() + (1 << 30)).to_string();
    let output = shmlens().args(["create", "posix", "/more", "--size", &size]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let words = "larger than what /dev/shm has left (";
    assert!(output.status.success() && stderr.contains(words) && stderr.contains("SIGBUS"), "{stderr}");
    let info = printed(["info", "/more"]);
    let warning = info.lines().find(|line| line.starts_with("warning")).unwrap();
    assert!(warning.contains(words), "{info}");
    fs::remove_file("/dev/shm/more").unwrap();
}

#[test]
fn pid_filters_by_holder() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let others = [Sysv::new(0x4d2, 4096, 0o666), Sysv::new(0, 4096, 0o666)];
    let object = Object::new("held", 4096, 0o666).owned_by(NOBODY, NOBODY);
    drop(Object::new("gone", 4096, 0o666));
    let _free = Object::new("free", 4096, 0o666).owned_by(NOBODY, NOBODY);
    let shmid = others[0].shmid;
    for as_root in [true, false] {
        let text = format!(
            "{SHM_SETUP}assert c.shmat({shmid}, None, 0) != 2**64 - 1
f = open('/dev/shm/held', 'r+b')
print('ready'); sys.stdin.read()"
        );
        let Some(child) = start(&text, as_root) else { return };
        let pid = child.pid();
        let list = |filter: &str| output_as(&["list", filter, "--columns", "id", "--no-header"], as_root);
        let held = format!("sysv:{shmid}\nposix:/held\n");
        assert_eq!(list(&format!("pid={pid}")), held);
        assert_eq!(list(&format!("pid={pid}..{pid}")), held);
        let rest = list(&format!("!pid={pid}"));
        assert!(rest.contains("posix:/free") && !rest.contains("posix:/held"), "{rest}");
        assert!(!rest.contains(&format!("sysv:{shmid}\n")), "{rest}");
        // The pids are also available as a column.
        let pids = output_as(&["list", "name=held", "--columns", "pid", "--csv", "--no-header"], as_root);
        assert!(pids.contains(&pid.to_string()), "{pids}");
        // `clean` accepts the same filters as `list`.
        let cleaned = output_as(&["clean", "--dry-run", &format!("pid={pid}")], as_root);
        assert!(!cleaned.contains("free"), "{cleaned}");
    }
    drop(object);
    let error = stderr_of(["list", "pid=x"], 2);
    assert!(error.contains("expected a whole number"), "{error}");
    let error = stderr_of(["list", "pod=1"], 2);
    assert!(error.contains("pid"), "{error}");
}

#[test]
fn users_and_processes_are_listed_largest_first() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let large = Sysv::new(0, 3 << 20, 0o666).owned_by(NOBODY, NOBODY);
    let small: Vec<Sysv> = (0..2).map(|_| Sysv::new(0, 1000, 0o666)).collect();
    let attach = |shmids: &[i32]| {
        format!(
            "{SHM_SETUP}for i in {shmids:?}: assert c.shmat(i, None, 0) != 2**64 - 1
print('ready'); sys.stdin.read()"
        )
    };
    let ids: Vec<i32> = small.iter().map(|sysv| sysv.shmid).collect();
    // Two processes hold the large one; one of them attached it twice.
    let Some(first) = start(&attach(&[&[large.shmid, large.shmid], &ids[..]].concat()), false) else {
        return;
    };
    let Some(second) = start(&attach(&[large.shmid]), false) else { return };
    let expected_users =
        [value!({"uid": NOBODY, "ids": 1, "bytes": 3 << 20}), value!({"uid": 0, "ids": 2, "bytes": 2000})];
    let expected_processes = [
        value!({"pid": first.pid().as_raw(), "ids": 3, "bytes": (3 << 20) + 2000}),
        value!({"pid": second.pid().as_raw(), "ids": 1, "bytes": 3 << 20}),
    ];
    for as_root in [true, false] {
        let answer = json_as(&["limits", "--json"], as_root);
        for (list, expected) in [("users", &expected_users), ("processes", &expected_processes)] {
            let found = answer[list].as_array().unwrap();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                for (name, wanted) in expected.as_object().unwrap() {
                    assert_eq!(found[name], *wanted, "{name} of {found}");
                }
            }
        }
        assert!(as_root || answer["coverage"]["unreadable"] != 0);
        assert_eq!(answer["users"][1]["user"], "root");
        assert_eq!(answer["processes"][0]["command"], "python3");
        let table = output_as(&["limits"], as_root);
        assert!(
            as_root || table.contains(" processes cannot be inspected and are not counted. Run as root"),
            "{table}"
        );
        let row = format!("python3 ({})", first.pid());
        let row = table.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("{table}"));
        assert_eq!(
            row.split_whitespace().skip(2).take(4).collect::<Vec<_>>(),
            ["nobody", "3", "3.0", "MiB"],
            "{table}"
        );
    }
}

#[test]
fn creator_that_never_attaches_is_found_and_tables_are_truncated() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let create = format!(
        "{SHM_SETUP}for i in range(5): assert c.shmget(0, 4096, 0o600) >= 0
print('ready'); sys.stdin.read()"
    );
    let Some(creator) = start(&create, true) else { return };
    let answer = json(["limits", "--json"]);
    let wanted = value!([{"pid": creator.pid().as_raw(), "command": "python3", "user": "root", "ids": 5, "bytes": 5 * 4096,
                          "objects": 0, "object_bytes": 0}]);
    assert_eq!(answer["processes"], wanted);
    drop(creator);
    assert_eq!(json(["limits", "--json"])["processes"], value!([]));
    let objects: Vec<Object> = (0..13)
        .map(|uid: u32| Object::new(format!("of-{uid}"), 1, 0o600).owned_by(40_000 + uid, 0))
        .collect();
    // Segments of the exited creator count for root.
    let table = printed(["limits"]);
    assert!(table.contains("\n4 more\n"), "{table}");
    assert_eq!(json(["limits", "--json"])["users"].as_array().unwrap().len(), 14);
    drop(objects);
}

#[test]
fn overcommitted_dev_shm_alerts() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let promised = |as_root: bool| {
        let answer = json_as(&["limits", "--json"], as_root);
        let row = answer["limits"].as_array().unwrap().iter().find(|row| row["name"] == "/dev/shm promised");
        let row = row.unwrap().clone();
        (row["used"].as_u64().unwrap(), row["limit"].as_u64().unwrap(), answer["alerts"].clone())
    };
    let (none, capacity, alerts) = promised(true);
    assert_eq!((none, &alerts), (0, &value!([])));
    let object = Object::new("a", capacity - 4096, 0o600);
    fs::hard_link(object.path(), "/dev/shm/a2").unwrap();
    assert_eq!(promised(true), (capacity - 4096, capacity, value!([])), "two names, one object");
    fs::remove_file("/dev/shm/a2").unwrap();
    let _more = Object::new("b", 8192, 0o600);
    for as_root in [true, false] {
        let (used, _, alerts) = promised(as_root);
        assert_eq!(used, capacity + 4096);
        let alert = alerts[0].as_str().unwrap();
        assert!(alert.starts_with("/dev/shm is overcommitted") && alert.contains("SIGBUS"), "{alert}");
        assert!(alert.contains("root has "), "{alert}");
        assert!(output_as(&["limits"], as_root).contains(alert));
    }
    // An unlinked object still counts while it is open.
    fs::remove_file(object.path()).unwrap();
    assert_eq!(promised(true).0, capacity + 4096);
}

#[test]
fn shmem_beyond_the_listed_segments_is_reported() {
    const MEMFD: u64 = 48 << 20;
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 4 << 20, 0o600);
    object.write(0, &vec![1; 4 << 20]);
    let memfd = format!(
        "import os, sys
fd = os.memfd_create('x')
for i in range({MEMFD} >> 20): os.write(fd, bytes(1 << 20))
print('ready'); sys.stdin.read()"
    );
    let Some(_child) = start(&memfd, true) else { return };
    for as_root in [true, false] {
        let shmem = json_as(&["limits", "--json"], as_root)["shmem"].clone();
        let figure = |name: &str| shmem[name].as_u64().unwrap();
        assert_eq!(figure("listed"), 4 << 20);
        assert_eq!(figure("rest"), figure("total") - figure("listed"));
        // The kernel sums its per-CPU counters with a delay.
        assert!(figure("rest") > MEMFD - (4 << 20), "{shmem}");
        let text = output_as(&["limits"], as_root);
        let line = text.lines().find(|line| line.starts_with("Shmem ")).unwrap_or_else(|| panic!("{text}"));
        assert!(
            line.contains("listed here take 4.0 MiB of it. The rest is memfds, anonymous shared memory"),
            "{line}"
        );
    }
}

#[test]
fn list_reports_a_mapping_past_the_end() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for (name, flags) in [("shared", "MAP_SHARED"), ("private", "MAP_PRIVATE")] {
        let object = Object::new(name, 1 << 20, 0o666).owned_by(NOBODY, NOBODY);
        for as_root in [true, false] {
            object.file.set_len(1 << 20).unwrap();
            assert!(!output_as(&["info", name], as_root).contains("SIGBUS"));
            let Some(child) = start(&truncating_program(name, flags), as_root) else { return };
            let pid = child.pid();
            let words = format!("python3 ({pid}) maps /{name} up to 1.0 MiB, but its size is 4.0 KiB");
            let line = format!("{words}: access past the end raises SIGBUS");
            let info = output_as(&["info", name], as_root);
            assert!(info.lines().any(|one| one.starts_with("warning") && one.ends_with(&line)), "{info}");
            let answer = json_as(&["info", name, "--json"], as_root);
            let reasons = answer["segments"][0]["reasons"].as_array().unwrap();
            assert_eq!(reasons.last(), Some(&value!(line)));
            let alerts = json_as(&["limits", "--json"], as_root)["alerts"].clone();
            let alert = alerts[0].as_str().unwrap();
            assert!(alert.contains("SIGBUS") && alert.ends_with(&words), "{alert}");
            // The rest of the last page belongs to the mapping, and a segment that has grown again
            // is fine.
            for size in [(1 << 20) - 4095, 1 << 21] {
                object.file.set_len(size).unwrap();
                assert!(!output_as(&["info", name], as_root).contains("SIGBUS"), "{size}");
            }
        }
    }
}

#[test]
fn list_marks_dead_creators() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let config = std::env::temp_dir().join(format!("shmlens-answers-{}", std::process::id()));
    fs::create_dir_all(config.join("shmlens")).unwrap();
    let maker = "[[maker]]\nid = 'mine'\nname = 'My server'\nkind = 'sysv'\nkey = '0x4d2'\n";
    fs::write(config.join("shmlens/config.toml"), maker).unwrap();
    let run = |arguments: &[&str]| {
        let output = shmlens().env("XDG_CONFIG_HOME", &config).args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && error.is_empty(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    };
    let create = format!(
        "{SHM_SETUP}assert c.shmget(0x4d2, 4096, 0o1600) >= 0
print('ready'); sys.stdin.read()"
    );
    let Some(creator) = start(&create, true) else { return };
    let pid = creator.pid();
    let column = || run(&["list", "--columns", "made_by", "--no-header"]);
    assert_eq!(column(), "My server\n");
    assert!(!run(&["info", "0x4d2"]).contains("exited"));
    drop(creator);
    assert_eq!(column(), "My server (gone)\n");
    let info = run(&["info", "0x4d2"]);
    assert!(info.contains(&format!("My server (catalog: mine; creator {pid} exited)")), "{info}");
    // Scripts can rely on the maker field.
    let answer: Value = serde_json::from_str(&run(&["list", "--json"])).unwrap();
    assert_eq!(answer["segments"][0]["made_by"], value!({"id": "mine", "name": "My server"}));
    assert_eq!(run(&["list", "--csv", "--columns", "made_by", "--no-header"]), "My server\r\n");
    fs::remove_dir_all(&config).unwrap();
}

#[test]
fn key_given_as_a_shmid_is_explained() {
    let Some(_namespaces) = Namespaces::new() else { return };
    // Shmids grow with each segment, so 1234 is not in use.
    let sysv = Sysv::new(1234, 4096, 0o666);
    let shmid = sysv.shmid;
    let wanted =
        format!("shmlens: no segment with shmid 1234; key 1234 (0x000004d2) is sysv:{shmid}: use key:1234\n");
    for command in ["info", "dump"] {
        assert_eq!(stderr_of([command, "1234"], 1), wanted);
    }
    assert_eq!(stderr_of(["info", "sysv:1234"], 1), wanted);
    assert!(stderr_of(["chmod", "0600", "1234"], 1).contains("is sysv:"), "commands that change something");
    let error = stderr_of(["info", &format!("key:{shmid}")], 1);
    assert!(error.contains(&format!("use sysv:{shmid}")) || shmid == 0, "{error}");
    let output = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["info", "1234"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.ends_with(&wanted), "{error}");
}

//! `info` describes a segment without touching it.

use super::{json, printed, settle, stderr_of};
use crate::support::{NOBODY, Namespaces, Object, Sysv, as_nobody};
use shmlens::sys::shm;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;

#[test]
fn info_leaves_no_trace() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 1 << 20, 0o600);
    drop(shm::Attachment::read_only(sysv.shmid).unwrap());
    settle(&sysv);
    let object = Object::new("a", 100, 0o600);
    let table = || fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let file =
        || fs::metadata(object.path()).map(|facts| (facts.atime(), facts.atime_nsec(), facts.ctime_nsec()));
    let before = (table(), file().unwrap());
    let message = printed(["info", "0x4d2"]);
    assert!(
        message.contains(&format!("sysv:{}", sysv.shmid)) && message.contains("nattch is one higher during"),
        "{message}"
    );
    let message = printed(["info", "/a"]);
    assert!(message.contains("posix:/a\n") && message.contains("leaves no trace"), "{message}");
    assert_eq!((table(), file().unwrap()), before);
}

#[test]
fn info_reports_the_same_for_every_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 1 << 20, 0o600);
    let _object = Object::new("psm_1f09ab2c", 100, 0o600);
    let one = |name: &str| json(["info", name, "--json"])["segments"][0]["id"].as_str().unwrap().to_owned();
    let id = sysv.id().to_string();
    for name in [&id, &sysv.shmid.to_string(), "0x4d2", "key:1234"] {
        assert_eq!(one(name), id);
    }
    for name in ["posix:/psm_1f09ab2c", "/psm_1f09ab2c", "psm_1f09ab2c", "/dev/shm/psm_1f09ab2c"] {
        assert_eq!(one(name), "posix:/psm_1f09ab2c");
    }
    let list = json(["list", "--json", "kind=sysv"]);
    let mut info = json(["info", &id, "--json"]);
    info["segments"][0]["age"] = list["segments"][0]["age"].clone();
    // Processes start and exit between the two runs.
    info["coverage"] = list["coverage"].clone();
    assert_eq!(info, list);
}

#[test]
fn ambiguous_or_unknown_name_lists_candidates() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _objects = ["camera0", "camera1"].map(|name| Object::new(name, 1, 0o600));
    let error = stderr_of(["info", "camera"], 1);
    assert!(error.contains("/camera0, /camera1"), "{error}");
    let error = stderr_of(["info", "kamera0"], 1);
    assert!(error.contains("did you mean /camera0"), "{error}");
    let error = stderr_of(["info", "\x1b[2J"], 1);
    assert!(error.contains(r"\x1b[2J"), "{error}");
    stderr_of(["info"], 2);
}

#[test]
fn info_names_the_type_of_other_files() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let path = |name: &str| format!("/dev/shm/{name}");
    nix::unistd::mkfifo(path("fifo").as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink("/etc/passwd", path("link")).unwrap();
    fs::create_dir(path("directory")).unwrap();
    let _socket = UnixListener::bind(path("socket")).unwrap();
    // These objects match as prefixes, which must not hide the error.
    let _objects = ["fifo2", "directory/inner"].map(|name| Object::new(name, 1, 0o600));
    for (name, kind) in [
        ("fifo", "a FIFO"),
        ("/link", "a symbolic link"),
        ("posix:/directory", "a directory"),
        ("socket", "a socket"),
    ] {
        let error = stderr_of(["info", name], 1);
        assert!(error.contains(kind) && error.contains("not shared memory"), "{error}");
    }
}

#[test]
fn unreadable_segment_reports_owner_and_remedy() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0, 100, 0o600);
    let _object = Object::new("mine", 100, 0o640);
    let theirs = Object::new("theirs", 100, 0o600).owned_by(NOBODY, NOBODY);
    let message = |name: &str| {
        let output = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["info", name]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for (name, mode) in [(sysv.id().to_string(), "0600"), ("/mine".to_owned(), "0640")] {
        let message = message(&name);
        let reading = message.lines().last().unwrap();
        for words in ["permission denied", "owner root", mode, "Run as root"] {
            assert!(reading.contains(words), "{words} is not in {reading}");
        }
    }
    assert!(message(&theirs.id().to_string()).contains("leaves no trace"));
}

#[test]
fn largest_size_works() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("huge", i64::MAX as u64, 0o600);
    let message = printed(["info", "huge"]);
    assert!(message.contains("8.0 EiB (9223372036854775807 bytes)"), "{message}");
}

#[test]
fn info_shows_the_values_of_a_type() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("typed", 16, 0o600);
    object.write(0, &[7, 0, 0, 0, b'h', b'i', 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let ty = "struct Frame { int tick; char name[4]; unsigned char bytes[20]; }";
    let text = printed(["info", "/typed", "--as", ty]);
    for line in ["values        Frame", "tick: 7", "name: \"hi\"", "bytes: [1, 2, 3, 4, 5, 6, 7, 8]"] {
        assert!(text.lines().any(|one| one.trim() == line), "{line} is not in\n{text}");
    }
    let values = &json(["info", "/typed", "--json", "--as", "u32@4"])["segments"][0]["values"];
    let dump = json(["dump", "/typed", "--json", "--as", "u32@4"]);
    assert_eq!(values, &serde_json::json!([dump]));
    let text = printed(["info", "/typed", "--as", "u8[16]@0"]);
    assert!(text.contains("[15]: 8") && !text.contains("more"), "{text}");
    let text = printed(["info", "/typed", "--as", "u8[20]"]);
    assert!(text.contains("4 more: shmlens dump --as TYPE"), "{text}");
    // A System V segment is attached, because the user named it.
    let sysv = Sysv::new(0x4d2, 4096, 0o600);
    sysv.write(8, &2.5_f64.to_ne_bytes());
    assert!(printed(["info", "0x4d2", "--as", "f64@8"]).contains("values        f64 at 0x8"));
    assert!(printed(["info", "0x4d2", "--as", "f64@8"]).lines().any(|line| line.trim() == "2.5"));
    let error = stderr_of(["info", "/typed", "--as", "u32@16"], 1);
    assert!(error.contains("16"), "{error}");
    let error = stderr_of(["info", "/typed", "--as", "sharedlist"], 1);
    assert!(error.contains("not a ShareableList"), "{error}");
}

#[test]
fn type_is_translated_without_a_program() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("typed", 16, 0o600);
    let ty = "[('a', '<i4'), ('b', '<f8', (3,))]";
    let text = printed(["info", "/typed", "--code", "cpp", "--type-only", "--as", ty]);
    assert!(text.contains("double b[3];") && !text.contains("main"), "{text}");
    let text = printed(["info", "/typed", "--code", "python", "--type-only", "--as", "double x[3]"]);
    assert_eq!(text, "import numpy as np\n\nData = np.dtype((\"<f8\", (3,)))\n");
    let error = stderr_of(["info", "/typed", "--type-only", "--as", ty], 2);
    assert!(error.contains("--code"), "{error}");
    let error = stderr_of(["info", "/typed", "--code", "cpp", "--as", "sharedlist"], 2);
    assert!(error.contains("depends on the contents"), "{error}");
}

//! The `save` and `restore` commands, and the copies that `rm` saves.

use super::{copies, directory, files, program, run, segments, stderr_of, stdout_of};
use crate::support::{NOBODY, Namespaces, Object, Sysv, as_nobody};
use nix::mount::{MsFlags, mount, umount};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

#[test]
fn file_size_limit_is_reported_and_leaves_no_file() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let object = Object::new("a", 1 << 20, 0o600);
    object.write(0, &vec![7; 1 << 20]);
    let mut command = Command::new("sh");
    let program = program(&directory);
    command.args(["-c", "ulimit -f 100 && exec \"$0\" save /a file"]).arg(program.get_program());
    let output = command.current_dir(directory.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && stderr.contains("file too large"), "{output:?}");
    assert!(files(directory.path()).is_empty());
}

#[test]
fn save_and_restore_round_trip() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let file = path.to_str().unwrap();
    let object = Object::new(b"a\x1b", 5000, 0o600);
    object.write(0, b"hello");
    let text = stdout_of(&directory, ["save", r"/a\x1b", file]);
    assert!(text.starts_with(r"posix:/a\x1b: saved to "), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    // A prefix of the name does not match. A file is only replaced on request.
    assert!(stderr_of(&directory, ["save", "/a", file]).contains("no segment named"));
    let before = fs::metadata(&path).unwrap().ino();
    assert!(stderr_of(&directory, ["save", r"/a\x1b", file]).contains("Use --force to replace it"));
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
    stdout_of(&directory, ["save", r"/a\x1b", file, "--force"]);
    assert_ne!(fs::metadata(&path).unwrap().ino(), before);

    assert!(stderr_of(&directory, ["restore", file]).contains("the name is in use"));
    fs::remove_file(object.path()).unwrap();
    assert!(stderr_of(&directory, ["--read-only", "restore", file]).contains("read-only"));
    assert!(segments().is_empty());
    let json: Value = serde_json::from_str(&stdout_of(&directory, ["restore", file, "--json"])).unwrap();
    assert_eq!((&json["action"], &json["status"]), (&"restore".into(), &"done".into()));
    assert_eq!(json["segment"], r"posix:/a\x1b");
    assert_eq!(&fs::read(object.path()).unwrap()[..5], b"hello");
    assert_eq!(files(directory.path()), ["file", "state"]);

    fs::write(&path, b"something else").unwrap();
    assert!(stderr_of(&directory, ["restore", file]).contains("not a saved segment"));
    assert!(stderr_of(&directory, ["restore", "/nowhere"]).contains("failed to open"));
    assert!(stderr_of(&directory, ["save", r"/a\x1b", "/nowhere/file"]).contains("Create the directory"));
}

#[test]
fn rm_keeps_a_copy_and_prints_the_restore_command() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let object = Object::new("a", 5000, 0o640);
    object.write(0, b"hello");
    let sysv = Sysv::new(7, 5000, 0o600);
    sysv.write(0, b"world");
    let plan = stdout_of(&directory, ["rm", "--dry-run", "key:7"]);
    assert!(plan.contains("a copy is saved first") && plan.contains("undo: shmlens restore"), "{plan}");
    assert!(plan.contains("without the shmid"), "{plan}");
    assert!(copies(&directory).is_empty() && segments().len() == 2);
    for (id, bytes) in [("/a", b"hello"), ("key:7", b"world")] {
        let text = stdout_of(&directory, ["rm", "--yes", "--force", id]);
        let copy = copies(&directory).pop().unwrap();
        assert!(text.contains(&format!("undo: shmlens restore {}", copy.display())), "{text}");
        assert_eq!(segments().len(), 1);
        let state = directory.path().join("state/shmlens");
        for (path, mode) in [(&state, 0o700), (&copy, 0o600), (&copy.parent().unwrap().to_owned(), 0o700)] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, mode, "{}", path.display());
        }
        stdout_of(&directory, ["restore", copy.to_str().unwrap()]);
        assert_eq!(segments().len(), 2);
        let id = if id == "/a" { "/a" } else { "key:7" };
        let dump = run(&directory, ["dump", "--raw", "--length", "5", id]).stdout;
        assert_eq!(dump, bytes);
    }
    let record = fs::read_to_string(directory.path().join("state/shmlens/log.jsonl")).unwrap();
    let acts: Vec<(String, bool)> = record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|act| (act["action"].as_str().unwrap().to_owned(), act["done"].as_bool().unwrap()))
        .collect();
    let names: Vec<&str> = acts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["rm", "restore", "rm", "restore"]);
    assert!(acts.iter().all(|(_, done)| *done) && record.contains(r#""user":"root""#));
    for segment in segments() {
        if let shmlens::segment::SegmentId::Sysv(shmid) = segment.id {
            drop(Sysv { shmid: shmid.0 });
        }
    }
}

#[test]
fn rm_keeps_the_copy_at_the_given_path() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(at("dir")).unwrap();
    let objects = ["a", "b", "c", "d"].map(|name| Object::new(name, 5000, 0o600));
    stdout_of(&directory, ["rm", "--yes", "--force", "/a", "--save", &at("one")]);
    stdout_of(&directory, ["rm", "--yes", "--force", "/b", "/c", "--save", &at("dir/")]);
    assert_eq!(files(&directory.path().join("dir")), ["posix_b.saved", "posix_c.saved"]);
    // The file already exists: nothing is removed.
    let message = stderr_of(&directory, ["rm", "--yes", "--force", "/d", "--save", &at("one")]);
    assert!(message.contains("exists") && objects[3].path().exists(), "{message}");
    // One file cannot hold several segments: nothing is removed.
    let several = run(&directory, ["rm", "--yes", "--force", "/d", "/d", "/c", "--save", &at("several")]);
    assert_eq!(several.status.code(), Some(2));
    assert!(objects[3].path().exists() && !fs::exists(at("several")).unwrap());
    let both = run(&directory, ["rm", "--yes", "/d", "--save", &at("x"), "--no-copy"]);
    assert_eq!(both.status.code(), Some(2));
    stdout_of(&directory, ["rm", "--yes", "--force", "/d", "--no-copy"]);
    assert!(segments().is_empty() && copies(&directory).is_empty());
    for file in ["one", "dir/posix_b.saved", "dir/posix_c.saved"] {
        stdout_of(&directory, ["restore", &at(file)]);
    }
    assert_eq!(segments().len(), 3);
}

#[test]
fn rm_without_a_place_for_the_copy_removes_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let object = Object::new("a", 5000, 0o600);
    // The state directory cannot be created.
    fs::write(directory.path().join("state"), b"a file").unwrap();
    let message = stderr_of(&directory, ["rm", "--yes", "--force", "/a"]);
    assert!(
        message.contains("for copies and the log: not a directory") && message.contains("--no-copy"),
        "{message}"
    );
    assert!(object.path().exists());
    // The object is larger than the limit for copies.
    fs::remove_file(directory.path().join("state")).unwrap();
    let config = directory.path().join("config/shmlens");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.toml"), "copies = '1M'\n").unwrap();
    let large = Object::new("large", 4 << 40, 0o600);
    large.write(1 << 41, &vec![7; (1 << 20) + 1]);
    let mut command = program(&directory);
    command.args(["rm", "--yes", "--force", "/large", "/a"]);
    let output = command.env("XDG_CONFIG_HOME", directory.path().join("config")).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("copy limit of 1.0 MiB") && message.contains("--save"), "{message}");
    // One failure does not stop the others.
    assert!(large.path().exists() && !object.path().exists() && copies(&directory).len() == 1);
    // User nobody cannot read it, but IPC_RMID only checks the owner and the creator.
    let sysv = Sysv::new(8, 5000, 0o600).owned_by(NOBODY, NOBODY);
    sysv.chmod(0o200);
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["rm", "--yes", "key:8"]);
    command.env("XDG_STATE_HOME", "/dev/shm/state").env("HOME", "/nowhere").env_remove("SUDO_UID");
    let output = command.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("permission denied") && message.contains("--no-copy"), "{message}");
    assert!(shmlens::sys::shm::stat(sysv.shmid).is_ok());
}

#[test]
fn rm_without_disk_space_for_the_copy_removes_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let state = directory.path().join("state");
    fs::create_dir(&state).unwrap();
    mount(Some("tmpfs"), &state, Some("tmpfs"), MsFlags::empty(), Some("size=1m")).unwrap();
    let object = Object::new("a", 4 << 20, 0o600);
    // The second object has as much data as there is space, but its copy is larger.
    for (length, words) in [(2 << 20, "2.0 MiB of data"), (1 << 20, "1.0 MiB free")] {
        object.file.set_len(0).unwrap();
        object.file.set_len(4 << 20).unwrap();
        object.write(0, &vec![7; length]);
        let message = stderr_of(&directory, ["rm", "--yes", "--force", "/a"]);
        assert!(message.contains(words) && message.contains("--no-copy"), "{message}");
        assert!(object.path().exists() && copies(&directory).is_empty());
    }
    umount(&state).unwrap();
}

#[test]
fn failed_removal_leaves_no_copy() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    fs::write("/dev/shm/a", b"hello").unwrap();
    let nothing = None::<&str>;
    mount(nothing, "/dev/shm", nothing, MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, nothing).unwrap();
    let message = stderr_of(&directory, ["rm", "--yes", "--force", "/a"]);
    assert!(message.contains("read-only"), "{message}");
    assert_eq!(fs::read("/dev/shm/a").unwrap(), b"hello");
    assert!(copies(&directory).is_empty());
}

#[test]
fn unprivileged_user_saves_and_restores() {
    let Some(_namespaces) = Namespaces::new() else { return };
    fs::set_permissions("/dev/shm", fs::Permissions::from_mode(0o1777)).unwrap();
    let object = Object::new("a", 5000, 0o600).owned_by(NOBODY, NOBODY);
    object.write(0, b"hello");
    let other = Object::new("root", 5000, 0o600);
    let sysv = Sysv::new(7, 5000, 0o600).owned_by(NOBODY, NOBODY);
    fs::create_dir("/dev/shm/home").unwrap();
    std::os::unix::fs::chown("/dev/shm/home", Some(NOBODY), Some(NOBODY)).unwrap();
    let nobody = |arguments: &[&str]| {
        let mut command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments);
        command.env("XDG_STATE_HOME", "/dev/shm/home/state").env("HOME", "/nowhere");
        command.env_remove("SUDO_UID").env("LANG", "C.UTF-8");
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(nobody(&["rm", "--yes", "--force", "/a", "--save", "/dev/shm/home/a"]), (0, String::new()));
    assert_eq!(nobody(&["rm", "--yes", "key:7"]), (0, String::new()));
    assert!(!object.path().exists() && shmlens::sys::shm::stat(sysv.shmid).is_err());
    assert_eq!(nobody(&["restore", "/dev/shm/home/a"]), (0, String::new()));
    let restored = fs::metadata(object.path()).unwrap();
    assert_eq!((restored.uid(), restored.mode() & 0o777), (NOBODY, 0o600));
    let (status, message) = nobody(&["save", "/root", "/dev/shm/home/root"]);
    assert!(status == 1 && message.contains("permission denied"), "{message}");
    assert!(other.path().exists() && !fs::exists("/dev/shm/home/root").unwrap());
    let (status, message) = nobody(&["save", "/a", "/proc/file"]);
    assert!(status == 1 && message.contains("failed to write"), "{message}");
    assert!(program(&directory()).arg("restore").arg("/dev/shm/home/a").status().unwrap().code() == Some(1));
}

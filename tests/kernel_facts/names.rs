//! Other file types below `/dev/shm`, and the bytes that a name may contain.

use super::{listed, open, read, survey};
use crate::support::{Child, Namespaces, Nobody, Object, SOON, wait_until};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::mkfifo;
use shmlens::machine::Machine as _;
use shmlens::machine::real::RealMachine;
use shmlens::segment::{ObjectName, SegmentId};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

fn name(text: &str) -> ObjectName {
    ObjectName::new(text.as_bytes()).unwrap()
}

/// The names of files that are not segments.
fn others() -> Vec<String> {
    let mut names: Vec<_> =
        RealMachine.list_objects().unwrap().others.iter().map(ToString::to_string).collect();
    names.sort();
    names
}

fn ids() -> Vec<String> {
    survey().segments.iter().map(|segment| segment.id.to_string()).collect()
}

#[test]
fn special_files_are_not_listed_and_not_opened() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "outside").unwrap();
    mkfifo("/dev/shm/fifo", Mode::S_IRWXU).unwrap();
    let _socket = UnixListener::bind("/dev/shm/socket").unwrap();
    mknod("/dev/shm/device", SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 3)).unwrap();
    symlink(outside.path().join("secret"), "/dev/shm/link").unwrap();
    symlink(outside.path(), "/dev/shm/way-out").unwrap();
    fs::create_dir_all("/dev/shm/directory/deeper").unwrap();
    let object = Object::new("directory/deeper/object", 5, 0o600);
    object.write(0, b"inner");
    symlink("directory", "/dev/shm/way-in").unwrap();
    symlink("no-such-thing", "/dev/shm/dangling").unwrap();

    assert_eq!(ids(), ["posix:/directory/deeper/object"]);
    let links = ["/dangling", "/link", "/way-in", "/way-out"];
    let mut expected =
        [&links[..], &["/device", "/directory", "/directory/deeper", "/fifo", "/socket"]].concat();
    expected.sort_unstable();
    assert_eq!(others(), expected);
    assert_eq!(survey().problems, Vec::<String>::new());
    for other in ["dangling", "device", "fifo", "link", "socket", "way-in", "way-out", "directory"] {
        let error = RealMachine.open_object(&name(other)).err().unwrap();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{other}: {error}");
    }
    for path in ["way-out/secret", "way-in/deeper/object", "link/x", "object/x"] {
        assert!(RealMachine.open_object(&name(path)).is_err(), "{path}");
        assert!(RealMachine.stat_object(&name(path)).is_err(), "{path}");
    }
    assert_eq!(read(&open(&object.id()).unwrap(), 0, 9), b"inner");
}

/// Returns true if the process sleeps in a system call.
fn sleeps(child: &Child) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
}

#[test]
fn survey_does_not_wake_a_fifo_reader() {
    let Some(_namespaces) = Namespaces::new() else { return };
    mkfifo("/dev/shm/fifo", Mode::S_IRWXU).unwrap();
    let mut writer =
        Child::spawn_piped(Command::new("sh").args(["-c", "echo waits; exec 3>/dev/shm/fifo; echo woken"]));
    assert_eq!(writer.line(SOON), "waits");
    wait_until(SOON, || sleeps(&writer));
    assert_eq!(ids(), Vec::<String>::new());
    assert!(RealMachine.open_object(&name("fifo")).is_err());
    assert!(RealMachine.stat_object(&name("fifo")).is_ok());
    let descriptor = format!("/proc/{}/fd/3", writer.pid());
    // The process may have inherited descriptors of other tests.
    assert_ne!(fs::read_link(&descriptor).ok(), Some(Path::new("/dev/shm/fifo").to_owned()));
    // On a busy machine, the process waits for a processor before it sleeps again.
    wait_until(SOON, || sleeps(&writer));
    // Opening the FIFO wakes the process, so nothing has opened it before.
    let _reader = File::open("/dev/shm/fifo").unwrap();
    assert_eq!(writer.line(SOON), "woken");
}

#[test]
fn escaped_names_round_trip() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let longest = [b'x'; 255];
    let names: [&[u8]; 9] = [
        b"\xff\xfe",
        b"new\nline",
        b"\x1b[2J\x1b]0;title\x07",
        b"ends (deleted)",
        br"back\slash\x41",
        "\u{202e}right-to-left\u{200b}".as_bytes(),
        b" spaces ",
        b"...",
        &longest,
    ];
    let objects: Vec<_> = names.iter().map(|name| Object::new(name, 100, 0o600)).collect();
    assert_eq!(survey().segments.len(), names.len());
    for (object, name) in objects.iter().zip(names) {
        object.write(0, &name[..name.len().min(50)]);
        let text = listed(&object.id()).id.to_string();
        assert!(text.chars().all(|c| !c.is_control() && c != '\u{202e}' && c != '\u{200b}'), "{text:?}");
        let id: SegmentId = text.parse().unwrap();
        assert_eq!(id, object.id());
        assert!(read(&open(&id).unwrap(), 0, 100).starts_with(&name[..name.len().min(50)]));
    }
}

#[test]
fn unreadable_directory_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    fs::create_dir("/dev/shm/closed").unwrap();
    fs::set_permissions("/dev/shm/closed", Permissions::from_mode(0o700)).unwrap();
    let _inside = Object::new("closed/inside", 1, 0o644);
    let _sibling = Object::new("beside", 1, 0o644);
    assert_eq!(ids(), ["posix:/beside", "posix:/closed/inside"]);
    let _nobody = Nobody::here();
    let survey = survey();
    assert_eq!(survey.segments.len(), 1);
    assert!(survey.problems.len() == 1 && survey.problems[0].contains("/closed"), "{:?}", survey.problems);
}

#[test]
fn very_deep_directories_are_listed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let deep = "d/".repeat(200);
    fs::create_dir_all(Path::new("/dev/shm").join(&deep)).unwrap();
    let _shallow = Object::new("d/d/object", 1, 0o600);
    let _deep = Object::new(format!("{deep}object"), 1, 0o600);
    let survey = survey();
    assert_eq!(survey.segments.len(), 1);
    assert!(survey.problems.len() == 1 && survey.problems[0].contains("deep"), "{:?}", survey.problems);
}

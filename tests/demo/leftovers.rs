//! The next demo removes the segments that a killed demo left behind, and nothing else.

use super::{Headless, row, rows, totals};
use crate::support::{Child, NOBODY, Namespaces, Object, SOON, Sysv, shmlens};
use nix::sys::signal::Signal;
use shmlens::sys::shm::{self, Attachment};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

/// The leftovers of a demo that was killed.
struct KilledDemo {
    demo: Headless,
    list: Vec<u8>,
    ring: Vec<u8>,
    state: Vec<u8>,
    key: u32,
}

impl KilledDemo {
    fn new() -> Self {
        let mut demo = Headless::start();
        demo.child.signal(Signal::SIGKILL);
        demo.child.wait(SOON);
        assert_eq!(demo.count(), 5, "a killed demo cannot clean up");
        let (list, ring) = (fs::read(&demo.list).unwrap(), fs::read(&demo.ring).unwrap());
        let mut state = vec![0; usize::try_from(row(demo.state).unwrap().size.0).unwrap()];
        let open = Attachment::read_only(demo.state.0).unwrap();
        assert_eq!(open.copy_to(0, &mut state), state.len());
        let key = row(demo.state).unwrap().key.0;
        Self { demo, list, ring, state, key }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn object_with(name: &str, content: &[u8]) -> Object {
    let object = Object::new(name, content.len() as u64, 0o600);
    object.write(0, content);
    object
}

fn segment_with(key: u32, size: u64, content: &[u8]) -> Sysv {
    let segment = Sysv::new(key, size, 0o600);
    segment.write(0, content);
    segment
}

#[test]
fn next_demo_removes_leftovers() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let killed = KilledDemo::new();
    let mut next = Headless::start();
    assert_eq!(killed.demo.count(), 0);
    assert_eq!((next.count(), totals()), (5, (2, 3)));
    next.child.signal(Signal::SIGTERM);
    assert!(next.child.wait(SOON).success());
    assert_eq!(totals(), (0, 0));
}

#[test]
fn running_demo_is_left_alone() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let running = Headless::start();
    running.wait_for_monitor();
    let before = [row(running.state), row(running.orphan)];
    let killed = KilledDemo::new();
    let mut next = Headless::start();
    assert_eq!((killed.demo.count(), running.count(), next.count()), (0, 5, 5));
    // Nothing was attached or detached: times, last pid and count are unchanged.
    assert_eq!([row(running.state), row(running.orphan)], before);
    next.child.signal(Signal::SIGINT);
    next.child.wait(SOON);
    assert_eq!((running.count(), totals()), (5, (2, 3)));
}

#[test]
fn objects_resembling_leftovers_are_kept() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let killed = KilledDemo::new();
    let (list, ring) = (name_of(&killed.demo.list), name_of(&killed.demo.ring));
    fs::remove_file(&killed.demo.list).unwrap();
    fs::remove_file(&killed.demo.ring).unwrap();
    // The mark contains the pid of this running test.
    let other_pid = |content: &[u8]| {
        let text = String::from_utf8_lossy(&content[..64]).into_owned();
        let old = text.split(' ').nth(4).unwrap().to_owned();
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let own_start = stat.rsplit(' ').nth(52 - 22).unwrap().trim();
        let started = text.split(' ').nth(5).unwrap();
        let mine = std::process::id().to_string();
        let marked = text.replacen(&old, &mine, 1).replacen(started, own_start, 1);
        let marked = marked.trim_end_matches('\0');
        let line = format!("{}9", marked.strip_suffix('1').unwrap());
        let mut content = content.to_vec();
        content[..64].fill(0);
        content[..line.len()].copy_from_slice(line.as_bytes());
        content
    };
    let alive = other_pid(&killed.ring);
    let mut similar = killed.ring.clone();
    similar[0] = b'S';
    let kept = [
        // A leftover's name, with other contents.
        object_with(&list, &vec![0; killed.list.len()]),
        object_with(&ring, &similar),
        // A leftover's contents, with another name.
        object_with("my-copy", &killed.ring),
        object_with(&format!("{list}-2"), &killed.list),
        object_with(&format!("{ring}.bak"), &killed.ring),
        // A complete leftover whose creator is running.
        object_with("demo-9-ring", &alive),
    ];
    let before: Vec<Vec<u8>> = kept.iter().map(|object| fs::read(object.path()).unwrap()).collect();
    let next = Headless::start();
    assert_eq!(killed.demo.count(), 0);
    for (object, content) in kept.iter().zip(&before) {
        assert!(fs::read(object.path()).unwrap() == *content, "{}", object.id());
    }
    drop(next);
}

#[test]
fn other_files_with_a_demo_name_are_kept() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let killed = KilledDemo::new();
    let (list, ring) = (name_of(&killed.demo.list), name_of(&killed.demo.ring));
    fs::remove_file(&killed.demo.list).unwrap();
    fs::remove_file(&killed.demo.ring).unwrap();
    // Only the owner or the size is different.
    let foreign = object_with(&list, &killed.list).owned_by(NOBODY, NOBODY);
    let longer = object_with(&ring, &[&killed.ring[..], b"x"].concat());
    // A link to a file of the user, and a file with a second link.
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("target");
    fs::write(&target, &killed.ring).unwrap();
    let link = Path::new("/dev/shm").join(format!("{ring}-link"));
    symlink(&target, &link).unwrap();
    fs::create_dir("/dev/shm/dir").unwrap();
    fs::write(Path::new("/dev/shm/dir").join(&ring), &killed.ring).unwrap();
    let second = Path::new("/dev/shm/second-name");
    fs::hard_link(&killed.demo.sparse, second).unwrap();
    let next = Headless::start();
    assert!(foreign.path().exists() && longer.path().exists());
    assert!(link.is_symlink() && target.exists());
    assert!(Path::new("/dev/shm/dir").join(&ring).exists());
    assert!(second.exists() && killed.demo.sparse.exists());
    drop(next);
}

#[test]
fn system_v_segments_resembling_leftovers_are_kept() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let killed = KilledDemo::new();
    let size = killed.state.len() as u64;
    shm::remove(killed.demo.state.0).unwrap();
    let mut similar = killed.state.clone();
    similar[0] = b'S';
    let serial = 1 << 23;
    let key = |number: u32| killed.key.wrapping_add(number * serial);
    let kept = [
        // A leftover's key and size, but never written: reading would allocate its pages.
        Sysv::new(key(0), size, 0o600),
        segment_with(key(1), size, &similar),
        segment_with(key(2), size + 1, &killed.state),
        segment_with(key(3), size, &killed.state).owned_by(NOBODY, NOBODY),
        // A complete leftover with another key.
        segment_with(0x4d2, size, &killed.state),
        segment_with(0, size, &killed.state),
    ];
    let before = rows();
    let next = Headless::start();
    let after = rows();
    for segment in &kept {
        let facts = |rows: &[shmlens::machine::control::SysvStat]| {
            let row = rows.iter().find(|row| row.shmid.0 == segment.shmid).copied();
            row.map(|row| (row.key, row.size, row.mode, row.uid, row.nattch, row.resident))
        };
        assert!(facts(&after).is_some(), "{} is gone", segment.id());
        assert_eq!(facts(&after), facts(&before), "{}", segment.id());
    }
    assert!(row(killed.demo.orphan).is_none(), "the killed demo's segment was not removed");
    drop(next);
}

#[test]
fn read_only_creates_nothing_and_removes_no_leftovers() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let killed = KilledDemo::new();
    let before = totals();
    let config = tempfile::tempdir().unwrap();
    fs::create_dir(config.path().join("shmlens")).unwrap();
    fs::write(config.path().join("shmlens/config.toml"), "read-only = true\n").unwrap();
    let mut by_config = shmlens();
    by_config.env("XDG_CONFIG_HOME", config.path());
    let mut by_option = shmlens();
    by_option.arg("--read-only");
    for command in [&mut by_option, &mut by_config] {
        for demo in ["demo", "--headless"] {
            let mut child = Child::spawn_piped(command.arg(demo).stderr(Stdio::piped()));
            assert_eq!(child.wait(SOON).code(), Some(1), "{demo:?}");
            let stderr = child.stderr();
            assert!(stderr.contains("changes are disabled (read-only)"), "{demo:?}: {stderr}");
            assert_eq!((killed.demo.count(), totals()), (5, before), "{demo:?}");
        }
    }
}

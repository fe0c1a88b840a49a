//! Reading POSIX objects leaves them unchanged, even if other processes change them at the same
//! time.

use super::{data, listed, open, read, read_through};
use crate::support::{NOBODY, Namespaces, Nobody, Object};
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use shmlens::machine::real::RealMachine;
use shmlens::machine::{ExtentKind, Trace};
use shmlens::memory::{OpenError, Presence};
use shmlens::segment::{Bytes, Timestamp};
use std::fs;
use std::os::unix::fs::MetadataExt as _;

const PAGE: u64 = 4096;

#[test]
fn reading_holes_allocates_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("sparse", 256 << 20, 0o600);
    let written = [(0, PAGE), (7 * PAGE, 9 * PAGE), ((256 << 20) - PAGE, 256 << 20)];
    for (start, end) in written {
        object.write(start, &vec![1; usize::try_from(end - start).unwrap()]);
    }
    let before = object.file.metadata().unwrap().blocks();
    let reader = open(&object.id()).unwrap();
    assert_eq!(read_through(&reader), 4 * 4096);
    assert_eq!(data(&reader), written);
    assert_eq!(object.file.metadata().unwrap().blocks(), before);
    assert_eq!(listed(&object.id()).resident, Some(Bytes(4 * PAGE)));
}

#[test]
fn extents_are_found_from_any_offset() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("sparse", 4 << 30, 0o600);
    for index in 0..64 {
        object.write(index << 26, b"x");
    }
    let reader = open(&object.id()).unwrap();
    let expected: Vec<_> = (0..64).map(|index| (index << 26, (index << 26) + PAGE)).collect();
    assert_eq!(data(&reader), expected);
    let within = reader.extent_at(10, 20).unwrap().unwrap();
    assert_eq!((within.kind, within.end), (ExtentKind::Data, 30));
    let hole = reader.extent_at(PAGE + 1, 5).unwrap().unwrap();
    assert_eq!((hole.kind, hole.end), (ExtentKind::Hole, PAGE + 6));
    let last = reader.extent_at((4 << 30) - 1, u64::MAX).unwrap().unwrap();
    assert_eq!((last.kind, last.end), (ExtentKind::Hole, 4 << 30));
    assert_eq!(reader.extent_at(4 << 30, 1).unwrap(), None);
}

/// Sets an old access time, so that any read would update it (`relatime` keeps a recent one).
fn age(object: &Object) -> i64 {
    let long_ago = TimeSpec::new(1_000_000_000, 0);
    let now = TimeSpec::UTIME_NOW;
    utimensat(nix::fcntl::AT_FDCWD, &object.path(), &long_ago, &now, UtimensatFlags::NoFollowSymlink)
        .unwrap();
    object.file.metadata().unwrap().atime()
}

#[test]
fn reads_by_root_and_owner_keep_the_access_time() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for owner in [0, NOBODY, 100_000] {
        let object = Object::new("timed", PAGE, 0o600).owned_by(owner, owner);
        object.write(0, b"text");
        let before = age(&object);
        let _nobody = (owner == NOBODY).then(Nobody::here);
        let reader = open(&object.id()).unwrap();
        assert_eq!(reader.trace(), Trace::None);
        assert_eq!(read(&reader, 0, 4), b"text");
        assert_eq!(listed(&object.id()).times.access, Some(Timestamp::from_seconds(before)));
    }
}

#[test]
fn read_by_another_user_changes_the_access_time_and_reports_it() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("timed", PAGE, 0o644);
    object.write(0, b"text");
    let before = age(&object);
    let _nobody = Nobody::here();
    let reader = open(&object.id()).unwrap();
    assert_eq!(reader.trace(), Trace::AccessTime);
    assert_eq!(
        listed(&object.id()).times.access,
        Some(Timestamp::from_seconds(before)),
        "opening changed the access time"
    );
    assert_eq!(read(&reader, 0, 4), b"text");
    assert!(listed(&object.id()).times.access > Some(Timestamp::from_seconds(before)));
}

#[test]
fn other_users_see_no_absent_page_as_resident() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("sparse", 64 << 20, 0o644);
    object.write(5 * PAGE, b"x");
    let _nobody = Nobody::here();
    let reader = open(&object.id()).unwrap();
    assert_eq!(data(&reader), [(5 * PAGE, 6 * PAGE)]);
    assert_eq!(read_through(&reader), 1);
    assert_eq!(listed(&object.id()).resident, Some(Bytes(PAGE)));
}

#[test]
fn unreadable_object_is_refused_with_owner_and_mode() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("closed", PAGE, 0o620);
    let _nobody = Nobody::here();
    let error = open(&object.id()).err().unwrap();
    assert!(matches!(error, OpenError::Denied { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("posix:/closed") && text.contains("root") && text.contains("0620"), "{text}");
}

#[test]
fn shrunk_object_gives_a_short_read() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("shrinks", 3 * PAGE, 0o600);
    object.write(0, &vec![7; 3 * 4096]);
    let reader = open(&object.id()).unwrap();
    assert_eq!(read(&reader, 0, 3 * 4096).len(), 3 * 4096);
    object.file.set_len(PAGE + 10).unwrap();
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Present { size: PAGE + 10 });
    assert_eq!(read(&reader, PAGE, 4096), [7; 10]);
    assert_eq!(read(&reader, 2 * PAGE, 4096), b"");
    assert_eq!(data(&reader), [(0, PAGE + 10)]);
    object.file.set_len(0).unwrap();
    assert_eq!(read(&reader, 0, 1), b"");
    assert_eq!(reader.extent_at(0, 1).unwrap(), None);
    object.file.set_len(PAGE).unwrap();
    assert_eq!(read(&reader, 0, 2), [0, 0]);
}

#[test]
fn unlinked_object_stays_readable() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("goes", PAGE, 0o600);
    object.write(0, b"old");
    let (id, path) = (object.id(), object.path());
    let as_listed = listed(&id);
    let reader = open(&id).unwrap();
    drop(object);
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Removed { size: PAGE });

    let another = Object::new("goes", 99, 0o600);
    another.write(0, b"new");
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Replaced { size: PAGE });
    assert_eq!(read(&reader, 0, 3), b"old");
    let refused = shmlens::memory::Reader::open(&RealMachine, &as_listed).err().unwrap();
    assert!(matches!(refused, OpenError::Replaced { .. }), "{refused}");

    fs::remove_file(path).unwrap();
    let refused = shmlens::memory::Reader::open(&RealMachine, &as_listed).err().unwrap();
    assert!(matches!(refused, OpenError::Gone { .. }), "{refused}");
}

#[test]
fn rename_over_an_object_replaces_it() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("target", PAGE, 0o600);
    let reader = open(&object.id()).unwrap();
    let other = Object::new("source", 10, 0o600);
    fs::rename(other.path(), object.path()).unwrap();
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Replaced { size: PAGE });
    let reader = open(&object.id()).unwrap();
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Present { size: 10 });
}

#[test]
fn largest_object_is_read_to_its_end() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let size = i64::MAX as u64;
    let object = Object::new("largest", size, 0o600);
    object.write(0, b"start");
    assert_eq!(listed(&object.id()).size, Bytes(size));
    let reader = open(&object.id()).unwrap();
    assert_eq!(reader.size().unwrap(), size);
    assert_eq!(read(&reader, size - 4, 4), [0; 4]);
    assert_eq!(read(&reader, size - 4, 64), [0; 4]);
    assert_eq!(read(&reader, size - 4096, 1 << 16).len(), 4096);
    assert_eq!(read(&reader, size, 64), b"");
    assert_eq!(read(&reader, u64::MAX, 64), b"");
    assert_eq!(data(&reader), [(0, PAGE)]);
    assert_eq!(reader.extent_at(size, 1).unwrap(), None);
    assert_eq!(listed(&object.id()).resident, Some(Bytes(PAGE)));
}

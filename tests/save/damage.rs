//! Restoring truncated, damaged and foreign files fails, and creates no segments.

use super::{directory, save, segments};
use crate::support::{Namespaces, Object, SOON, Sysv, wait_until};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shmlens::act;
use shmlens::machine::real::RealMachine;
use shmlens::memory::Progress;
use std::fs;
use std::path::Path;

/// Restores these bytes, which must fail without creating a segment.
#[track_caller]
fn restore_refused(path: &Path, bytes: &[u8], how: &str) -> String {
    fs::write(path, bytes).unwrap();
    let error = act::Actor::new(&RealMachine, &Progress::new()).restore(path).expect_err(how).to_string();
    assert!(segments().is_empty(), "{how}: {error}");
    assert!(fs::read_dir("/dev/shm").unwrap().next().is_none(), "{how}: {error}");
    assert!(!error.contains("os error") && !error.contains(char::is_control), "{how}: {error:?}");
    error
}

/// Returns a saved segment of each kind, with a few pages and holes.
fn saved(directory: &tempfile::TempDir) -> [Vec<u8>; 2] {
    let object = Object::new("a", 40_000, 0o600);
    object.write(5000, b"hello");
    object.write(30_000, &[7; 9000]);
    let sysv = Sysv::new(7, 40_000, 0o600);
    sysv.write(5000, b"hello");
    sysv.write(30_000, &[7; 9000]);
    let files = [object.id(), sysv.id()].map(|id| {
        let path = directory.path().join("whole");
        save(&id, &path);
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        bytes
    });
    drop((object, sysv));
    // A child forked by another test keeps inherited descriptors until it execs.
    wait_until(SOON, || segments().is_empty());
    files
}

#[test]
fn restore_rejects_a_file_truncated_at_any_length() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    for whole in saved(&directory) {
        let sparse = (1000..whole.len() - 100).step_by(97);
        for length in (0..1000).chain(sparse).chain(whole.len() - 100..whole.len()) {
            let error = restore_refused(&path, &whole[..length], &format!("the first {length} bytes"));
            assert!(error.contains("truncated") || length == 0, "{error}");
        }
        restore_refused(&path, &[&whole[..], b"\0"].concat(), "an extra byte");
    }
}

#[test]
fn restore_rejects_any_flipped_byte() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    for whole in saved(&directory) {
        let sparse = (600..whole.len() - 100).step_by(89);
        for offset in (0..600).chain(sparse).chain(whole.len() - 100..whole.len()) {
            let mut damaged = whole.clone();
            damaged[offset] ^= 1 << (offset % 8);
            restore_refused(&path, &damaged, &format!("byte {offset}"));
        }
    }
}

/// A System V segment has its key from the beginning, so damage must be found before it is created.
#[test]
fn damaged_file_never_creates_a_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let [_, mut damaged] = saved(&directory);
    let offset = damaged.len() - 40;
    damaged[offset] ^= 1;
    // Shmids include a sequence number.
    let number = || i64::from(Sysv::new(0, 1, 0o600).shmid);
    let (first, second) = (number(), number());
    restore_refused(&path, &damaged, "the last byte of data");
    assert_eq!(number() - second, second - first);
}

#[test]
fn restore_rejects_other_file_formats() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    for (bytes, word) in [
        (&b"#!/bin/sh\necho no segment\n"[..], "not a saved segment"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0", "not a saved segment"),
        (&[0; 10_000], "not a saved segment"),
        (b"shmlens segment\n\x02\0\0\0\x02\0\0\0{}", "version 2"),
    ] {
        let error = restore_refused(&path, bytes, word);
        assert!(error.contains(word), "{error}");
    }
    for path in
        [directory.path(), Path::new("/dev/zero"), Path::new("/dev/null"), Path::new("/nowhere/at/all")]
    {
        assert!(act::Actor::new(&RealMachine, &Progress::new()).restore(path).is_err());
    }
    nix::unistd::mkfifo(&directory.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error =
        act::Actor::new(&RealMachine, &Progress::new()).restore(&directory.path().join("fifo")).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[test]
fn restore_rejects_fuzzed_files() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let whole = saved(&directory);
    let change = (any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 0..40), 0usize..60);
    let changes = proptest::collection::vec(change, 1..5);
    let mut runner = TestRunner::new(ProptestConfig { cases: 300, ..ProptestConfig::default() });
    let outcome = runner.run(&(0usize..2, changes), |(which, changes)| {
        let mut bytes = whole[which].clone();
        for (offset, new, gone) in changes {
            let offset = offset.index(bytes.len() + 1);
            let end = (offset + gone).min(bytes.len());
            bytes.splice(offset..end, new);
        }
        if bytes != whole[which] {
            restore_refused(&path, &bytes, "a fuzzed file");
        }
        Ok(())
    });
    outcome.unwrap();
}

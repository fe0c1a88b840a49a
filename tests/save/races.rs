//! Changes to a segment during a save: the copy is consistent, or the save fails.

use super::{directory, files, save, segment, segments};
use crate::support::{Namespaces, Object, SOON, SetOnDrop, Sysv};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use shmlens::act::archive::ArchiveReader;
use shmlens::act::{self, RestoreError, SaveError, SaveResult};
use shmlens::machine::real::RealMachine;
use shmlens::memory::{OpenError, PageBuffer, Progress};
use shmlens::segment::SegmentId;
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;
use tempfile::TempDir;

const SIZE: u64 = 16 << 20;

/// Saves an object to a file, and calls `interfere` after the first read.
#[track_caller]
fn save_with_interference(
    interfere: impl Fn(&Object, &Path) + Sync,
) -> (TempDir, Result<SaveResult, SaveError>) {
    let started = Instant::now();
    loop {
        let directory = directory();
        let path = directory.path().join("file");
        let object = Object::new("a", SIZE, 0o600);
        object.write(0, &vec![7; usize::try_from(SIZE).unwrap()]);
        let shown = segment(&object.id());
        let (progress, over) = (Progress::new(), AtomicBool::new(false));
        let (saved, in_time) = thread::scope(|scope| {
            let thread = scope.spawn(|| {
                while progress.done() == 0 && !over.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                interfere(&object, &path);
                progress.done() < SIZE
            });
            let ending = SetOnDrop(&over);
            let saved = act::Actor::new(&RealMachine, &progress).save(&shown, &path);
            drop(ending);
            (saved, thread.join().unwrap())
        });
        if in_time {
            return (directory, saved);
        }
        assert!(started.elapsed() < SOON, "every attempt was too late");
    }
}

#[test]
fn save_refuses_a_segment_resized_meanwhile() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for length in [SIZE + 1, SIZE / 2, 0] {
        let (directory, outcome) = save_with_interference(|object, _| object.file.set_len(length).unwrap());
        assert!(matches!(outcome, Err(SaveError::Resized { .. })), "{length}: {outcome:?}");
        assert!(files(directory.path()).is_empty());
    }
}

#[test]
fn save_keeps_a_file_created_at_the_target_meanwhile() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (directory, outcome) = save_with_interference(|_, path| fs::write(path, b"mine").unwrap());
    assert!(matches!(outcome, Err(SaveError::Exists { .. })), "{outcome:?}");
    assert_eq!(fs::read(directory.path().join("file")).unwrap(), b"mine");
    assert_eq!(files(directory.path()), ["file"]);
}

/// A System V segment exists before it is filled, so it has to be removed after a stop.
#[test]
fn stopped_restore_leaves_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let sysv = Sysv::new(7, SIZE, 0o600);
    sysv.write(0, &vec![7; usize::try_from(SIZE).unwrap()]);
    save(&sysv.id(), &path);
    drop(sysv);
    let started = Instant::now();
    loop {
        let progress = Progress::new();
        let over = AtomicBool::new(false);
        let restored = thread::scope(|scope| {
            scope.spawn(|| {
                // The file is read twice, and the second pass fills the segment.
                while progress.done() <= progress.total() / 2 && !over.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                progress.cancel();
            });
            let _over = SetOnDrop(&over);
            act::Actor::new(&RealMachine, &progress).restore(&path)
        });
        match restored {
            Ok(restored) => {
                let SegmentId::Sysv(shmid) = restored.id else { panic!("{}", restored.id) };
                drop(Sysv { shmid: shmid.0 });
                assert!(started.elapsed() < SOON, "every attempt was too late");
            }
            Err(error) => {
                assert!(matches!(error, RestoreError::Stopped { .. }), "{error}");
                break;
            }
        }
    }
    assert!(segments().is_empty());
}

#[test]
fn save_keeps_data_and_metadata_of_one_object() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let (planned, other) = (Object::new("name", 10, 0o600), Object::new("other", 20, 0o640));
    planned.write(0, b"planned");
    other.write(0, b"other");
    let shown = segment(&planned.id());
    let over = AtomicBool::new(false);
    let (mut saved, mut not) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                renameat2(AT_FDCWD, &planned.path(), AT_FDCWD, &other.path(), RenameFlags::RENAME_EXCHANGE)
                    .unwrap();
            }
        });
        let _over = SetOnDrop(&over);
        let started = Instant::now();
        while started.elapsed() < SOON && (saved + not < 2000 || saved == 0 || not == 0) {
            match act::Actor::new(&RealMachine, &Progress::new()).save_over(&shown, &path) {
                Ok(stored) => {
                    saved += 1;
                    assert_eq!((stored.saved.size.0, stored.saved.mode.bits()), (10, 0o600));
                    let mut bytes = PageBuffer::default();
                    let mut reading = ArchiveReader::begin(File::open(&path).unwrap()).unwrap();
                    let (at, bytes) = reading.next(&mut bytes).unwrap().unwrap();
                    assert_eq!((at, &bytes[..7]), (0, &b"planned"[..]));
                }
                Err(SaveError::Open(OpenError::Replaced { .. })) => not += 1,
                Err(error) => panic!("{error}"),
            }
        }
    });
    eprintln!("saved {saved} times, refused {not} times");
    assert!(saved > 0 && not > 0, "{saved} {not}");
}

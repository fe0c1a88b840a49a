//! Searching and watching real segments: holes stay unallocated, attachments are detached, and
//! truncation by the owner breaks nothing.

use crate::support::{Namespaces, Nobody, Object, Sysv};
use shmlens::machine::real::RealMachine;
use shmlens::memory::{
    CellKind, Direction, Pattern, Presence, Progress, Reader, Snapshot, SnapshotRequest, Tracker, find_all,
    find_next, next_data,
};
use shmlens::segment::{Segment, SegmentId};
use shmlens::survey::{Names, Survey};
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const MIB: u64 = 1 << 20;
const LONG_TIMEOUT: Duration = Duration::from_secs(600);

fn listed(id: &SegmentId) -> Segment {
    let survey = Survey::take(&RealMachine, &mut Names::default());
    survey.segments.into_iter().find(|segment| segment.id == *id).unwrap()
}

fn open(id: &SegmentId) -> Reader {
    Reader::open(&RealMachine, &listed(id)).unwrap()
}

fn take_snapshot(tracker: &mut Tracker, window: Range<u64>, budget: Duration) -> Snapshot {
    tracker.snapshot(&RealMachine, &SnapshotRequest { window, rows: None, cells: 64, budget }).unwrap()
}

fn found(reader: &Reader, text: &str) -> Vec<u64> {
    let mut found = vec![];
    let pattern = Pattern::text(text).unwrap();
    find_all(reader, &pattern, 0..u64::MAX, &Progress::new(), |matches| {
        found.extend(matches.offsets());
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

/// Runs every kind of scan on a segment of 256 MiB with "first" at its start, "across" at 128 MiB,
/// and "last" at its end.
fn scan_everything(reader: Reader, change: impl FnOnce()) {
    let size = 256 * MIB;
    let middle = 128 * MIB - 3;
    let progress = Progress::new();
    assert_eq!(found(&reader, "first"), [0]);
    assert_eq!(found(&reader, "across"), [middle]);
    assert_eq!(found(&reader, r"last"), [size - 4]);
    assert_eq!(found(&reader, r"across\x00\x00"), [middle]);
    assert!(found(&reader, "nowhere").is_empty());
    let a = Pattern::text("a").unwrap();
    let last = |from| find_next(&reader, &a, from, Direction::Backward, &progress).unwrap();
    assert_eq!([u64::MAX, size - 3, middle].map(last), [Some(size - 3), Some(middle), None]);
    let next = |from, direction| next_data(&reader, from, direction, 32, &progress).unwrap();
    assert_eq!(next(0, Direction::Forward), Some(middle));
    assert_eq!(next(middle, Direction::Forward), Some(size - 4));
    assert_eq!(next(size - 4, Direction::Backward), Some(middle));
    assert_eq!(next(middle, Direction::Backward), Some(0));

    let mut tracker = Tracker::new(reader);
    let seen = take_snapshot(&mut tracker, 100 * MIB..100 * MIB + 512, LONG_TIMEOUT);
    assert_eq!((seen.scanned, seen.bytes, seen.changes), (size, vec![0; 512], 0));
    let data: Vec<usize> = (0..64).filter(|&cell| seen.map[cell].kind == CellKind::Data).collect();
    assert_eq!(data, [0, 31, 32, 63]);
    change();
    let seen = take_snapshot(&mut tracker, size - 16..size, LONG_TIMEOUT);
    assert_eq!(seen.bytes, b"\0\0\0\0\0\0\0\0\0\0\0\0laSt");
    assert_eq!(seen.changed, std::iter::once(size - 2..size - 1).collect::<Vec<_>>());
    assert_eq!(tracker.next_change(0, Direction::Forward, &progress).unwrap(), Some(size - 2));
    assert_eq!(tracker.next_change(u64::MAX, Direction::Backward, &progress).unwrap(), Some(size - 2));
}

#[test]
fn scanning_an_object_allocates_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("sparse", 256 * MIB, 0o600);
    object.write(0, b"first");
    object.write(128 * MIB - 3, b"across");
    object.write(256 * MIB - 4, b"last");
    let before = object.file.metadata().unwrap();
    scan_everything(open(&object.id()), || object.write(256 * MIB - 2, b"S"));
    let after = object.file.metadata().unwrap();
    assert_eq!(after.blocks(), before.blocks());
    // The owner of a file can read it without changing the access time.
    assert_eq!((after.atime(), after.atime_nsec()), (before.atime(), before.atime_nsec()));
}

#[test]
fn scanning_a_system_v_segment_allocates_nothing_and_detaches() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, 256 * MIB, 0o600);
    segment.write(0, b"first");
    segment.write(128 * MIB - 3, b"across");
    segment.write(256 * MIB - 4, b"last");
    let before = listed(&segment.id());
    scan_everything(open(&segment.id()), || segment.write(256 * MIB - 2, b"S"));
    let after = listed(&segment.id());
    assert_eq!(after.resident, before.resident);
    assert_eq!(after.sysv().unwrap().nattch, 0);
}

/// In debug builds, `Reader` panics at a large read whose address is slow on some processors.
#[test]
fn large_reads_avoid_slow_addresses() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let bytes: Vec<u8> = (0..3 * MIB / 8).flat_map(|n| (n * n + 1).to_le_bytes()).collect();
    let object = Object::new("full", 3 * MIB, 0o600);
    object.write(0, &bytes);
    let segment = Sysv::new(0, 3 * MIB, 0o600);
    segment.write(0, &bytes);
    for id in [object.id(), segment.id()] {
        let reader = open(&id);
        let progress = Progress::new();
        let patterns = [(2_000_001, 1), (2_000_000, 2), (2_000_001, 16), (2_000_009, 17), (99, 20_000)];
        for (start, length) in patterns {
            let wanted = &bytes[start..start + length];
            let pattern = Pattern::bytes(wanted).unwrap();
            // Chunks start with the range, so try several offsets within a page.
            for from in [0, 16, 4080, 4097] {
                let first = find_next(&reader, &pattern, from, Direction::Forward, &progress).unwrap();
                let mut rest = bytes[usize::try_from(from).unwrap()..].windows(length);
                assert_eq!(first, rest.position(|part| part == wanted).map(|at| from + at as u64));
            }
            let last = find_next(&reader, &pattern, u64::MAX, Direction::Backward, &progress).unwrap();
            let naive = bytes.windows(length).rposition(|part| part == wanted);
            assert_eq!(last, naive.map(|at| at as u64));
        }
        // Forward, no gap of 4 KiB stops the search. Backward, only the start does.
        assert_eq!(next_data(&reader, 16, Direction::Forward, 4096, &progress).unwrap(), None);
        assert_eq!(next_data(&reader, 3 * MIB - 1, Direction::Backward, 4096, &progress).unwrap(), Some(0));
        let mut tracker = Tracker::new(reader);
        for window in [0..MIB, 16..MIB, 4080..2 * MIB] {
            let seen = take_snapshot(&mut tracker, window.clone(), LONG_TIMEOUT);
            let end = usize::try_from(window.end.min(window.start + MIB)).unwrap();
            assert_eq!(seen.bytes, bytes[usize::try_from(window.start).unwrap()..end]);
        }
        assert_eq!(tracker.next_change(0, Direction::Forward, &progress).unwrap(), None);
    }
}

#[test]
fn hole_of_4_tib_is_skipped_immediately() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let size = 4 << 40;
    let object = Object::new("large", size, 0o600);
    object.write(size - 7, b"the end");
    let reader = open(&object.id());
    let progress = Progress::new();
    assert_eq!(found(&reader, "the end"), [size - 7]);
    assert!(found(&reader, "no end").is_empty());
    let pattern = Pattern::text("end").unwrap();
    let last = find_next(&reader, &pattern, u64::MAX, Direction::Backward, &progress).unwrap();
    assert_eq!(last, Some(size - 3));
    assert_eq!(next_data(&reader, 0, Direction::Forward, 32, &progress).unwrap(), Some(size - 7));
    assert_eq!(next_data(&reader, size, Direction::Backward, 32, &progress).unwrap(), Some(size - 7));
    let mut tracker = Tracker::new(reader);
    let seen = take_snapshot(&mut tracker, size - 16..size, LONG_TIMEOUT);
    assert_eq!((seen.scanned, &seen.bytes[9..]), (size, &b"the end"[..]));
    assert_eq!(seen.map[63].kind, CellKind::Data);
    assert!(seen.map[..63].iter().all(|cell| cell.kind == CellKind::Hole));
    assert_eq!(object.file.metadata().unwrap().blocks(), 8);
}

#[test]
fn large_system_v_segment_is_mapped_in_pieces() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let size = 1 << 40;
    let segment = Sysv::unreserved(size, 0o604);
    segment.write(size - 7, b"the end");
    // Root could read the whole segment at once.
    let _nobody = Nobody::here();
    let resident = listed(&segment.id()).resident;
    let mut tracker = Tracker::new(open(&segment.id()));
    // The window is read immediately, however far the scan has come.
    let first = take_snapshot(&mut tracker, size - 16..size, Duration::from_millis(2));
    assert_eq!(&first.bytes[9..], b"the end");
    assert!(first.scanned < size, "the time limit did not stop the scan");
    let second = take_snapshot(&mut tracker, size - 16..size, Duration::from_millis(20));
    assert!(second.scanned > first.scanned);
    assert_eq!(second.map[0].kind, CellKind::Unknown);
    assert_eq!(second.map[63].kind, CellKind::Data);
    assert_eq!(listed(&segment.id()).resident, resident);
}

#[test]
fn repeated_truncation_never_raises_sigbus() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("restless", 8 * MIB, 0o600);
    let reader = open(&object.id());
    let mut tracker = Tracker::new(reader.clone());
    let over = AtomicBool::new(false);
    let progress = Progress::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                object.file.set_len(8 * MIB).unwrap();
                object.write(5 * MIB, &[7; 5000]);
                object.file.set_len(5 * MIB + 100).unwrap();
                object.file.set_len(0).unwrap();
            }
        });
        for round in 0..300 {
            let seen = take_snapshot(&mut tracker, 5 * MIB - 50..5 * MIB + 50, Duration::from_millis(1));
            assert!(matches!(seen.presence, Presence::Present { .. }));
            assert!(seen.bytes.len() <= 100);
            let _ = found(&reader, "nowhere");
            let from = round * 30_000;
            for direction in [Direction::Forward, Direction::Backward] {
                let found = tracker.next_change(from, direction, &progress).unwrap();
                assert!(found.is_none_or(|at| at < 8 * MIB));
                let found = next_data(&reader, from, direction, 32, &progress).unwrap();
                assert!(found.is_none_or(|at| at < 8 * MIB));
            }
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn aligned_value_is_never_torn() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, 4096, 0o600);
    let writer = shmlens::sys::shm::Attachment::read_write(segment.shmid).unwrap();
    let mut tracker = Tracker::new(open(&segment.id()));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut value = 0u8;
            while !over.load(Ordering::Relaxed) {
                value = value.wrapping_add(1);
                assert_eq!(writer.copy_from(64, &[value; 8]), 8);
            }
        });
        let mut changes = 0;
        for _ in 0..20_000 {
            let seen = take_snapshot(&mut tracker, 0..4096, Duration::ZERO);
            let value = &seen.bytes[64..72];
            assert!(value.iter().all(|byte| *byte == value[0]), "torn: {value:x?}");
            changes += seen.changes;
        }
        over.store(true, Ordering::Relaxed);
        assert!(changes > 0, "no change was reported");
    });
}

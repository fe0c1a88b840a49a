//! Tests of a segment that changes between snapshots.
#![expect(clippy::single_range_in_vec_init, reason = "a list of ranges is what is meant")]

use super::*;
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::memory::example::{all, object, pages, reader};
use crate::memory::{Direction, Presence, Progress};
use proptest::prelude::*;
use std::time::Duration;

const NO_OFFSETS: [u64; 0] = [];
const LONG: Duration = Duration::from_secs(600);

fn request(window: Range<u64>, cells: usize) -> SnapshotRequest {
    SnapshotRequest { window, rows: None, cells, budget: LONG }
}

fn watched(bytes: FakeBytes) -> (FakeMachine, Tracker) {
    let (machine, reader) = object(bytes);
    (machine, Tracker::new(reader))
}

fn write(machine: &FakeMachine, offset: u64, bytes: &[u8]) {
    machine.edit_object("a", |object| object.write(offset, bytes));
}

fn kinds(snapshot: &Snapshot) -> String {
    let letter = |cell: &Cell| match (cell.kind, cell.changed) {
        (CellKind::Unknown, _) => '?',
        (CellKind::Hole, _) => '.',
        (CellKind::Zeros, false) => '0',
        (CellKind::Zeros, true) => 'Z',
        (CellKind::Data, false) => 'd',
        (CellKind::Data, true) => 'D',
    };
    snapshot.map.iter().map(letter).collect()
}

fn changes(tracker: &mut Tracker, direction: Direction) -> Vec<u64> {
    let progress = Progress::new();
    let mut found = vec![];
    let mut from = if direction == Direction::Forward { 0 } else { u64::MAX };
    while let Some(at) = tracker.next_change(from, direction, &progress).unwrap() {
        found.push(at);
        from = if direction == Direction::Forward { at + 1 } else { at };
    }
    found
}

#[test]
fn change_in_the_window_is_reported_once_and_differs_from_then_on() {
    let (machine, mut tracker) = watched(FakeBytes::full(&[7; 8192]));
    let snapshot = tracker.snapshot(&machine, &request(4000..4200, 8)).unwrap();
    assert_eq!((snapshot.window_offset, snapshot.bytes.len(), snapshot.changes), (4000, 200, 0));
    assert_eq!((snapshot.changed, snapshot.differs), (vec![], vec![]));
    // The write crosses a page boundary and is partly outside the window.
    write(&machine, 4095, &[1, 2]);
    write(&machine, 4300, &[3, 4, 5]);
    let snapshot = tracker.snapshot(&machine, &request(4000..4200, 8)).unwrap();
    assert_eq!(
        (snapshot.changed, snapshot.differs, snapshot.changes),
        (vec![4095..4097], vec![4095..4097], 5)
    );
    assert_eq!(snapshot.bytes[95..97], [1, 2]);
    assert_eq!(
        snapshot.map.iter().map(|cell| cell.changed).collect::<Vec<_>>(),
        [false, false, false, true, true, false, false, false]
    );
    let snapshot = tracker.snapshot(&machine, &request(4000..4200, 8)).unwrap();
    assert_eq!((snapshot.changed, snapshot.differs, snapshot.changes), (vec![], vec![4095..4097], 0));
    tracker.set_baseline();
    write(&machine, 4095, &[7]);
    let snapshot = tracker.snapshot(&machine, &request(4000..4200, 8)).unwrap();
    assert_eq!((snapshot.changed, snapshot.differs), (vec![4095..4096], vec![4095..4096]));
}

#[test]
fn page_is_compared_when_it_returns_to_the_window() {
    let (machine, mut tracker) = watched(FakeBytes::full(&vec![7; 20_000]));
    for window in [0..100, 12_000..12_100] {
        tracker
            .snapshot(&machine, &SnapshotRequest { window, rows: None, cells: 0, budget: Duration::ZERO })
            .unwrap();
    }
    write(&machine, 50, &[1]);
    let snapshot = tracker
        .snapshot(&machine, &SnapshotRequest { window: 0..100, rows: None, cells: 0, budget: Duration::ZERO })
        .unwrap();
    assert_eq!(snapshot.changed, [50..51]);
    assert_eq!(snapshot.scanned, 2 * PAGE);
}

#[test]
fn map_distinguishes_holes_zeros_and_data() {
    let mut bytes = FakeBytes::hole(64 * PAGE);
    bytes.write(8 * PAGE, &[0]);
    bytes.write(20 * PAGE + 5, &[1]);
    let (machine, mut tracker) = watched(bytes);
    let request = |budget| SnapshotRequest { window: 0..16, rows: None, cells: 16, budget };
    let snapshot = tracker.snapshot(&machine, &request(Duration::ZERO)).unwrap();
    assert_eq!(kinds(&snapshot), "????????????????");
    let snapshot = tracker.snapshot(&machine, &request(LONG)).unwrap();
    assert_eq!(kinds(&snapshot), "..0..d..........");
    assert_eq!(snapshot.scanned, 64 * PAGE);
    write(&machine, 8 * PAGE + 9, &[1]);
    write(&machine, 40 * PAGE, &[0]);
    write(&machine, 63 * PAGE, &[9, 9]);
    let snapshot = tracker.snapshot(&machine, &request(LONG)).unwrap();
    assert_eq!(kinds(&snapshot), "..D..d....0....D");
    assert_eq!(snapshot.changes, 3);
    machine.edit_object("a", |bytes| drop(bytes.pages.remove(&20)));
    let snapshot = tracker.snapshot(&machine, &request(LONG)).unwrap();
    assert_eq!((kinds(&snapshot).as_str(), snapshot.changes), ("..d.......0....d", 1));
    assert!(snapshot.map[5].changed);
    assert_eq!(pages(&machine), 3);
}

#[test]
fn scan_finds_changes_in_pages_without_copies() {
    // Tests keep 64 blocks and 8 pages, so blocks have 1, 4, or 256 KiB / 4 KiB pages.
    for count in [50, 200, 3000] {
        let (machine, mut tracker) = watched(FakeBytes::full(&vec![7; count * PAGE_BYTES]));
        for _ in 0..3 {
            assert_eq!(tracker.snapshot(&machine, &request(0..0, 0)).unwrap().changes, 0);
        }
        let mut snapshot = || tracker.snapshot(&machine, &request(0..0, count)).unwrap();
        for page in [count / 2, count - 1, 40] {
            write(&machine, page as u64 * PAGE + 9, &[1]);
            let seen = snapshot();
            assert!(seen.changes > 0 && seen.map[page].changed, "{page} of {count}");
            assert!(
                seen.map.iter().filter(|cell| cell.changed).count() <= count / 20 + 1,
                "{page} of {count}"
            );
            write(&machine, page as u64 * PAGE + 9, &[7]);
            assert!(snapshot().changes > 0);
            assert_eq!(snapshot().changes, 0);
        }
    }
}

#[test]
fn small_segments_have_at_most_a_cell_per_byte() {
    let (machine, mut tracker) = watched(FakeBytes::full(&[0, 0, 1, 0]));
    let snapshot = tracker.snapshot(&machine, &request(0..4, 99)).unwrap();
    assert_eq!(kinds(&snapshot), "00d0");
    write(&machine, 0, &[1]);
    assert_eq!(kinds(&tracker.snapshot(&machine, &request(0..4, 2)).unwrap()), "Dd");
    let (machine, mut tracker) = watched(FakeBytes::hole(0));
    let snapshot = tracker.snapshot(&machine, &request(0..4, 99)).unwrap();
    assert_eq!((snapshot.map, snapshot.bytes, snapshot.scanned), (vec![], vec![], 0));
}

#[test]
fn largest_segment_is_scanned_at_once() {
    let size = u64::MAX >> 1;
    let mut bytes = FakeBytes::hole(size);
    bytes.write(size - 3, b"end");
    let (machine, mut tracker) = watched(bytes);
    let snapshot = tracker.snapshot(&machine, &request(size - 16..u64::MAX, 64)).unwrap();
    assert_eq!((snapshot.bytes.len(), snapshot.scanned), (16, size));
    assert_eq!(kinds(&snapshot), format!("{}d", ".".repeat(63)));
    write(&machine, size - 1, b"D");
    assert_eq!(changes(&mut tracker, Direction::Forward), [size - 1]);
    assert_eq!(changes(&mut tracker, Direction::Backward), [size - 1]);
    assert_eq!(pages(&machine), 1);
}

#[test]
fn segment_may_shrink_and_grow() {
    let (machine, mut tracker) = watched(FakeBytes::full(&vec![7; 20_000]));
    tracker.snapshot(&machine, &request(0..32, 5)).unwrap();
    machine.edit_object("a", |bytes| {
        // The kernel clears the bytes past the new end.
        bytes.write(10, &[0; 4086]);
        bytes.size = 10;
        bytes.pages.retain(|&page, _| page == 0);
    });
    let snapshot = tracker.snapshot(&machine, &request(0..32, 5)).unwrap();
    assert_eq!(snapshot.presence, Presence::Present { size: 10 });
    assert_eq!((snapshot.bytes.len(), snapshot.scanned, snapshot.changes), (10, 10, 1));
    let snapshot = tracker.snapshot(&machine, &request(16..32, 5)).unwrap();
    assert_eq!((snapshot.window_offset, snapshot.bytes), (10, vec![]));
    // New bytes at the end count as unchanged.
    machine.edit_object("a", |bytes| bytes.size = 40_000);
    write(&machine, 30_000, b"new");
    let snapshot = tracker.snapshot(&machine, &request(29_990..30_010, 4)).unwrap();
    assert_eq!(kinds(&snapshot), "d.dd");
    assert_eq!((snapshot.changed, snapshot.differs, snapshot.scanned), (vec![], vec![], 40_000));
}

#[test]
fn removed_or_replaced_segment_is_still_read() {
    let (machine, mut tracker) = watched(FakeBytes::full(&[7; 100]));
    machine.remove_object("a");
    let snapshot = tracker.snapshot(&machine, &request(0..9, 1)).unwrap();
    assert_eq!((snapshot.presence, snapshot.bytes.len()), (Presence::Removed { size: 100 }, 9));
    machine.add_object("a", FakeBytes::full(b"another"));
    let snapshot = tracker.snapshot(&machine, &request(0..9, 1)).unwrap();
    assert_eq!((snapshot.presence, snapshot.bytes[0]), (Presence::Replaced { size: 100 }, 7));
}

#[test]
fn snapshot_reports_the_attachment() {
    let machine = FakeMachine::new();
    machine.add_sysv(7, 0, FakeBytes::full(&[7; 100]));
    let mut tracker = Tracker::new(reader(&machine));
    let snapshot = tracker.snapshot(&machine, &request(0..9, 1)).unwrap();
    assert_eq!(snapshot.method, crate::machine::Method::Attach);
    drop(tracker);
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
}

#[test]
fn changes_beyond_the_copies_are_found_by_page() {
    // Tests keep 8 pages.
    let (machine, mut tracker) = watched(FakeBytes::full(&vec![7; 30 * 4096]));
    tracker.snapshot(&machine, &request(20 * PAGE..20 * PAGE + 100, 30)).unwrap();
    write(&machine, 3 * PAGE + 77, &[1]);
    write(&machine, 20 * PAGE + 77, &[1]);
    write(&machine, 25 * PAGE + 77, &[1]);
    let expected = [3 * PAGE + 77, 20 * PAGE + 77, 25 * PAGE];
    assert_eq!(changes(&mut tracker, Direction::Forward), expected);
    let snapshot = tracker.snapshot(&machine, &request(20 * PAGE..20 * PAGE + 100, 30)).unwrap();
    assert_eq!(snapshot.changes, 3);
    assert_eq!(snapshot.map.iter().filter(|cell| cell.changed).count(), 3);
    let snapshot = tracker.snapshot(&machine, &request(25 * PAGE..25 * PAGE + 100, 30)).unwrap();
    // The offset within the page is unknown, so no byte is marked.
    assert_eq!((snapshot.changed, snapshot.differs, snapshot.changes), (vec![], vec![], 0));
    assert_eq!(
        tracker.next_change(21 * PAGE, Direction::Forward, &Progress::new()).unwrap(),
        Some(25 * PAGE)
    );
    tracker.set_baseline();
    assert_eq!(changes(&mut tracker, Direction::Forward), NO_OFFSETS);
    machine.edit_object("a", |bytes| drop(bytes.pages.remove(&28)));
    assert_eq!(changes(&mut tracker, Direction::Backward), [28 * PAGE]);
}

#[test]
fn large_segment_is_tracked_in_larger_blocks() {
    // Tests keep 64 blocks.
    let count = 5 * 64 + 3;
    let (machine, mut tracker) = watched(FakeBytes::full(&vec![7; count * 4096 - 100]));
    let snapshot = tracker.snapshot(&machine, &request(0..16, 10)).unwrap();
    assert_eq!(tracker.hashes.grain(), 8 * PAGE);
    assert_eq!((snapshot.scanned, snapshot.changes), (count as u64 * PAGE - 100, 0));
    assert_eq!(tracker.snapshot(&machine, &request(0..16, 10)).unwrap().changes, 0);
    assert_eq!(changes(&mut tracker, Direction::Forward), NO_OFFSETS);
    write(&machine, 107 * PAGE + 9, &[1]);
    write(&machine, count as u64 * PAGE - 101, &[1]);
    let blocks = [104 * PAGE, count as u64 / 8 * 8 * PAGE];
    assert_eq!(changes(&mut tracker, Direction::Forward), blocks);
    let snapshot = tracker.snapshot(&machine, &request(0..16, 10)).unwrap();
    assert_eq!((snapshot.changes, kinds(&snapshot).as_str()), (2, "dddDdddddD"));
    assert_eq!(tracker.snapshot(&machine, &request(0..16, 10)).unwrap().changes, 0);
    tracker.set_baseline();
    assert_eq!(changes(&mut tracker, Direction::Backward), NO_OFFSETS);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn small_segment_is_tracked_byte_for_byte(
        size in 1u64..7 * 4096,
        rounds in proptest::collection::vec((proptest::collection::vec((0u64..28_000, any::<u8>()), 0..6), any::<bool>()), 1..5),
        window in (0u64..28_000, 0u64..9000),
    ) {
        let (machine, mut tracker) = watched(FakeBytes::hole(size));
        let window = window.0..window.0 + window.1;
        tracker.snapshot(&machine, &request(window.clone(), 20)).unwrap();
        let mut before = all(tracker.reader());
        let mut base = before.clone();
        for (writes, set_baseline) in rounds {
            for (offset, byte) in writes {
                write(&machine, offset, &[byte]);
            }
            let held = pages(&machine);
            let snapshot = tracker.snapshot(&machine, &request(window.clone(), 20)).unwrap();
            let now = all(tracker.reader());
            let shown = usize::try_from(window.start.min(size)).unwrap()..usize::try_from(window.end.min(size)).unwrap();
            let differing = |old: &[u8]| -> Vec<u64> { (0..now.len()).filter(|&at| old[at] != now[at]).map(|at| at as u64).collect() };
            let visible = |at: &u64| shown.contains(&usize::try_from(*at).unwrap());
            prop_assert_eq!(&snapshot.bytes[..], &now[shown.clone()]);
            let changed: Vec<u64> = snapshot.changed.iter().cloned().flatten().collect();
            prop_assert_eq!(changed, differing(&before).into_iter().filter(visible).collect::<Vec<_>>());
            let differs: Vec<u64> = snapshot.differs.iter().cloned().flatten().collect();
            prop_assert_eq!(differs, differing(&base).into_iter().filter(visible).collect::<Vec<_>>());
            prop_assert_eq!(snapshot.changes, differing(&before).len() as u64);
            let moved = differing(&before);
            for (cell, shown) in snapshot.map.iter().enumerate() {
                let span = Snapshot::cell_span(size, snapshot.map.len(), cell);
                prop_assert_eq!(shown.changed, moved.iter().any(|at| span.contains(at)), "{}", cell);
            }
            prop_assert_eq!(changes(&mut tracker, Direction::Forward), differing(&base));
            prop_assert_eq!(changes(&mut tracker, Direction::Backward), differing(&base).into_iter().rev().collect::<Vec<_>>());
            prop_assert_eq!(pages(&machine), held);
            if set_baseline {
                tracker.set_baseline();
                base.clone_from(&now);
            }
            before = now;
        }
    }

    /// A report of a change that did not happen would mislead the user.
    #[test]
    fn unchanged_segment_has_no_changes(
        sizes in proptest::collection::vec((0u64..90 * 4096, proptest::collection::vec((0u64..90 * 4096, 1u8..9), 0..20)), 1..4),
        window in (0u64..90 * 4096, 0u64..9000),
    ) {
        let (machine, mut tracker) = watched(FakeBytes::hole(0));
        for (size, writes) in sizes {
            machine.edit_object("a", |bytes| {
                bytes.size = size;
                bytes.pages.retain(|&page, _| page < size.div_ceil(PAGE));
            });
            for (offset, byte) in writes {
                write(&machine, offset, &[byte]);
            }
            let window = window.0..window.0 + window.1;
            tracker.snapshot(&machine, &request(window.clone(), 20)).unwrap();
            tracker.snapshot(&machine, &request(window.clone(), 20)).unwrap();
            let snapshot = tracker.snapshot(&machine, &request(window.clone(), 20)).unwrap();
            prop_assert_eq!((snapshot.changes, snapshot.changed, snapshot.scanned), (0, vec![], size));
            tracker.set_baseline();
            prop_assert_eq!(changes(&mut tracker, Direction::Forward), NO_OFFSETS);
        }
    }
}

/// Reads the rows around an offset, and returns the gaps and the number of bytes.
fn rows_at(tracker: &mut Tracker, machine: &FakeMachine, top: u64) -> (Snapshot, usize) {
    let rows = Some(Rows { length: 16, above: 8, below: 16 });
    let snapshot = tracker.snapshot(machine, &SnapshotRequest { rows, ..request(top..top + 1, 0) }).unwrap();
    let length = snapshot.bytes.len();
    (snapshot, length)
}

#[test]
fn rows_reach_past_holes_and_zeros_in_both_directions() {
    // Data, a hole of 1 GiB, data, zeros of 100 pages, data.
    let mut bytes = FakeBytes::hole((1 << 30) + 200 * PAGE);
    let middle = (1 << 30) + PAGE;
    bytes.write(0, &[1; 4096]);
    bytes.write(middle, &[2; 16]);
    bytes.write(middle + PAGE, &vec![0; 100 * PAGE_BYTES]);
    let last = middle + 101 * PAGE;
    bytes.write(last, &[3; 4096]);
    let (machine, mut tracker) = watched(bytes);
    let hole = (PAGE..middle, Quiet::Hole);
    let zeros = (middle + PAGE..last, Quiet::Zeros);
    for scanned in [false, true] {
        let (snapshot, length) = rows_at(&mut tracker, &machine, 0);
        assert_eq!(snapshot.window_offset, 0);
        // The first page has enough rows. A run that follows is known once it was scanned.
        let end = snapshot.gaps[0].0.end;
        assert!(length == PAGE_BYTES && if scanned { end >= 1 << 30 } else { end == 4 * PAGE }, "{end:#x}");
        for top in [PAGE, last] {
            let (snapshot, length) = rows_at(&mut tracker, &machine, top);
            assert_eq!(
                (snapshot.window_offset, &snapshot.gaps[..2]),
                (0, &[hole.clone(), zeros.clone()][..])
            );
            assert_eq!(length, 3 * PAGE_BYTES, "{scanned} {top}");
        }
    }
    // A change in a run opens it, and is not zero again before it equals the baseline.
    write(&machine, 1 << 20, &[9]);
    rows_at(&mut tracker, &machine, PAGE);
    let (snapshot, _) = rows_at(&mut tracker, &machine, PAGE);
    assert_eq!(snapshot.gaps[..2], [(PAGE..1 << 20, Quiet::Hole), ((1 << 20) + PAGE..middle, Quiet::Hole)]);
    assert_eq!(snapshot.differs, [1 << 20..(1 << 20) + 1]);
}

#[test]
fn rows_stop_at_zeros_that_were_not_scanned() {
    let mut bytes = FakeBytes::full(&vec![0; 8 << 20]);
    bytes.write(0, &[1; 16]);
    bytes.write((8 << 20) - 1, &[1]);
    let (machine, mut tracker) = watched(bytes);
    let rows = Some(Rows { length: 16, above: 8, below: 16 });
    let hurried = SnapshotRequest { rows, budget: Duration::ZERO, ..request(0..1, 0) };
    let snapshot = tracker.snapshot(&machine, &hurried).unwrap();
    let gap = snapshot.gaps[0].clone();
    assert_eq!((snapshot.bytes.len(), gap), (PAGE_BYTES, (PAGE..(128 << 10) + 4 * PAGE, Quiet::Zeros)));
    tracker.snapshot(&machine, &request(0..0, 0)).unwrap();
    let (snapshot, _) = rows_at(&mut tracker, &machine, 0);
    assert_eq!(snapshot.gaps, [(PAGE..(8 << 20) - PAGE, Quiet::Zeros)]);
}

#[test]
fn zeros_near_the_top_are_read_again() {
    let mut bytes = FakeBytes::full(&[0; 3 * PAGE_BYTES]);
    bytes.write(0, &[1; 16]);
    let (machine, mut tracker) = watched(bytes);
    rows_at(&mut tracker, &machine, 0);
    write(&machine, PAGE + 5, &[9]);
    let (snapshot, _) = rows_at(&mut tracker, &machine, 0);
    assert_eq!(
        (snapshot.changed, snapshot.gaps),
        (vec![PAGE + 5..PAGE + 6], vec![(2 * PAGE..3 * PAGE, Quiet::Zeros)])
    );
}

#[test]
fn rows_are_counted_from_the_top() {
    let (machine, mut tracker) = watched(FakeBytes::full(&vec![1; 64 << 10]));
    let rows = Some(Rows { length: 16, above: 300, below: 300 });
    let top = 3 * PAGE + 4000;
    let snapshot = tracker.snapshot(&machine, &SnapshotRequest { rows, ..request(top..top + 1, 0) }).unwrap();
    let end = snapshot.window_offset + snapshot.bytes.len() as u64;
    assert!(snapshot.window_offset <= top - 300 * 16 && top + 300 * 16 <= end);
}

//! Matches across chunks, jobs, holes and ends, compared with a naive search.

use super::*;
use crate::machine::fake::FakeBytes;
use crate::memory::example::{all, object, pages, sparse};
use proptest::prelude::*;

fn found(reader: &Reader, pattern: &Pattern, range: Range<u64>) -> Vec<u64> {
    let mut found = vec![];
    find_all(reader, pattern, range, &Progress::new(), |matches| {
        found.extend(matches.offsets());
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

fn next(reader: &Reader, pattern: &Pattern, from: u64, direction: Direction) -> Option<u64> {
    find_next(reader, pattern, from, direction, &Progress::new()).unwrap()
}

#[test]
fn matches_span_chunks_and_extents() {
    let mut bytes = FakeBytes::hole(40_000);
    bytes.write(4090, b"needle in two pages");
    bytes.write(20_474, b"needle");
    // The match spans the end of the page, a hole and the next page.
    bytes.write(28_671, b"z");
    bytes.write(36_864, b"z");
    let (machine, reader) = object(bytes);
    let before = pages(&machine);
    let needle = Pattern::text("needle").unwrap();
    assert_eq!(found(&reader, &needle, 0..u64::MAX), [4090, 20_474]);
    assert_eq!(found(&reader, &needle, 4091..20_479), [] as [u64; 0]);
    assert_eq!(found(&reader, &Pattern::text(r"z\x00\x00").unwrap(), 0..u64::MAX), [28_671, 36_864]);
    assert_eq!(found(&reader, &Pattern::text(r"\x00\x00z").unwrap(), 0..u64::MAX), [28_669, 36_862]);
    assert_eq!(pages(&machine), before);
}

#[test]
fn largest_hole_takes_no_time() {
    let mut bytes = FakeBytes::hole(u64::MAX >> 1);
    bytes.write(1 << 61, b"needle");
    let (machine, reader) = object(bytes);
    let needle = Pattern::text("needle").unwrap();
    assert_eq!(found(&reader, &needle, 0..u64::MAX), [1 << 61]);
    assert_eq!(next(&reader, &needle, u64::MAX, Direction::Backward), Some(1 << 61));
    let zeros = Pattern::hex("00 00").unwrap();
    assert_eq!(next(&reader, &zeros, 7, Direction::Forward), Some(7));
    assert_eq!(next(&reader, &zeros, 1 << 60, Direction::Backward), Some((1 << 60) - 1));
    assert_eq!(pages(&machine), 1);
}

#[test]
fn matches_in_a_hole_are_counted_and_do_not_overlap() {
    let size = 1u64 << 42;
    let mut bytes = FakeBytes::hole(size);
    // The 5 is in the middle of a page of written zeros.
    bytes.write((1 << 41) + 5, &[5]);
    let (machine, reader) = object(bytes);
    for (text, length) in [("00", 1), ("00 00 00", 3), ("0? 0? 0?", 3)] {
        let mut count = 0;
        let mut last = 0;
        find_all(&reader, &Pattern::hex(text).unwrap(), 0..u64::MAX, &Progress::new(), |matches| {
            assert!(matches.first >= last, "{text}: {matches:?}");
            (count, last) = (count + matches.count, matches.end());
            ControlFlow::Continue(())
        })
        .unwrap();
        // A wildcard covers the 5. Without one, matches resume after it.
        let before = (1 << 41) + 5;
        let whole = size / length;
        let parts = before / length + (size - before - 1) / length;
        let expected = if text.contains('?') { whole } else { parts };
        assert_eq!(count, expected, "{text}");
    }
    assert_eq!(pages(&machine), 1);
}

#[test]
fn large_read_avoids_slow_addresses() {
    // A long pattern makes chunks of more than 32 KiB, at odd offsets.
    let bytes: Vec<u8> = (0..200_000u32).flat_map(|n| (n % 65_521).to_le_bytes()).collect();
    let (_machine, reader) = object(FakeBytes::full(&bytes));
    for start in [0, 1, 16, 4080, 9999] {
        let pattern = Pattern::bytes(&bytes[start..start + 20_000]).unwrap();
        assert_eq!(next(&reader, &pattern, 0, Direction::Forward), Some(start as u64));
        assert!(next(&reader, &pattern, u64::MAX, Direction::Backward) >= Some(start as u64));
    }
}

#[test]
fn next_and_previous_do_not_wrap() {
    let (_machine, reader) = object(FakeBytes::full(b"..aaa..a"));
    let a = Pattern::text("a").unwrap();
    assert_eq!(next(&reader, &a, 0, Direction::Forward), Some(2));
    assert_eq!(next(&reader, &a, 3, Direction::Forward), Some(3));
    assert_eq!(next(&reader, &a, 8, Direction::Forward), None);
    assert_eq!(next(&reader, &a, u64::MAX, Direction::Forward), None);
    assert_eq!(next(&reader, &a, u64::MAX, Direction::Backward), Some(7));
    assert_eq!(next(&reader, &a, 7, Direction::Backward), Some(4));
    assert_eq!(next(&reader, &a, 2, Direction::Backward), None);
    // The match starts before the position and ends after it.
    assert_eq!(next(&reader, &Pattern::text("aa").unwrap(), 4, Direction::Backward), Some(3));
    assert_eq!(next(&reader, &Pattern::text("aaa..a..").unwrap(), 0, Direction::Forward), None);
}

#[test]
fn search_ends_where_the_segment_shrank() {
    let (machine, reader) = object(FakeBytes::full(&b"needle..".repeat(2000)));
    let mut count = 0;
    let needle = Pattern::text("needle").unwrap();
    find_all(&reader, &needle, 0..u64::MAX, &Progress::new(), |_| {
        count += 1;
        if count == 10 {
            machine.edit_object("a", |bytes| bytes.size = 0);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!((10..100).contains(&count), "{count}");
}

#[test]
fn search_reports_progress_and_can_be_canceled() {
    let (_machine, reader) = object(FakeBytes::full(&vec![b'a'; 20_000]));
    let progress = Progress::new();
    let mut count = 0;
    let a = Pattern::text("a").unwrap();
    find_all(&reader, &a, 0..20_000, &progress, |matches| {
        count += matches.count;
        if count >= 1000 {
            progress.cancel();
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!((1000..2000).contains(&count), "{count}");
    assert_eq!(progress.total(), 20_000);
    assert!((900..3000).contains(&progress.done()), "{}", progress.done());
    assert_eq!(find_next(&reader, &a, 0, Direction::Forward, &progress).unwrap(), None);
    assert_eq!(find_next(&reader, &a, 9, Direction::Backward, &progress).unwrap(), None);
}

proptest! {
    #[test]
    fn search_matches_a_naive_search(
        bytes in sparse(),
        want in proptest::collection::vec(0u8..3, 1..40),
        mask in proptest::collection::vec(prop_oneof![2 => Just(0xffu8), 1 => Just(0u8)], 0..40),
        start in 0u64..25_000,
    ) {
        let Ok(pattern) = Pattern::masked(want, mask) else { return Ok(()) };
        let (machine, reader) = object(bytes);
        let before = pages(&machine);
        let all = all(&reader);
        let is_match = |at: usize| pattern.find(&all[..(at + pattern.len()).min(all.len())], at) == Some(at);
        let places: Vec<u64> = (0..all.len()).filter(|&at| is_match(at)).map(|at| at as u64).collect();
        let mut free = start;
        let apart: Vec<u64> = places.iter().copied().filter(|&at| {
            let take = at >= free;
            if take {
                free = at + pattern.len() as u64;
            }
            take
        }).collect();
        prop_assert_eq!(found(&reader, &pattern, start..u64::MAX), apart);
        prop_assert_eq!(next(&reader, &pattern, start, Direction::Forward), places.iter().copied().find(|&at| at >= start));
        prop_assert_eq!(next(&reader, &pattern, start, Direction::Backward), places.iter().copied().rfind(|&at| at < start));
        prop_assert_eq!(pages(&machine), before);
    }

    #[test]
    fn search_for_zeros_matches_a_naive_search(
        bytes in sparse(),
        mask in proptest::collection::vec(prop_oneof![Just(0xffu8), Just(0xf0u8), Just(0u8)], 1..60),
        start in 0u64..25_000,
        length in 0u64..25_000,
    ) {
        let Ok(pattern) = Pattern::masked(vec![0; mask.len()], mask) else { return Ok(()) };
        let (_machine, reader) = object(bytes);
        let all = all(&reader);
        let end = usize::try_from(start + length).unwrap().min(all.len());
        let mut at = usize::try_from(start).unwrap();
        let mut apart = vec![];
        while let Some(found) = pattern.find(&all[..end], at) {
            apart.push(found as u64);
            at = found + pattern.len();
        }
        prop_assert_eq!(found(&reader, &pattern, start..start + length), apart);
    }
}

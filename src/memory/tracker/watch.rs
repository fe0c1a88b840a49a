//! Reports every change in a range, with the bytes before and after.

use super::changes::{Change, Changes};
use super::hashes::Hashes;
use super::page::PAGE;
use super::{Reader, Tracker};
use std::io;
use std::ops::Range;

/// The maximum number of bytes copied in the first pass.
const FIRST_COPIES: usize = 64 << 20;
/// The maximum number of bytes in all copies.
const MAX_COPIES: usize = 128 << 20;
/// The approximate number of bytes per step. Small in tests, so that a pass takes several steps.
const STEP_SIZE: u64 = if cfg!(test) { 1 << 20 } else { 64 << 20 };

impl Tracker {
    /// Tracks a range of values of `value` bytes for [`Self::step`]. No value is split between two
    /// changes. Copies as many pages as possible, and hashes the others. A hashed page that changes
    /// is copied if the limit permits.
    #[must_use]
    pub fn of_values(reader: Reader, range: Range<u64>, value: u64) -> Self {
        let value = value.max(1);
        let page = super::length(&(0..PAGE.div_ceil(value) * value));
        let hashes = Hashes::new(page as u64, usize::MAX, false);
        Self::with(reader, range, page, hashes, FIRST_COPIES / page)
    }

    /// Returns true between passes.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.scan.at == 0
    }

    /// Starts or continues a pass. Returns the changes since the previous pass; the first pass
    /// finds none.
    ///
    /// # Errors
    /// Fails if the kernel refuses to read.
    pub fn step(&mut self) -> io::Result<Vec<Change>> {
        self.resize(self.reader.size()?);
        let most = self.pages_per_step();
        let mut changes = Changes::new(self.size, 0, Some(vec![]));
        let length = STEP_SIZE.min(self.size - self.scan.at);
        self.scan(length, &mut changes, |changes| {
            changes.pages.as_ref().is_some_and(|all| all.len() < most)
        })?;
        if self.is_complete() {
            self.copies.limit = MAX_COPIES / self.zeros.len();
            self.hashes.unread_is_zero = true;
        }
        let mut changes = changes.pages.unwrap_or_default();
        for change in &mut changes {
            change.offset += self.range.start;
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeBytes;
    use crate::memory::example::object;
    use proptest::prelude::*;

    type ReportedChanges = Vec<(u64, Option<Vec<u8>>, Vec<u8>)>;

    fn pass(tracker: &mut Tracker) -> ReportedChanges {
        let mut reported = vec![];
        loop {
            let changes = tracker.step().unwrap().into_iter();
            reported.extend(
                changes.map(|change| (change.offset, change.old.map(Vec::from), change.new.to_vec())),
            );
            if tracker.is_complete() {
                return reported;
            }
        }
    }

    #[test]
    fn large_pass_takes_several_steps_and_finds_every_change_once() {
        let (machine, reader) = object(FakeBytes::full(&vec![1; 5 << 20]));
        let mut tracker = Tracker::of_values(reader, 0..u64::MAX, 1);
        assert!(tracker.step().unwrap().is_empty() && !tracker.is_complete());
        assert!(pass(&mut tracker).is_empty());
        machine.edit_object("a", |bytes| bytes.write(0, &vec![2; 5 << 20]));
        let reported = pass(&mut tracker);
        let offsets: Vec<u64> = reported.iter().map(|(offset, ..)| *offset).collect();
        assert_eq!(offsets, (0..5 << 20).step_by(4096).collect::<Vec<u64>>());
        assert!(reported.iter().all(|(_, old, new)| old.as_ref().unwrap()[0] == 1 && new[0] == 2));
    }

    #[test]
    fn only_changed_blocks_are_reported() {
        let (machine, reader) = object(FakeBytes::full(&[1; 10_000]));
        let mut tracker = Tracker::of_values(reader, 0..u64::MAX, 1);
        assert!(pass(&mut tracker).is_empty());
        assert!(pass(&mut tracker).is_empty());
        machine.edit_object("a", |bytes| bytes.write(9999, &[2]));
        let reported = pass(&mut tracker);
        assert_eq!(reported.len(), 1);
        let (offset, old, new) = &reported[0];
        assert_eq!((*offset, old.as_ref().unwrap()[1807], new[1807], new.len()), (8192, 1, 2, 1808));
        assert!(pass(&mut tracker).is_empty());
    }

    #[test]
    fn holes_may_be_filled_and_punched_in_the_largest_segment() {
        let (machine, reader) = object(FakeBytes::hole(1 << 46));
        let mut tracker = Tracker::of_values(reader, 0..u64::MAX, 1);
        assert!(pass(&mut tracker).is_empty());
        machine.edit_object("a", |bytes| bytes.write((1 << 45) + 5, &[7]));
        let reported = pass(&mut tracker);
        assert_eq!((reported.len(), reported[0].0, reported[0].2[5]), (1, 1 << 45, 7));
        machine.edit_object("a", |bytes| bytes.pages.clear());
        let reported = pass(&mut tracker);
        assert_eq!((reported.len(), reported[0].1.as_ref().unwrap()[5], reported[0].2[5]), (1, 7, 0));
        assert_eq!(
            (tracker.copies.within(0..u64::MAX).count(), tracker.hashes.within(0..u64::MAX).count()),
            (0, 0)
        );
    }

    #[test]
    fn segment_grows_and_shrinks() {
        let (machine, reader) = object(FakeBytes::full(&[1; 5000]));
        let mut tracker = Tracker::of_values(reader, 0..u64::MAX, 1);
        pass(&mut tracker);
        machine.edit_object("a", |bytes| bytes.size = 100);
        // Truncated bytes are not changes.
        let reported = pass(&mut tracker);
        assert!(reported.iter().all(|(_, old, new)| old.as_deref() == Some(new)), "{reported:?}");
        machine.edit_object("a", |bytes| bytes.size = 9000);
        pass(&mut tracker);
        machine.edit_object("a", |bytes| bytes.write(8999, &[3]));
        let reported = pass(&mut tracker);
        assert_eq!((reported.len(), reported[0].0, reported[0].2.last()), (1, 8192, Some(&3)));
    }

    #[test]
    fn changes_without_a_copy_are_reported() {
        let (machine, reader) = object(FakeBytes::full(&[1; 8192]));
        let mut tracker = Tracker::of_values(reader, 0..u64::MAX, 1);
        tracker.copies.limit = 1;
        pass(&mut tracker);
        assert!(tracker.copies.get(1).is_none());
        machine.edit_object("a", |bytes| bytes.write(4096, &[2]));
        let reported = pass(&mut tracker);
        assert_eq!((reported.len(), reported[0].0, &reported[0].1), (1, 4096, &None));
        // The block has a copy from now on.
        machine.edit_object("a", |bytes| bytes.write(4096, &[3]));
        let reported = pass(&mut tracker);
        assert_eq!((reported.len(), reported[0].1.as_ref().unwrap()[0]), (1, 2));
    }

    #[test]
    fn no_value_is_split_between_blocks() {
        let (machine, reader) = object(FakeBytes::full(&vec![1; 30_000]));
        let mut tracker = Tracker::of_values(reader, 5..20_005, 24);
        pass(&mut tracker);
        machine.edit_object("a", |bytes| bytes.write(0, &vec![2; 30_000]));
        let reported = pass(&mut tracker);
        assert!(reported.iter().all(|(offset, _, _)| (offset - 5).is_multiple_of(24)));
        assert_eq!(reported.iter().map(|(_, _, new)| new.len()).sum::<usize>(), 20_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_changed_byte_is_reported_with_the_one_before(
            start in 0u64..5000,
            value in 1u64..40,
            rounds in proptest::collection::vec((0usize..30_000, proptest::collection::vec((0usize..30_000, 0u8..3), 0..9)), 1..6),
        ) {
            let (machine, reader) = object(FakeBytes::hole(15_000));
            let mut tracker = Tracker::of_values(reader, start..25_000, value);
            prop_assert!(pass(&mut tracker).is_empty());
            let (mut size, mut before) = (15_000, vec![0; 30_000]);
            for (larger, writes) in rounds {
                size = size.max(larger);
                let mut now = before.clone();
                machine.edit_object("a", |bytes| {
                    bytes.size = size as u64;
                    for (offset, byte) in writes.into_iter().filter(|(offset, _)| *offset < size) {
                        bytes.write(offset as u64, &[byte]);
                        now[offset] = byte;
                    }
                });
                let mut changed = vec![];
                for (offset, old, new) in pass(&mut tracker) {
                    prop_assert!((offset - start).is_multiple_of(value));
                    let at = usize::try_from(offset).unwrap();
                    let whole = at..at + new.len();
                    prop_assert_eq!((&old.unwrap()[..], &new[..]), (&before[whole.clone()], &now[whole.clone()]));
                    changed.extend(whole.filter(|&at| before[at] != now[at]));
                }
                let watched = usize::try_from(start).unwrap()..25_000.min(size);
                prop_assert_eq!(changed, watched.filter(|&at| before[at] != now[at]).collect::<Vec<_>>());
                before = now;
            }
        }
    }
}

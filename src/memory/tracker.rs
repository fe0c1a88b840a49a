//! Reports every change of a segment, with the bytes before and after, in bounded memory: copies of
//! as many blocks as fit, and hashes of the others. A hashed block that changes gets a copy if
//! there is room.

use super::zeros::first_nonzero;
use super::{Chunk, Chunks, PageBuffer, Progress, Reader};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// The approximate block size in bytes.
const BLOCK: u64 = 4096;
/// The minimum number of bytes per read.
const CHUNK: u64 = 256 << 10;
/// The maximum bytes of copies after the first pass.
const FIRST_COPIES: usize = 64 << 20;
/// The maximum bytes of all copies.
const MAX_COPIES: usize = 128 << 20;
/// The approximate number of bytes that one step reads. Small in tests, so that a pass takes
/// several steps.
const STEP: u64 = if cfg!(test) { 1 << 20 } else { 64 << 20 };
/// The approximate number of changed bytes that one step returns.
const CHANGES: usize = 1 << 20;

/// The contents of a segment when they were last read, from one offset on.
pub struct Tracker {
    start: u64,
    /// The block size in bytes: a multiple of the value size, so that no value is split.
    block: u64,
    /// Missing blocks contain zeros.
    kept: BTreeMap<u64, Kept>,
    copied: usize,
    /// The first pass is complete.
    seen: bool,
    /// The offset at which the pass continues; `None` between passes.
    at: Option<u64>,
    buffer: PageBuffer,
}

enum Kept {
    Copy(Box<[u8]>),
    Hash(u64),
}

/// A block that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub offset: u64,
    /// The previous bytes, as many as now; `None` if there was no room to keep them.
    pub old: Option<Box<[u8]>>,
    pub new: Box<[u8]>,
}

impl Tracker {
    /// Returns an empty tracker of values of `value` bytes, starting at `start`.
    #[must_use]
    pub fn new(start: u64, value: u64) -> Self {
        let value = value.max(1);
        Self {
            start,
            block: BLOCK.div_ceil(value) * value,
            kept: BTreeMap::new(),
            copied: 0,
            seen: false,
            at: None,
            buffer: PageBuffer::default(),
        }
    }

    /// Returns true between passes.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.at.is_none()
    }

    /// Starts or continues a pass over everything up to `end`. Returns the changes since the
    /// previous pass; the first pass finds none.
    ///
    /// # Errors
    /// Fails if the kernel refuses to read.
    pub fn step(&mut self, reader: &Reader, end: u64) -> io::Result<Vec<Change>> {
        let from = self.at.unwrap_or(self.start);
        let progress = Progress::new();
        let mut chunks = Chunks::new(reader, from..end, self.block, &progress)?;
        let room = usize::try_from(CHUNK.max(self.block)).map_err(io::Error::other)?;
        let size = usize::try_from(self.block).map_err(io::Error::other)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        if buffer.capacity() < room {
            buffer = PageBuffer::with_capacity(room);
        }
        let (mut changes, mut read, mut found) = (vec![], 0, 0);
        while read < STEP && found < CHANGES {
            let offset = chunks.offset();
            let before = changes.len();
            match chunks.next(&mut buffer)? {
                None => {
                    // Bytes past the end are gone, and read as zeros if the segment grows again.
                    for (_, kept) in self.kept.split_off(&chunks.offset()) {
                        self.copied -= kept.copied();
                    }
                    (self.buffer, self.seen, self.at) = (buffer, true, None);
                    return Ok(changes);
                }
                Some(Chunk::Bytes(count)) => {
                    read += count as u64;
                    let blocks = (offset..).step_by(size).zip(buffer[..count].chunks(size));
                    changes.extend(blocks.filter_map(|(offset, block)| self.block(offset, block)));
                }
                Some(Chunk::Hole(length)) => {
                    self.at = self.hole(offset..offset + length, size, &mut changes);
                    if self.at.is_some() {
                        self.buffer = buffer;
                        return Ok(changes);
                    }
                }
            }
            found += changes[before..].iter().map(|change| change.new.len()).sum::<usize>();
        }
        (self.buffer, self.at) = (buffer, Some(chunks.offset()));
        Ok(changes)
    }

    fn block(&mut self, offset: u64, new: &[u8]) -> Option<Change> {
        let zeros = first_nonzero(new).is_none();
        let was = self.kept.get(&offset);
        let same = match was {
            None => zeros,
            Some(Kept::Copy(old)) => **old == *new,
            Some(Kept::Hash(hash)) => *hash == xxh3_64(new),
        };
        if same {
            return None;
        }
        let was = self.take(offset);
        if !zeros {
            let kept = self.keep(new);
            self.kept.insert(offset, kept);
        }
        self.change(offset, was, new)
    }

    /// Reports the blocks of a hole, which now read as zeros. Returns the offset at which to
    /// continue if the step is full.
    fn hole(&mut self, range: Range<u64>, size: usize, changes: &mut Vec<Change>) -> Option<u64> {
        let most = changes.len() + CHANGES / size + 1;
        while let Some((&offset, _)) = self.kept.range(range.clone()).next() {
            if changes.len() >= most {
                return Some(offset);
            }
            let was = self.take(offset);
            let length = usize::try_from(range.end - offset).unwrap_or(size).min(size);
            changes.extend(self.change(offset, was, &vec![0; length]));
        }
        None
    }

    fn take(&mut self, offset: u64) -> Option<Kept> {
        let kept = self.kept.remove(&offset)?;
        self.copied -= kept.copied();
        Some(kept)
    }

    fn change(&self, offset: u64, was: Option<Kept>, new: &[u8]) -> Option<Change> {
        if !self.seen {
            return None;
        }
        let old = match was {
            Some(Kept::Hash(_)) => None,
            Some(Kept::Copy(old)) => Some(old.into_vec()),
            None => Some(vec![]),
        };
        // New bytes at the end were zeros before.
        let old = old.map(|mut old| {
            old.resize(new.len(), 0);
            old.into_boxed_slice()
        });
        (old.as_deref() != Some(new)).then(|| Change { offset, old, new: new.into() })
    }

    fn keep(&mut self, bytes: &[u8]) -> Kept {
        let room = if self.seen { MAX_COPIES } else { FIRST_COPIES };
        if self.copied + bytes.len() <= room {
            self.copied += bytes.len();
            Kept::Copy(bytes.into())
        } else {
            Kept::Hash(xxh3_64(bytes))
        }
    }
}

impl Kept {
    fn copied(&self) -> usize {
        match self {
            Self::Copy(bytes) => bytes.len(),
            Self::Hash(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeBytes;
    use crate::memory::example::object;

    type Reported = Vec<(u64, Option<Vec<u8>>, Vec<u8>)>;

    fn pass(reader: &Reader, tracker: &mut Tracker, end: u64) -> Reported {
        let mut reported = vec![];
        loop {
            let changes = tracker.step(reader, end).unwrap().into_iter();
            reported.extend(
                changes.map(|change| (change.offset, change.old.map(Vec::from), change.new.to_vec())),
            );
            if tracker.is_complete() {
                return reported;
            }
        }
    }

    #[test]
    fn a_large_pass_takes_several_steps_and_finds_every_change_once() {
        let (machine, reader) = object(FakeBytes::full(&vec![1; 5 << 20]));
        let mut tracker = Tracker::new(0, 1);
        assert!(tracker.step(&reader, u64::MAX).unwrap().is_empty() && !tracker.is_complete());
        assert!(pass(&reader, &mut tracker, u64::MAX).is_empty());
        machine.edit_object("a", |bytes| bytes.write(0, &vec![2; 5 << 20]));
        let reported = pass(&reader, &mut tracker, u64::MAX);
        let offsets: Vec<u64> = reported.iter().map(|(offset, ..)| *offset).collect();
        assert_eq!(offsets, (0..5 << 20).step_by(4096).collect::<Vec<u64>>());
        assert!(reported.iter().all(|(_, old, new)| old.as_ref().unwrap()[0] == 1 && new[0] == 2));
    }

    #[test]
    fn only_changed_blocks_are_reported() {
        let (machine, reader) = object(FakeBytes::full(&[1; 10_000]));
        let mut tracker = Tracker::new(0, 1);
        assert!(pass(&reader, &mut tracker, u64::MAX).is_empty());
        assert!(pass(&reader, &mut tracker, u64::MAX).is_empty());
        machine.edit_object("a", |bytes| bytes.write(9999, &[2]));
        let reported = pass(&reader, &mut tracker, u64::MAX);
        assert_eq!(reported.len(), 1);
        let (offset, old, new) = &reported[0];
        assert_eq!((*offset, old.as_ref().unwrap()[1807], new[1807], new.len()), (8192, 1, 2, 1808));
        assert!(pass(&reader, &mut tracker, u64::MAX).is_empty());
    }

    #[test]
    fn holes_may_be_filled_and_punched_in_the_largest_segment() {
        let (machine, reader) = object(FakeBytes::hole(1 << 46));
        let mut tracker = Tracker::new(0, 1);
        assert!(pass(&reader, &mut tracker, u64::MAX).is_empty());
        machine.edit_object("a", |bytes| bytes.write((1 << 45) + 5, &[7]));
        let reported = pass(&reader, &mut tracker, u64::MAX);
        assert_eq!((reported.len(), reported[0].0, reported[0].2[5]), (1, 1 << 45, 7));
        machine.edit_object("a", |bytes| bytes.pages.clear());
        let reported = pass(&reader, &mut tracker, u64::MAX);
        assert_eq!((reported.len(), reported[0].1.as_ref().unwrap()[5], reported[0].2[5]), (1, 7, 0));
        assert_eq!((tracker.kept.len(), tracker.copied), (0, 0));
    }

    #[test]
    fn a_segment_grows_and_shrinks() {
        let (machine, reader) = object(FakeBytes::full(&[1; 5000]));
        let mut tracker = Tracker::new(0, 1);
        pass(&reader, &mut tracker, u64::MAX);
        machine.edit_object("a", |bytes| bytes.size = 100);
        // Truncated bytes do not count as changed.
        let reported = pass(&reader, &mut tracker, u64::MAX);
        assert!(reported.iter().all(|(_, old, new)| old.as_deref() == Some(new)), "{reported:?}");
        machine.edit_object("a", |bytes| bytes.size = 9000);
        pass(&reader, &mut tracker, u64::MAX);
        machine.edit_object("a", |bytes| bytes.write(8999, &[3]));
        let reported = pass(&reader, &mut tracker, u64::MAX);
        assert_eq!((reported.len(), reported[0].0, reported[0].2.last()), (1, 8192, Some(&3)));
    }

    #[test]
    fn changes_without_a_copy_are_reported() {
        let (machine, reader) = object(FakeBytes::full(&[1; 8192]));
        let mut tracker = Tracker::new(0, 1);
        tracker.copied = FIRST_COPIES - 4096;
        pass(&reader, &mut tracker, u64::MAX);
        assert!(matches!(tracker.kept[&4096], Kept::Hash(_)));
        machine.edit_object("a", |bytes| bytes.write(4096, &[2]));
        let reported = pass(&reader, &mut tracker, u64::MAX);
        assert_eq!((reported.len(), reported[0].0, &reported[0].1), (1, 4096, &None));
        // From now on the block has a copy.
        machine.edit_object("a", |bytes| bytes.write(4096, &[3]));
        let reported = pass(&reader, &mut tracker, u64::MAX);
        assert_eq!((reported.len(), reported[0].1.as_ref().unwrap()[0]), (1, 2));
    }

    #[test]
    fn no_value_is_split_between_blocks() {
        let (machine, reader) = object(FakeBytes::full(&vec![1; 30_000]));
        let mut tracker = Tracker::new(5, 24);
        pass(&reader, &mut tracker, 20_005);
        machine.edit_object("a", |bytes| bytes.write(0, &vec![2; 30_000]));
        let reported = pass(&reader, &mut tracker, 20_005);
        assert!(reported.iter().all(|(offset, _, _)| (offset - 5).is_multiple_of(24)));
        assert_eq!(reported.iter().map(|(_, _, new)| new.len()).sum::<usize>(), 20_000);
    }
}

//! What a segment held when it was looked at last, in bounded memory: copies
//! of its blocks as far as they fit, a hash of each of the others. A block of
//! the others that changes gets a copy, as long as there is room.

use crate::memory::{PageBuffer, Piece, Pieces, Progress, Reader};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of a block, about.
const BLOCK: u64 = 4096;
/// Bytes that are read at once, at least.
const PIECE: u64 = 256 << 10;
/// Bytes of copies that are taken when it is looked at first.
const FIRST_COPIES: usize = 64 << 20;
/// Bytes of copies there may be in all.
const COPIES: usize = 128 << 20;

/// What is remembered of a segment, from one offset on.
pub struct Picture {
    start: u64,
    /// Bytes of a block: whole values, so that none stands in two.
    block: u64,
    /// What is not here holds zeros.
    kept: BTreeMap<u64, Kept>,
    copied: usize,
    /// Whether it was looked at before.
    seen: bool,
}

enum Kept {
    Copy(Box<[u8]>),
    Hash(u64),
}

/// A block that is not as it was.
pub struct Change<'a> {
    /// Where it begins.
    pub offset: u64,
    /// What it held before, as many bytes as now; `None` where there was no
    /// room to remember it.
    pub old: Option<&'a [u8]>,
    /// What it holds now.
    pub new: &'a [u8],
}

impl Picture {
    /// Nothing is remembered yet. Values of `value` bytes stand one after the
    /// other from `start` on.
    pub const fn new(start: u64, value: u64) -> Self {
        let value = if value == 0 { 1 } else { value };
        let block = BLOCK.div_ceil(value) * value;
        Self { start, block, kept: BTreeMap::new(), copied: 0, seen: false }
    }

    /// Looks at everything up to `end`, tells what changed since the last time,
    /// and remembers it. The first time nothing has changed. When `changed`
    /// breaks off, so does it.
    ///
    /// # Errors
    /// When the kernel refuses to read.
    pub fn look(
        &mut self,
        reader: &Reader,
        end: u64,
        progress: &Progress,
        mut changed: impl FnMut(Change<'_>) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        let mut pieces = Pieces::new(reader, self.start..end, self.block, progress)?;
        let mut bytes =
            PageBuffer::with_capacity(usize::try_from(PIECE.max(self.block)).map_err(io::Error::other)?);
        let size = usize::try_from(self.block).map_err(io::Error::other)?;
        loop {
            let offset = pieces.offset();
            let flow = match pieces.next(&mut bytes)? {
                None => break,
                Some(Piece::Bytes(count)) => {
                    let mut at = offset;
                    bytes[..count].chunks(size).try_for_each(|block| {
                        let flow = self.block(at, block, &mut changed);
                        at += block.len() as u64;
                        flow
                    })
                }
                Some(Piece::Hole(length)) => self.hole(offset..offset + length, size, &mut changed),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        // What lies behind the end now is gone, and was zeros should it come back.
        for (_, kept) in self.kept.split_off(&pieces.offset()) {
            self.copied -= kept.copied();
        }
        self.seen = true;
        Ok(ControlFlow::Continue(()))
    }

    fn block(
        &mut self,
        offset: u64,
        new: &[u8],
        changed: &mut impl FnMut(Change<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let zeros = is_zero(new);
        match self.kept.remove(&offset) {
            None if zeros => ControlFlow::Continue(()),
            Some(Kept::Copy(old)) if *old == *new => {
                self.kept.insert(offset, Kept::Copy(old));
                ControlFlow::Continue(())
            }
            Some(Kept::Hash(hash)) if hash == xxh3_64(new) => {
                self.kept.insert(offset, Kept::Hash(hash));
                ControlFlow::Continue(())
            }
            was => {
                self.copied -= was.as_ref().map_or(0, Kept::copied);
                if !zeros {
                    let kept = self.keep(new);
                    self.kept.insert(offset, kept);
                }
                self.tell(offset, was, new, changed)
            }
        }
    }

    /// Everything that was remembered here is gone: it reads as zeros.
    fn hole(
        &mut self,
        range: std::ops::Range<u64>,
        size: usize,
        changed: &mut impl FnMut(Change<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        while let Some((&offset, _)) = self.kept.range(range.clone()).next() {
            let was = self.kept.remove(&offset);
            self.copied -= was.as_ref().map_or(0, Kept::copied);
            let length = usize::try_from(range.end - offset).unwrap_or(size).min(size);
            self.tell(offset, was, &vec![0; length], changed)?;
        }
        ControlFlow::Continue(())
    }

    fn tell(
        &self,
        offset: u64,
        was: Option<Kept>,
        new: &[u8],
        changed: &mut impl FnMut(Change<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if !self.seen {
            return ControlFlow::Continue(());
        }
        let old = match was {
            Some(Kept::Hash(_)) => None,
            Some(Kept::Copy(old)) => Some(old.into_vec()),
            None => Some(vec![]),
        };
        // Where it has grown there were no bytes before: zeros.
        let old = old.map(|mut old| {
            old.resize(new.len(), 0);
            old
        });
        if old.as_deref() == Some(new) {
            return ControlFlow::Continue(());
        }
        changed(Change { offset, old: old.as_deref(), new })
    }

    fn keep(&mut self, bytes: &[u8]) -> Kept {
        let room = if self.seen { COPIES } else { FIRST_COPIES };
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

fn is_zero(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<64>();
    chunks.iter().all(|chunk| *chunk == [0; 64]) && rest.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::survey::{Names, Survey};

    type Told = Vec<(u64, Option<Vec<u8>>, Vec<u8>)>;

    struct World {
        machine: MadeMachine,
        reader: Reader,
    }

    impl World {
        fn new(bytes: MadeBytes) -> Self {
            let machine = MadeMachine::new();
            machine.add_object("a", bytes);
            let survey = Survey::take(&machine, &mut Names::default());
            let reader = Reader::open(&machine, &survey.segments[0]).unwrap();
            Self { machine, reader }
        }

        fn look(&self, picture: &mut Picture, end: u64) -> Told {
            let mut told = vec![];
            let progress = Progress::new();
            let flow = picture.look(&self.reader, end, &progress, |change| {
                told.push((change.offset, change.old.map(<[u8]>::to_vec), change.new.to_vec()));
                ControlFlow::Continue(())
            });
            assert!(flow.unwrap().is_continue());
            told
        }
    }

    #[test]
    fn blocks_that_change_and_no_others() {
        let world = World::new(MadeBytes::full(&[1; 10_000]));
        let mut picture = Picture::new(0, 1);
        assert!(world.look(&mut picture, u64::MAX).is_empty());
        assert!(world.look(&mut picture, u64::MAX).is_empty());
        world.machine.edit_object("a", |bytes| bytes.write(9999, &[2]));
        let told = world.look(&mut picture, u64::MAX);
        assert_eq!(told.len(), 1);
        let (offset, old, new) = &told[0];
        assert_eq!((*offset, old.as_ref().unwrap()[1807], new[1807], new.len()), (8192, 1, 2, 1808));
        assert!(world.look(&mut picture, u64::MAX).is_empty());
    }

    #[test]
    fn holes_come_and_go_in_a_segment_of_any_size() {
        let world = World::new(MadeBytes::hole(1 << 46));
        let mut picture = Picture::new(0, 1);
        assert!(world.look(&mut picture, u64::MAX).is_empty());
        world.machine.edit_object("a", |bytes| bytes.write((1 << 45) + 5, &[7]));
        let told = world.look(&mut picture, u64::MAX);
        assert_eq!((told.len(), told[0].0, told[0].2[5]), (1, 1 << 45, 7));
        world.machine.edit_object("a", |bytes| bytes.pages.clear());
        let told = world.look(&mut picture, u64::MAX);
        assert_eq!((told.len(), told[0].1.as_ref().unwrap()[5], told[0].2[5]), (1, 7, 0));
        assert_eq!((picture.kept.len(), picture.copied), (0, 0));
    }

    #[test]
    fn a_segment_grows_and_shrinks() {
        let world = World::new(MadeBytes::full(&[1; 5000]));
        let mut picture = Picture::new(0, 1);
        world.look(&mut picture, u64::MAX);
        world.machine.edit_object("a", |bytes| bytes.size = 100);
        // What is cut off is no change of what is left.
        let told = world.look(&mut picture, u64::MAX);
        assert!(told.iter().all(|(_, old, new)| old.as_deref() == Some(new)), "{told:?}");
        world.machine.edit_object("a", |bytes| bytes.size = 9000);
        world.look(&mut picture, u64::MAX);
        world.machine.edit_object("a", |bytes| bytes.write(8999, &[3]));
        let told = world.look(&mut picture, u64::MAX);
        assert_eq!((told.len(), told[0].0, told[0].2.last()), (1, 8192, Some(&3)));
    }

    #[test]
    fn what_there_is_no_room_for_is_noticed_all_the_same() {
        let world = World::new(MadeBytes::full(&[1; 8192]));
        let mut picture = Picture::new(0, 1);
        picture.copied = FIRST_COPIES - 4096;
        world.look(&mut picture, u64::MAX);
        assert!(matches!(picture.kept[&4096], Kept::Hash(_)));
        world.machine.edit_object("a", |bytes| bytes.write(4096, &[2]));
        let told = world.look(&mut picture, u64::MAX);
        assert_eq!((told.len(), told[0].0, &told[0].1), (1, 4096, &None));
        // From now on it is remembered.
        world.machine.edit_object("a", |bytes| bytes.write(4096, &[3]));
        let told = world.look(&mut picture, u64::MAX);
        assert_eq!((told.len(), told[0].1.as_ref().unwrap()[0]), (1, 2));
    }

    #[test]
    fn a_value_never_stands_in_two_blocks() {
        let world = World::new(MadeBytes::full(&vec![1; 30_000]));
        let mut picture = Picture::new(5, 24);
        world.look(&mut picture, 20_005);
        world.machine.edit_object("a", |bytes| bytes.write(0, &vec![2; 30_000]));
        let told = world.look(&mut picture, 20_005);
        assert!(told.iter().all(|(offset, _, _)| (offset - 5).is_multiple_of(24)));
        assert_eq!(told.iter().map(|(_, _, new)| new.len()).sum::<usize>(), 20_000);
    }
}

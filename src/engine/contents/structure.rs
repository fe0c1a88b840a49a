//! Keeps a type that is built from the contents up to date: it is built again when the bytes change
//! that it was built from.

use crate::decode::layouts::{Built, Layout, LayoutError};
use crate::memory::{Reader, fill_resident};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use xxhash_rust::xxh3::xxh3_64;

/// Attempts to build the type while a program changes the structure.
const ATTEMPTS: usize = 3;
/// Parts and bytes that every check may read. A larger structure is checked less often.
const MAX_PARTS: usize = 8192;
const MAX_BYTES: usize = 1 << 20;

/// Fills a slice from an offset of a segment.
type Read = fn(&Reader, u64, &mut [u8]) -> bool;

/// The type of a layout, and the parts of the segment that determine it.
pub struct Structure {
    layout: Layout,
    read: Read,
    size: u64,
    /// The hashes of the bytes that the type was built from, by offset and length. `None` for bytes
    /// that were not read.
    parts: BTreeMap<(u64, usize), Option<u64>>,
    built: Option<Result<Built, LayoutError>>,
    /// The number of checks to leave out.
    rest: usize,
}

impl Structure {
    pub fn new(layout: Layout) -> Self {
        Self::reading(layout, Reader::fill_all)
    }

    /// Returns a structure that is not read where it is swapped out.
    pub fn resident(layout: Layout) -> Self {
        Self::reading(layout, fill_resident)
    }

    const fn reading(layout: Layout, read: Read) -> Self {
        Self { layout, read, size: 0, parts: BTreeMap::new(), built: None, rest: 0 }
    }

    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the type if it has changed, or why the contents do not have the layout. The first
    /// check counts as a change.
    ///
    /// # Errors
    /// Fails if the segment can no longer be examined.
    pub fn check(&mut self, reader: &Reader) -> io::Result<Option<Result<Built, LayoutError>>> {
        let size = reader.size()?;
        if self.built.is_some() && size == self.size {
            if self.rest > 0 {
                self.rest -= 1;
                return Ok(None);
            }
            self.rest = self.cost();
            if self.is_same(reader) {
                return Ok(None);
            }
        }
        self.size = size;
        let mut built = self.build(reader);
        for _ in 1..ATTEMPTS {
            if built.is_ok() {
                break;
            }
            built = self.build(reader);
        }
        let is_same = self.built.as_ref() == Some(&built);
        self.built = Some(built.clone());
        Ok((!is_same).then_some(built))
    }

    /// The last result of a check.
    pub fn built(&self) -> Option<&Result<Built, LayoutError>> {
        self.built.as_ref()
    }

    /// Returns the number of checks that a check takes the time of.
    fn cost(&self) -> usize {
        let bytes: usize = self.parts.keys().map(|(_, length)| length).sum();
        self.parts.len() / MAX_PARTS + bytes / MAX_BYTES
    }

    fn is_same(&self, reader: &Reader) -> bool {
        let mut buffer = vec![];
        self.parts.iter().all(|(&(offset, length), hash)| {
            buffer.resize(length, 0);
            self.hash_of(reader, offset, &mut buffer) == *hash
        })
    }

    fn build(&mut self, reader: &Reader) -> Result<Built, LayoutError> {
        let parts = RefCell::new(BTreeMap::new());
        let peek = |offset: u64, into: &mut [u8]| {
            let hash = self.hash_of(reader, offset, into);
            parts.borrow_mut().insert((offset, into.len()), hash);
            hash.is_some()
        };
        let built = self.layout.build(&peek, self.size);
        self.parts = parts.into_inner();
        built
    }

    /// Fills a buffer and returns its hash.
    fn hash_of(&self, reader: &Reader, offset: u64, into: &mut [u8]) -> Option<u64> {
        (self.read)(reader, offset, into).then(|| xxh3_64(into))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    #[test]
    fn type_is_built_again_when_its_bytes_change() {
        let machine = FakeMachine::new();
        let mut bytes = FakeBytes::hole(4096);
        for (at, word) in [1_u64, 0, 8, 7].iter().enumerate() {
            bytes.write(8 * at as u64, &word.to_le_bytes());
        }
        bytes.write(32, b"q\0\0\0\0\0\0\0\0");
        machine.add_object("a", bytes);
        let survey = Survey::take(&machine, &mut Names::default());
        let reader = Reader::open(&machine, &survey.segments[0]).unwrap();
        let mut structure = Structure::new(Layout::SharedList);
        let mut check = || structure.check(&reader).unwrap();
        let text = |built: Option<Result<Built, LayoutError>>| match built.unwrap() {
            Ok(built) => built.ty.place(&crate::decode::Path(vec![0])).unwrap().ty.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(text(check()), "i64");
        assert_eq!(check(), None);
        // A value is no part of the structure.
        machine.edit_object("a", |bytes| bytes.write(24, &8_u64.to_le_bytes()));
        assert_eq!(check(), None);
        machine.edit_object("a", |bytes| bytes.write(32, b"d"));
        assert_eq!(text(check()), "f64");
        machine.edit_object("a", |bytes| bytes.write(32, b"x"));
        assert!(text(check()).contains("item [0] has format 'x'"));
        assert_eq!(check(), None);
        machine.edit_object("a", |bytes| bytes.write(32, b"q"));
        assert_eq!(text(check()), "i64");
    }
}

//! The segments of a demo: names, sizes and initial contents.

use super::list::{self, Item};
use super::mark::{self, Maker};
use super::{ring, sparse, state};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// POSIX, a ring buffer that changes.
    Ring,
    /// POSIX, a Python `ShareableList` that changes.
    List,
    /// System V, a C++ struct with a lock that changes.
    State,
    /// System V, created by a process that has exited.
    Orphan,
    /// POSIX, large and almost empty.
    Sparse,
}

/// Indexes of list items that change.
pub mod item {
    pub const TICK: usize = 1;
    pub const SINE: usize = 2;
    /// True while the sine rises.
    pub const RISING: usize = 3;
    pub const STATE: usize = 4;
}

/// Returns the list items at a tick. Their sizes never change.
pub fn items(made_by: &str, tick: u32) -> [Item<'_>; 7] {
    [
        Item::Text(made_by),
        Item::Int(i64::from(tick)),
        Item::Float(state::sine(tick)),
        Item::Bool(state::sine(tick + 1) > state::sine(tick)),
        Item::Text(state::state(tick).1),
        Item::Bytes(b"\x01\x02\x03\xff"),
        Item::None,
    ]
}

impl Part {
    /// All parts, in the order of creation and of the table.
    pub const ALL: [Self; 5] = [Self::Ring, Self::List, Self::State, Self::Orphan, Self::Sparse];

    /// The name in marks and object names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::List => "list",
            Self::State => "state",
            Self::Orphan => "orphan",
            Self::Sparse => "sparse",
        }
    }

    pub const fn about(self) -> &'static str {
        match self {
            Self::Ring => "ring buffer of quotes: writer -> reader.py",
            Self::List => "Python ShareableList: reader.py -> writer",
            Self::State => "C++ struct with a lock: writer -> reader.py",
            Self::Orphan => "leaked: no holders, its creator has exited",
            Self::Sparse => "sparse, 1% written",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    pub const fn is_sysv(self) -> bool {
        matches!(self, Self::State | Self::Orphan)
    }

    /// Returns the offset of the mark. It is not 0 in the Python list, which starts with a table.
    pub const fn mark_at(self) -> u64 {
        match self {
            Self::List => list::data_start(7) as u64,
            _ => 0,
        }
    }

    /// Returns the size if it is the same in every demo.
    pub const fn fixed_size(self) -> Option<u64> {
        match self {
            Self::Ring => Some(ring::SIZE as u64),
            Self::State => Some(state::SIZE as u64),
            Self::Orphan => Some(ORPHAN_SIZE as u64),
            // The list contains the mark, whose length depends on the pid.
            Self::List => None,
            Self::Sparse => Some(sparse::SIZE),
        }
    }

    pub fn size(self, maker: &Maker) -> u64 {
        self.fixed_size().unwrap_or_else(|| self.content(maker).len() as u64)
    }

    /// Returns the contents at tick 0. Large parts return only the start.
    pub fn content(self, maker: &Maker) -> Vec<u8> {
        let mark = maker.bytes(self.name());
        match self {
            Self::Ring => ring::first(&mark),
            Self::State => state::first(&mark),
            Self::List => list::bytes(&items(&maker.line(self.name()), 0)),
            Self::Sparse => with_mark(mark, &sparse::content(0)),
            Self::Orphan => with_mark(mark, &LEFT_BEHIND.repeat(ORPHAN_SIZE / 8 / LEFT_BEHIND.len())),
        }
    }
}

const ORPHAN_SIZE: usize = 1 << 20;
const LEFT_BEHIND: &[u8] = b"Left behind by a process that ended without removing it.\n       ";

fn with_mark(mark: [u8; mark::LENGTH], content: &[u8]) -> Vec<u8> {
    let mut bytes = mark.to_vec();
    bytes.extend(content.iter().skip(mark.len()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_contains_its_mark() {
        let maker = Maker::new().unwrap();
        for part in Part::ALL {
            let content = part.content(&maker);
            let at = usize::try_from(part.mark_at()).unwrap();
            let found = Maker::read(&content[at..at + mark::LENGTH]);
            assert_eq!(found, Some((maker, part.name().to_owned())), "{part:?}");
            assert!(content.len() as u64 <= part.size(&maker), "{part:?}");
            assert_eq!(Part::from_name(part.name()), Some(part));
        }
        assert_eq!(Part::Ring.size(&maker), 65_536);
    }

    #[test]
    fn list_items_always_fit_their_slots() {
        let first = items("me", 0);
        for tick in 1..1000 {
            let now = items("me", tick);
            assert!(first.iter().zip(&now).all(|(then, now)| then.slot() == now.slot()), "at {tick}");
        }
    }
}

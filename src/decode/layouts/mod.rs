//! Layouts that are recognized by their contents, and others that are known by name.
//!
//! The contents may come from anybody, and may change while they are read: every walk is bounded, and
//! every offset is checked.

mod boost;
mod headers;
mod lock;
mod npy;
mod semaphore;
mod shared_list;
mod sync;

pub use lock::{LockKind, LockState, locks_in, path_of_lock};
pub use npy::{NpyRows, rows as npy_rows};
pub use semaphore::{Library, Semaphore, read as read_semaphore};
pub use shared_list::is_one as is_shared_list;

use super::{Type, TypeError};
use crate::segment::quote;

/// Fills a buffer from an offset. Returns false unless all of it can be read.
pub type Peek<'a> = dyn Fn(u64, &mut [u8]) -> bool + 'a;

/// A layout whose type depends on the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Python's `ShareableList`.
    SharedList,
    /// A file of numpy: `.npy`.
    Npy,
    /// A `managed_shared_memory` of Boost.Interprocess.
    Boost,
}

/// A type that was built from the contents of a segment. It starts at the start of the segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub ty: Type,
    /// The values in it: items, elements, or objects.
    pub count: u64,
    /// Set if the contents could hardly be anything else.
    pub is_certain: bool,
    /// Why it fits.
    pub evidence: String,
    /// A remark on the values, such as a changed order.
    pub note: Option<String>,
}

/// The reason why contents do not have a layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error("the contents are not {layout}: {problem}")]
    Differs { layout: &'static str, problem: String },
    /// The bytes at an offset cannot be read.
    #[error("failed to read {layout} at offset {offset:#x}")]
    Unread { layout: &'static str, offset: u64 },
}

impl Layout {
    pub const ALL: [Self; 3] = [Self::SharedList, Self::Npy, Self::Boost];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SharedList => "sharedlist",
            Self::Npy => "npy",
            Self::Boost => "boost",
        }
    }

    /// The name in a sentence.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::SharedList => "a ShareableList",
            Self::Npy => "an array in .npy format",
            Self::Boost => "a managed segment of Boost.Interprocess",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.word() == word.trim())
    }

    /// Builds the type of the contents of a segment.
    ///
    /// # Errors
    /// Fails if the contents do not have this layout, with the first contradiction.
    pub fn build(self, contents: &Peek<'_>, size: u64) -> Result<Built, LayoutError> {
        let source = Source { contents, size, layout: self.noun() };
        match self {
            Self::SharedList => shared_list::build(&source),
            Self::Npy => npy::build(&source),
            Self::Boost => boost::build(&source),
        }
    }
}

/// Returns the type of a layout that is the same for all contents: `mutex`, `cond`, `rwlock`,
/// `barrier`, `sem`, and headers: `postgresql`, `php`, `xwd`, `pulseaudio`.
#[must_use]
pub fn named(word: &str) -> Option<Type> {
    sync::named(word).or_else(|| headers::named(word))
}

/// A type that fits the contents of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// The name for `dump --as`.
    pub name: String,
    pub offset: u64,
    pub built: Built,
}

/// Finds the types that fit the contents of a segment, best first. `is_named_semaphore` is set for
/// objects whose name is that of a POSIX semaphore.
#[must_use]
pub fn fitting(contents: &Peek<'_>, size: u64, is_named_semaphore: bool) -> Vec<Fit> {
    let built = Layout::ALL.into_iter().filter_map(|layout| {
        let built = layout.build(contents, size).ok().filter(|built| built.count > 0 || built.is_certain)?;
        Some(Fit { name: layout.word().to_owned(), offset: 0, built })
    });
    let mut found: Vec<Fit> = built
        .chain(headers::fitting(contents, size))
        .chain(sync::fitting(contents, size, is_named_semaphore))
        .collect();
    found.sort_by_key(|fit| (!fit.built.is_certain, fit.offset));
    found
}

/// The contents of a segment, read field by field.
struct Source<'a> {
    contents: &'a Peek<'a>,
    size: u64,
    layout: &'static str,
}

impl Source<'_> {
    fn bytes<const N: usize>(&self, offset: u64) -> Result<[u8; N], LayoutError> {
        let mut bytes = [0; N];
        self.fill(offset, &mut bytes)?;
        Ok(bytes)
    }

    fn fill(&self, offset: u64, bytes: &mut [u8]) -> Result<(), LayoutError> {
        if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > self.size) {
            return Err(self.differs(format!("it would end after the segment, at {:#x}", self.size)));
        }
        if (self.contents)(offset, bytes) {
            Ok(())
        } else {
            Err(LayoutError::Unread { layout: self.layout, offset })
        }
    }

    fn vec(&self, offset: u64, length: u64) -> Result<Vec<u8>, LayoutError> {
        if offset.checked_add(length).is_none_or(|end| end > self.size) {
            return Err(self.differs(format!("it would end after the segment, at {:#x}", self.size)));
        }
        let length = usize::try_from(length).map_err(|_| self.differs("too large"))?;
        let mut bytes = vec![0; length];
        self.fill(offset, &mut bytes)?;
        Ok(bytes)
    }

    fn u64(&self, offset: u64) -> Result<u64, LayoutError> {
        self.bytes(offset).map(u64::from_le_bytes)
    }

    fn u32(&self, offset: u64) -> Result<u32, LayoutError> {
        self.bytes(offset).map(u32::from_le_bytes)
    }

    /// `problem` may quote the contents.
    fn differs(&self, problem: impl AsRef<str>) -> LayoutError {
        LayoutError::Differs { layout: self.layout, problem: quote(problem.as_ref().as_bytes()) }
    }

    fn too_large(&self, error: TypeError) -> LayoutError {
        self.differs(error.to_string())
    }
}

/// `1 item`, `7 items`
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;

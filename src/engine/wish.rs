//! Actions on segments as the user requests them.

use crate::act::{Action, Revert, SavedCopy, Undone};
use crate::segment::Segment;
use std::path::PathBuf;

/// A requested action. The plan adds the details and obstacles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Lock the segment in memory.
    Lock,
    /// Allow the segment to be swapped out again.
    Unlock,
    Remove {
        /// Save a copy for restoring the segment.
        copy: bool,
    },
    /// Set the permission bits, the owner and group, or all of them.
    Access(Action),
}

/// An action on one segment.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The segment as it was shown.
    pub segment: Box<Segment>,
    pub wanted: Wanted,
    /// Act even if the segment is held or may be held; confirmed for this segment only.
    pub force: bool,
}

/// A segment to save, and its file.
#[derive(Debug, Clone)]
pub struct SaveWish {
    /// The segment as it was shown.
    pub segment: Box<Segment>,
    pub path: PathBuf,
    pub replace: bool,
}

/// An undo of the last action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Segments were removed: restore these copies.
    Copies(Vec<SavedCopy>),
    /// Segments were changed: plan the reverse changes for exactly the same segments.
    Acts(Vec<Revert>),
}

impl Wanted {
    /// Returns the verb for headings and keys.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Remove { .. } => "remove",
            Self::Access(_) => "change",
        }
    }
}

impl Undo {
    /// Returns what a retry can undo, given the results so far. A segment that was not attempted
    /// has no result.
    #[must_use]
    pub fn left(self, results: &[Undone]) -> Option<Self> {
        fn rest<T>(items: Vec<T>, results: &[Undone]) -> Vec<T> {
            let remains = |at: usize| match results.get(at).map(|undone| &undone.result) {
                None => true,
                Some(result) => result.as_ref().is_err_and(|failure| failure.again),
            };
            items.into_iter().enumerate().filter(|(at, _)| remains(*at)).map(|(_, item)| item).collect()
        }
        match self {
            Self::Copies(copies) => {
                Some(rest(copies, results)).filter(|left| !left.is_empty()).map(Self::Copies)
            }
            Self::Acts(acts) => Some(rest(acts, results)).filter(|left| !left.is_empty()).map(Self::Acts),
        }
    }
}

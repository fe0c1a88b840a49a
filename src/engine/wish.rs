//! Actions on segments as a person asks for them.

use crate::act::{Action, Revert, SavedCopy, Undone};
use crate::segment::Segment;
use std::path::PathBuf;

/// An action as it is asked for. Its details, and what stands against it, are in
/// the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Keep it in memory.
    Lock,
    /// Let it be swapped out again.
    Unlock,
    /// Remove it.
    Remove {
        /// Save a copy that restores it.
        copy: bool,
    },
    /// Set its permission bits, its owner and group, or all of them.
    Access(Action),
}

/// An action on one segment.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The segment, as it is shown.
    pub segment: Box<Segment>,
    /// The action.
    pub wanted: Wanted,
    /// Although it is held, or not known to be free; said for this very segment.
    pub force: bool,
}

/// A segment to save, and its file.
#[derive(Debug, Clone)]
pub struct SaveWish {
    /// The segment, as it was shown.
    pub segment: Box<Segment>,
    /// The file.
    pub path: PathBuf,
    /// Replace an existing file.
    pub replace: bool,
}

/// Undoes the last action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Segments were removed: these copies restore them.
    Copies(Vec<SavedCopy>),
    /// Segments were changed: planned again on the very same segments.
    Acts(Vec<Revert>),
}

impl Wanted {
    /// The verb of the heading and of the key that acts.
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
    /// Returns what another attempt can undo, given the results of this one. What
    /// was not attempted has no result.
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

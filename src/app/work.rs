//! The action in progress.

use crate::engine::{Undo, WorkProgress};

#[derive(Debug, Clone, Default)]
pub struct RunningAction {
    /// `None` until the engine reports progress.
    pub at: Option<WorkProgress>,
    /// A stop was requested.
    pub stopping: bool,
    /// The undo in progress, if any.
    pub undo: Option<Undo>,
}

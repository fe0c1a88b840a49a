//! The action in progress.

use crate::engine::{Undo, Working};

#[derive(Debug, Clone, Default)]
pub struct RunningAction {
    /// `None` until the engine reports progress.
    pub at: Option<Working>,
    /// A stop was requested.
    pub stopping: bool,
    /// The undo in progress, if any.
    pub undo: Option<Undo>,
}

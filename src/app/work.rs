//! The action that is running.

use crate::engine::{Undo, Working};

/// An action that was begun and has not ended.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Its progress; `None` while it takes no time to speak of.
    pub at: Option<Working>,
    /// It was asked to stop.
    pub stopping: bool,
    /// What is being undone, when it is an undo.
    pub undo: Option<Undo>,
}

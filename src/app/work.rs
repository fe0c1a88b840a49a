//! An act that is under way: how far it is, and whether it was asked to stop.

use super::effect::Undo;

/// An act that was begun and has not ended.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// How far it is; `None` as long as it takes no time to speak of.
    pub at: Option<Working>,
    /// Whether it was asked to stop.
    pub stopping: bool,
    /// What is being taken back, when it is an undo.
    pub undo: Option<Undo>,
}

/// How far an act is that takes long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Working {
    /// What is being done, to which segment; safe to print.
    pub what: String,
    /// Which one of them, from 1 on.
    pub item: usize,
    /// How many there are.
    pub items: usize,
    /// How many bytes of this one are done.
    pub done: u64,
    /// How many there are; 0 when it is not about bytes.
    pub total: u64,
}

impl Working {
    /// What is being done, and to which one of how many.
    #[must_use]
    pub fn text(&self) -> String {
        if self.items > 1 {
            format!("{}, {} of {}", self.what, self.item, self.items)
        } else {
            self.what.clone()
        }
    }
}

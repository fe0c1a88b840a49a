//! Events: the only way in which anything reaches the state.

use super::key::{Key, Mouse};
use crate::engine::Report;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// The mouse did something.
    Mouse(Mouse),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now.
    Resize(Size),
    /// Time has passed: a glow fades, a notice goes.
    Tick,
    /// The engine reports something.
    Engine(Report),
    /// Something that was asked for cannot be done; why, safe to print.
    Failed(String),
    /// We were stopped and go on: everything has to be drawn anew.
    Resumed,
}

/// The size of the terminal in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

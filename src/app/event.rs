//! Events, the only input of the state machine.

use super::key::{Key, Mouse};
use crate::engine::Report;

#[derive(Debug)]
pub enum Event {
    Key(Key),
    Mouse(Mouse),
    Paste(String),
    /// The new terminal size.
    Resize(Size),
    /// A timer tick, for the glow of changes.
    Tick,
    Engine(Report),
    /// An effect failed. The reason is safe to print.
    Failed(String),
    /// The process continues after a suspend.
    Resumed,
}

/// The size of the terminal in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

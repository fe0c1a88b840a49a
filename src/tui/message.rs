//! What reaches the loop: events for the program, and what the loop itself
//! has to do with.

use super::backlog::Slot;
use crate::app::Event;
use crate::sys::job::Whom;
use std::io;

/// Something for the loop.
#[derive(Debug)]
pub enum Message {
    /// Something for the program.
    Event(Event),
    /// A key, a click or pasted text, with its place in the backlog.
    Input(Event, Slot),
    /// Somebody asks us to stop (SIGTSTP).
    Stop(Whom),
    /// We were stopped by force and go on (SIGCONT): the terminal may have
    /// been changed meanwhile.
    Continued,
    /// The terminal has another size (SIGWINCH).
    Resized,
    /// A signal asks us to end.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
    /// A thread of ours panicked. It has said so already.
    Panicked,
    /// The terminal cannot be read any more.
    InputFailed(io::Error),
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

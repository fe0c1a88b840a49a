//! What reaches the loop: events for the program, and what the loop itself
//! has to do with.

use super::backlog::Slot;
use crate::app::Event;
use crate::engine::{self, Body, Report};
use crate::sys::job::StopTarget;
use std::io;
use std::sync::mpsc::Sender;

/// Something for the loop.
#[derive(Debug)]
pub enum Message {
    /// Something for the program.
    Event(Event),
    /// A key, a click or pasted text, with its place in the backlog.
    Input(Event, Slot),
    /// Somebody asks us to stop (SIGTSTP).
    Stop(StopTarget),
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

/// Starts a thread that sends messages. If it panics, the loop is told and ends the
/// program.
///
/// # Errors
/// When no thread can be started.
pub fn spawn(
    name: &str,
    messages: Sender<Message>,
    run: impl FnOnce(&Sender<Message>) + Send + 'static,
) -> io::Result<()> {
    let alarm = messages.clone();
    // When nobody listens any more, the program is ending anyway.
    let panicked = move || drop(alarm.send(Message::Panicked));
    engine::spawn(name, panicked, move || run(&messages))
}

impl From<Report> for Message {
    fn from(report: Report) -> Self {
        match report.body {
            Body::Panicked => Self::Panicked,
            _ => Self::Event(Event::Engine(report)),
        }
    }
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

//! Messages to the event loop: events for the program, and messages that the loop itself handles.

use super::backlog::Slot;
use crate::app::Event;
use crate::engine::{self, Body, Report};
use crate::sys::job::StopTarget;
use std::io;
use std::sync::mpsc::Sender;

#[derive(Debug)]
pub enum Message {
    Event(Event),
    /// User input, with its slot in the backlog.
    Input(Event, Slot),
    /// A request to suspend (SIGTSTP).
    Suspend(StopTarget),
    /// Resumed after a SIGSTOP (SIGCONT). The terminal may have changed.
    Continued,
    /// The terminal was resized (SIGWINCH).
    Resized,
    /// A signal that ends the program.
    Signal(i32),
    HungUp,
    /// A thread panicked and reported the panic.
    Panicked,
    /// Reading from the terminal failed.
    InputFailed(io::Error),
}

/// Starts a thread that sends messages. A panic in the thread ends the program.
pub fn spawn(
    name: &str,
    messages: Sender<Message>,
    run: impl FnOnce(&Sender<Message>) + Send + 'static,
) -> io::Result<()> {
    let alarm = messages.clone();
    // The receiver is gone when the program ends.
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

//! Effects that `update` requests. `update` itself does no I/O.

use crate::engine::Request;

/// A request to the engine, whose reports come back as events, or to the terminal.
#[derive(Debug, Clone)]
pub enum Effect {
    Engine(Request),
    /// Copies the text to the terminal's clipboard.
    Copy(String),
    /// Rings the bell of the terminal.
    Bell,
    /// Shows a notification of the desktop, if the terminal can. Safe to print.
    Notify(String),
    /// Turns mouse capture on or off.
    CaptureMouse(bool),
    /// Suspends the process, as Ctrl-Z does in a shell.
    Suspend,
    Quit,
}

impl From<Request> for Effect {
    fn from(request: Request) -> Self {
        Self::Engine(request)
    }
}

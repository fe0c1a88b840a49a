//! Effects: what the state asks the outside to do. `update` itself does none of it.

use crate::engine::Request;

/// Something to be done by the engine, whose reports come back as events, or by the
/// terminal.
#[derive(Debug, Clone)]
pub enum Effect {
    /// A request to the engine.
    Engine(Request),
    /// Put this text into the clipboard of the terminal.
    Copy(String),
    /// Take the mouse, or give it back to the terminal.
    CaptureMouse(bool),
    /// Stop, as Ctrl-Z does in a shell.
    Suspend,
    /// End the program.
    Quit,
}

impl From<Request> for Effect {
    fn from(request: Request) -> Self {
        Self::Engine(request)
    }
}

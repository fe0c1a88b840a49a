//! The terminal: entering and leaving it, input, drawing.

mod backlog;
pub mod canvas;
mod clipboard;
pub mod draw;
pub mod glyphs;
mod hangup;
mod input;
mod message;
mod open;
mod run;
mod screen;
mod signals;
mod terminal;
pub mod theme;

pub use open::{Start, UiError, UiOptions, open, read_recording};
pub use run::{ExitReason, Program, RunError, RunOptions, run};
pub use terminal::EnterError;

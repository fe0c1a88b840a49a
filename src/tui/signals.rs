//! Signals from outside: end, stop, go on, another size.

use super::message::Message;
use super::terminal;
use crate::sys::job::StopTarget;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// How long the program may take to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// The exit status of a program that a signal ended, as shells write it.
#[must_use]
pub const fn status(signal: i32) -> i32 {
    128 + signal
}

/// Begins to listen. Raw mode makes the keys of the terminal (Ctrl-C, Ctrl-\,
/// Ctrl-Z) ordinary keys, so what comes here was sent by somebody.
///
/// # Errors
/// When the handlers cannot be set, or there is no thread to be had.
pub fn listen(messages: Sender<Message>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let message = match signal {
                SIGTSTP => Message::Stop(StopTarget::Process),
                SIGCONT => Message::Continued,
                SIGWINCH => Message::Resized,
                signal => Message::Signal(signal),
            };
            let ends = matches!(message, Message::Signal(_));
            if messages.send(message).is_err() {
                // The program is ending already.
                return;
            }
            if ends {
                terminal::insist(GRACE, status(signal));
            }
        }
    })?;
    Ok(())
}

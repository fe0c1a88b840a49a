//! Signals: terminate, suspend, continue, resize.

use super::message::Message;
use super::terminal;
use crate::sys::job::StopTarget;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// The time that the program has to exit on its own.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// The exit status of a process killed by a signal, as reported by shells.
pub const fn status(signal: i32) -> i32 {
    128 + signal
}

/// Starts the thread that handles signals. In raw mode, Ctrl-C, Ctrl-\ and Ctrl-Z are ordinary
/// keys, so these signals come from other processes.
pub fn listen(messages: Sender<Message>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let message = match signal {
                SIGTSTP => Message::Suspend(StopTarget::Process),
                SIGCONT => Message::Continued,
                SIGWINCH => Message::Resized,
                signal => Message::Signal(signal),
            };
            let ends = matches!(message, Message::Signal(_));
            if messages.send(message).is_err() {
                // The program is already exiting.
                return;
            }
            if ends {
                terminal::exit_after(EXIT_TIMEOUT, status(signal));
            }
        }
    })?;
    Ok(())
}

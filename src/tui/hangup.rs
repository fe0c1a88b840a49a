//! Detects that the terminal is gone.
//!
//! crossterm 0.29 ignores end of file in its read loop and spins. This thread blocks in `poll(2)`,
//! which always reports POLLHUP, without a timeout, so it is free.

use super::message::Message;
use super::terminal;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// The exit status for SIGHUP, which the foreground process group receives at the same time.
pub const EXIT_STATUS: i32 = 129;

/// The time that the program has to exit on its own.
const EXIT_TIMEOUT: Duration = Duration::from_millis(500);

pub fn watch(messages: Sender<Message>) -> io::Result<()> {
    thread::Builder::new().name("hangup".into()).spawn(move || {
        // The receiver is gone when the program ends.
        if wait(io::stdin()) && messages.send(Message::HungUp).is_ok() {
            terminal::exit_after(EXIT_TIMEOUT, EXIT_STATUS);
        }
    })?;
    Ok(())
}

/// Waits until the terminal is gone. Returns false if the terminal cannot be polled.
fn wait(terminal: impl AsFd) -> bool {
    loop {
        let mut terminal = [PollFd::new(terminal.as_fd(), PollFlags::empty())];
        match poll(&mut terminal, PollTimeout::NONE) {
            Ok(_) => {
                let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
                if terminal[0].revents().is_some_and(|events| events.intersects(gone)) {
                    return true;
                }
            }
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::pty::openpty;
    use std::sync::mpsc;

    #[test]
    fn wait_returns_when_the_other_end_closes() {
        let pair = openpty(None, None).unwrap();
        let (send, gone) = mpsc::channel();
        let slave = pair.slave;
        let watcher = thread::spawn(move || send.send(wait(&slave)));
        // Unread input does not wake the thread.
        nix::unistd::write(&pair.master, b"x").unwrap();
        assert_eq!(gone.recv_timeout(Duration::from_millis(50)), Err(mpsc::RecvTimeoutError::Timeout));
        drop(pair.master);
        assert_eq!(gone.recv_timeout(Duration::from_secs(5)), Ok(true));
        watcher.join().unwrap().unwrap();
    }
}

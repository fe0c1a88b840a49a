//! Reads the output of a program in a thread, and keeps the bytes and the screen.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, PipeReader, Read as _};
use std::num::NonZeroU16;
use std::os::fd::AsFd as _;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use vt100::{Callbacks, Color, Parser, Screen};

/// The output of a terminal, shared by the reading thread and its observers.
pub struct Output {
    seen: Mutex<TerminalOutput>,
    more: Condvar,
}

/// The output so far.
pub struct TerminalOutput {
    raw: Vec<u8>,
    parser: Parser<Drawing>,
    at_end: bool,
}

/// Set during a frame: between the sequences of synchronized output (private mode 2026), the screen
/// is incomplete.
#[derive(Default)]
struct Drawing(bool);

impl Callbacks for Drawing {
    fn unhandled_csi(
        &mut self,
        _: &mut Screen,
        first: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        end: char,
    ) {
        if first == Some(b'?') && parameters == [[2026]] {
            self.0 = end == 'h';
        }
    }
}

impl Output {
    pub fn new((columns, rows): (u16, u16)) -> Self {
        let parser = Parser::new_with_callbacks(cells(rows), cells(columns), 0, Drawing::default());
        let seen = TerminalOutput { raw: vec![], parser, at_end: false };
        Self { seen: Mutex::new(seen), more: Condvar::new() }
    }

    /// Reads until the last descriptor of the terminal or the other end of `stop` is closed.
    pub fn read(&self, mut master: File, stop: &PipeReader) {
        let mut buffer = [0; 4096];
        loop {
            let mut ready = [
                PollFd::new(master.as_fd(), PollFlags::POLLIN),
                PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            ];
            let result = poll(&mut ready, PollTimeout::NONE);
            let stopped = ready[1].any().unwrap_or(true);
            if stopped || result.is_err_and(|error| error != nix::errno::Errno::EINTR) {
                return;
            }
            match master.read(&mut buffer) {
                Ok(count) if count > 0 => self.change(|seen| {
                    seen.raw.extend_from_slice(&buffer[..count]);
                    seen.parser.process(&buffer[..count]);
                }),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // EIO: the other side is closed, and everything has been read.
                _ => return self.change(|seen| seen.at_end = true),
            }
        }
    }

    pub fn resize(&self, (columns, rows): (u16, u16)) {
        self.change(|seen| seen.parser.set_size(cells(rows), cells(columns)));
    }

    /// Passes the output so far to a function.
    pub fn look<T>(&self, at: impl FnOnce(&TerminalOutput) -> T) -> T {
        at(&self.lock())
    }

    /// Waits for a condition. Returns false on timeout.
    pub fn wait(&self, limit: Duration, condition: impl Fn(&TerminalOutput) -> bool) -> bool {
        let waiting = |seen: &mut TerminalOutput| seen.parser.callbacks().0 || !condition(seen);
        let result = self.more.wait_timeout_while(self.lock(), limit, waiting);
        !result.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn change(&self, change: impl FnOnce(&mut TerminalOutput)) {
        change(&mut self.lock());
        self.more.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, TerminalOutput> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TerminalOutput {
    pub fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub const fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// Returns true if the current attributes include a color or a style.
    pub fn is_colored(&self) -> bool {
        let screen = self.screen();
        let plain = screen.fgcolor() == Color::Default && screen.bgcolor() == Color::Default;
        !plain || screen.bold() || screen.dim() || screen.italic() || screen.underline() || screen.inverse()
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("at least one row and one column")
}

//! Standard output, buffered and written in a few large calls. Only results go there; everything
//! else goes to standard error.

use super::Style;
use super::style::fit_ascii;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const BUFFER_SIZE: usize = 64 << 10;

pub struct Out {
    to: BufWriter<Box<dyn Write + Send>>,
    style: Style,
    /// Set for the standard output of this process.
    standard: bool,
}

impl Out {
    /// Duplicates the descriptor, because the standard library's handle searches all output for the
    /// last newline.
    pub fn stdout(style: Style) -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Self { standard: true, ..Self::new(Box::new(file), style) })
    }

    #[must_use]
    pub fn new(to: Box<dyn Write + Send>, style: Style) -> Self {
        Self { to: BufWriter::with_capacity(BUFFER_SIZE, to), style, standard: false }
    }

    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.standard && io::stdout().is_terminal()
    }

    /// The width in columns; `None` if this is not a terminal.
    #[must_use]
    pub fn terminal_width(&self) -> Option<usize> {
        let (width, _) = terminal_size::terminal_size_of(io::stdout()).filter(|_| self.is_terminal())?;
        Some(usize::from(width.0)).filter(|&width| width > 0)
    }

    /// The height in rows; `None` if this is not a terminal.
    #[must_use]
    pub fn terminal_height(&self) -> Option<usize> {
        let (_, height) = terminal_size::terminal_size_of(io::stdout()).filter(|_| self.is_terminal())?;
        Some(usize::from(height.0)).filter(|&height| height > 0)
    }

    /// Waits for `time`, or until a signal arrives. Returns `BrokenPipe` as soon as the reader
    /// closes the pipe, which `poll(2)` reports as an error condition.
    pub fn wait(&self, time: Duration) -> io::Result<()> {
        if !self.standard {
            thread::sleep(time);
            return Ok(());
        }
        // Round up, and wait for an hour at most.
        let millis = time.as_micros().div_ceil(1000).min(3_600_000);
        let timeout = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
        let stdout = io::stdout();
        let mut watched = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
        match poll(&mut watched, timeout) {
            Ok(0) | Err(Errno::EINTR) => Ok(()),
            Ok(_) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(error) => Err(error.into()),
        }
    }

    #[must_use]
    pub const fn style(&self) -> Style {
        self.style
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    // JSON arrives in pieces of a few bytes, for which the default loop is slow.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Restricts standard error to ASCII.
static ASCII_ERRORS: AtomicBool = AtomicBool::new(false);

/// Restricts [`warn`] to ASCII.
pub fn set_ascii_errors(ascii: bool) {
    ASCII_ERRORS.store(ascii, Ordering::Relaxed);
}

pub fn warn(text: &str) {
    let ascii = ASCII_ERRORS.load(Ordering::Relaxed);
    let text = if ascii { fit_ascii(text) } else { Cow::Borrowed(text) };
    // If standard error is closed, the message is lost.
    let _ = writeln!(io::stderr(), "shmlens: {text}");
}

//! Standard output: buffered, written in few large calls. Everything that is
//! not a result goes to standard error.

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

/// How much is gathered before it is written.
const BUFFER: usize = 64 << 10;

/// Where results go.
pub struct Out {
    to: BufWriter<Box<dyn Write + Send>>,
    style: Style,
    /// Whether it is this process's standard output.
    standard: bool,
}

impl Out {
    /// Standard output. A descriptor of its own: the standard library's handle
    /// looks for the last line end in all that it is given.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn stdout(style: Style) -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Self { standard: true, ..Self::new(Box::new(file), style) })
    }

    /// Anything else that takes bytes.
    #[must_use]
    pub fn new(to: Box<dyn Write + Send>, style: Style) -> Self {
        Self { to: BufWriter::with_capacity(BUFFER, to), style, standard: false }
    }

    /// Whether a person reads it as it comes.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.standard && io::stdout().is_terminal()
    }

    /// How many columns the terminal has, when it is one.
    #[must_use]
    pub fn terminal_width(&self) -> Option<usize> {
        let (width, _) = terminal_size::terminal_size_of(io::stdout()).filter(|_| self.is_terminal())?;
        Some(usize::from(width.0)).filter(|&width| width > 0)
    }

    /// Waits, and tells early when nobody reads the output any more: a pipe
    /// that is closed is an error to wait for, `poll(2)`. A signal ends the
    /// wait too.
    ///
    /// # Errors
    /// `BrokenPipe`.
    pub fn wait(&self, time: Duration) -> io::Result<()> {
        if !self.standard {
            thread::sleep(time);
            return Ok(());
        }
        // Rounded up, and an hour is as good as any longer time.
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

    /// What it may look like.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.style
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    // JSON comes in pieces of a few bytes, for which the default loop around `write` is slow.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Whether standard error takes only ASCII.
static ASCII_ERRORS: AtomicBool = AtomicBool::new(false);

/// Limits [`warn`] to ASCII.
pub fn set_ascii_errors(ascii: bool) {
    ASCII_ERRORS.store(ascii, Ordering::Relaxed);
}

/// Prints a message on standard error.
pub fn warn(text: &str) {
    let ascii = ASCII_ERRORS.load(Ordering::Relaxed);
    let text = if ascii { fit_ascii(text) } else { Cow::Borrowed(text) };
    // Without standard error there is no other place for it.
    let _ = writeln!(io::stderr(), "shmlens: {text}");
}

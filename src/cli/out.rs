//! Standard output: buffered, written in few large calls. Everything that is
//! not a result goes to standard error.

use super::Style;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd as _;

/// How much is gathered before it is written.
const BUFFER: usize = 256 << 10;

/// Where results go.
pub struct Out {
    to: BufWriter<Box<dyn Write + Send>>,
    style: Style,
}

impl Out {
    /// Standard output. A descriptor of its own: the standard library's handle
    /// looks for the last line end in all that it is given.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn stdout(style: Style) -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Self::new(Box::new(file), style))
    }

    /// Anything else that takes bytes.
    #[must_use]
    pub fn new(to: Box<dyn Write + Send>, style: Style) -> Self {
        Self { to: BufWriter::with_capacity(BUFFER, to), style }
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

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Tells what went wrong on the way without ending it. Where standard error
/// cannot be written there is nobody to tell.
pub fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "shmscope: {text}");
}

//! Starts writing a new file to disk while the rest is still being produced.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd as _;

/// Bytes after which the kernel starts writing.
const STEP_SIZE: i64 = 8 << 20;

/// Starts writing completed parts of a file. Otherwise, the disk would be idle until `fsync(2)`.
pub struct WriteBehind<'a> {
    file: &'a File,
    written: i64,
    started: i64,
}

impl<'a> WriteBehind<'a> {
    /// Starts at the beginning of an empty file.
    #[must_use]
    pub const fn new(file: &'a File) -> Self {
        Self { file, written: 0, started: 0 }
    }
}

impl Write for WriteBehind<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.written = self.written.saturating_add_unsigned(count as u64);
        let ready = self.written - self.started;
        if ready >= STEP_SIZE {
            // SAFETY: the call takes numbers only. It does not wait for the disk and may do
            // nothing: `fsync` reports errors.
            unsafe {
                libc::sync_file_range(self.file.as_raw_fd(), self.started, ready, libc::SYNC_FILE_RANGE_WRITE)
            };
            self.started = self.written;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

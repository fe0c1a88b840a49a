//! Archives of arrays, not compressed.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An archive that is being written.
pub(super) struct Archive<'a>(ZipWriter<QuietFile<'a>>);

impl<'a> Archive<'a> {
    pub fn new(file: &'a File) -> Self {
        Self(ZipWriter::new(QuietFile {
            file: BufWriter::new(file),
            has_failed: false,
            position: 0,
            length: 0,
        }))
    }

    /// Begins an array of this many bytes.
    pub fn begin(&mut self, name: &str, header: &[u8], length: u64) -> io::Result<()> {
        let is_large = header.len() as u64 + length >= u64::from(u32::MAX);
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(is_large);
        self.0.start_file(format!("{name}.npy"), options)?;
        self.0.write_all(header)
    }

    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Sets the comment of the archive, which readers of arrays ignore.
    pub fn set_comment(&mut self, comment: String) -> io::Result<()> {
        Ok(self.0.set_comment(comment)?)
    }

    pub fn finish(self) -> io::Result<()> {
        self.0.finish()?.file.flush()
    }
}

/// A file that pretends to work after an error: a [`ZipWriter`] that is dropped after an error tries
/// again, and reports the next error on standard error.
struct QuietFile<'a> {
    file: BufWriter<&'a File>,
    has_failed: bool,
    /// The position and the length that the archive believes in.
    position: u64,
    length: u64,
}

impl Write for QuietFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.has_failed { Ok(bytes.len()) } else { self.file.write(bytes) };
        self.has_failed |= written.is_err();
        self.position += *written.as_ref().unwrap_or(&0) as u64;
        self.length = self.length.max(self.position);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = if self.has_failed { Ok(()) } else { self.file.flush() };
        self.has_failed |= flushed.is_err();
        flushed
    }
}

impl Seek for QuietFile<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
            SeekFrom::End(distance) => self.length.checked_add_signed(distance),
        };
        let position = position.ok_or(io::ErrorKind::InvalidInput)?;
        if !self.has_failed {
            // Seeking writes the buffer.
            let sought = self.file.seek(SeekFrom::Start(position));
            self.has_failed |= sought.is_err();
            sought?;
        }
        self.position = position;
        Ok(position)
    }
}

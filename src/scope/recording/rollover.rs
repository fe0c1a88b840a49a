//! Files that grow at their end, and their names when a recording continues in the next file.

use super::error::RecordingError;
use crate::act::{Destination, SaveError};
use crate::sys::unnamed::UnnamedFile;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// A file whose complete part others may read. Its buffer is written as a whole, so that the file
/// can be cut back to the end of the last complete part. There is space for its end, which is always there
/// and which the next part overwrites.
#[derive(Debug)]
pub(super) struct GrowingFile {
    file: UnnamedFile,
    /// The bytes for the next [`GrowingFile::flush`].
    pub buffer: Vec<u8>,
    /// The length of the complete part, without the end.
    complete: u64,
    /// The bytes after the complete part.
    end: &'static [u8],
}

impl GrowingFile {
    /// Creates an empty file without a name.
    pub fn create(destination: Destination<'_>, end: &'static [u8]) -> Result<Self, SaveError> {
        Ok(Self { file: destination.create()?, buffer: vec![], complete: 0, end })
    }

    /// Removes the end, because the next part has one.
    pub const fn remove_end(&mut self) {
        self.end = &[];
    }

    /// Writes the buffer and gives the file its name.
    pub fn publish(&mut self, destination: Destination<'_>) -> Result<(), SaveError> {
        self.flush().map_err(|error| destination.error(error))?;
        destination.publish(&mut self.file)
    }

    /// The length after the next flush.
    pub const fn length(&self) -> u64 {
        self.complete + self.buffer.len() as u64
    }

    pub fn flush(&mut self) -> io::Result<()> {
        let complete = self.length();
        self.buffer.extend_from_slice(self.end);
        let written = self.file.file.write_all_at(&self.buffer, self.complete);
        self.buffer.truncate(self.buffer.len() - self.end.len());
        written?;
        self.complete = complete;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the file to the disk.
    ///
    /// # Errors
    /// Fails if that fails, and if the file lost its name since it was published.
    pub fn sync(&self) -> io::Result<()> {
        self.file.file.sync_all()?;
        if self.file.file.metadata()?.nlink() == 0 {
            return Err(io::Error::other("the file was removed or replaced meanwhile"));
        }
        Ok(())
    }

    /// Removes the part that a failed flush has written.
    pub fn cut(&mut self, end: &'static [u8]) -> io::Result<()> {
        self.buffer.clear();
        self.file.file.set_len(self.complete + end.len() as u64)?;
        self.file.file.write_all_at(end, self.complete)
    }
}

/// Returns the name of a file of a recording: `run.csv`, `run-2.csv`, ….
pub(super) fn nth_path(path: &Path, number: u64) -> PathBuf {
    if number < 2 {
        return path.to_owned();
    }
    let mut name = path.file_stem().map(OsString::from).unwrap_or_default();
    name.push(format!("-{number}"));
    if let Some(suffix) = path.extension() {
        name.push(".");
        name.push(suffix);
    }
    path.with_file_name(name)
}

/// Returns the first name of a file that is free: `run.csv`, `run-2.csv` and so on.
pub fn free_path(path: &Path) -> Result<PathBuf, RecordingError> {
    next_path(path, 0, false).map(|(path, _)| path)
}

/// Returns the next file of a recording that is free or may be replaced, and its number.
pub(super) fn next_path(path: &Path, number: u64, replace: bool) -> Result<(PathBuf, u64), RecordingError> {
    let mut number = number + 1;
    loop {
        let next = nth_path(path, number);
        match (Destination { path: &next, replace }).check() {
            Ok(()) => return Ok((next, number)),
            // Of an earlier recording.
            Err(SaveError::Exists { .. } | SaveError::NotRegular { .. }) => number += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

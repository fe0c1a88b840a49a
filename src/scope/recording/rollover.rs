//! Files that grow at their end, and their names when a recording continues in the next file.

use super::error::RecordingError;
use crate::act::{Destination, SaveError};
use crate::sys::unnamed::UnnamedFile;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file whose complete part others may read. Its buffer is written as a whole, so that the file
/// can be cut back to the end of the last complete part.
#[derive(Debug)]
pub(super) struct GrowingFile {
    file: UnnamedFile,
    /// The bytes for the next [`GrowingFile::flush`].
    pub buffer: Vec<u8>,
    /// The length of the complete part.
    complete: u64,
}

impl GrowingFile {
    /// Creates an empty file without a name.
    pub fn create(destination: Destination<'_>) -> Result<Self, SaveError> {
        Ok(Self { file: destination.create()?, buffer: vec![], complete: 0 })
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
        self.file.file.write_all(&self.buffer)?;
        self.complete = self.length();
        self.buffer.clear();
        Ok(())
    }

    pub fn sync(&self) -> io::Result<()> {
        self.file.file.sync_all()
    }

    /// Removes the part that a failed flush has written.
    pub fn cut(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.file.file.set_len(self.complete)
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

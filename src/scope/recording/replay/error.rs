//! Errors of reading a recording.

use crate::scope::recording::error::printable;
use crate::segment::plain_error;
use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("failed to open {}: {}", printable(.path), plain_error(.source))]
    Open { path: PathBuf, source: io::Error },
    #[error("failed to read {}: {}", printable(.path), plain_error(.source))]
    Read { path: PathBuf, source: io::Error },
    /// The file has another format, or none of its values is a number.
    #[error("{} is no recording: {reason}", printable(.path))]
    NotRecording { path: PathBuf, reason: String },
    /// The samples before the damage have been delivered.
    #[error("{} is damaged: {reason}", printable(.path))]
    Damaged { path: PathBuf, reason: String },
}

/// The reason why a file cannot be read, without its path.
#[derive(Debug)]
pub(super) enum Problem {
    Read(io::Error),
    NotRecording(String),
    Damaged(String),
}

impl Problem {
    pub fn at(self, path: PathBuf) -> ReplayError {
        match self {
            Self::Read(source) => ReplayError::Read { path, source },
            Self::NotRecording(reason) => ReplayError::NotRecording { path, reason },
            Self::Damaged(reason) => ReplayError::Damaged { path, reason },
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

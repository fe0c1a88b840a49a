//! Errors of writing a recording.

use crate::act::SaveError;
use crate::segment::{escape, quote};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("the name of a recording must end in .mcap, .csv or .npz, not {}", printable(.path))]
    Suffix { path: PathBuf },
    #[error("no channels to record")]
    NoChannels,
    #[error("too many channels: a recording of this format has at most {max}")]
    TooManyChannels { max: usize },
    /// The format uses the name itself.
    #[error(
        "a recording of this format has a column '{name}' of its own. Give the channel another name, as in \
         my_{name}=CHANNEL"
    )]
    OwnName { name: String },
    #[error("two channels are named '{}'. Give one another name, as in NAME=CHANNEL", quote(.name.as_bytes()))]
    SameName { name: String },
    #[error("{} would be a segment: files in /dev/shm are shared memory. Choose another directory", printable(.path))]
    Segment { path: PathBuf },
    /// The file cannot be created or written.
    #[error(transparent)]
    File(#[from] SaveError),
    #[error("the recording has ended after an error")]
    Ended,
}

/// Escapes a path for messages.
pub(super) fn printable(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}

//! The formats, chosen by the suffix of the file.

use super::error::RecordingError;
use super::writer::{FUNCTION, FUNCTIONS, LATE, PID, TID};
use crate::scope::Channel;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingFormat {
    Mcap,
    Csv,
    Npz,
}

impl RecordingFormat {
    /// The format of a file by its suffix, in any case.
    pub fn of(path: &Path) -> Result<Self, RecordingError> {
        let suffix = path.extension().map(OsStr::to_ascii_lowercase);
        match suffix.as_deref().and_then(|suffix| suffix.to_str()) {
            Some("mcap") => Ok(Self::Mcap),
            Some("csv") => Ok(Self::Csv),
            Some("npz") => Ok(Self::Npz),
            _ => Err(RecordingError::Suffix { path: path.to_owned() }),
        }
    }

    /// The names in a file that are not those of channels.
    const fn own_names(self) -> &'static [&'static str] {
        match self {
            Self::Mcap => &[],
            Self::Csv => &["time", PID, TID, FUNCTION, LATE],
            Self::Npz => &["time", "start", PID, TID, FUNCTION, LATE, FUNCTIONS],
        }
    }

    /// The most channels that a file can hold.
    const fn max_tracks(self) -> usize {
        match self {
            Self::Mcap => u16::MAX as usize - 1,
            Self::Csv => usize::MAX,
            // Each may get a second array.
            Self::Npz => u16::MAX as usize / 2 - 7,
        }
    }

    /// The name of a channel as readers find it. numpy leaves the suffix of a file of an archive out.
    fn cleaned(self, name: &str) -> &str {
        if self == Self::Npz { name.trim_end_matches(".npy") } else { name }
    }

    pub(super) fn check(self, channels: &[Channel]) -> Result<(), RecordingError> {
        if channels.is_empty() {
            return Err(RecordingError::NoChannels);
        }
        if channels.len() > self.max_tracks() {
            return Err(RecordingError::TooManyChannels { max: self.max_tracks() });
        }
        let mut names = HashSet::new();
        for name in channels.iter().map(|channel| self.cleaned(&channel.name)) {
            if self.own_names().contains(&name) {
                return Err(RecordingError::OwnName { name: name.to_owned() });
            }
            if !names.insert(name) {
                return Err(RecordingError::SameName { name: name.to_owned() });
            }
        }
        Ok(())
    }
}

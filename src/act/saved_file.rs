//! A saved segment in an open file: what it holds, and whether another user may
//! have written it.

use super::archive::{ArchiveError, Reading, Saved};
use super::permissions::{group_text, mode_text, user_text};
use super::restore::RestoreError;
use super::save::shown;
use super::unfinished::absolute;
use crate::machine::Machine;
use crate::segment::Mode;
use crate::sys::object::open_regular;
use nix::unistd::{getegid, geteuid};
use std::env;
use std::fs::{File, Metadata};
use std::io::{self, Seek as _, SeekFrom};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file that `save` wrote, open for reading. What is said of it is said of the
/// very file that is restored, whatever has its name by then.
pub struct SavedFile {
    pub(super) path: PathBuf,
    file: File,
    stat: Metadata,
    /// Where the segment begins in it: standard input may have been read before.
    begins_at: u64,
    /// `None` for a pipe.
    pub(super) length: Option<u64>,
    pub(super) reading: Reading<File>,
}

impl SavedFile {
    /// Opens a file and reads its metadata, whose checksum is right then.
    ///
    /// # Errors
    /// When it cannot be opened, is not a regular file, or was not written by `save`.
    pub fn open(path: &Path) -> Result<Self, RestoreError> {
        let failed = |source| RestoreError::Open { path: path.to_owned(), source };
        Self::begin(path.to_owned(), open_regular(path).map_err(failed)?)
    }

    /// As [`SavedFile::open`], from standard input: a file or a pipe.
    ///
    /// # Errors
    /// As [`SavedFile::open`].
    pub fn stdin() -> Result<Self, RestoreError> {
        let path = PathBuf::from("standard input");
        match io::stdin().as_fd().try_clone_to_owned() {
            Ok(fd) => Self::begin(path, File::from(fd)),
            Err(source) => Err(RestoreError::Open { path, source }),
        }
    }

    fn begin(path: PathBuf, file: File) -> Result<Self, RestoreError> {
        let failed = |source| RestoreError::Open { path: path.clone(), source };
        let stat = file.metadata().map_err(failed)?;
        let begins_at = if stat.is_file() { (&file).stream_position().map_err(failed)? } else { 0 };
        let length = stat.is_file().then_some(stat.len().saturating_sub(begins_at));
        let reading = begin_reading(&path, &file)?;
        Ok(Self { path, file, stat, begins_at, length, reading })
    }

    /// Begins again at the start of the segment.
    pub(super) fn begin_again(&mut self) -> Result<(), RestoreError> {
        let failed =
            |source| RestoreError::File { path: self.path.clone(), source: ArchiveError::Read(source) };
        self.file.seek(SeekFrom::Start(self.begins_at)).map_err(failed)?;
        self.reading = begin_reading(&self.path, &self.file)?;
        Ok(())
    }

    /// What was saved.
    #[must_use]
    pub const fn saved(&self) -> &Saved {
        self.reading.saved()
    }

    /// Why another user may have written it: `belongs to bob`. `None` for a file of the
    /// effective user, or of the user who called sudo, and for a pipe, which that user
    /// set up.
    #[must_use]
    pub fn distrust(&self, machine: &dyn Machine) -> Option<String> {
        self.length?;
        let (uid, mode) = (self.stat.uid(), Mode::new(self.stat.mode()));
        if uid != geteuid().as_raw() && Some(uid) != sudo_user() {
            return Some(format!("belongs to {}", user_text(machine, uid)));
        }
        let foreign_group = self.stat.gid() != getegid().as_raw() && self.stat.gid() != uid;
        if mode.bits() & 0o002 != 0 || mode.bits() & 0o020 != 0 && foreign_group {
            return Some(format!("can be written by other users (mode {mode})"));
        }
        None
    }

    /// The segment that it would create, in words.
    #[must_use]
    pub fn described(&self, machine: &dyn Machine) -> String {
        let saved = self.saved();
        let mode = mode_text(Mode::new(saved.mode.bits() & 0o777));
        let acl = if saved.acl.is_some() { " and an ACL" } else { "" };
        // Not the names in the file: who wrote it chose them.
        let user = user_text(machine, saved.owner.uid);
        let group = group_text(machine, saved.owner.gid);
        format!("{}: {}, mode {mode}{acl}, owner {user}, group {group}", saved.name, saved.size)
    }

    /// The error for a restore that was not confirmed.
    #[must_use]
    pub fn unconfirmed(&self, machine: &dyn Machine, reason: String) -> RestoreError {
        RestoreError::Unconfirmed { file: shown(&self.path), reason, segment: self.described(machine) }
    }

    /// Its path from the root, safe to print.
    pub(super) fn absolute(&self) -> String {
        if self.length.is_some() { absolute(&self.path) } else { shown(&self.path) }
    }
}

/// The duplicate shares the offset of the file.
fn begin_reading(path: &Path, file: &File) -> Result<Reading<File>, RestoreError> {
    let failed = |source| RestoreError::File { path: path.to_owned(), source };
    let file = file.try_clone().map_err(|error| failed(error.into()))?;
    Reading::begin(file).map_err(failed)
}

/// The user who called sudo.
fn sudo_user() -> Option<u32> {
    env::var("SUDO_UID").ok()?.parse().ok()
}

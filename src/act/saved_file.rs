//! A saved segment in an open file.

use super::access::{Acl, letters};
use super::archive::{ArchiveError, ArchiveReader, SavedSegment};
use super::permissions::{group_text, mode_text, user_text};
use super::restore::RestoreError;
use super::save::printable;
use super::unfinished::absolute;
use crate::machine::Machine;
use crate::segment::{Mode, plain_error};
use crate::sys::handle;
use crate::sys::regular::{Links, open_regular};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{getegid, geteuid};
use std::env;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A file that `save` wrote, open for reading. The description and the restore use the same open
/// file, so a file that later gets its name cannot be restored by mistake.
pub struct SavedFile {
    pub(super) path: PathBuf,
    file: File,
    stat: Metadata,
    /// The start of the saved segment: part of standard input may have been read before.
    start: u64,
    /// `None` for a pipe.
    pub(super) length: Option<u64>,
    pub(super) reading: ArchiveReader<CancelableFile>,
}

impl SavedFile {
    pub fn open(path: &Path) -> Result<Self, RestoreError> {
        let failed = |source| RestoreError::Open { path: path.to_owned(), source };
        Self::begin(
            path.to_owned(),
            open_regular(path, File::options().read(true), Links::Follow).map_err(failed)?,
        )
    }

    /// Opens standard input, a file or a pipe, like [`SavedFile::open`].
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
        let offset = if stat.is_file() { (&file).stream_position().map_err(failed)? } else { 0 };
        let length = stat.is_file().then_some(stat.len().saturating_sub(offset));
        let reading = open_archive(&path, &file)?;
        Ok(Self { path, file, stat, start: offset, length, reading })
    }

    pub(super) fn rewind(&mut self) -> Result<(), RestoreError> {
        let failed =
            |source| RestoreError::File { path: self.path.clone(), source: ArchiveError::Read(source) };
        self.file.seek(SeekFrom::Start(self.start)).map_err(failed)?;
        self.reading = open_archive(&self.path, &self.file)?;
        Ok(())
    }

    #[must_use]
    pub const fn saved(&self) -> &SavedSegment {
        self.reading.saved()
    }

    /// Returns the reason why another user may have written the file, as in `belongs to bob`.
    /// `None` for a file of the effective user or of the user who called sudo, and for a pipe,
    /// which that user set up.
    #[must_use]
    pub fn distrust_reason(&self, machine: &dyn Machine) -> Option<String> {
        self.length?;
        let (uid, mode) = (self.stat.uid(), Mode::new(self.stat.mode()));
        if uid != geteuid().as_raw() && Some(uid) != sudo_user() {
            return Some(format!("belongs to {}", user_text(machine, uid)));
        }
        let foreign_group = self.stat.gid() != getegid().as_raw() && self.stat.gid() != uid;
        let group = match handle::acl(self.file.as_fd()) {
            Ok(None) => mode.bits() >> 3,
            Ok(Some(list)) => match Acl::parse(&list) {
                Some(acl) if acl.lets_others_write(uid) => {
                    return Some("is writable by other users through its ACL".to_owned());
                }
                // With an ACL, the group bits of the mode are its mask.
                Some(acl) => acl.owning_group & acl.mask,
                None => return Some("has an ACL of an unknown format".to_owned()),
            },
            Err(error) => return Some(format!("has an ACL that cannot be read: {}", plain_error(&error))),
        };
        if mode.bits() & 0o002 != 0 || group & 0o2 != 0 && foreign_group {
            return Some(format!("is writable by other users (mode {mode})"));
        }
        None
    }

    /// Describes the segment that the file would create.
    #[must_use]
    pub fn description(&self, machine: &dyn Machine) -> String {
        let saved = self.saved();
        let mode = mode_text(Mode::new(saved.mode.bits() & 0o777));
        let acl = saved.acl.as_deref().and_then(Acl::parse);
        let acl = acl
            .map_or_else(String::new, |acl| format!(" and an ACL ({})", granted_permissions(machine, &acl)));
        // The names in the file are not trusted: its author chose them.
        let user = user_text(machine, saved.owner.uid);
        let group = group_text(machine, saved.owner.gid);
        format!("{}: {}, mode {mode}{acl}, owner {user}, group {group}", saved.name, saved.size)
    }

    /// Returns the error for a restore that was not confirmed.
    #[must_use]
    pub fn unconfirmed_error(&self, machine: &dyn Machine, reason: String) -> RestoreError {
        RestoreError::Unconfirmed { file: printable(&self.path), reason, segment: self.description(machine) }
    }

    /// Returns the absolute path, safe to print.
    pub(super) fn absolute(&self) -> String {
        if self.length.is_some() { absolute(&self.path) } else { printable(&self.path) }
    }
}

/// Describes the permissions that an ACL grants beyond the mode, limited by its mask: `user bob rw,
/// group video r-`.
fn granted_permissions(machine: &dyn Machine, acl: &Acl) -> String {
    let users = acl.users.iter().map(|&(uid, bits)| (format!("user {}", user_text(machine, uid)), bits));
    let groups = acl.groups.iter().map(|&(gid, bits)| (format!("group {}", group_text(machine, gid)), bits));
    let own = [("owning group".to_owned(), acl.owning_group)];
    let all = users.chain(own).chain(groups);
    let all = all.map(|(who, bits)| format!("{who} {}", letters(bits & acl.mask)));
    all.collect::<Vec<_>>().join(", ")
}

/// The duplicate file descriptor shares the file offset.
fn open_archive(path: &Path, file: &File) -> Result<ArchiveReader<CancelableFile>, RestoreError> {
    let failed = |source| RestoreError::File { path: path.to_owned(), source };
    let file = file.try_clone().map_err(|error| failed(error.into()))?;
    ArchiveReader::begin(CancelableFile { file, canceled: None }).map_err(failed)
}

/// The file of a saved segment. Canceling also interrupts waiting for a pipe without data.
pub(super) struct CancelableFile {
    file: File,
    /// The cancellation flag, once reading from a pipe has started.
    pub canceled: Option<Arc<AtomicBool>>,
}

/// The interval for checking the flag while waiting, in milliseconds.
const POLL_INTERVAL: u8 = 50;

impl Read for CancelableFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(canceled) = &self.canceled {
            loop {
                if canceled.load(Ordering::Relaxed) {
                    return Err(io::Error::other("stopped"));
                }
                let mut wait_for_data = [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)];
                match poll(&mut wait_for_data, PollTimeout::from(POLL_INTERVAL)) {
                    Ok(0) | Err(Errno::EINTR) => {}
                    Ok(_) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.file.read(buffer)
    }
}

/// Returns the user who called sudo.
fn sudo_user() -> Option<u32> {
    env::var("SUDO_UID").ok()?.parse().ok()
}

//! The path of a new file, which may replace a regular file but never a segment.

use super::SaveError;
use crate::sys::object::kind_of;
use crate::sys::unnamed::{ReplaceError, UnnamedFile};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

const DEV_SHM: &str = "/dev/shm";

#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    pub path: &'a Path,
    /// Replace an existing regular file.
    pub replace: bool,
}

impl Destination<'_> {
    /// Predicts from the path alone if a file can be saved there. Returns [`SaveError::NotRegular`]
    /// for a special file, and [`SaveError::Exists`] for a regular file unless it is to be replaced.
    pub fn check(&self) -> Result<(), SaveError> {
        let Ok(stat) = self.path.symlink_metadata() else { return Ok(()) };
        let path = self.path.to_owned();
        match kind_of(stat.mode()) {
            Some(kind) => Err(SaveError::NotRegular { path, kind }),
            None if is_in_dev_shm(&path) => Err(SaveError::Segment { path }),
            None if self.replace => Ok(()),
            None => Err(SaveError::Exists { path }),
        }
    }

    /// Creates a file without a name in the directory of the path.
    pub fn create(&self) -> Result<UnnamedFile, SaveError> {
        let create = || {
            let name = self.path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
            UnnamedFile::create(directory_of(self.path), Path::new(name), 0o600)
        };
        create().map_err(|error| self.error(error))
    }

    /// Writes the file to disk and gives it its name.
    pub fn publish(&self, file: &mut UnnamedFile) -> Result<(), SaveError> {
        let failed = |error| self.error(error);
        file.file.sync_all().map_err(failed)?;
        // Check the open file: since the first check, a symbolic link may have replaced its
        // directory.
        let is_segment = file.file.metadata().map_err(failed)?.dev() == dev_shm_mount().unwrap_or(0);
        if self.replace && !is_segment {
            file.replace().map_err(|error| match error {
                ReplaceError::NotRegular(kind) => SaveError::NotRegular { path: self.path.to_owned(), kind },
                ReplaceError::Io(source) => self.error(source),
            })?;
        } else {
            file.publish().map_err(failed)?;
        }
        // The contents of the file are on disk even if its directory cannot be synced.
        let _ = file.sync_name();
        Ok(())
    }

    /// Returns the error of a failed write.
    #[must_use]
    pub fn error(&self, source: io::Error) -> SaveError {
        let path = self.path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => SaveError::Exists { path },
            _ => SaveError::Write { path, source },
        }
    }
}

/// Returns the directory of a file; `.` for a bare file name.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns true if a file at this path is or would be a segment: its directory is in the file
/// system mounted at `/dev/shm`, even if the path leads there through a link.
#[must_use]
pub fn is_in_dev_shm(path: &Path) -> bool {
    let directory = directory_of(path);
    let below = || Some(fs::canonicalize(directory).ok()?.starts_with(fs::canonicalize(DEV_SHM).ok()?));
    let device = || Some(fs::metadata(directory).ok()?.dev() == dev_shm_mount()?);
    below() == Some(true) || device() == Some(true)
}

/// Returns the device number of the file system mounted at `/dev/shm`; `None` if that is a plain
/// directory.
fn dev_shm_mount() -> Option<u64> {
    let device = fs::metadata(DEV_SHM).ok()?.dev();
    (fs::metadata("/dev").ok()?.dev() != device).then_some(device)
}

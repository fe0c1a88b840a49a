//! Files that get a name only when they are complete: `O_TMPFILE` and `linkat(2)`. A kill before
//! that leaves nothing behind.
//!
//! File systems without `O_TMPFILE` get a file with a random name instead. After a kill,
//! [`super::unfinished`] removes it.

use super::handle::proc_not_mounted;
use super::object::{kind_of, open_parent};
use super::statx_at;
use super::unfinished::{self, UNFINISHED, random_name, try_lock};
use super::unlink::{MAX_NAME_LENGTH, exchange, rename_to_free, unlink};
use crate::segment::escape;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::linkat;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The maximum number of attempts at a name that other processes keep creating and removing.
const RETRIES: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// Something other than a regular file has the name.
    #[error("{0}, not a regular file")]
    NotRegular(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A file without a name, or with a temporary one. Dropping it removes the file unless it is
/// published.
#[derive(Debug)]
pub struct UnnamedFile {
    pub file: File,
    directory: OwnedFd,
    name: CString,
    /// The temporary name.
    temporary: Option<CString>,
}

impl UnnamedFile {
    /// Creates a file that will be named `path` below `root`. Follows no link in the path.
    ///
    /// # Errors
    /// `ENOENT` if the directory does not exist, `EACCES` and `EROFS` if it is not writable,
    /// `ENOSPC`.
    pub fn create(root: &Path, path: &Path, mode: u32) -> io::Result<Self> {
        let (directory, name) = open_parent(root, path)?;
        let mode = Mode::from_bits_truncate(mode & 0o777);
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
        match openat(&directory, c".", flags | OFlag::O_TMPFILE, mode) {
            Ok(fd) => Ok(Self { file: File::from(fd), directory, name, temporary: None }),
            // File systems and kernels without O_TMPFILE, open(2).
            Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL) => {
                let (file, temporary) = unfinished::create(&directory, mode)?;
                Ok(Self { file, directory, name, temporary: Some(temporary) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the file its name unless that name is taken.
    ///
    /// # Errors
    /// `EEXIST` if the name is taken; the existing file is not touched.
    pub fn publish(&mut self) -> io::Result<()> {
        let Some(temporary) = &self.temporary else { return self.link(&self.name) };
        match rename_to_free(self.directory.as_fd(), temporary, &self.name) {
            // NFS and others lack RENAME_NOREPLACE; a hard link does not replace either.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                let here = &self.directory;
                linkat(here, temporary.as_c_str(), here, self.name.as_c_str(), AtFlags::empty())?;
                unlink(here.as_fd(), temporary)?;
            }
            outcome => outcome?,
        }
        self.temporary = None;
        Ok(())
    }

    /// Gives the file its name, replacing an existing regular file.
    ///
    /// Exchanges the two files, and removes the other one only after checking that it is a regular
    /// file: its name may change hands between a check and a rename. On file systems without
    /// exchange, checking first has to suffice.
    ///
    /// # Errors
    /// [`ReplaceError::NotRegular`] if the name belongs to anything but a regular file, which keeps
    /// it.
    pub fn replace(&mut self) -> Result<(), ReplaceError> {
        self.replace_step_by_step(|_| ())
    }

    /// Runs `others` after each step. Tests simulate other processes with it.
    fn replace_step_by_step(&mut self, mut others: impl FnMut(Step)) -> Result<(), ReplaceError> {
        for _ in 0..RETRIES {
            // Most other types are detected here, before anything has changed.
            if !self.name_is_regular()? {
                match self.publish() {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                    outcome => return Ok(outcome?),
                }
            }
            others(Step::Checked);
            let temporary = self.give_temporary_name()?;
            match exchange(self.directory.as_fd(), &temporary, &self.name) {
                Ok(()) => {
                    others(Step::Exchanged);
                    return self.check_replaced(&temporary);
                }
                // Removed since the check.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                    renameat(&self.directory, temporary.as_c_str(), &self.directory, self.name.as_c_str())
                        .map_err(io::Error::from)?;
                    self.temporary = None;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::from(Errno::EBUSY).into())
    }

    /// Gives the file a temporary name, because only named files can be exchanged.
    fn give_temporary_name(&mut self) -> io::Result<CString> {
        if let Some(temporary) = &self.temporary {
            return Ok(temporary.clone());
        }
        // Lock it first, like any unfinished file.
        let _ = try_lock(&self.file);
        let temporary = random_name()?;
        self.link(&temporary)?;
        Ok(self.temporary.insert(temporary).clone())
    }

    /// Returns true if the name belongs to a regular file, and false if the name does not exist.
    fn name_is_regular(&self) -> Result<bool, ReplaceError> {
        match statx_at(self.directory.as_fd(), &self.name) {
            Ok(stat) => kind_of(stat.mode).map_or(Ok(true), |kind| Err(ReplaceError::NotRegular(kind))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the file that had the name before the exchange, or restores its name.
    fn check_replaced(&mut self, temporary: &CString) -> Result<(), ReplaceError> {
        let kind = match statx_at(self.directory.as_fd(), temporary) {
            Ok(stat) => kind_of(stat.mode),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let Some(kind) = kind else {
            self.temporary = None;
            let _ = unlink(self.directory.as_fd(), temporary);
            return Ok(());
        };
        // Use a name that no cleanup removes: the returned file may be a third one.
        let displaced = displaced_name(&self.name, temporary)?;
        rename_to_free(self.directory.as_fd(), temporary, &displaced)?;
        self.temporary = None;
        match exchange(self.directory.as_fd(), &displaced, &self.name) {
            Ok(()) => {}
            // Another process removed this file, so the name is free.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                rename_to_free(self.directory.as_fd(), &displaced, &self.name)?;
            }
            Err(error) => return Err(error.into()),
        }
        let own = self.file.metadata()?.ino();
        match statx_at(self.directory.as_fd(), &displaced) {
            // A third file has taken the name: leave it alone.
            Ok(stat) if stat.inode != own => {
                let now = escape(displaced.to_bytes());
                let message = format!("replaced twice at the same time; the newer file is now {now}");
                Err(io::Error::other(message).into())
            }
            Ok(_) => {
                let _ = unlink(self.directory.as_fd(), &displaced);
                Err(ReplaceError::NotRegular(kind))
            }
            Err(_) => Err(ReplaceError::NotRegular(kind)),
        }
    }

    /// Changes the name that the file will get, in the same directory.
    ///
    /// # Errors
    /// `EINVAL` for a name with a NUL byte.
    pub fn rename(&mut self, name: &OsStr) -> io::Result<()> {
        self.name = CString::new(name.as_bytes())?;
        Ok(())
    }

    /// Syncs the name to disk with `fsync(2)` on the directory.
    ///
    /// # Errors
    /// `EIO`, and `EBADF` for a directory that may be searched but not read.
    pub fn sync_name(&self) -> io::Result<()> {
        Ok(nix::unistd::fsync(&self.directory)?)
    }

    fn link(&self, name: &CString) -> io::Result<()> {
        // Go through /proc, because AT_EMPTY_PATH requires CAP_DAC_READ_SEARCH.
        let file = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let here = nix::fcntl::AT_FDCWD;
        let follow = AtFlags::AT_SYMLINK_FOLLOW;
        match linkat(here, file.as_str(), &self.directory, name.as_c_str(), follow) {
            // Permitted for root, and since Linux 6.10 for the process that opened the file.
            Err(Errno::ENOENT) if !Path::new("/proc/self").exists() => {
                let empty = AtFlags::AT_EMPTY_PATH;
                linkat(&self.file, c"", &self.directory, name.as_c_str(), empty)
                    .map_err(|_| proc_not_mounted())
            }
            outcome => Ok(outcome?),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A regular file has the name.
    Checked,
    /// The two files were exchanged.
    Exchanged,
}

/// Returns a name for a file of another program that no cleanup touches:
/// `NAME.shmlens-displaced-…`.
fn displaced_name(name: &CString, temporary: &CString) -> io::Result<CString> {
    let digits = temporary.to_bytes().strip_prefix(UNFINISHED.as_bytes()).unwrap_or_default();
    let ending = [b".shmlens-displaced-", digits].concat();
    let name = name.to_bytes();
    let max_length = MAX_NAME_LENGTH.saturating_sub(ending.len());
    CString::new([&name[..name.len().min(max_length)], &ending].concat()).map_err(io::Error::other)
}

impl Drop for UnnamedFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // On failure, the file keeps a name that explains where it came from.
            let _ = unlink(self.directory.as_fd(), temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write as _;

    fn names(root: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn file_has_no_name_until_published() {
        let root = tempfile::tempdir().unwrap();
        for named_meanwhile in [false, true] {
            let mut file = UnnamedFile::create(root.path(), Path::new("a"), 0o600).unwrap();
            if named_meanwhile {
                let temporary = random_name().unwrap();
                file.link(&temporary).unwrap();
                file.temporary = Some(temporary);
            }
            file.file.write_all(b"hello").unwrap();
            assert!(!names(root.path()).contains(&"a".to_owned()));
            file.publish().unwrap();
            assert_eq!(fs::read(root.path().join("a")).unwrap(), b"hello");
            drop(file);
            assert_eq!(names(root.path()), ["a"]);
            let again =
                UnnamedFile::create(root.path(), Path::new("a"), 0o600).unwrap().publish().unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(names(root.path()), ["a"]);
            let mut other = UnnamedFile::create(root.path(), Path::new("a"), 0o600).unwrap();
            other.replace().unwrap();
            drop(other);
            assert_eq!(fs::read(root.path().join("a")).unwrap(), b"");
            assert_eq!(names(root.path()), ["a"]);
            fs::remove_file(root.path().join("a")).unwrap();
        }
    }

    fn unnamed(root: &Path) -> UnnamedFile {
        let mut file = UnnamedFile::create(root, Path::new("a"), 0o600).unwrap();
        file.file.write_all(b"new").unwrap();
        file
    }

    /// Creates a file of this kind under the name. Returns its inode.
    fn put(root: &Path, kind: &str) -> u64 {
        let path = root.join("a");
        match kind {
            "a directory" => fs::create_dir(&path).unwrap(),
            "a symbolic link" => std::os::unix::fs::symlink("target", &path).unwrap(),
            "a FIFO (named pipe)" => nix::unistd::mkfifo(&path, Mode::S_IRUSR).unwrap(),
            _ => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
        }
        fs::symlink_metadata(path).unwrap().ino()
    }

    const KINDS: [&str; 4] = ["a directory", "a symbolic link", "a FIFO (named pipe)", "a socket"];

    #[test]
    fn only_a_regular_file_is_replaced() {
        for kind in KINDS {
            let root = tempfile::tempdir().unwrap();
            let before = put(root.path(), kind);
            fs::write(root.path().join("target"), "old").unwrap();
            let error = unnamed(root.path()).replace().unwrap_err();
            assert!(matches!(error, ReplaceError::NotRegular(found) if found == kind), "{error}");
            assert_eq!(fs::symlink_metadata(root.path().join("a")).unwrap().ino(), before);
            assert_eq!(fs::read(root.path().join("target")).unwrap(), b"old");
            assert_eq!(names(root.path()), ["a", "target"]);
        }
    }

    #[test]
    fn file_displaced_after_the_check_gets_its_name_back() {
        for kind in KINDS {
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join("a"), "old").unwrap();
            let mut other = 0;
            let error = unnamed(root.path()).replace_step_by_step(|step| {
                if step == Step::Checked {
                    fs::remove_file(root.path().join("a")).unwrap();
                    other = put(root.path(), kind);
                }
            });
            assert!(matches!(error, Err(ReplaceError::NotRegular(found)) if found == kind), "{error:?}");
            assert_eq!(fs::symlink_metadata(root.path().join("a")).unwrap().ino(), other);
            assert_eq!(names(root.path()), ["a"]);
        }
    }

    #[test]
    fn no_cleanup_removes_a_displaced_file() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("a"), "old").unwrap();
        let error = unnamed(root.path()).replace_step_by_step(|step| {
            // A directory gets the name, and then a third file.
            fs::remove_file(at("a")).unwrap();
            match step {
                Step::Checked => fs::create_dir(at("a")).unwrap(),
                Step::Exchanged => fs::write(at("a"), "third").unwrap(),
            }
        });
        let message = error.unwrap_err().to_string();
        let _ = unfinished::remove_abandoned(root.path());
        let names = names(root.path());
        assert!(names.len() == 2 && names[0] == "a" && at("a").is_dir(), "{names:?}");
        assert!(
            names[1].starts_with("a.shmlens-displaced-") && message.contains(&names[1]),
            "{names:?}: {message}"
        );
        assert_eq!(fs::read(at(&names[1])).unwrap(), b"third");
        let long = CString::new("x".repeat(255)).unwrap();
        assert_eq!(displaced_name(&long, &random_name().unwrap()).unwrap().to_bytes().len(), 255);
    }

    #[test]
    fn name_that_becomes_free_after_the_check_is_taken() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "old").unwrap();
        let remove = |step| {
            if step == Step::Checked {
                fs::remove_file(root.path().join("a")).unwrap();
            }
        };
        unnamed(root.path()).replace_step_by_step(remove).unwrap();
        assert_eq!(fs::read(root.path().join("a")).unwrap(), b"new");
        assert_eq!(names(root.path()), ["a"]);
    }
}

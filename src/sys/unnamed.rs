//! A file that gets its name only when it is whole: `O_TMPFILE` and
//! `linkat(2)`. A kill in between leaves nothing.
//!
//! Where the file system has no nameless files, it has a random name until
//! then. A kill leaves it under that, for [`super::unfinished`] to remove.

use super::handle::no_proc;
use super::object::open_parent;
use super::unfinished::{self, random_name, try_lock};
use super::unlink::{rename_to_free, unlink};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::linkat;
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;

/// A file without a name, or with none that matters. Dropping it leaves
/// nothing, unless it was given its name.
#[derive(Debug)]
pub struct Unnamed {
    /// Its descriptor, for reading and writing.
    pub file: File,
    directory: OwnedFd,
    name: CString,
    /// The name it has in the meantime.
    meantime: Option<CString>,
}

impl Unnamed {
    /// Makes one that is to be called `path` below `root`. No part of the path
    /// is followed through a link.
    ///
    /// # Errors
    /// `ENOENT` when the directory is not there, `EACCES` and `EROFS` when it
    /// may not be written, `ENOSPC`.
    pub fn create(root: &Path, path: &Path, mode: u32) -> io::Result<Self> {
        let (directory, name) = open_parent(root, path)?;
        let mode = Mode::from_bits_truncate(mode & 0o777);
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
        match openat(&directory, c".", flags | OFlag::O_TMPFILE, mode) {
            Ok(fd) => Ok(Self { file: File::from(fd), directory, name, meantime: None }),
            // What file systems and kernels without it say, open(2).
            Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL) => {
                let (file, meantime) = unfinished::create(&directory, mode)?;
                Ok(Self { file, directory, name, meantime: Some(meantime) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives it its name, if that is free.
    ///
    /// # Errors
    /// `EEXIST` when something has the name; that is not touched.
    pub fn publish(&mut self) -> io::Result<()> {
        let Some(meantime) = &self.meantime else { return self.link(&self.name) };
        rename_to_free(self.directory.as_fd(), meantime, &self.name)?;
        self.meantime = None;
        Ok(())
    }

    /// Gives it its name, in place of a file that may have it.
    ///
    /// # Errors
    /// `EISDIR` when a directory has the name.
    pub fn replace(&mut self) -> io::Result<()> {
        if self.meantime.is_none() {
            // Only a name can be moved over another. Locked first, as one that
            // is written under a name is.
            let _ = try_lock(&self.file);
            let meantime = random_name()?;
            self.link(&meantime)?;
            self.meantime = Some(meantime);
        }
        if let Some(meantime) = &self.meantime {
            renameat(&self.directory, meantime.as_c_str(), &self.directory, self.name.as_c_str())?;
        }
        self.meantime = None;
        Ok(())
    }

    /// Has the disk keep the name too, `fsync(2)` of the directory.
    ///
    /// # Errors
    /// `EIO`, and `EBADF` for a directory that may be searched but not read.
    pub fn sync_name(&self) -> io::Result<()> {
        Ok(nix::unistd::fsync(&self.directory)?)
    }

    fn link(&self, name: &CString) -> io::Result<()> {
        // Through /proc, because AT_EMPTY_PATH asks for CAP_DAC_READ_SEARCH.
        let file = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let here = nix::fcntl::AT_FDCWD;
        let follow = AtFlags::AT_SYMLINK_FOLLOW;
        match linkat(here, file.as_str(), &self.directory, name.as_c_str(), follow) {
            // Root may, and since Linux 6.10 whoever opened the file.
            Err(Errno::ENOENT) if !Path::new("/proc/self").exists() => {
                let empty = AtFlags::AT_EMPTY_PATH;
                linkat(&self.file, c"", &self.directory, name.as_c_str(), empty).map_err(|_| no_proc())
            }
            outcome => Ok(outcome?),
        }
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if let Some(meantime) = &self.meantime {
            // If it fails the file stays, under a name that says what it is.
            let _ = unlink(self.directory.as_fd(), meantime);
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
    fn it_has_no_name_until_it_is_given_one() {
        let root = tempfile::tempdir().unwrap();
        for named_meanwhile in [false, true] {
            let mut file = Unnamed::create(root.path(), Path::new("a"), 0o600).unwrap();
            if named_meanwhile {
                let meantime = random_name().unwrap();
                file.link(&meantime).unwrap();
                file.meantime = Some(meantime);
            }
            file.file.write_all(b"hello").unwrap();
            assert!(!names(root.path()).contains(&"a".to_owned()));
            file.publish().unwrap();
            assert_eq!(fs::read(root.path().join("a")).unwrap(), b"hello");
            drop(file);
            assert_eq!(names(root.path()), ["a"]);
            let again = Unnamed::create(root.path(), Path::new("a"), 0o600).unwrap().publish().unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(names(root.path()), ["a"]);
            let mut other = Unnamed::create(root.path(), Path::new("a"), 0o600).unwrap();
            other.replace().unwrap();
            drop(other);
            assert_eq!(fs::read(root.path().join("a")).unwrap(), b"");
            assert_eq!(names(root.path()), ["a"]);
            fs::remove_file(root.path().join("a")).unwrap();
        }
    }

    #[test]
    fn a_directory_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        assert!(Unnamed::create(root.path(), Path::new("a"), 0o600).unwrap().replace().is_err());
        assert_eq!(names(root.path()), ["a"]);
    }
}

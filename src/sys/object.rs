//! Opening what stands below `/dev/shm`, `open(2)`: never through a symbolic
//! link, never anything but a regular file, and never so that it blocks.

use super::{FileStat, page_size, statx_fd};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use nix::unistd::{Whence, lseek64};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

/// An object that is open for reading.
#[derive(Debug)]
pub struct OpenObject {
    /// Its descriptor.
    pub file: File,
    /// What it was when it was opened.
    pub stat: FileStat,
    /// Whether reading leaves the access time as it is (`O_NOATIME`, which is
    /// for the owner and for root).
    pub keeps_access_time: bool,
}

/// Opens a directory to list it or to look names up in it.
///
/// # Errors
/// As `open(2)`.
pub fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    // /dev/shm itself may be a link: some systems keep the tmpfs elsewhere.
    Ok(open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?)
}

/// Opens a directory by its name in another one, not through a link.
///
/// # Errors
/// As `openat(2)`: `ELOOP` or `ENOTDIR` for what is no directory.
pub fn open_subdirectory(parent: &OwnedFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}

/// A handle on whatever has that path below `root`, which cannot be read from
/// and does nothing to what it stands for (`O_PATH`). No part of the path is
/// followed through a link.
///
/// # Errors
/// `ENOENT` when it is gone, `EACCES` when a directory may not be searched.
pub fn handle(root: &Path, path: &Path) -> io::Result<OwnedFd> {
    let step = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut at = open(root, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        };
        let last = parts.peek().is_none();
        let flags = if last { step } else { step | OFlag::O_DIRECTORY };
        at = openat(&at, name, flags, Mode::empty())?;
    }
    Ok(at)
}

/// The directory that holds `path` below `root`, and the name in it. No part is
/// followed through a link.
pub(super) fn open_parent(root: &Path, path: &Path) -> io::Result<(OwnedFd, CString)> {
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    let name = path.file_name().ok_or_else(invalid)?;
    let name = CString::new(name.as_bytes()).map_err(|_| invalid())?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => handle(root, parent)?,
        _ => open_directory(root)?,
    };
    Ok((directory, name))
}

/// Makes an object that did not exist and opens it to read and write,
/// `O_CREAT | O_EXCL`, as `shm_open(3)` does.
///
/// # Errors
/// `EEXIST` when the name is taken, by a link too; `EACCES`, `ENOSPC`.
pub fn create_object(root: &Path, path: &Path, mode: u32) -> io::Result<File> {
    let (directory, name) = open_parent(root, path)?;
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mode = Mode::from_bits_truncate(mode & 0o777);
    Ok(File::from(openat(&directory, name.as_c_str(), flags, mode)?))
}

/// Opens a regular file below `root` for reading. A name that is something
/// else is not opened at all: opening a FIFO would wake who waits at its other end.
///
/// # Errors
/// `ENOENT` when it is gone, `EACCES` without read permission, `ENODEV` when
/// it is no regular file.
pub fn open_object(root: &Path, path: &Path) -> io::Result<OpenObject> {
    let handle = handle(root, path)?;
    let stat = statx_fd(handle.as_fd())?;
    if !stat.is_regular() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    // Through the handle, so that it is the very object that was looked at.
    let (file, keeps_access_time) = open_link(&format!("/proc/self/fd/{}", handle.as_raw_fd()))?;
    Ok(OpenObject { file, stat, keeps_access_time })
}

/// Opens what a link of `/proc` stands for, for reading: a descriptor or a
/// mapping of some process, whatever the name of the file by now.
///
/// # Errors
/// `EACCES` without read permission, `EPERM` for a mapping that only root may
/// open so, `ENOENT` when it is no more.
pub fn open_again(link: &str) -> io::Result<OpenObject> {
    let (file, keeps_access_time) = open_link(link)?;
    let stat = statx_fd(file.as_fd())?;
    Ok(OpenObject { file, stat, keeps_access_time })
}

/// Opens a regular file for reading, wherever its path leads. Anything else is not
/// opened at all: opening a FIFO may block, and opening a device may do something.
///
/// # Errors
/// As `open(2)`; for anything but a regular file an error that names what it is.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let handle = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    require_regular(statx_fd(handle.as_fd())?.mode)?;
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    // Through the handle, so that it is the very file that was checked.
    match open(format!("/proc/self/fd/{}", handle.as_raw_fd()).as_str(), flags, Mode::empty()) {
        Ok(fd) => Ok(File::from(fd)),
        // /proc is not mounted.
        Err(Errno::ENOENT) => {
            let file = File::from(open(path, flags, Mode::empty())?);
            require_regular(statx_fd(file.as_fd())?.mode)?;
            Ok(file)
        }
        Err(error) => Err(error.into()),
    }
}

fn require_regular(mode: u32) -> io::Result<()> {
    match kind_of(mode) {
        None => Ok(()),
        Some(kind) => Err(io::Error::other(format!("it is {kind}, not a regular file"))),
    }
}

/// What a file of this mode is, with its article; `None` for a regular file.
#[must_use]
pub const fn kind_of(mode: u32) -> Option<&'static str> {
    match mode & libc::S_IFMT {
        libc::S_IFREG => None,
        libc::S_IFIFO => Some("a FIFO (named pipe)"),
        libc::S_IFCHR => Some("a character device"),
        libc::S_IFDIR => Some("a directory"),
        libc::S_IFBLK => Some("a block device"),
        libc::S_IFLNK => Some("a symbolic link"),
        libc::S_IFSOCK => Some("a socket"),
        _ => Some("a file of unknown type"),
    }
}

/// The open file, and whether reading it leaves the access time as it is.
fn open_link(link: &str) -> io::Result<(File, bool)> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    match open(link, flags | OFlag::O_NOATIME, Mode::empty()) {
        Ok(fd) => Ok((File::from(fd), true)),
        Err(Errno::EPERM) => Ok((File::from(open(link, flags, Mode::empty())?), false)),
        Err(error) => Err(error.into()),
    }
}

/// A run of a file that is either allocated or a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileExtent {
    /// Where it ends.
    pub end: u64,
    /// Whether there is anything; a hole reads as zeros.
    pub data: bool,
}

/// The run that `offset` lies in, `lseek(SEEK_DATA)` and `lseek(SEEK_HOLE)`:
/// nothing is read or allocated. It may be told to end `limit` bytes on
/// although it goes on. `None` at and beyond the end.
///
/// # Errors
/// As `lseek(2)`.
pub fn extent_at(file: &File, offset: u64, size: u64, limit: u64) -> io::Result<Option<FileExtent>> {
    if offset >= size {
        return Ok(None);
    }
    // No data from here on, or the object has shrunk below this offset.
    let data = seek(file, offset, Whence::SeekData)?.map_or(size, |data| data.min(size));
    if data > offset {
        return Ok(Some(FileExtent { end: data, data: false }));
    }
    let end = offset.saturating_add(limit.max(1)).min(size);
    // SEEK_HOLE goes through every page up to the next hole, at some 5 ns each.
    // To ask for one page, as below, takes some 50 times as long.
    let end = if (end - offset) < (size - offset) / 64 {
        end_of_data(file, offset, end)?
    } else {
        match seek(file, offset, Whence::SeekHole)? {
            Some(hole) => hole.min(size).max(offset + 1),
            None => return Ok(None),
        }
    };
    Ok(Some(FileExtent { end, data: true }))
}

/// Where the data ends that `offset` lies in, or `end`: page by page.
fn end_of_data(file: &File, offset: u64, end: u64) -> io::Result<u64> {
    let page = page_size();
    let mut at = offset - offset % page + page;
    while at < end && seek(file, at, Whence::SeekData)? == Some(at) {
        at += page;
    }
    Ok(at.min(end))
}

/// `lseek(2)`; `None` where there is nothing of the kind, or no such offset.
fn seek(file: &File, offset: u64, whence: Whence) -> io::Result<Option<u64>> {
    let Ok(from) = i64::try_from(offset) else { return Ok(None) };
    match lseek64(file, from, whence) {
        Ok(found) => Ok(u64::try_from(found).ok()),
        Err(Errno::ENXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

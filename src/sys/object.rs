//! Opens objects below `/dev/shm`, `open(2)`: never through a symbolic link, only regular files,
//! and without blocking.

use super::{FileStat, page_size, statx_at, statx_fd};
use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::sys::stat::Mode;
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::{AccessFlags, Whence, faccessat, lseek64};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

#[derive(Debug)]
pub struct OpenObject {
    pub file: File,
    /// The stat when the file was opened.
    pub stat: FileStat,
    /// Set if reading does not change the access time (`O_NOATIME`, for the owner and root).
    pub keeps_access_time: bool,
}

/// Attempts to open an object that keeps being replaced, without `/proc`.
const MAX_OPENS: usize = 16;

/// Opens a directory to list it or to look up names in it.
pub fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    // /dev/shm itself may be a link: some systems keep the tmpfs elsewhere.
    Ok(open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?)
}

/// Opens a subdirectory without following links or entering another mount.
pub fn open_subdirectory(parent: &OwnedFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    open_within(parent, name, flags)
}

/// Returns the stat of a name in a directory, or fails with `EXDEV` for a mount point. Never
/// queries the mounted file system, which may hang.
pub fn stat_within(directory: &OwnedFd, name: &CStr) -> io::Result<FileStat> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    statx_fd(open_within(directory, name, flags)?.as_fd())
}

/// Opens a name like `openat(2)`, but fails with `EXDEV` instead of crossing into another mount.
fn open_within<P: NixPath + ?Sized>(directory: &OwnedFd, name: &P, flags: OFlag) -> io::Result<OwnedFd> {
    let how = OpenHow::new().flags(flags).resolve(ResolveFlag::RESOLVE_NO_XDEV);
    match openat2(directory, name, how) {
        // Unavailable before Linux 5.6 and under seccomp filters that do not know the call.
        Err(Errno::ENOSYS | Errno::EPERM) => {}
        Err(Errno::EXDEV) => return Err(other_mount()),
        opened => return Ok(opened?),
    }
    let opened = openat(directory, name, flags, Mode::empty())?;
    if statx_fd(opened.as_fd())?.is_on_mount_of(&statx_fd(directory.as_fd())?) {
        Ok(opened)
    } else {
        Err(other_mount())
    }
}

/// Returns `EXDEV` with a plain message.
fn other_mount() -> io::Error {
    io::Error::new(io::ErrorKind::CrossesDevices, "another file system is mounted there")
}

/// Opens a handle (`O_PATH`) to the file at `path` below `root`, without following links or
/// entering another mount. The handle cannot be read, and opening it does not affect the file.
///
/// # Errors
/// `ENOENT` if the file is gone, `EACCES` if a directory may not be searched, `EXDEV` if another
/// file system is mounted there.
pub fn open_handle(root: &Path, path: &Path) -> io::Result<OwnedFd> {
    let step = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut at = open(root, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        };
        let last = parts.peek().is_none();
        let flags = if last { step } else { step | OFlag::O_DIRECTORY };
        at = open_within(&at, name, flags)?;
    }
    Ok(at)
}

/// Opens the directory of `path` below `root`, and returns the last component of the path. Never
/// follows a link.
pub(super) fn open_parent(root: &Path, path: &Path) -> io::Result<(OwnedFd, CString)> {
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    let name = path.file_name().ok_or_else(invalid)?;
    let name = CString::new(name.as_bytes()).map_err(|_| invalid())?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => open_handle(root, parent)?,
        _ => open_directory(root)?,
    };
    Ok((directory, name))
}

/// A file below a root, and its directory.
#[derive(Debug)]
pub struct InDirectory {
    pub file: FileStat,
    pub directory: FileStat,
    /// Set if the mode and ACL of the directory let the effective user create, rename and remove
    /// names, apart from the sticky bit and the attributes of the file.
    pub writable: bool,
    /// Set if the file system is mounted read-only.
    pub read_only: bool,
}

/// Returns everything that decides whether `path` below `root` can be removed, except the caller's
/// capabilities. Changes nothing.
///
/// # Errors
/// `ENOENT` if it is gone, `EACCES` when a directory may not be searched.
pub fn in_directory(root: &Path, path: &Path) -> io::Result<InDirectory> {
    let (directory, name) = open_parent(root, path)?;
    let access = AccessFlags::W_OK | AccessFlags::X_OK;
    let writable = match faccessat(&directory, c".", access, AtFlags::AT_EACCESS) {
        // The mount flags and the file attributes have their own fields.
        Ok(()) | Err(Errno::EROFS | Errno::EPERM) => true,
        Err(_) => false,
    };
    Ok(InDirectory {
        file: statx_at(directory.as_fd(), &name)?,
        directory: statx_fd(directory.as_fd())?,
        writable,
        read_only: fstatvfs(&directory)?.flags().contains(FsFlags::ST_RDONLY),
    })
}

/// Checks that `path` could be created below `root`, even if it exists. Changes nothing.
///
/// # Errors
/// `ENOENT` if the directory does not exist, `EACCES` if it is not writable, `EROFS` on a read-only
/// mount, `EPERM` if the directory is immutable.
pub fn check_new_name(root: &Path, path: &Path) -> io::Result<()> {
    let (directory, _) = open_parent(root, path)?;
    if fstatvfs(&directory)?.flags().contains(FsFlags::ST_RDONLY) {
        return Err(Errno::EROFS.into());
    }
    if statx_fd(directory.as_fd())?.immutable {
        return Err(Errno::EPERM.into());
    }
    Ok(faccessat(&directory, c".", AccessFlags::W_OK | AccessFlags::X_OK, AtFlags::AT_EACCESS)?)
}

/// Opens a regular file below `root` for reading. Never opens anything else: opening a FIFO would
/// wake the process at its other end.
///
/// # Errors
/// `ENOENT` if the file is gone, `EACCES` without read permission, `ENODEV` if it is not a regular
/// file, `EXDEV` if another file system is mounted there.
pub fn open_object(root: &Path, path: &Path) -> io::Result<OpenObject> {
    open_with(OFlag::O_RDONLY, root, path)
}

/// Opens an object like [`open_object`] to request a lease. Opens it for writing if the mode does
/// not let this user read. Nothing is written.
pub fn open_for_lease(root: &Path, path: &Path) -> io::Result<OpenObject> {
    match open_object(root, path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_with(OFlag::O_WRONLY, root, path)
        }
        opened => opened,
    }
}

fn open_with(access: OFlag, root: &Path, path: &Path) -> io::Result<OpenObject> {
    for _ in 0..MAX_OPENS {
        let handle = open_handle(root, path)?;
        let stat = statx_fd(handle.as_fd())?;
        if !stat.is_regular() {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        // Open through the handle to get the object that was checked.
        match open_link(access, &format!("/proc/self/fd/{}", handle.as_raw_fd())) {
            Ok((file, keeps_access_time)) => return Ok(OpenObject { file, stat, keeps_access_time }),
            // The link always exists if /proc is mounted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let (file, keeps_access_time) = open_name(access, root, path)?;
        let opened = statx_fd(file.as_fd())?;
        // The handle keeps the inode, so no other object can have its number.
        if (opened.device, opened.inode) == (stat.device, stat.inode) {
            return Ok(OpenObject { file, stat, keeps_access_time });
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Opens an object by name, without `/proc`. It may have been replaced since its handle was opened.
fn open_name(access: OFlag, root: &Path, path: &Path) -> io::Result<(File, bool)> {
    let (directory, name) = open_parent(root, path)?;
    nonblocking(access | OFlag::O_NOFOLLOW, |flags| openat(&directory, name.as_c_str(), flags, Mode::empty()))
}

/// Opens the file behind a link in `/proc` for reading: a descriptor or mapping of any process,
/// regardless of the file's name. `None` if the file is not the expected one, which is never
/// opened: opening a FIFO would wake the process at its other end.
///
/// # Errors
/// `EACCES` without read permission, `EPERM` for a mapping that only root may open, `ENOENT` if the
/// file is gone.
pub fn open_held(link: &str, is_expected: impl Fn(&FileStat) -> bool) -> io::Result<Option<OpenObject>> {
    let handle = open(link, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    let stat = statx_fd(handle.as_fd())?;
    if !stat.is_regular() || !is_expected(&stat) {
        return Ok(None);
    }
    let (file, keeps_access_time) =
        open_link(OFlag::O_RDONLY, &format!("/proc/self/fd/{}", handle.as_raw_fd()))?;
    Ok(Some(OpenObject { file, stat, keeps_access_time }))
}

/// Returns the file type of a mode, with an article; `None` for a regular file.
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

/// Opens a link. The second result is true if reading does not change the access time.
fn open_link(access: OFlag, link: &str) -> io::Result<(File, bool)> {
    nonblocking(access, |flags| open(link, flags, Mode::empty()))
}

/// Opens without blocking, and with `O_NOATIME` if permitted. The second result is true if it was
/// permitted.
fn nonblocking(flags: OFlag, open: impl Fn(OFlag) -> nix::Result<OwnedFd>) -> io::Result<(File, bool)> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | flags;
    match open(flags | OFlag::O_NOATIME) {
        Ok(fd) => Ok((File::from(fd), true)),
        Err(Errno::EPERM) => Ok((File::from(open(flags)?), false)),
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileExtent {
    pub end: u64,
    /// Set for data. A hole reads as zeros.
    pub data: bool,
}

/// Returns the extent that contains `offset`, limited to `limit` bytes, with `lseek(SEEK_DATA)` and
/// `lseek(SEEK_HOLE)`. Reads and allocates nothing. `None` at and past the end.
pub fn extent_at(file: &File, offset: u64, size: u64, limit: u64) -> io::Result<Option<FileExtent>> {
    if offset >= size {
        return Ok(None);
    }
    // There is no more data, or the object has shrunk.
    let data = seek(file, offset, Whence::SeekData)?.map_or(size, |data| data.min(size));
    if data > offset {
        return Ok(Some(FileExtent { end: data, data: false }));
    }
    let end = offset.saturating_add(limit.max(1)).min(size);
    // SEEK_HOLE visits every page up to the next hole, at about 5 ns each. Querying single pages,
    // as below, takes about 50 times as long per page.
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

/// Returns the end of the data at `offset`, at most `end`. Queries each page.
fn end_of_data(file: &File, offset: u64, end: u64) -> io::Result<u64> {
    let page = page_size();
    let mut at = offset - offset % page + page;
    while at < end && seek(file, at, Whence::SeekData)? == Some(at) {
        at += page;
    }
    Ok(at.min(end))
}

/// Calls `lseek(2)`; `None` if nothing is found, or at an offset past the end.
fn seek(file: &File, offset: u64, whence: Whence) -> io::Result<Option<u64>> {
    let Ok(from) = i64::try_from(offset) else { return Ok(None) };
    match lseek64(file, from, whence) {
        Ok(found) => Ok(u64::try_from(found).ok()),
        Err(Errno::ENXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

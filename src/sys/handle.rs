//! Changes a file through an `O_PATH` handle, so that the change affects the file that was checked
//! even if its name now belongs to another one: `fchmodat2(2)`, `fchownat(2)`, `getxattr(2)`,
//! `setxattr(2)`.

use super::check;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// The number of `fchmodat2` on every architecture.
const SYS_FCHMODAT2: libc::c_long = 452;
const ACL: &CStr = c"system.posix_acl_access";
/// The maximum size in bytes, far more than any list in use.
const MAX_ACL: usize = 64 << 10;

/// Sets the twelve permission bits.
///
/// # Errors
/// `EPERM` unless the caller is the owner; [`proc_not_mounted`] on kernels older than 6.6 if
/// `/proc` is not mounted.
pub fn chmod(file: BorrowedFd<'_>, mode: u32) -> io::Result<()> {
    let mode = mode & 0o7777;
    // SAFETY: the empty name ends in NUL; no other memory is read.
    let result =
        unsafe { libc::syscall(SYS_FCHMODAT2, file.as_raw_fd(), c"".as_ptr(), mode, libc::AT_EMPTY_PATH) };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // Seccomp filters that do not know the call return EPERM, and so does the kernel for other
    // users: retry through /proc.
    if !matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) {
        return Err(error);
    }
    let path = own_path(file)?;
    // SAFETY: the path ends in NUL and lives through the call.
    check(unsafe { libc::chmod(path.as_ptr(), mode) }).map(drop).map_err(explain_proc_error)
}

/// Sets owner and group; `None` leaves the value unchanged.
///
/// # Errors
/// `EPERM`: only root may change the owner, and the owner may only choose a group they belong to.
pub fn chown(file: BorrowedFd<'_>, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    let (uid, gid) = (uid.unwrap_or(u32::MAX), gid.unwrap_or(u32::MAX));
    // SAFETY: the empty name ends in NUL; no other memory is read.
    check(unsafe { libc::fchownat(file.as_raw_fd(), c"".as_ptr(), uid, gid, libc::AT_EMPTY_PATH) }).map(drop)
}

/// Returns the ACL in the kernel's format (`struct posix_acl_xattr_header` and entries); `None` if
/// there is none, or if the file system does not support ACLs.
pub fn acl(file: BorrowedFd<'_>) -> io::Result<Option<Vec<u8>>> {
    let mut list = vec![0u8; MAX_ACL];
    let (into, capacity) = (list.as_mut_ptr(), list.len());
    let length = attribute(
        file,
        // SAFETY: the name ends in NUL; the kernel writes at most the length of the list.
        |fd| unsafe { libc::fgetxattr(fd, ACL.as_ptr(), into.cast(), capacity) },
        // SAFETY: as above, and the path ends in NUL.
        |path| unsafe { libc::getxattr(path.as_ptr(), ACL.as_ptr(), into.cast(), capacity) },
    );
    match length {
        Ok(length) => {
            list.truncate(length);
            Ok(Some(list))
        }
        Err(error) if means_no_acl(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets the ACL, and the mode along with it.
///
/// # Errors
/// `EPERM` unless the caller is the owner, `EINVAL` for an invalid ACL, `EOPNOTSUPP`.
pub fn set_acl(file: BorrowedFd<'_>, list: &[u8]) -> io::Result<()> {
    let (from, length) = (list.as_ptr(), list.len());
    attribute(
        file,
        // SAFETY: the name ends in NUL; the kernel reads as many bytes as the list has.
        |fd| unsafe { libc::fsetxattr(fd, ACL.as_ptr(), from.cast(), length, 0) as isize },
        // SAFETY: as above, and the path ends in NUL.
        |path| unsafe { libc::setxattr(path.as_ptr(), ACL.as_ptr(), from.cast(), length, 0) as isize },
    )
    .map(drop)
}

/// Removes the ACL, if any. The mode does not change.
pub fn clear_acl(file: BorrowedFd<'_>) -> io::Result<()> {
    let removed = attribute(
        file,
        // SAFETY: the name ends in NUL.
        |fd| unsafe { libc::fremovexattr(fd, ACL.as_ptr()) as isize },
        // SAFETY: both names end in NUL.
        |path| unsafe { libc::removexattr(path.as_ptr(), ACL.as_ptr()) as isize },
    );
    match removed {
        Err(error) if !means_no_acl(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Returns true if the file has no ACL, or cannot have one.
fn means_no_acl(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENODATA | libc::EOPNOTSUPP))
}

/// Calls `by_file` on an open file, or `by_path` on an `O_PATH` handle, whose attributes can only
/// be accessed through `/proc`.
fn attribute(
    file: BorrowedFd<'_>,
    by_file: impl FnOnce(libc::c_int) -> isize,
    by_path: impl FnOnce(&CStr) -> isize,
) -> io::Result<usize> {
    let result = |value: isize| usize::try_from(value).map_err(|_| io::Error::last_os_error());
    match result(by_file(file.as_raw_fd())) {
        Err(error) if error.raw_os_error() == Some(libc::EBADF) => {
            let path = own_path(file)?;
            result(by_path(&path)).map_err(explain_proc_error)
        }
        outcome => outcome,
    }
}

/// Returns the path of a descriptor in `/proc`, which stays valid after the file is renamed or
/// unlinked.
fn own_path(file: BorrowedFd<'_>) -> io::Result<CString> {
    CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(io::Error::other)
}

/// Explains the error of a call on a path below `/proc/self`. Such a path always exists if `/proc`
/// is mounted, so `ENOENT` does not refer to the file.
pub fn explain_proc_error(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::ENOENT) { proc_not_mounted() } else { error }
}

/// Returns the error for operations that need `/proc` when it is not mounted.
pub fn proc_not_mounted() -> io::Error {
    io::Error::other("/proc is not mounted")
}

//! The file system that the kernel keeps System V segments on. It is mounted
//! nowhere, so its number is learnt from another file that stands there.

use super::statx_fd;
use std::io;
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};

/// Its device number.
///
/// # Errors
/// `ENOSYS` before Linux 3.17; `EMFILE`.
pub fn kernel_device() -> io::Result<u64> {
    // SAFETY: the name ends in NUL and lives through the call, memfd_create(2).
    let fd = super::check(unsafe { libc::memfd_create(c"shmscope".as_ptr(), libc::MFD_CLOEXEC) })?;
    // SAFETY: the descriptor was just made, and nobody else has it.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(statx_fd(file.as_fd())?.device)
}

//! The internal file systems of System V segments. They are not mounted, so their device numbers
//! are taken from memfds on the same file systems: `memfd_create(2)`.

use super::statx_fd;
use std::ffi::c_uint;
use std::io;
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};

/// Returns the device of segments with normal pages.
///
/// # Errors
/// `ENOSYS` before Linux 3.17; `EMFILE`.
pub fn kernel_device() -> io::Result<u64> {
    device(0)
}

/// Returns the device of segments with huge pages of that size in bytes, a power of two. Allocates
/// no huge page.
///
/// # Errors
/// `EINVAL`, `ENODEV` if the kernel has no huge pages of that size; `EMFILE`.
pub fn huge_page_device(size: u64) -> io::Result<u64> {
    device(libc::MFD_HUGETLB | (size.trailing_zeros() << libc::MFD_HUGE_SHIFT))
}

fn device(flags: c_uint) -> io::Result<u64> {
    let flags = flags | libc::MFD_CLOEXEC;
    // With vm.memfd_noexec = 2 the kernel requires this flag; before Linux 6.3 the flag is unknown.
    let fd = create(flags | libc::MFD_NOEXEC_SEAL).or_else(|error| match error.raw_os_error() {
        Some(libc::EINVAL) => create(flags),
        _ => Err(error),
    })?;
    Ok(statx_fd(fd.as_fd())?.device)
}

fn create(flags: c_uint) -> io::Result<OwnedFd> {
    // SAFETY: the name ends in NUL and lives through the call.
    let fd = super::check(unsafe { libc::memfd_create(c"shmlens".as_ptr(), flags) })?;
    // SAFETY: the descriptor is new, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

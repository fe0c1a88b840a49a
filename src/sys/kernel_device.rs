//! The file systems that the kernel keeps System V segments on. They are
//! mounted nowhere, so their numbers are learnt from other files that stand
//! there: `memfd_create(2)`.

use super::statx_fd;
use std::ffi::c_uint;
use std::io;
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};

/// The device number of the one for segments in pages of the usual size.
///
/// # Errors
/// `ENOSYS` before Linux 3.17; `EMFILE`.
pub fn kernel_device() -> io::Result<u64> {
    device(0)
}

/// That of the one for segments in huge pages of so many bytes, a power of two.
/// No huge page is taken.
///
/// # Errors
/// `EINVAL`, `ENODEV` where there are none of that size; `EMFILE`.
pub fn huge_page_device(size: u64) -> io::Result<u64> {
    device(libc::MFD_HUGETLB | (size.trailing_zeros() << libc::MFD_HUGE_SHIFT))
}

fn device(flags: c_uint) -> io::Result<u64> {
    let flags = flags | libc::MFD_CLOEXEC;
    // Where vm.memfd_noexec is 2 it has to be one that cannot be executed;
    // before Linux 6.3 there is none.
    let fd = create(flags | libc::MFD_NOEXEC_SEAL).or_else(|error| match error.raw_os_error() {
        Some(libc::EINVAL) => create(flags),
        _ => Err(error),
    })?;
    Ok(statx_fd(fd.as_fd())?.device)
}

fn create(flags: c_uint) -> io::Result<OwnedFd> {
    // SAFETY: the name ends in NUL and lives through the call.
    let fd = super::check(unsafe { libc::memfd_create(c"shmlens".as_ptr(), flags) })?;
    // SAFETY: the descriptor was just made, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

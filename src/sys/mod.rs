//! Raw kernel calls, and all unsafe code: small safe wrappers, each documented by its man page.
//!
//! nix 0.31 lacks System V calls and `statx`. For the rest, use nix or the standard library.
#![expect(unsafe_code, reason = "only this module makes kernel calls that have no safe wrapper")]

pub mod capability;
pub mod entries;
pub mod handle;
pub mod job;
mod kernel_device;
pub mod lease;
pub mod mapping;
pub mod object;
mod own_memory;
pub mod pidfd;
pub mod procmap;
pub mod regular;
mod residency;
pub mod running;
pub mod shared_mutex;
pub mod shm;
#[cfg(any(test, feature = "fake"))]
pub mod skip;
mod statx;
pub mod swap;
pub mod swapped;
pub mod ticker;
pub mod unfinished;
pub mod unlink;
pub mod unnamed;
pub mod view;
pub mod watchpoint;
pub mod write_behind;

pub use kernel_device::{huge_page_device, kernel_device};
use object::open_parent;
pub use statx::{FileStat, statx_at, statx_fd, statx_link};

use std::io;

/// Returns the size of a memory page, `sysconf(3)`.
pub fn page_size() -> u64 {
    // SAFETY: sysconf takes a number and touches no memory.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096)
}

/// Converts a result of -1 to the error in `errno`.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

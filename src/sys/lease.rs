//! Detects other users of a file: the kernel grants a write lease (`F_SETLEASE` of `fcntl(2)`) only
//! if the file is not open anywhere else. Mappings count, including private ones, and so do
//! descriptors in transit through a socket; `O_PATH` descriptors do not.

use super::check;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// The command from `fcntl(2)` that the libc crate lacks.
const F_SETSIG: libc::c_int = 10;

/// Returns true if the file is open or mapped elsewhere, in any process, visible or not.
///
/// Releases the lease at once and changes nothing in the file. A process that opens the file within
/// that microsecond waits, or, with `O_NONBLOCK`, has to retry.
///
/// # Errors
/// `EACCES` without ownership or `CAP_LEASE`; `EINVAL` on a file system without leases.
pub fn is_open_elsewhere(file: &File) -> io::Result<bool> {
    let fd = file.as_raw_fd();
    // The default signal for a lease break would kill this process; SIGURG is ignored. SAFETY:
    // fcntl with numbers touches no memory; so below.
    check(unsafe { libc::fcntl(fd, F_SETSIG, libc::SIGURG) })?;
    // SAFETY: as above.
    match check(unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_WRLCK) }) {
        Ok(_) => {
            // SAFETY: as above.
            check(unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_UNLCK) })?;
            Ok(false)
        }
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::{Duration, Instant};

    #[test]
    fn another_descriptor_is_detected_without_a_trace() {
        let file = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
        let path = file.path().to_owned();
        let open = || File::open(&path).unwrap();
        // A process forked by another test holds copies of these descriptors until it execs.
        let is_alone = || {
            let deadline = Instant::now() + Duration::from_secs(10);
            while is_open_elsewhere(&open()).unwrap() {
                if Instant::now() > deadline {
                    return false;
                }
                thread::yield_now();
            }
            true
        };
        assert!(is_open_elsewhere(&open()).unwrap(), "a descriptor for writing counts as open");
        let (_, kept) = file.into_parts();
        assert!(is_alone());
        let reader = open();
        assert!(is_open_elsewhere(&open()).unwrap(), "a descriptor for reading counts as open");
        drop(reader);
        assert!(is_alone());
        drop(kept);
    }
}

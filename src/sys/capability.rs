//! The privileges of this thread: capabilities, `capget(2)`, and groups.

use std::io;

/// `_LINUX_CAPABILITY_VERSION_3`: two words of 32 bits each.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Returns the effective capabilities as bits, by their numbers in `capability.h`.
pub fn effective() -> io::Result<u64> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut data = [Data::default(); 2];
    // SAFETY: the kernel reads and may write the header, and writes two Data; both are locals.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::from(data[0].effective) | u64::from(data[1].effective) << 32)
}

/// Returns the supplementary groups of this thread, `getgroups(2)`. The wrapper in nix reads
/// `/proc/sys/kernel/ngroups_max` in each call.
///
/// # Errors
/// `EINVAL` if another thread adds groups between the two calls.
pub fn groups() -> io::Result<Vec<u32>> {
    // SAFETY: with a size of 0 nothing is written.
    let count = super::check(unsafe { libc::getgroups(0, std::ptr::null_mut()) })?;
    let mut groups = vec![0; usize::try_from(count).unwrap_or(0)];
    // SAFETY: at most `count` numbers are written, and the vector has room for them.
    let filled = super::check(unsafe { libc::getgroups(count, groups.as_mut_ptr()) })?;
    groups.truncate(usize::try_from(filled).unwrap_or(0));
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_match_those_of_nix() {
        let expected: Vec<u32> =
            nix::unistd::getgroups().unwrap().iter().map(|group| group.as_raw()).collect();
        assert_eq!(groups().unwrap(), expected);
    }
}

//! Facts about a process that require none of its files: its CPU time, and descriptor tables shared
//! between threads.

use std::io;
use std::mem::MaybeUninit;

/// `CPUCLOCK_SCHED` of `include/linux/posix-timers_types.h`.
const AS_SCHEDULED: libc::clockid_t = 2;
/// `PID_MAX_LIMIT` of `include/linux/threads.h`.
const LAST_PID: libc::pid_t = 4 << 20;
/// `KCMP_FILES` of `include/uapi/linux/kcmp.h`.
const FILES: libc::c_int = 2;

/// Returns the CPU time of all threads of a process in nanoseconds, including exited ones:
/// `clock_getcpuclockid(3)`. Needs no permission.
///
/// # Errors
/// `EINVAL` if there is no such process.
pub fn cpu_time(pid: u32) -> io::Result<u64> {
    // The clock id has 28 bits for the pid.
    let pid = libc::pid_t::try_from(pid).ok().filter(|&pid| pid <= LAST_PID);
    let pid = pid.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the kernel writes one timespec, and time has room for it.
    super::check(unsafe { libc::clock_gettime((!pid << 3) | AS_SCHEDULED, time.as_mut_ptr()) })?;
    // SAFETY: zeroed, then filled by the kernel; every bit pattern is valid.
    let time = unsafe { time.assume_init() };
    Ok(time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs())
}

/// Returns true if two threads share a descriptor table: `kcmp(2)`.
///
/// # Errors
/// `ESRCH`, `EPERM` if the caller may not examine them, `ENOSYS` if the kernel has no `kcmp`.
pub fn share_descriptors(one: u32, other: u32) -> io::Result<bool> {
    // SAFETY: the call takes numbers and touches no memory.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, one, other, FILES, 0, 0) };
    if order < 0 { Err(io::Error::last_os_error()) } else { Ok(order == 0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process;

    #[test]
    fn cpu_time_grows_with_work() {
        let before = cpu_time(process::id()).unwrap();
        assert!(before > 0);
        assert!(cpu_time(process::id()).unwrap() > before);
        for pid in [4 << 20, u32::MAX] {
            assert_eq!(cpu_time(pid).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        }
    }

    #[test]
    fn threads_share_descriptors_and_processes_do_not() {
        let own = process::id();
        match share_descriptors(own, own) {
            Ok(shared) => assert!(shared),
            // The kernel has no `kcmp`.
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::ENOSYS)),
        }
        if let Ok(shared) = share_descriptors(own, std::os::unix::process::parent_id()) {
            assert!(!shared);
        }
    }
}

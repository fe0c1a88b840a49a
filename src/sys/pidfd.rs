//! Process descriptors, which refer to the same process even after its pid is reused:
//! `pidfd_open(2)`, `pidfd_send_signal(2)`.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// Returns a descriptor of the process that currently has the pid.
///
/// # Errors
/// `ESRCH` if there is none.
pub fn open(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two numbers and returns a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = libc::c_int::try_from(fd).unwrap_or(-1);
    super::check(fd)?;
    // SAFETY: the descriptor is new, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Returns the pid that the process has in `/proc`, which may belong to another pid namespace:
/// `proc_pid_fdinfo(5)`.
///
/// # Errors
/// `ESRCH` if the process has exited, or has no pid there.
pub fn pid_in_proc(process: &OwnedFd) -> io::Result<u32> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", process.as_raw_fd()))
        .map_err(super::handle::explain_proc_error)?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    pid.ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

/// Sends `SIGTERM`.
///
/// # Errors
/// `ESRCH` if the process has exited, `EPERM` for another user's process.
pub fn terminate(process: &OwnedFd) -> io::Result<()> {
    let no_details = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: no structure is passed; the kernel fills the details in itself.
    let result = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGTERM, no_details, 0)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Returns true if the pid exists, even if `/proc` hides it: `kill(2)` with signal 0.
pub fn exists(pid: u32) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else { return false };
    // Values up to 0 mean process groups. SAFETY: no signal is sent, and no memory passed.
    pid > 0
        && (unsafe { libc::kill(pid, 0) } == 0
            || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM))
}

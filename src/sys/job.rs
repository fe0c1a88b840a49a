//! Job control: suspends like Ctrl-Z. See `signal(7)`, `sigaction(2)`, `kill(2)`.

use super::check;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// The processes to suspend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopTarget {
    /// Only this process.
    Process,
    /// The whole job, like Ctrl-Z in the terminal: a script that waits for this process stops too,
    /// and the shell shows its prompt.
    Group,
}

/// Suspends with SIGTSTP's default action, whatever its handler, and returns once resumed. In an
/// orphaned process group, which no shell could resume, the kernel ignores the signal and this
/// returns at once.
///
/// Call this on the main thread: the kernel signals it first, so that it has been resumed when
/// `kill` returns.
pub fn stop(target: StopTarget) -> io::Result<()> {
    let mut default = MaybeUninit::<libc::sigaction>::zeroed();
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a valid sigaction; setting SIG_DFL is explicit.
    unsafe { (*default.as_mut_ptr()).sa_sigaction = libc::SIG_DFL };
    // SAFETY: both point to a sigaction; the old one is written to `before`.
    check(unsafe { libc::sigaction(libc::SIGTSTP, default.as_ptr(), before.as_mut_ptr()) })?;
    let pid = match target {
        // SAFETY: getpid takes nothing and touches no memory.
        StopTarget::Process => unsafe { libc::getpid() },
        StopTarget::Group => 0,
    };
    // SAFETY: kill takes numbers.
    let stopped = check(unsafe { libc::kill(pid, libc::SIGTSTP) });
    // SAFETY: `before` was filled by the kernel above.
    check(unsafe { libc::sigaction(libc::SIGTSTP, before.as_ptr(), ptr::null_mut()) })?;
    stopped.map(drop)
}

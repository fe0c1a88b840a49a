//! Job control: stopping as Ctrl-Z does, `signal(7)`, `sigaction(2)`, `kill(2)`.

use super::check;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// The processes to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// This process alone.
    Us,
    /// The whole job, as the terminal does on Ctrl-Z: a script that waits for
    /// us stops too, and the shell gets its prompt.
    Group,
}

/// Stops with SIGTSTP's default action, whatever handler it has, and returns
/// when we were told to go on. In an orphaned process group, which no shell
/// could wake again, the kernel ignores it: then this returns at once.
///
/// To be called on the main thread: the kernel gives it the signal first, so
/// that the stop is over when `kill` returns.
pub fn stop(whom: Whom) -> io::Result<()> {
    let mut default = MaybeUninit::<libc::sigaction>::zeroed();
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a valid sigaction; SIG_DFL is zero, but say so.
    unsafe { (*default.as_mut_ptr()).sa_sigaction = libc::SIG_DFL };
    // SAFETY: both point to a sigaction; the old one is written to `before`.
    check(unsafe { libc::sigaction(libc::SIGTSTP, default.as_ptr(), before.as_mut_ptr()) })?;
    let pid = match whom {
        // SAFETY: getpid takes nothing and touches no memory of ours.
        Whom::Us => unsafe { libc::getpid() },
        Whom::Group => 0,
    };
    // SAFETY: kill takes numbers.
    let stopped = check(unsafe { libc::kill(pid, libc::SIGTSTP) });
    // SAFETY: `before` was filled by the kernel above.
    check(unsafe { libc::sigaction(libc::SIGTSTP, before.as_ptr(), ptr::null_mut()) })?;
    stopped.map(drop)
}

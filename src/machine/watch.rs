//! Watches the writes of threads to an address, with the watchpoints of the processor. Nothing is
//! stopped, and nothing is attached with `ptrace(2)`, but each write takes longer.

pub use crate::sys::watchpoint::{Event, MAX_WATCHPOINTS, REGISTERS, Sample, WatchOptions, WatchedBytes};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

pub trait WriteWatching: Send + Sync {
    /// Watches up to [`MAX_WATCHPOINTS`] addresses in a thread.
    ///
    /// # Errors
    /// `EACCES` or `EPERM` without the right to; `ENOSPC` if no watchpoint is left; `ESRCH` if the
    /// thread has exited; `ENOENT`, `ENODEV` or `EOPNOTSUPP` without hardware support; `EMFILE`;
    /// `ENOBUFS` if the limit on locked memory leaves no room for the records.
    fn watch_writes(
        &self,
        tid: u32,
        watched: &[WatchedBytes],
        options: WatchOptions,
    ) -> io::Result<Box<dyn WriteWatch>>;

    /// Measures the time that a watched write takes longer than another.
    ///
    /// # Errors
    /// As for [`WriteWatching::watch_writes`].
    fn trap_cost(&self) -> io::Result<Duration>;

    /// Returns `kernel.perf_event_paranoid`: above 2, ordinary users may not watch writes. `None` if
    /// unknown.
    fn perf_event_paranoid(&self) -> Option<i32>;
}

/// The watched writes of a thread. Dropping it ends the watch.
pub trait WriteWatch: Send {
    /// Returns the number of writes, those without a record included.
    ///
    /// # Errors
    /// The error of `read(2)`.
    fn hits(&self) -> io::Result<u64>;

    /// Takes the records so far, oldest first.
    fn drain(&mut self, take: &mut dyn FnMut(Event<'_>));

    /// The descriptor that is readable after a write, if the watch wakes.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// Ends the watch, so that the thread runs at full speed again. Records and counts stay.
    ///
    /// # Errors
    /// The error of `ioctl(2)`.
    fn disable(&self) -> io::Result<()>;
}

/// Waits for a write, for some time at most. Returns false at once if none of the watches wakes.
pub fn wait<'a>(watches: impl Iterator<Item = &'a dyn WriteWatch>, time: Duration) -> bool {
    let descriptors = watches.filter_map(WriteWatch::descriptor);
    let mut ready: Vec<PollFd<'_>> =
        descriptors.map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN)).collect();
    if ready.is_empty() {
        return false;
    }
    // An error, such as a signal, ends the wait early.
    let _ = poll(&mut ready, PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX));
    true
}

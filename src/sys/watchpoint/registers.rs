//! The registers of threads, taken without stopping them: a breakpoint that fires once where a thread
//! wakes up from a system call, or a timer that fires once while it runs.

use super::ring::Ring;
use super::sample::Sample;
use super::{Attributes, On, control, event, record};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

/// Enables an event for one record.
const REFRESH: libc::c_ulong = 0x2402;
/// Bytes that one record fits in.
const BUFFER: usize = 8 << 10;
/// The processor time after which a thread that runs is caught.
const RUN: Duration = Duration::from_micros(500);

/// A thread to catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub tid: u32,
    /// The program counter of a thread that sleeps. `None` for one that runs.
    pub wakes_at: Option<u64>,
}

/// A thread in the moment in which it was caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtThread {
    pub tid: u32,
    /// By their DWARF numbers.
    pub registers: [u64; super::REGISTERS],
    /// The stack from the stack pointer on.
    pub stack: Vec<u8>,
}

struct Armed {
    tid: u32,
    event: OwnedFd,
    ring: Ring,
}

impl Armed {
    fn new(target: Target) -> io::Result<Self> {
        let on = target.wakes_at.map_or(On::Run(RUN), On::Instruction);
        let event = event(target.tid, on, Attributes { wakeup: 1, ..Attributes::default() })?;
        let ring = Ring::map(event.as_fd(), BUFFER)?;
        control(event.as_fd(), REFRESH, 1)?;
        Ok(Self { tid: target.tid, event, ring })
    }

    fn take(&self) -> Option<CaughtThread> {
        let (mut at, mut copy) = (self.ring.tail(), vec![]);
        let end = self.ring.head();
        while let Some(kind) = self.ring.next(&mut at, end, &mut copy) {
            let sample = if kind == record::SAMPLE { Sample::parse(&copy) } else { None };
            if let Some(sample) = sample {
                let (registers, stack) = (sample.registers?, sample.stack.to_vec());
                return Some(CaughtThread { tid: self.tid, registers, stack });
            }
        }
        None
    }
}

/// Catches threads, each once, and returns those that woke up or ran in time. Threads that have exited
/// are left out. Nothing is returned on processors other than x86-64.
///
/// # Errors
/// `EACCES` or `EPERM` without the right to (`perf_event_paranoid`, or another user's process);
/// `ENOSPC` if no breakpoint is left; `ENOENT`, `ENODEV` or `EOPNOTSUPP` without hardware support;
/// `EMFILE`; `ENOBUFS` if the limit on locked memory leaves no room for the records. Only if no thread
/// could be caught.
pub fn catch_threads(targets: &[Target], wait: Duration) -> io::Result<Vec<CaughtThread>> {
    let until = Instant::now() + wait;
    let (mut armed, mut refused) = (vec![], None);
    for target in targets {
        match Armed::new(*target) {
            Ok(one) => armed.push(one),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            Err(error) => refused = Some(error),
        }
    }
    if let (true, Some(error)) = (armed.is_empty(), refused) {
        return Err(error);
    }
    let mut caught = vec![];
    while !armed.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let mut ready: Vec<PollFd<'_>> =
            armed.iter().map(|one| PollFd::new(one.event.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut ready, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let fired: Vec<bool> = ready.iter().map(|one| one.any().unwrap_or(false)).collect();
        let mut fired = fired.into_iter();
        armed.retain(|one| {
            let is_done = fired.next().unwrap_or(false);
            if is_done {
                caught.extend(one.take());
            }
            !is_done
        });
    }
    Ok(caught)
}

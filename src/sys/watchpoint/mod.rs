//! Write watchpoints of the processor, `perf_event_open(2)` with `PERF_TYPE_BREAKPOINT`: one record
//! for each write of a thread, which is neither stopped nor traced. [`catch_threads`] takes the
//! registers of threads in the same way.
//!
//! The kernel writes the records to a ring buffer in memory that it shares with this process. Each
//! has the instruction, the registers, and the top of the stack at the moment after the write. It
//! does not have the value that was written.

mod registers;
mod ring;
mod sample;
#[cfg(test)]
mod tests;

pub use registers::{CaughtThread, Target, catch_threads};
pub use sample::{REGISTERS, Sample};

use super::check;
use nix::time::{ClockId, clock_gettime};
use ring::Ring;
use sample::REGISTER_MASK;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The watchpoints of an x86-64 processor, for each thread.
pub const MAX_WATCHPOINTS: usize = 4;
/// The bytes of a ring buffer at most, and at least.
pub const MAX_RING: usize = 2 << 20;
pub const MIN_RING: usize = 64 << 10;
/// Bytes of the stack in each record. Those of `snprintf` and the functions that it calls take 2.5 KiB.
const STACK: u32 = 4 << 10;
/// `struct perf_event_attr` in its third version (`PERF_ATTR_SIZE_VER3`, Linux 3.7).
#[repr(C)]
#[derive(Default, Clone, Copy)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    breakpoint_type: u32,
    address: u64,
    length: u64,
    branch_sample_type: u64,
    sample_registers: u64,
    sample_stack: u32,
    clock: i32,
}

const TYPE_SOFTWARE: u32 = 1;
const TYPE_BREAKPOINT: u32 = 5;
const BREAKPOINT_WRITE: u32 = 2;
const BREAKPOINT_EXECUTE: u32 = 4;

/// The moment in which the kernel writes a record.
#[derive(Debug, Clone, Copy)]
enum On {
    Write(WatchedBytes),
    /// Before the instruction at this address.
    Instruction(u64),
    /// After this processor time of the thread (`PERF_COUNT_SW_CPU_CLOCK`), in the program itself.
    Run(Duration),
}

mod field {
    pub const IP: u64 = 1;
    pub const TID: u64 = 1 << 1;
    pub const TIME: u64 = 1 << 2;
    pub const ADDR: u64 = 1 << 3;
    pub const REGS_USER: u64 = 1 << 12;
    pub const STACK_USER: u64 = 1 << 13;
}

mod flag {
    pub const DISABLED: u64 = 1;
    pub const EXCLUDE_KERNEL: u64 = 1 << 5;
    pub const EXCLUDE_HYPERVISOR: u64 = 1 << 6;
    /// Records of the threads that begin and end.
    pub const TASK: u64 = 1 << 13;
    pub const USE_CLOCK: u64 = 1 << 25;
}

mod record {
    pub const EXIT: u32 = 4;
    pub const THROTTLE: u32 = 5;
    pub const FORK: u32 = 7;
    pub const SAMPLE: u32 = 9;
}

const OPEN_CLOEXEC: libc::c_ulong = 1 << 3;
/// `_IO('$', n)`.
const ENABLE: libc::c_ulong = 0x2400;
const DISABLE: libc::c_ulong = 0x2401;
const SET_OUTPUT: libc::c_ulong = 0x2405;

/// Bytes that one watchpoint covers: 1, 2, 4 or 8, aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedBytes {
    pub address: u64,
    pub length: u64,
}

/// Options of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOptions {
    /// Bytes of the ring buffer: [`MIN_RING`] to [`MAX_RING`].
    pub buffer: usize,
    /// Makes the descriptors readable at each write, for `poll(2)`. Costs the writer more.
    pub wakes: bool,
}

/// A record.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Write(Sample<'a>),
    /// A thread began or ended.
    Threads,
    /// The kernel stopped the event until the next tick, because it took too much time.
    Throttled,
}

/// The watchpoints of a thread. Dropping them removes them.
pub struct ThreadWatch {
    events: Vec<OwnedFd>,
    ring: Ring,
    /// A record, copied out of the ring.
    record: Vec<u8>,
}

impl ThreadWatch {
    /// Watches up to [`MAX_WATCHPOINTS`] addresses in a thread. The ring buffer is smaller than asked for
    /// where the limit on locked memory is lower.
    ///
    /// # Errors
    /// `EACCES` or `EPERM` without the right to (`perf_event_paranoid`, or another user's process);
    /// `ENOSPC` if no watchpoint is left; `ESRCH` if the thread has exited; `ENOENT`, `ENODEV` or
    /// `EOPNOTSUPP` without hardware support; `EMFILE`; `ENOBUFS` if the limit on locked memory leaves
    /// no room for the ring buffer (`perf_event_mlock_kb`, `RLIMIT_MEMLOCK`).
    pub fn open(tid: u32, watched: &[WatchedBytes], options: WatchOptions) -> io::Result<Self> {
        // In records. Waking slows the writer down.
        let wakeup = if options.wakes { 1 } else { u32::MAX };
        let attributes = Attributes { flags: flag::TASK, wakeup, ..Attributes::default() };
        let events = watched
            .iter()
            .map(|bytes| event(tid, On::Write(*bytes), attributes))
            .collect::<io::Result<Vec<_>>>()?;
        let first = events.first().ok_or(io::ErrorKind::InvalidInput)?;
        let ring = Ring::map(first.as_fd(), options.buffer.clamp(MIN_RING, MAX_RING))?;
        for event in events.iter().skip(1) {
            control(event.as_fd(), SET_OUTPUT, libc::c_ulong::from(first.as_raw_fd().cast_unsigned()))?;
        }
        for event in &events {
            control(event.as_fd(), ENABLE, 0)?;
        }
        Ok(Self { events, ring, record: vec![] })
    }

    /// Returns the number of writes to all addresses, those whose records were lost included.
    ///
    /// # Errors
    /// The error of `read(2)`.
    pub fn hits(&self) -> io::Result<u64> {
        let mut hits = 0_u64;
        for event in &self.events {
            let mut count = [0; 8];
            nix::unistd::read(event, &mut count)?;
            hits = hits.saturating_add(u64::from_ne_bytes(count));
        }
        Ok(hits)
    }

    /// Takes the records that were written so far.
    pub fn drain(&mut self, mut take: impl FnMut(Event<'_>)) {
        let end = self.ring.head();
        let mut at = self.ring.tail();
        while let Some(kind) = self.ring.next(&mut at, end, &mut self.record) {
            match kind {
                record::SAMPLE => {
                    if let Some(sample) = Sample::parse(&self.record) {
                        take(Event::Write(sample));
                    }
                }
                record::FORK | record::EXIT => take(Event::Threads),
                record::THROTTLE => take(Event::Throttled),
                _ => {}
            }
        }
        // A damaged record hides those behind it.
        self.ring.release(end);
    }

    /// The descriptor that is readable after a write, if the watch wakes.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.events.first().map(OwnedFd::as_fd)
    }

    /// Ends the watch, so that the thread runs at full speed again. Records and counts stay.
    ///
    /// # Errors
    /// The error of `ioctl(2)`.
    pub fn disable(&self) -> io::Result<()> {
        self.events.iter().try_for_each(|event| control(event.as_fd(), DISABLE, 0))
    }
}

/// Opens an event of a thread, disabled.
fn event(tid: u32, on: On, attributes: Attributes) -> io::Result<OwnedFd> {
    const ANY_CPU: libc::c_int = -1;
    const NO_GROUP: libc::c_int = -1;
    let unwinds = REGISTER_MASK != 0;
    let stack = if unwinds { field::REGS_USER | field::STACK_USER } else { 0 };
    let breakpoint = |breakpoint_type, address, length| Attributes {
        kind: TYPE_BREAKPOINT,
        sample_period: 1,
        breakpoint_type,
        address,
        length,
        ..attributes
    };
    let attributes = match on {
        On::Write(WatchedBytes { address, length }) => breakpoint(BREAKPOINT_WRITE, address, length),
        On::Instruction(address) => breakpoint(BREAKPOINT_EXECUTE, address, size_of::<libc::c_long>() as u64),
        On::Run(time) => Attributes {
            kind: TYPE_SOFTWARE,
            sample_period: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
            ..attributes
        },
    };
    let attributes = Attributes {
        size: u32::try_from(size_of::<Attributes>()).unwrap_or(u32::MAX),
        sample_type: field::IP | field::TID | field::TIME | field::ADDR | stack,
        flags: attributes.flags
            | flag::DISABLED
            | flag::EXCLUDE_KERNEL
            | flag::EXCLUDE_HYPERVISOR
            | flag::USE_CLOCK,
        sample_registers: REGISTER_MASK,
        sample_stack: if unwinds { STACK } else { 0 },
        clock: libc::CLOCK_MONOTONIC,
        ..attributes
    };
    let tid = libc::pid_t::try_from(tid).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the kernel reads one perf_event_attr, whose size is in it.
    let fd = unsafe {
        libc::syscall(libc::SYS_perf_event_open, &raw const attributes, tid, ANY_CPU, NO_GROUP, OPEN_CLOEXEC)
    };
    let fd = check(libc::c_int::try_from(fd).unwrap_or(-1))?;
    // SAFETY: the descriptor is new, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn control(event: BorrowedFd<'_>, request: libc::c_ulong, argument: libc::c_ulong) -> io::Result<()> {
    // SAFETY: these requests take a number, and touch no memory.
    check(unsafe { libc::ioctl(event.as_raw_fd(), request, argument) }).map(drop)
}

/// The processor time of this thread, `clock_gettime(2)`.
fn thread_time() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

/// Measures the time that a watched write takes longer than another, in this thread on its own
/// memory.
///
/// # Errors
/// As for [`ThreadWatch::open`].
pub fn trap_cost() -> io::Result<Duration> {
    const ROUNDS: usize = 5;
    /// Writes of a round, whose records fit in the ring.
    const WRITES: u32 = 40;
    let target = AtomicU64::new(0);
    // SAFETY: gettid takes nothing and cannot fail.
    let tid = unsafe { libc::gettid() };
    let watched = WatchedBytes { address: target.as_ptr() as u64, length: 8 };
    let mut watch =
        ThreadWatch::open(tid.cast_unsigned(), &[watched], WatchOptions { buffer: MAX_RING, wakes: false })?;
    let mut rounds = [Duration::ZERO; ROUNDS];
    for round in &mut rounds {
        let start = thread_time()?;
        for value in 0..WRITES {
            target.store(value.into(), Ordering::Relaxed);
            // Otherwise the compiler keeps only the last of the stores.
            std::hint::black_box(&target);
        }
        *round = thread_time()?.saturating_sub(start) / WRITES;
        watch.drain(|_| ());
    }
    // The first writes after the start, and interrupts, take longer.
    rounds.sort_unstable();
    Ok(rounds[ROUNDS / 2])
}

//! Write watchpoints of the processor, `perf_event_open(2)` with `PERF_TYPE_BREAKPOINT`: one record
//! for each write of a thread, which is neither stopped nor traced.
//!
//! The kernel writes the records to a ring buffer in memory that it shares with this process. Each
//! has the instruction, the registers, and the top of the stack at the moment after the write. It
//! does not have the value that was written.

use super::check;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::io;
use std::num::NonZero;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The watchpoints of an x86-64 processor, for each thread.
pub const MAX_WATCHPOINTS: usize = 4;
/// The bytes of a ring buffer at most, and at least.
pub const MAX_RING: usize = 512 << 10;
pub const MIN_RING: usize = 16 << 10;
/// Bytes of the stack in each record: enough for the frames of a few functions of the C library.
const STACK: u32 = 1 << 10;
/// Registers in each record, by their DWARF numbers. 16 is the instruction pointer.
pub const REGISTERS: usize = 17;

/// `struct perf_event_attr` in its third version (`PERF_ATTR_SIZE_VER3`, Linux 3.7).
#[repr(C)]
#[derive(Default)]
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

const TYPE_BREAKPOINT: u32 = 5;
const BREAKPOINT_WRITE: u32 = 2;

mod sample {
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

/// rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, rip, r8 to r15 (`arch/x86/include/uapi/asm/perf_regs.h`).
const REGISTER_MASK: u64 = if cfg!(target_arch = "x86_64") { 0x00ff_01ff } else { 0 };
/// Their DWARF numbers, in the order of a record.
const DWARF_NUMBERS: [usize; REGISTERS] = [0, 3, 2, 1, 4, 5, 6, 7, 16, 8, 9, 10, 11, 12, 13, 14, 15];
/// `PERF_SAMPLE_REGS_ABI_64`.
const ABI_64: u64 = 2;

/// Bytes that one watchpoint covers: 1, 2, 4 or 8, aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedBytes {
    pub address: u64,
    pub length: u64,
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

/// A write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample<'a> {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    pub pid: u32,
    pub tid: u32,
    /// On x86, the address after the instruction that wrote.
    pub instruction: u64,
    /// The address of the watchpoint.
    pub address: u64,
    /// The registers of a 64-bit x86 program, by their DWARF numbers.
    pub registers: Option<[u64; REGISTERS]>,
    /// The stack from the stack pointer on.
    pub stack: &'a [u8],
}

/// The watchpoints of a thread. Dropping them removes them.
pub struct ThreadWatch {
    events: Vec<OwnedFd>,
    ring: Ring,
    /// A record, copied out of the ring.
    record: Vec<u8>,
}

impl ThreadWatch {
    /// Watches up to [`MAX_WATCHPOINTS`] addresses in a thread. The ring buffer has `ring` bytes, or
    /// fewer where the limit on locked memory is lower.
    ///
    /// # Errors
    /// `EACCES` or `EPERM` without the right to (`perf_event_paranoid`, or another user's process);
    /// `ENOSPC` if no watchpoint is left; `ESRCH` if the thread has exited; `ENOENT`, `ENODEV` or
    /// `EOPNOTSUPP` without hardware support; `EMFILE`; `ENOBUFS` if the limit on locked memory leaves
    /// no room for the ring buffer (`perf_event_mlock_kb`, `RLIMIT_MEMLOCK`).
    pub fn open(tid: u32, watched: &[WatchedBytes], ring: usize) -> io::Result<Self> {
        let events = watched.iter().map(|bytes| open_event(tid, *bytes)).collect::<io::Result<Vec<_>>>()?;
        let first = events.first().ok_or(io::ErrorKind::InvalidInput)?;
        let ring = Ring::map(first.as_fd(), ring)?;
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
        let mut at = self.ring.tail;
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

    /// Ends the watch, so that the thread runs at full speed again. Records and counts stay.
    ///
    /// # Errors
    /// The error of `ioctl(2)`.
    pub fn disable(&self) -> io::Result<()> {
        self.events.iter().try_for_each(|event| control(event.as_fd(), DISABLE, 0))
    }
}

fn open_event(tid: u32, watched: WatchedBytes) -> io::Result<OwnedFd> {
    let unwinds = REGISTER_MASK != 0;
    let stack = if unwinds { sample::REGS_USER | sample::STACK_USER } else { 0 };
    let attributes = Attributes {
        kind: TYPE_BREAKPOINT,
        size: u32::try_from(size_of::<Attributes>()).unwrap_or(u32::MAX),
        sample_period: 1,
        sample_type: sample::IP | sample::TID | sample::TIME | sample::ADDR | stack,
        flags: flag::DISABLED
            | flag::EXCLUDE_KERNEL
            | flag::EXCLUDE_HYPERVISOR
            | flag::TASK
            | flag::USE_CLOCK,
        // Nobody waits for the records: waking would slow the writer down.
        wakeup: u32::MAX,
        breakpoint_type: BREAKPOINT_WRITE,
        address: watched.address,
        length: watched.length,
        sample_registers: REGISTER_MASK,
        sample_stack: if unwinds { STACK } else { 0 },
        clock: libc::CLOCK_MONOTONIC,
        ..Attributes::default()
    };
    let tid = libc::pid_t::try_from(tid).map_err(|_| io::ErrorKind::InvalidInput)?;
    const ANY_CPU: libc::c_int = -1;
    const NO_GROUP: libc::c_int = -1;
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

/// The ring buffer of an event, `struct perf_event_mmap_page` and the data after it.
struct Ring {
    page: NonNull<u8>,
    length: NonZero<usize>,
    /// The offset of the data in the mapping, and its size, a power of two.
    data: usize,
    size: usize,
    /// Bytes that were read so far.
    tail: u64,
}

// SAFETY: the mapping belongs to the ring alone, and is used through it only.
unsafe impl Send for Ring {}

/// The offsets of `data_head` and `data_tail` in the first page.
const HEAD: usize = 1024;
const TAIL: usize = 1032;
/// The size of `struct perf_event_header`: type, flags, size.
const HEADER: usize = 8;

impl Ring {
    fn map(event: BorrowedFd<'_>, wanted: usize) -> io::Result<Self> {
        let page = usize::try_from(super::page_size()).unwrap_or(4096);
        let mut size = wanted.clamp(MIN_RING, MAX_RING).next_power_of_two();
        loop {
            let length = NonZero::new(page + size).ok_or(io::ErrorKind::InvalidInput)?;
            let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
            // SAFETY: with a null address the kernel chooses a free range, so no memory that this
            // program uses is replaced.
            match unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, event, 0) } {
                Ok(start) => return Ok(Self { page: start.cast(), length, data: page, size, tail: 0 }),
                // The limit on locked memory (`perf_event_mlock_kb`, `RLIMIT_MEMLOCK`).
                Err(_) if size > MIN_RING => size /= 2,
                Err(nix::errno::Errno::EPERM) => return Err(io::Error::from_raw_os_error(libc::ENOBUFS)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn counter(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the offset is within the first page and aligned to 8 bytes, and the kernel changes
        // the counters atomically.
        unsafe { AtomicU64::from_ptr(self.page.add(offset).cast().as_ptr()) }
    }

    /// The bytes that the kernel wrote so far. What is before it is complete.
    fn head(&self) -> u64 {
        self.counter(HEAD).load(Ordering::Acquire)
    }

    /// Lets the kernel overwrite what was read.
    fn release(&mut self, tail: u64) {
        self.tail = tail;
        self.counter(TAIL).store(tail, Ordering::Release);
    }

    /// Copies the record at `at`, without its header, and moves on. Returns its type. `None` at the
    /// end, or if its size cannot be right.
    fn next(&self, at: &mut u64, end: u64, into: &mut Vec<u8>) -> Option<u32> {
        let left = usize::try_from(end.checked_sub(*at)?).ok().filter(|&left| left <= self.size)?;
        if left < HEADER {
            return None;
        }
        let mut header = [0; HEADER];
        self.copy(*at, &mut header);
        let [kind @ .., _, _, low, high] = header;
        let size = usize::from(u16::from_ne_bytes([low, high]));
        if size < HEADER || size > left {
            return None;
        }
        into.clear();
        into.resize(size - HEADER, 0);
        self.copy(*at + HEADER as u64, into);
        *at += size as u64;
        Some(u32::from_ne_bytes(kind))
    }

    /// Copies bytes that the kernel has completed, around the end of the ring.
    fn copy(&self, at: u64, into: &mut [u8]) {
        let start = usize::try_from(at % self.size as u64).unwrap_or(0);
        let first = into.len().min(self.size - start);
        let (before, after) = into.split_at_mut(first);
        let after_length = after.len().min(self.size);
        // SAFETY: both ranges are within the data of the mapping. The kernel writes there only after
        // `release`.
        unsafe {
            let data = self.page.add(self.data);
            data.add(start).copy_to_nonoverlapping(NonNull::from(before).cast(), first);
            data.copy_to_nonoverlapping(NonNull::from(after).cast(), after_length);
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the address came from mmap, is unmapped only here, and nothing borrows the memory.
        let _ = unsafe { munmap(self.page.cast(), self.length.get()) };
    }
}

impl<'a> Sample<'a> {
    /// Parses a record of the events of [`open_event`]. `None` if it is too short.
    fn parse(record: &'a [u8]) -> Option<Self> {
        let mut rest = record;
        let mut number = || {
            let (first, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            Some(u64::from_ne_bytes(*first))
        };
        let (instruction, ids, time, address) = (number()?, number()?, number()?, number()?);
        let [pid, tid] = halves(ids);
        let mut sample = Self { time, pid, tid, instruction, address, registers: None, stack: &[] };
        if REGISTER_MASK == 0 {
            return Some(sample);
        }
        let abi = number()?;
        if abi != 0 {
            let mut registers = [0; REGISTERS];
            for register in DWARF_NUMBERS {
                registers[register] = number()?;
            }
            sample.registers = (abi == ABI_64).then_some(registers);
        }
        let size = usize::try_from(number()?).ok()?;
        if size > 0 {
            let stack = rest.get(..size)?;
            let used = u64::from_ne_bytes(*rest.get(size..)?.first_chunk()?);
            sample.stack = stack.get(..usize::try_from(used).ok()?)?;
        }
        Some(sample)
    }
}

/// Two numbers of 4 bytes in their order in memory.
fn halves(number: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = number.to_ne_bytes();
    [u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])]
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
    let mut watch = ThreadWatch::open(tid.cast_unsigned(), &[watched], MAX_RING)?;
    let mut rounds = [Duration::ZERO; ROUNDS];
    for round in &mut rounds {
        let start = Instant::now();
        for value in 0..WRITES {
            target.store(value.into(), Ordering::Relaxed);
            // Otherwise the compiler keeps only the last of the stores.
            std::hint::black_box(&target);
        }
        *round = start.elapsed() / WRITES;
        watch.drain(|_| ());
    }
    // The first writes after the start, and interruptions, take longer.
    rounds.sort_unstable();
    Ok(rounds[ROUNDS / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::skip::skip_for_kernel;

    fn own_tid() -> u32 {
        nix::unistd::gettid().as_raw().cast_unsigned()
    }

    /// Watches a word in this thread. `None`, with the test skipped, where the kernel refuses.
    fn watch(target: &AtomicU64, ring: usize) -> Option<ThreadWatch> {
        let watched = WatchedBytes { address: target.as_ptr() as u64, length: 8 };
        match ThreadWatch::open(own_tid(), &[watched], ring) {
            Ok(watch) => Some(watch),
            Err(error) => {
                skip_for_kernel(&format!("needs write watchpoints (perf_event_open): {error}"));
                None
            }
        }
    }

    fn write(target: &AtomicU64, value: u64) {
        target.store(value, Ordering::Relaxed);
        std::hint::black_box(target);
    }

    #[test]
    fn every_write_has_a_record_until_the_watch_is_disabled() {
        let target = AtomicU64::new(0);
        let Some(mut watch) = watch(&target, MAX_RING) else { return };
        let before = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).unwrap();
        (1..=5).for_each(|value| write(&target, value));
        let mut times = vec![];
        let pid = std::process::id();
        watch.drain(|event| {
            let Event::Write(sample) = event else { panic!("{event:?}") };
            assert_eq!((sample.pid, sample.tid, sample.address), (pid, own_tid(), target.as_ptr() as u64));
            if cfg!(target_arch = "x86_64") {
                let registers = sample.registers.unwrap();
                assert_eq!(registers[16], sample.instruction);
                assert_eq!(sample.stack.len(), STACK as usize);
            }
            times.push(sample.time);
        });
        assert_eq!((times.len(), watch.hits().unwrap()), (5, 5));
        let before = u64::try_from(Duration::from(before).as_nanos()).unwrap();
        assert!(times.is_sorted() && times[0] >= before, "{times:?} {before}");
        watch.disable().unwrap();
        write(&target, 6);
        watch.drain(|event| panic!("{event:?}"));
        assert_eq!(watch.hits().unwrap(), 5);
    }

    #[test]
    fn lost_records_are_counted_and_the_ring_wraps() {
        let target = AtomicU64::new(0);
        let Some(mut watch) = watch(&target, MIN_RING) else { return };
        for round in 1..=20 {
            // Each record takes more than 1 KiB.
            (0..7).for_each(|value| write(&target, value));
            let mut found = 0;
            watch.drain(|event| found += u64::from(matches!(event, Event::Write(_))));
            assert_eq!((found, watch.hits().unwrap()), (7, 7 * round));
        }
        (0..100).for_each(|value| write(&target, value));
        let mut found = 0;
        watch.drain(|event| found += u64::from(matches!(event, Event::Write(_))));
        assert!(found < 100);
        assert_eq!(watch.hits().unwrap(), 240);
    }

    #[test]
    fn fifth_watchpoint_of_a_thread_is_refused() {
        let words = [const { AtomicU64::new(0) }; 5];
        let Some(_first) = watch(&words[0], MIN_RING) else { return };
        let watched = |word: &AtomicU64| WatchedBytes { address: word.as_ptr() as u64, length: 8 };
        let rest: Vec<WatchedBytes> = words[1..].iter().map(watched).collect();
        let error = ThreadWatch::open(own_tid(), &rest, MIN_RING).err().unwrap();
        assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
        assert!(ThreadWatch::open(own_tid(), &rest[1..], MIN_RING).is_ok());
    }

    #[test]
    fn writes_to_all_watchpoints_of_a_thread_are_in_order() {
        let words = [const { AtomicU64::new(0) }; 3];
        if watch(&words[0], MIN_RING).is_none() {
            return;
        }
        let watched: Vec<WatchedBytes> =
            words.iter().map(|word| WatchedBytes { address: word.as_ptr() as u64, length: 8 }).collect();
        let mut watch = ThreadWatch::open(own_tid(), &watched, MIN_RING).unwrap();
        let order = [2, 0, 1, 1, 0];
        order.iter().for_each(|&index| write(&words[index], 1));
        let mut found = vec![];
        watch.drain(|event| {
            if let Event::Write(sample) = event {
                found.push(sample.address);
            }
        });
        assert_eq!(found, order.map(|index: usize| words[index].as_ptr() as u64));
    }

    #[test]
    fn thread_that_begins_is_reported() {
        let target = AtomicU64::new(0);
        let Some(mut watch) = watch(&target, MIN_RING) else { return };
        std::thread::spawn(|| ()).join().unwrap();
        let mut events = 0;
        watch.drain(|event| events += usize::from(event == Event::Threads));
        assert_eq!(events, 1, "the end of another thread is not reported");
    }

    #[test]
    fn trap_takes_measurable_time() {
        if watch(&AtomicU64::new(0), MIN_RING).is_none() {
            return;
        }
        let cost = trap_cost().unwrap();
        assert!((Duration::from_nanos(100)..Duration::from_millis(5)).contains(&cost), "{cost:?}");
    }

    #[test]
    fn damaged_records_end_the_read() {
        let bytes =
            |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<_>>();
        for length in 0..32 {
            assert_eq!(Sample::parse(&bytes(&[1, 2, 3, 4])[..length]), None);
        }
        if !cfg!(target_arch = "x86_64") {
            return;
        }
        let none = bytes(&[0x10, 1 << 32 | 7, 3, 4, 0, 0]);
        let found = Sample::parse(&none).unwrap();
        assert_eq!((found.pid, found.tid, found.registers, found.stack), (7, 1, None, &[][..]));
        let registers: Vec<u64> = [1, 2, 3, 4, 2].into_iter().chain(100..117).collect();
        let with = |stack: &[u64]| bytes(&[registers.as_slice(), stack].concat());
        assert_eq!(Sample::parse(&with(&[16, 8, 9, 8])).unwrap().stack, 8_u64.to_ne_bytes());
        assert_eq!(Sample::parse(&with(&[0])).unwrap().registers.unwrap()[..4], [100, 103, 102, 101]);
        for wrong in [&[u64::MAX][..], &[16, 8, 9], &[16, 8, 9, 17], &[8, 1, u64::MAX], &[1 << 60, 1, 1]] {
            assert_eq!(Sample::parse(&with(wrong)), None, "{wrong:?}");
        }
    }
}

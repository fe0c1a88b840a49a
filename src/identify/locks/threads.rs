//! The threads of the processes that hold segments, and the places in segments that they wait at.

use crate::machine::Machine;
use crate::machine::image::{Image, Thread, ThreadActivity};
use crate::machine::process::{Examination, Object, ProcessId, ScanOptions};
use crate::segment::{Holder, Place, escape};
use std::collections::BTreeMap;
use std::ops::Range;

/// Processes whose threads are examined.
const MAX_PROCESSES: usize = 512;
/// Threads of a process that are examined.
const MAX_THREADS: usize = 1024;
/// Addresses in a `futex_waitv(2)`: `FUTEX_WAITV_MAX`.
const MAX_FUTEXES: u64 = 128;

/// The threads of several processes at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Threads {
    processes: Vec<HolderThreads>,
    waiters: Vec<Waiter>,
    /// Set if some threads are missing, because there are too many.
    pub is_cut: bool,
}

/// A process that holds segments.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HolderThreads {
    pid: u32,
    command: Box<[u8]>,
    mappings: Vec<SegmentMapping>,
    threads: Vec<Thread>,
    /// Set if it is not visible what the threads wait for.
    is_hidden: bool,
}

/// A part of a segment in the address space of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentMapping {
    pub object: Object,
    pub addresses: Range<u64>,
    /// The offset in the segment of the first address.
    pub offset: u64,
}

/// A thread of a process that holds segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadName {
    pub pid: u32,
    pub tid: u32,
    /// The id that locks store: the one in the process's own pid namespace.
    pub inner_tid: u32,
    /// The program, or the script of an interpreter. May contain any bytes.
    pub command: Box<[u8]>,
}

/// A thread that waits for a word in a segment to change (`futex(2)`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    pub thread: ThreadName,
    pub object: Object,
    pub offset: u64,
}

impl ThreadName {
    /// Formats the thread: `reader.py (4188)`, with the thread id unless it is the first thread.
    #[must_use]
    pub fn text(&self) -> String {
        let command = escape(&self.command);
        if self.pid == self.tid {
            format!("{command} ({})", self.pid)
        } else {
            format!("{command} ({}, thread {})", self.pid, self.tid)
        }
    }
}

impl SegmentMapping {
    /// The offset in the segment that an address means.
    #[must_use]
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        self.addresses.contains(&address).then(|| self.offset + (address - self.addresses.start))
    }
}

impl Threads {
    /// Examines the threads of these processes.
    #[must_use]
    pub fn of<'a>(machine: &dyn Machine, holders: impl IntoIterator<Item = &'a Holder>) -> Self {
        let Ok(segment_devices) = machine.segment_devices() else { return Self::default() };
        let options = ScanOptions { segment_devices, ..ScanOptions::default() };
        let distinct: BTreeMap<u32, &Holder> = holders
            .into_iter()
            .filter(|holder| !holder.ourselves)
            .map(|holder| (holder.pid, holder))
            .collect();
        let mut threads = Self { is_cut: distinct.len() > MAX_PROCESSES, ..Self::default() };
        for holder in distinct.into_values().take(MAX_PROCESSES) {
            threads.add(machine, &options, holder);
        }
        threads
    }

    fn add(&mut self, machine: &dyn Machine, options: &ScanOptions, holder: &Holder) {
        let id = ProcessId { pid: holder.pid, start: holder.start };
        let Ok(image) = machine.open_image(&id) else { return };
        let Ok(mut threads) = image.threads() else { return };
        self.is_cut |= threads.len() > MAX_THREADS;
        threads.truncate(MAX_THREADS);
        let (mappings, is_hidden) = match machine.examine(holder.pid, options) {
            Examination::Found(process, uses) if process.id == id => {
                (uses.iter().filter_map(mapping_of).collect(), false)
            }
            Examination::Unreadable(_) | Examination::Exhausted => (vec![], true),
            _ => (vec![], false),
        };
        let mut process =
            HolderThreads { pid: holder.pid, command: holder.command.clone(), mappings, threads, is_hidden };
        for thread in &process.threads {
            match waited_addresses(&*image, thread.tid) {
                Ok(addresses) => self.waiters.extend(process.waiters(thread, &addresses)),
                Err(error) => {
                    process.is_hidden |= error.kind() == std::io::ErrorKind::PermissionDenied;
                }
            }
        }
        self.processes.push(process);
    }

    /// The threads that wait in a part of a segment.
    pub fn waiters(&self, object: Object, range: Range<u64>) -> impl Iterator<Item = &Waiter> {
        self.waiters.iter().filter(move |waiter| waiter.object == object && range.contains(&waiter.offset))
    }

    pub fn all_waiters(&self) -> &[Waiter] {
        &self.waiters
    }

    /// Returns the thread that a lock of a segment names, if its process maps the segment.
    #[must_use]
    pub fn thread(&self, object: Object, inner_tid: u32) -> Option<ThreadName> {
        let mapped = self.processes.iter().filter(|process| {
            process.is_hidden || process.mappings.iter().any(|mapping| mapping.object == object)
        });
        let mut found = mapped.flat_map(|process| {
            let threads = process.threads.iter().filter(|thread| thread.inner_tid == inner_tid);
            threads.map(|thread| process.name(thread))
        });
        found.next()
    }

    /// Returns true if thread ids in locks are those of this pid namespace.
    #[must_use]
    pub fn has_own_ids(&self) -> bool {
        self.processes
            .iter()
            .all(|process| process.threads.iter().all(|thread| thread.tid == thread.inner_tid))
    }

    /// The processes whose waiting threads are not visible.
    pub fn hidden(&self) -> impl Iterator<Item = String> {
        let hidden = self.processes.iter().filter(|process| process.is_hidden);
        hidden.map(|process| format!("{} ({})", escape(&process.command), process.pid))
    }

    /// The segment and offset that an address means in a process.
    #[must_use]
    pub fn place_of(&self, pid: u32, address: u64) -> Option<(Object, u64)> {
        self.processes.iter().find(|process| process.pid == pid)?.place_of(address)
    }
}

impl HolderThreads {
    fn name(&self, thread: &Thread) -> ThreadName {
        ThreadName {
            pid: self.pid,
            tid: thread.tid,
            inner_tid: thread.inner_tid,
            command: self.command.clone(),
        }
    }

    fn place_of(&self, address: u64) -> Option<(Object, u64)> {
        self.mappings.iter().find_map(|mapping| Some((mapping.object, mapping.offset_of(address)?)))
    }

    fn waiters(&self, thread: &Thread, addresses: &[u64]) -> Vec<Waiter> {
        let places = addresses.iter().filter_map(|&address| self.place_of(address));
        places.map(|(object, offset)| Waiter { thread: self.name(thread), object, offset }).collect()
    }
}

/// The mapping that a use of shared memory is; `None` for a descriptor or a private mapping.
#[must_use]
pub fn mapping_of(one: &crate::machine::process::Use) -> Option<SegmentMapping> {
    let Place::Mapping { start, end } = one.place else { return None };
    let offset = one.reaches.checked_sub(end.checked_sub(start)?)?;
    // Threads that wait in a private mapping do not wait for other processes.
    (!one.private).then_some(SegmentMapping { object: one.of, addresses: start..end, offset })
}

/// The addresses of the words that a thread waits for.
fn waited_addresses(image: &dyn Image, tid: u32) -> std::io::Result<Vec<u64>> {
    let ThreadActivity::Sleeping(call) = image.activity(tid)? else { return Ok(vec![]) };
    let [first, second, ..] = call.arguments;
    if call.number == libc::SYS_futex {
        return Ok(if waits(second) { vec![first] } else { vec![] });
    }
    if call.number == libc::SYS_futex_waitv {
        return Ok(vector_addresses(image, first, second));
    }
    Ok(vec![])
}

/// Returns true for the operations of `futex(2)` that wait.
const fn waits(operation: u64) -> bool {
    const COMMAND: u64 = 0x7f;
    const WAIT: u64 = 0;
    const LOCK_PI: u64 = 6;
    const WAIT_BITSET: u64 = 9;
    const WAIT_REQUEUE_PI: u64 = 11;
    const LOCK_PI2: u64 = 13;
    matches!(operation & COMMAND, WAIT | LOCK_PI | WAIT_BITSET | WAIT_REQUEUE_PI | LOCK_PI2)
}

/// The addresses in an array of `struct futex_waitv`: u64 value, u64 address, u32 flags, u32 reserved.
fn vector_addresses(image: &dyn Image, array: u64, count: u64) -> Vec<u64> {
    const SIZE: usize = 24;
    let count = usize::try_from(count.min(MAX_FUTEXES)).unwrap_or(0);
    let mut bytes = vec![0; count * SIZE];
    let read = image.read(array, &mut bytes).unwrap_or(0);
    let entries = bytes[..read].as_chunks::<SIZE>().0;
    entries.iter().map(|entry| u64::from_ne_bytes(entry[8..16].try_into().unwrap_or_default())).collect()
}

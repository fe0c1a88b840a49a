//! The watched threads of one process.

use super::refusal;
use crate::identify::locks::mapping_of;
use crate::identify::source::{SourceMap, WritingProcess};
use crate::machine::Machine;
use crate::machine::process::{Examination, Object, ProcessId, ScanOptions};
use crate::machine::watch::{Event, MAX_WATCHPOINTS, WatchOptions, WatchedBytes, WriteWatch};
use crate::scope::writers::{Tally, ThreadId, ThreadState, WriteSamples};
use crate::segment::{Access, Holder, Segment, escape};
use std::collections::HashMap;
use std::io;
use std::ops::Range;

/// Bytes of all records of a process that wait to be read: memory that the kernel locks, of which users
/// have a limit.
const BUFFERS: usize = 32 << 20;
const USER_BUFFERS: usize = 8 << 20;
/// Threads of a process that are watched.
const MAX_THREADS: usize = 1024;

/// The bytes to watch, and what the records are counted in.
pub struct Watching<'a> {
    pub machine: &'a dyn Machine,
    pub segment: &'a Segment,
    pub object: Object,
    pub parts: &'a [Range<u64>],
    pub source: &'a mut SourceMap,
    pub tally: &'a mut Tally,
    /// Set if the value is sampled at each write.
    pub samples: Option<&'a mut WriteSamples>,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub now: u64,
}

/// A process that maps the segment.
pub struct WatchedProcess {
    holder: Holder,
    threads: HashMap<u32, WatchedThread>,
    /// Set if it maps the value, and a thread cannot be watched.
    pub is_refused: bool,
    /// Set once the kernel stopped watching for a while.
    is_throttled: bool,
    /// Reasons why some writes are not seen.
    pub problems: Vec<String>,
    /// Set if a thread began or ended since the threads were listed.
    pub has_new_threads: bool,
}

struct WatchedThread {
    watch: Box<dyn WriteWatch>,
    addresses: Vec<WatchedBytes>,
    is_released: bool,
}

impl WatchedProcess {
    pub fn new(holder: Holder) -> Self {
        Self {
            holder,
            threads: HashMap::new(),
            is_refused: false,
            is_throttled: false,
            problems: vec![],
            has_new_threads: false,
        }
    }

    pub const fn id(&self) -> ProcessId {
        ProcessId { pid: self.holder.pid, start: self.holder.start }
    }

    /// Watches all threads at the addresses where the process maps the value now.
    pub fn sync(&mut self, watching: &mut Watching<'_>) {
        self.has_new_threads = false;
        self.problems.clear();
        self.is_refused = false;
        if self.is_throttled {
            self.problems.push(format!(
                "{} writes so often that the kernel does not record all of its writes: raise \
                 kernel.perf_event_max_sample_rate",
                self.name()
            ));
        }
        let (addresses, tids) = match self.targets(watching) {
            Ok(targets) => targets,
            Err(error) => {
                self.refused(watching.machine, &error);
                (vec![], vec![])
            }
        };
        // A thread may have written since the last time, and then exited.
        self.drain(watching);
        let ended: Vec<u32> = self.threads.keys().filter(|tid| !tids.contains(tid)).copied().collect();
        for tid in ended {
            self.end(tid, watching);
        }
        if addresses.is_empty() {
            return;
        }
        let process =
            WritingProcess { machine: watching.machine, segment: watching.segment, holder: &self.holder };
        watching.source.prepare(process);
        let buffers = if watching.machine.effective_uid() == 0 { BUFFERS } else { USER_BUFFERS };
        let buffer = buffers / tids.len().next_power_of_two();
        let options = WatchOptions { buffer, wakes: watching.samples.is_some() };
        for &tid in &tids {
            if self.threads.get(&tid).is_some_and(|thread| thread.addresses == addresses) {
                continue;
            }
            self.end(tid, watching);
            match watching.machine.watch_writes(tid, &addresses, options) {
                Ok(watch) => {
                    let thread = WatchedThread { watch, addresses: addresses.clone(), is_released: false };
                    self.threads.insert(tid, thread);
                    watching.tally.begin(self.thread(tid), &self.holder.command, watching.now);
                }
                Err(error) => self.refused(watching.machine, &error),
            }
        }
    }

    /// The addresses of the value, and the threads; none if the process no longer maps it writable.
    fn targets(&mut self, watching: &Watching<'_>) -> io::Result<(Vec<WatchedBytes>, Vec<u32>)> {
        let mut addresses = self.addresses(watching)?;
        if addresses.is_empty() {
            return Ok((vec![], vec![]));
        }
        if addresses.len() > MAX_WATCHPOINTS {
            self.problems.push(format!(
                "{} maps the segment several times: only the first 4 of {} watchpoints are set",
                self.name(),
                addresses.len()
            ));
            addresses.truncate(MAX_WATCHPOINTS);
        }
        let image = watching.machine.open_image(&self.id())?;
        let mut tids: Vec<u32> = image.threads()?.into_iter().map(|thread| thread.tid).collect();
        if tids.len() > MAX_THREADS {
            self.problems.push(format!(
                "{} has {} threads: only {MAX_THREADS} are watched",
                self.name(),
                tids.len()
            ));
            tids.truncate(MAX_THREADS);
        }
        Ok((addresses, tids))
    }

    fn addresses(&self, watching: &Watching<'_>) -> io::Result<Vec<WatchedBytes>> {
        let segment_devices = watching.machine.segment_devices()?;
        let options = ScanOptions { segment_devices, ..ScanOptions::default() };
        let uses = match watching.machine.examine(self.holder.pid, &options) {
            Examination::Found(process, uses) if process.id == self.id() => uses,
            Examination::Unreadable(_) => return Err(io::ErrorKind::PermissionDenied.into()),
            Examination::Exhausted => return Err(io::Error::from_raw_os_error(libc::EMFILE)),
            Examination::Found(..) | Examination::Gone | Examination::Nothing => vec![],
        };
        let writable = uses.iter().filter(|one| one.of == watching.object && one.access == Access::ReadWrite);
        let mut addresses = vec![];
        for mapping in writable.filter_map(mapping_of) {
            let size = mapping.addresses.end - mapping.addresses.start;
            addresses.extend(watching.parts.iter().filter_map(|part| {
                let at = part.start.checked_sub(mapping.offset).filter(|&at| at < size)?;
                Some(WatchedBytes { address: mapping.addresses.start + at, length: part.end - part.start })
            }));
        }
        Ok(addresses)
    }

    /// Takes the records of all threads, and releases those that write too often.
    pub fn drain(&mut self, watching: &mut Watching<'_>) {
        let process =
            WritingProcess { machine: watching.machine, segment: watching.segment, holder: &self.holder };
        for (&tid, thread) in &mut self.threads {
            let id = ThreadId { process: ProcessId { pid: self.holder.pid, start: self.holder.start }, tid };
            let hits = thread.watch.hits().unwrap_or(0);
            let is_excessive = watching.tally.hits(id, hits, watching.now);
            thread.watch.drain(&mut |event| match event {
                Event::Write(write) if (write.pid, write.tid) == (self.holder.pid, tid) => {
                    let place = watching.source.place_of(process, &write);
                    let is_new = watching.tally.write(id, &write, &place);
                    if let Some(samples) = watching.samples.as_deref_mut().filter(|_| is_new) {
                        samples.write(write.time, id, place);
                    }
                }
                Event::Threads => self.has_new_threads = true,
                Event::Throttled => self.is_throttled = true,
                Event::Write(_) => {}
            });
            // Disabling fails only for a thread that has exited.
            if is_excessive && !thread.is_released && thread.watch.disable().is_ok() {
                thread.is_released = true;
                watching.tally.end(id, ThreadState::Released, watching.now);
            }
        }
    }

    /// The watches of threads that were not released.
    pub fn watches(&self) -> impl Iterator<Item = &dyn WriteWatch> {
        let active = self.threads.values().filter(|thread| !thread.is_released);
        active.map(|thread| &*thread.watch)
    }

    /// Ends the watch of all threads. Their counts stay.
    pub fn end_all(&mut self, watching: &mut Watching<'_>) {
        self.drain(watching);
        let tids: Vec<u32> = self.threads.keys().copied().collect();
        for tid in tids {
            self.end(tid, watching);
        }
        watching.source.forget(self.id());
    }

    fn end(&mut self, tid: u32, watching: &mut Watching<'_>) {
        if self.threads.remove(&tid).is_some() {
            watching.tally.end(self.thread(tid), ThreadState::Ended, watching.now);
        }
    }

    const fn thread(&self, tid: u32) -> ThreadId {
        ThreadId { process: self.id(), tid }
    }

    fn refused(&mut self, machine: &dyn Machine, error: &io::Error) {
        let Some(problem) = refusal::text(machine, &self.holder, error) else { return };
        self.is_refused = true;
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn name(&self) -> String {
        format!("{} ({})", escape(&self.holder.command), self.holder.pid)
    }
}

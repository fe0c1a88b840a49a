//! The watchpoints of the fake machine. Tests write with [`FakeMachine::write_in`].

use super::{FakeMachine, lock};
use crate::machine::watch::{
    Event, MAX_WATCHPOINTS, REGISTERS, Sample, WatchOptions, WatchedBytes, WriteWatch, WriteWatching,
};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The watchpoints of a machine.
#[derive(Debug, Clone, Default)]
pub struct FakeWatches {
    pub perf_event_paranoid: Option<i32>,
    /// The error of every attempt to watch.
    pub refused: Option<i32>,
    /// Records that a watch keeps; the others are lost. `None` for all.
    pub capacity: Option<usize>,
    /// By thread. Those that were dropped have no other owner.
    active: Vec<Arc<Mutex<Watched>>>,
}

#[derive(Debug)]
struct Watched {
    tid: u32,
    bytes: Vec<WatchedBytes>,
    hits: u64,
    /// With the number of the write, which its registers contain.
    records: Vec<(FakeWrite, u64)>,
    threads_changed: bool,
    is_throttled: bool,
    is_enabled: bool,
}

/// A write in a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FakeWrite {
    pub pid: u32,
    pub tid: u32,
    /// Nanoseconds.
    pub time: u64,
    /// The address after the instruction.
    pub instruction: u64,
    /// The first address that was written, and the number of bytes.
    pub address: u64,
    pub length: u64,
}

impl FakeMachine {
    /// Writes in a thread. Returns false if nothing watches it.
    pub fn write_in(&self, write: FakeWrite) -> bool {
        let all = self.edit(|facts| facts.watches.clone());
        let mut is_seen = false;
        for active in &all.active {
            let mut watched = lock(active);
            if watched.tid != write.tid || !watched.is_enabled {
                continue;
            }
            let number = watched.hits;
            for bytes in watched.bytes.clone() {
                if bytes.address < write.address + write.length
                    && write.address < bytes.address + bytes.length
                {
                    is_seen = true;
                    watched.hits += 1;
                    if all.capacity.is_none_or(|capacity| watched.records.len() < capacity) {
                        watched.records.push((FakeWrite { address: bytes.address, ..write }, number));
                    }
                }
            }
        }
        is_seen
    }

    /// Makes the watched threads report that a thread began or ended.
    pub fn change_threads(&self) {
        let all = self.edit(|facts| facts.watches.clone());
        all.active.iter().for_each(|watched| lock(watched).threads_changed = true);
    }

    /// Makes the watches report that the kernel stopped them for a while.
    pub fn throttle(&self) {
        let all = self.edit(|facts| facts.watches.clone());
        all.active.iter().for_each(|watched| lock(watched).is_throttled = true);
    }

    /// Returns the threads that are watched, in order.
    pub fn watched_threads(&self) -> Vec<u32> {
        let all = self.edit(|facts| facts.watches.clone());
        let enabled = all.active.iter().map(|watched| lock(watched));
        let mut tids: Vec<u32> =
            enabled.filter(|watched| watched.is_enabled).map(|watched| watched.tid).collect();
        tids.sort_unstable();
        tids
    }
}

impl WriteWatching for FakeMachine {
    fn watch_writes(
        &self,
        tid: u32,
        watched: &[WatchedBytes],
        _: WatchOptions,
    ) -> io::Result<Box<dyn WriteWatch>> {
        self.edit(|facts| {
            if let Some(error) = facts.watches.refused {
                return Err(io::Error::from_raw_os_error(error));
            }
            if watched.len() > MAX_WATCHPOINTS {
                return Err(io::Error::from_raw_os_error(libc::ENOSPC));
            }
            let watched = Arc::new(Mutex::new(Watched {
                tid,
                bytes: watched.to_vec(),
                hits: 0,
                records: vec![],
                threads_changed: false,
                is_throttled: false,
                is_enabled: true,
            }));
            facts.watches.active.push(Arc::clone(&watched));
            Ok(Box::new(FakeWatch(watched)) as Box<dyn WriteWatch>)
        })
    }

    fn trap_cost(&self) -> io::Result<Duration> {
        Ok(Duration::from_micros(10))
    }

    fn perf_event_paranoid(&self) -> Option<i32> {
        self.edit(|facts| facts.watches.perf_event_paranoid)
    }
}

struct FakeWatch(Arc<Mutex<Watched>>);

impl WriteWatch for FakeWatch {
    fn hits(&self) -> io::Result<u64> {
        Ok(lock(&self.0).hits)
    }

    fn drain(&mut self, take: &mut dyn FnMut(Event<'_>)) {
        let mut watched = lock(&self.0);
        for (write, number) in std::mem::take(&mut watched.records) {
            let FakeWrite { pid, tid, time, instruction, address, .. } = write;
            let registers = Some([number; REGISTERS]);
            take(Event::Write(Sample { time, pid, tid, instruction, address, registers, stack: &[] }));
        }
        if std::mem::take(&mut watched.is_throttled) {
            take(Event::Throttled);
        }
        if std::mem::take(&mut watched.threads_changed) {
            take(Event::Threads);
        }
    }

    /// `None`: virtual time does not wait.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn disable(&self) -> io::Result<()> {
        lock(&self.0).is_enabled = false;
        Ok(())
    }
}

impl Drop for FakeWatch {
    fn drop(&mut self) {
        lock(&self.0).is_enabled = false;
    }
}

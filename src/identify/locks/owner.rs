//! The owner of a lock: a thread that may have died.

use super::threads::{ThreadName, Threads};
use crate::machine::Machine;
use crate::machine::process::{Examination, Object, ScanOptions};
use crate::segment::escape;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    Alive(ThreadName),
    /// No thread has that id.
    Dead,
    /// A thread has that id, but its process does not map the segment: the owner detached it, or died
    /// and its id was reused.
    Detached(String),
    /// Its process may not be examined, or the id is one of another pid namespace.
    Unknown,
}

impl Owner {
    /// Returns the owner with this id.
    #[must_use]
    pub fn find(machine: &dyn Machine, threads: &Threads, object: Object, tid: u32) -> Self {
        if let Some(thread) = threads.thread(object, tid) {
            return Self::Alive(thread);
        }
        if !threads.has_own_ids() {
            // Ids of other pid namespaces cannot be looked up.
            return Self::Unknown;
        }
        // A process that has ended keeps its id until its parent waits for it.
        if machine.process(tid).is_some_and(|process| process.ended) {
            return Self::Dead;
        }
        // The process may have attached after the scan.
        let Ok(segment_devices) = machine.segment_devices() else { return Self::Unknown };
        let options = ScanOptions { segment_devices, ..ScanOptions::default() };
        match machine.examine(tid, &options) {
            Examination::Gone => Self::Dead,
            Examination::Unreadable(_) | Examination::Exhausted => Self::Unknown,
            Examination::Found(process, uses) if uses.iter().any(|one| one.of == object) => {
                Self::Alive(ThreadName { pid: tid, tid, inner_tid: tid, command: process.command })
            }
            Examination::Found(process, _) => Self::Detached(escape(&process.command)),
            Examination::Nothing => {
                Self::Detached(machine.process(tid).map_or_else(String::new, |one| escape(&one.command)))
            }
        }
    }
}

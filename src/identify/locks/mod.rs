//! Locks in segments: their state, their owners, alive or dead, and the threads that wait for them.

mod deadlock;
mod owner;
mod report;
mod scan;
#[cfg(test)]
mod tests;
mod threads;

pub use deadlock::{Deadlock, deadlocks};
pub use owner::Owner;
pub use report::LockReport;
pub use scan::{LockScan, related};
pub use threads::{SegmentMapping, ThreadName, Threads, Waiter, mapping_of};

use crate::decode::layouts::{LockKind, LockState};
use crate::machine::Machine;
use crate::machine::process::Object;
use crate::segment::Segment;
use std::collections::BTreeMap;
use std::ops::Range;

/// Threads that a text names.
const MAX_NAMED: usize = 3;

/// Reads bytes of a segment; false if they cannot be read.
pub type ReadBytes<'a> = &'a dyn Fn(u64, &mut [u8]) -> bool;

/// A lock at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    pub offset: u64,
    /// `None` for a word that threads wait on, outside of all known locks.
    pub kind: Option<LockKind>,
    pub state: LockState,
    /// Of a locked one.
    pub owner: Option<(u32, Owner)>,
    pub waiters: Vec<ThreadName>,
    /// Set if other processes do not see that it is locked.
    pub is_private: bool,
    /// The path of its field, in a segment whose type is known; safe to print.
    pub field: Option<String>,
}

/// Looks up the owners and waiters of locks.
pub struct LockSurvey<'a> {
    machine: &'a dyn Machine,
    threads: &'a Threads,
}

impl<'a> LockSurvey<'a> {
    #[must_use]
    pub const fn new(machine: &'a dyn Machine, threads: &'a Threads) -> Self {
        Self { machine, threads }
    }

    /// Returns the locks of a segment: those at these offsets, and all others that threads wait for.
    #[must_use]
    pub fn locks(&self, segment: &Segment, known: &[(u64, LockKind)], read: ReadBytes<'_>) -> Vec<Lock> {
        let Some(object) = Object::of(segment) else { return vec![] };
        let mut locks: Vec<Lock> =
            known.iter().filter_map(|&(offset, kind)| self.lock(object, offset, kind, read)).collect();
        let is_known = |offset: u64| known.iter().any(|&(start, kind)| words(start, kind).contains(&offset));
        let mut others: BTreeMap<u64, Vec<ThreadName>> = BTreeMap::new();
        for waiter in self.threads.waiters(object, 0..u64::MAX).filter(|waiter| !is_known(waiter.offset)) {
            others.entry(waiter.offset).or_default().push(waiter.thread.clone());
        }
        for (offset, waiters) in others {
            let mut bytes = [0; 4];
            let value = if read(offset, &mut bytes) { u32::from_ne_bytes(bytes) } else { 0 };
            let count = u32::try_from(waiters.len()).unwrap_or(u32::MAX);
            let state = LockState::Semaphore { value, waiters: count };
            locks.push(Lock {
                offset,
                kind: None,
                state,
                owner: None,
                waiters,
                is_private: false,
                field: None,
            });
        }
        locks.sort_by_key(|lock| lock.offset);
        locks
    }

    fn lock(&self, object: Object, offset: u64, kind: LockKind, read: ReadBytes<'_>) -> Option<Lock> {
        let look = || {
            let mut bytes = vec![0; usize::try_from(kind.size()).ok()?];
            read(offset, &mut bytes).then_some(())?;
            Some((kind.state(&bytes)?, kind.is_process_shared(&bytes) == Some(false)))
        };
        let waiters =
            self.threads.waiters(object, words(offset, kind)).map(|waiter| waiter.thread.clone()).collect();
        let (mut state, is_private) = look()?;
        let mut owner = self.owner(object, state);
        // The owner may have been replaced while its threads were listed.
        if matches!(owner, Some((_, Owner::Dead | Owner::Detached(_)))) {
            let (now, _) = look()?;
            if now != state {
                state = now;
                owner = self.owner(object, now);
            }
        }
        Some(Lock { offset, kind: Some(kind), state, owner, waiters, is_private, field: None })
    }

    fn owner(&self, object: Object, state: LockState) -> Option<(u32, Owner)> {
        let tid = state.owner().filter(|tid| *tid != 0)?;
        Some((tid, Owner::find(self.machine, self.threads, object, tid)))
    }
}

/// The words of a lock that threads wait on.
const fn words(offset: u64, kind: LockKind) -> Range<u64> {
    let within = kind.waited_on();
    offset.saturating_add(within.start)..offset.saturating_add(within.end)
}

impl Lock {
    /// Returns true if a thread that no longer exists has the lock, so that it stays locked.
    #[must_use]
    pub const fn is_orphaned(&self) -> bool {
        matches!((&self.state, &self.owner), (LockState::Locked { .. }, Some((_, Owner::Dead))))
    }

    /// The name in messages.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.kind.map_or("futex", LockKind::word)
    }

    /// Describes the state, the owner and the waiting threads.
    #[must_use]
    pub fn text(&self) -> String {
        let state = match (&self.state, &self.owner) {
            (LockState::Locked { .. }, Some((tid, owner))) => owner.text(*tid),
            (LockState::Semaphore { value, .. }, _) if self.kind.is_none() => format!("value {value}"),
            (state, _) => state.text(),
        };
        let private = self.is_private.then(|| "not process-shared: other processes do not see it".to_owned());
        let parts: Vec<String> =
            [Some(state), waiting_text(&self.waiters), private].into_iter().flatten().collect();
        parts.join("; ")
    }
}

impl Owner {
    /// Describes the owner of a locked lock.
    #[must_use]
    pub fn text(&self, tid: u32) -> String {
        match self {
            Self::Alive(thread) if thread.tid == thread.pid => {
                format!("locked by thread {tid} of {} (alive)", crate::segment::escape(&thread.command))
            }
            Self::Alive(thread) => format!(
                "locked by thread {tid} of {} ({}, alive)",
                crate::segment::escape(&thread.command),
                thread.pid
            ),
            Self::Dead => format!("owner {tid} is dead: nobody will unlock it"),
            Self::Detached(command) if command.is_empty() => {
                format!("owner {tid} no longer maps this segment: nobody will unlock it")
            }
            Self::Detached(command) => format!(
                "locked by {tid}, which is now {command} and does not map this segment: probably nobody will unlock it"
            ),
            Self::Unknown => format!("locked by thread {tid}; run as root to see whether it is alive"),
        }
    }
}

/// `2 threads wait: reader.py (4188), reader.py (4190)`
#[must_use]
pub fn waiting_text(waiters: &[ThreadName]) -> Option<String> {
    let named: Vec<String> = waiters.iter().take(MAX_NAMED).map(ThreadName::text).collect();
    let more = waiters.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(", {more} more") } else { String::new() };
    Some(match waiters.len() {
        0 => return None,
        1 => format!("1 thread waits: {}", named.join(", ")),
        count => format!("{count} threads wait: {}{more}", named.join(", ")),
    })
}

//! A report on the locks of a segment, as text and as JSON.

use super::{Lock, Owner};
use crate::decode::Place;
use crate::decode::layouts::{LockKind, LockState, path_of_lock};
use crate::segment::escape;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// The locks of a segment, and what keeps them from being unlocked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockReport {
    pub locks: Vec<Lock>,
    /// Cycles of waits in which threads of its holders take part.
    pub deadlocks: Vec<String>,
    /// The processes whose waiting threads are not visible.
    pub hidden: Vec<String>,
}

impl LockReport {
    /// Names the locks by their fields in the type of the segment.
    pub fn name_fields(&mut self, value: Place<'_>) {
        for lock in &mut self.locks {
            let path = path_of_lock(value, lock.offset).filter(|path| !path.is_empty());
            lock.field = path.map(|path| escape(path.as_bytes()));
        }
    }

    /// The lines for a person: `0x40 mutex guard: locked by …`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let lock = |lock: &Lock| {
            let field = lock.field.as_ref().map_or_else(String::new, |field| format!(" {field}"));
            format!("{:#x} {}{field}: {}", lock.offset, lock.word(), lock.text())
        };
        let mut lines: Vec<String> = self.deadlocks.clone();
        // The value of a named semaphore is a fact of its own.
        let is_shown = |one: &&Lock| one.kind != Some(LockKind::Semaphore) || !one.waiters.is_empty();
        lines.extend(self.locks.iter().filter(is_shown).map(lock));
        if !self.hidden.is_empty() && !lines.is_empty() {
            lines.push(format!(
                "you cannot see what the threads of {} wait for; run as root to see it",
                self.hidden.join(", ")
            ));
        }
        lines
    }
}

impl Serialize for LockReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.locks)
    }
}

#[derive(Serialize)]
struct ThreadJson<'a> {
    pid: u32,
    tid: u32,
    command: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct OwnerJson {
    tid: u32,
    pid: Option<u32>,
    command: Option<String>,
    /// Null if some processes could not be examined.
    alive: Option<bool>,
}

impl Serialize for Lock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("offset", &self.offset)?;
        map.serialize_entry("kind", self.word())?;
        if let Some(field) = &self.field {
            map.serialize_entry("field", field)?;
        }
        map.serialize_entry("state", &self.state_word())?;
        map.serialize_entry("owner", &self.owner.as_ref().map(|(tid, owner)| owner.json(*tid)))?;
        let waiters = self.waiters.iter().map(|thread| ThreadJson {
            pid: thread.pid,
            tid: thread.tid,
            command: escape(&thread.command).into(),
        });
        map.serialize_entry("waiters", &waiters.collect::<Vec<_>>())?;
        match self.state {
            LockState::Semaphore { value, .. } => map.serialize_entry("value", &value)?,
            LockState::Read { readers } => map.serialize_entry("readers", &readers)?,
            LockState::Arrived { threads, of } => {
                map.serialize_entry("arrived", &threads)?;
                map.serialize_entry("count", &of)?;
            }
            _ => {}
        }
        map.serialize_entry("text", &self.text())?;
        map.end()
    }
}

impl Lock {
    /// The state in JSON.
    const fn state_word(&self) -> Option<&'static str> {
        Some(match self.state {
            LockState::Unlocked => "unlocked",
            LockState::Locked { .. } => "locked",
            LockState::OwnerDied { .. } => "owner-died",
            LockState::Inconsistent => "inconsistent",
            LockState::NotRecoverable => "not-recoverable",
            LockState::Read { .. } => "read-locked",
            LockState::Waiters(_) | LockState::Arrived { .. } | LockState::Semaphore { .. } => return None,
        })
    }
}

impl Owner {
    fn json(&self, tid: u32) -> OwnerJson {
        let (pid, command, alive) = match self {
            Self::Alive(thread) => (Some(thread.pid), Some(escape(&thread.command)), Some(true)),
            Self::Dead | Self::Detached(_) => (None, None, Some(false)),
            Self::Unknown => (None, None, None),
        };
        OwnerJson { tid, pid, command, alive }
    }
}

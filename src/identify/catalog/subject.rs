//! A segment's properties that catalog rules examine.

pub use crate::decode::layouts::Peek;
use crate::identify::{PidNamespace, ProcessState, ProcessStates};
use crate::machine::Machine;
use crate::segment::{Bytes, Facts, Key, Mode, ObjectName, Segment, SegmentId};
use std::cell::OnceCell;
use std::collections::HashMap;

/// A segment, as the rules of makers see it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub kind: Kind,
    /// The path below `/dev/shm`, or the name passed to `memfd_create(2)`. A leading slash and
    /// `memfd:` are ignored.
    pub name: Option<&'a [u8]>,
    pub key: Option<Key>,
    pub size: Bytes,
    pub mode: Mode,
    /// `None` if reading leaves a trace.
    pub contents: Option<&'a Peek<'a>>,
    pub context: Option<&'a Context<'a>>,
}

/// The segment kinds that rules distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An object in `/dev/shm`, linked or unlinked.
    Posix,
    Sysv,
    /// A memfd (`memfd_create(2)`).
    Memfd,
}

/// Processes, objects and groups that rules refer to.
pub struct Context<'a> {
    machine: &'a dyn Machine,
    states: &'a ProcessStates<'a>,
    segment: &'a Segment,
    owners: &'a HashMap<&'a ObjectName, u32>,
    users: OnceCell<Vec<Box<[u8]>>>,
}

impl<'a> Context<'a> {
    /// Returns the context of a segment. `owners` maps POSIX objects to the uids of their owners.
    pub const fn new(
        machine: &'a dyn Machine,
        states: &'a ProcessStates<'a>,
        segment: &'a Segment,
        owners: &'a HashMap<&'a ObjectName, u32>,
    ) -> Self {
        Self { machine, states, segment, owners, users: OnceCell::new() }
    }

    /// Returns the commands of the processes that hold the segment, created it, or used it last.
    pub(super) fn commands(&self) -> impl Iterator<Item = &[u8]> {
        let holders = self.segment.holders.iter().flat_map(|holders| holders.iter());
        let users = self.users.get_or_init(|| self.users());
        holders.map(|holder| &*holder.command).chain(users.iter().map(|command| &**command))
    }

    /// Returns the commands of the processes that created and last used a System V segment, if they
    /// still run.
    fn users(&self) -> Vec<Box<[u8]>> {
        let Some(facts) = self.segment.sysv() else { return vec![] };
        let times = &self.segment.times;
        [(facts.creator_pid, times.change), (facts.last_pid, times.attach.max(times.detach))]
            .into_iter()
            .filter(|&(pid, _)| pid != 0)
            .filter_map(|(pid, since)| match self.states.of(pid, PidNamespace::Ours, since) {
                ProcessState::Running(process) => Some(process.command),
                _ => None,
            })
            .collect()
    }

    /// Returns true if a POSIX object of that name exists. A trailing `*` matches all objects of
    /// the segment's owner with that prefix.
    pub(super) fn object_exists(&self, name: &[u8]) -> bool {
        if let Some(prefix) = name.strip_suffix(b"*") {
            let mut same_owner = self.owners.iter().filter(|(_, owner)| **owner == self.segment.owner.uid);
            return same_owner.any(|(name, _)| name.as_bytes().starts_with(prefix));
        }
        ObjectName::new(name).is_some_and(|name| self.owners.contains_key(&name))
    }

    pub(super) fn is_group(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.machine.group_by_name(name).is_some())
    }
}

impl<'a> Subject<'a> {
    /// Returns the subject without contents and context.
    #[must_use]
    pub fn of(segment: &'a Segment) -> Self {
        let (kind, key) = match &segment.facts {
            Facts::Sysv(facts) => (Kind::Sysv, Some(facts.key)),
            Facts::Posix(_) => (Kind::Posix, None),
        };
        let name = match &segment.id {
            SegmentId::Posix(name) => Some(name.as_bytes()),
            SegmentId::Deleted { .. } => segment
                .posix()
                .and_then(|facts| facts.unlinked.as_ref()?.name.as_ref())
                .map(ObjectName::as_bytes)
                // An unlinked glibc semaphore may only be known by its temporary name.
                .or_else(|| (segment.size == Bytes(32)).then_some(&b"sem.?"[..])),
            SegmentId::Sysv(_) => None,
        };
        Self { kind, name, key, size: segment.size, mode: segment.mode, contents: None, context: None }
    }

    /// Returns the name in the form that patterns match.
    pub(super) fn plain_name(&self) -> Option<&'a [u8]> {
        let name = self.name?;
        let name = name.strip_prefix(b"/").unwrap_or(name);
        if self.kind != Kind::Memfd {
            return Some(name);
        }
        let name = name.strip_prefix(b"memfd:").unwrap_or(name);
        Some(name.strip_prefix(b"/").unwrap_or(name))
    }
}

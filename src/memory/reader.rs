//! The reader of a segment: verifies that it opens the segment that was listed, and never writes.

use super::page_buffer::{PageBuffer, is_slow};
use super::{OpenError, WriteLeases};
use crate::machine::{Contents, Extent, Machine, Method, Trace, TraceReason};
use crate::segment::{Identity, Segment, SegmentId, ShmId};
use crate::sys::view::View;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// An open segment. Clones share the open file or attachment; the last one closes it.
#[derive(Clone)]
pub struct Reader {
    contents: Arc<dyn Contents>,
    id: SegmentId,
    identity: Identity,
}

/// The state of an open segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Present {
        size: u64,
    },
    /// The segment was removed, but is still open here.
    Removed {
        size: u64,
    },
    /// The segment was removed, and its name now belongs to another segment.
    Replaced {
        /// The size of the open segment.
        size: u64,
    },
}

impl Presence {
    /// Returns the size of the open segment.
    #[must_use]
    pub const fn size(self) -> u64 {
        match self {
            Self::Present { size } | Self::Removed { size } | Self::Replaced { size } => size,
        }
    }
}

/// The method that would be used to read a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    pub method: Method,
    /// The reason why the method leaves a trace; `None` if it leaves none.
    pub reason: Option<TraceReason>,
}

impl Forecast {
    /// Describes the effect of reading, with the process that is read through, or with the reason
    /// why there is a trace.
    #[must_use]
    pub fn text(self) -> String {
        let effect = match self.method.trace() {
            Trace::None => "leaves no trace",
            Trace::AccessTime => "updates the access time",
            Trace::Attached => {
                "attaches the segment: nattch is one higher during the read, and last pid and times change"
            }
        };
        match (self.reason, self.method.holder()) {
            (Some(reason), _) => format!("{effect} ({})", reason.text()),
            (None, Some(pid)) => format!("{effect} (read through PID {pid})"),
            (None, None) => effect.to_owned(),
        }
    }
}

impl Reader {
    /// Opens a segment from a survey, without a trace if possible. A System V segment that cannot
    /// be read through a holder is attached, which other processes can see.
    ///
    /// # Errors
    /// Fails if the segment is gone or was replaced, or if the kernel refuses. Every error has a
    /// remedy.
    pub fn open(machine: &dyn Machine, segment: &Segment) -> Result<Self, OpenError> {
        match (Self::open_unattached(machine, segment), &segment.id) {
            (Err(OpenError::NeedsAttach { .. }), SegmentId::Sysv(shmid)) => {
                Self::verified(machine, segment, machine.attach(*shmid))
            }
            (opened, _) => opened,
        }
    }

    /// Opens a segment like [`Self::open`], but never attaches it.
    ///
    /// # Errors
    /// Fails with [`OpenError::NeedsAttach`] if the segment can only be attached.
    pub fn open_unattached(machine: &dyn Machine, segment: &Segment) -> Result<Self, OpenError> {
        if segment.is_concealed() {
            let holders = segment.holders.iter().flat_map(|holders| holders.iter());
            let holders: Vec<String> =
                holders.map(|holder| format!("{} ({})", holder.command_text(), holder.pid)).collect();
            let former = segment.former_name().map_or_else(String::new, |name| format!(" (formerly {name})"));
            return Err(OpenError::Concealed { id: segment.id.clone(), former, holders: holders.join(", ") });
        }
        let contents = match &segment.id {
            SegmentId::Sysv(shmid) => match through_holder(machine, segment, *shmid) {
                Ok(contents) => Ok(contents),
                Err(reason) => {
                    machine.may_attach(*shmid).map_err(|error| OpenError::new(machine, segment, error))?;
                    return Err(OpenError::NeedsAttach { id: segment.id.clone(), reason });
                }
            },
            SegmentId::Posix(name) => machine.open_object(name),
            SegmentId::Deleted { device, inode } => {
                machine.open_unlinked(*device, *inode, segment.holders.as_deref().unwrap_or_default())
            }
        };
        Self::verified(machine, segment, contents)
    }

    /// Opens a segment that the user did not name, like [`Self::open_unattached`] but without
    /// breaking the lease of another program.
    ///
    /// # Errors
    /// Fails with [`OpenError::Leased`] if another program has a write lease.
    pub fn open_unleased(
        machine: &dyn Machine,
        segment: &Segment,
        leases: &mut WriteLeases,
    ) -> Result<Self, OpenError> {
        leases.check(machine, segment)?;
        Self::open_unattached(machine, segment)
    }

    /// Checks that the opened segment is the one that was listed.
    fn verified(
        machine: &dyn Machine,
        segment: &Segment,
        contents: io::Result<Box<dyn Contents>>,
    ) -> Result<Self, OpenError> {
        let contents = contents.map_err(|error| OpenError::new(machine, segment, error))?;
        let stat = contents.stat().map_err(|error| OpenError::new(machine, segment, error))?;
        if !segment.identity().matches(&stat.identity) {
            return Err(OpenError::Replaced { id: segment.id.clone() });
        }
        Ok(Self { contents: Arc::from(contents), id: segment.id.clone(), identity: stat.identity })
    }

    /// Returns the method that [`Self::open`] would use. Leaves no trace: opens the segment without
    /// reading it, never attaches it, and breaks no lease.
    ///
    /// # Errors
    /// Fails like [`Self::open_unleased`].
    pub fn predict(machine: &dyn Machine, segment: &Segment) -> Result<Forecast, OpenError> {
        match Self::open_unleased(machine, segment, &mut WriteLeases::default()) {
            Ok(reader) => {
                let reason = (reader.trace() != Trace::None).then_some(TraceReason::NotOwner);
                Ok(Forecast { method: reader.method(), reason })
            }
            Err(OpenError::NeedsAttach { reason, .. }) => {
                Ok(Forecast { method: Method::Attach, reason: Some(reason) })
            }
            Err(error) => Err(error),
        }
    }

    #[must_use]
    pub const fn id(&self) -> &SegmentId {
        &self.id
    }

    #[must_use]
    pub fn method(&self) -> Method {
        self.contents.method()
    }

    #[must_use]
    pub fn trace(&self) -> Trace {
        self.method().trace()
    }

    /// Returns the current size.
    ///
    /// # Errors
    /// Fails if the segment can no longer be examined.
    pub fn size(&self) -> io::Result<u64> {
        self.contents.stat().map(|stat| stat.size)
    }

    /// Checks that the open segment still exists and still has its name.
    ///
    /// # Errors
    /// Fails if the segment can no longer be examined.
    pub fn presence(&self, machine: &dyn Machine) -> io::Result<Presence> {
        let stat = self.contents.stat()?;
        let size = stat.size;
        if !stat.removed {
            return Ok(Presence::Present { size });
        }
        let replaced = match &self.id {
            SegmentId::Posix(name) => {
                machine.stat_object(name).is_ok_and(|other| !self.identity.matches(&other.identity()))
            }
            // A shmid is not reused while its segment exists.
            SegmentId::Sysv(_) | SegmentId::Deleted { .. } => false,
        };
        Ok(if replaced { Presence::Replaced { size } } else { Presence::Removed { size } })
    }

    /// Reads at `offset` and returns the number of bytes: fewer at the end of the segment, none
    /// past it. Holes read as zeros and stay holes.
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        debug_assert!(!is_slow(offset, buffer), "read into a `PageBuffer` at {offset:#x}");
        self.contents.read_at(offset, buffer)
    }

    /// Reads up to `length` bytes at `offset` into `buffer`, and returns their number like
    /// [`Self::read_at`].
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub fn fill(&self, buffer: &mut PageBuffer, offset: u64, length: usize) -> io::Result<usize> {
        let count = self.read_at(offset, buffer.place(offset, length))?;
        buffer.truncate(count);
        Ok(count)
    }

    /// Fills a slice. Returns false if the segment ends before, or the kernel refuses.
    #[must_use]
    pub fn fill_all(&self, offset: u64, into: &mut [u8]) -> bool {
        let mut buffer = PageBuffer::default();
        let is_full = self.fill(&mut buffer, offset, into.len()).is_ok_and(|count| count == into.len());
        if is_full {
            into.copy_from_slice(&buffer);
        }
        is_full
    }

    /// Returns the run of data or hole that `offset` is in, limited to `limit` bytes. `None` at and
    /// past the end.
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>> {
        self.contents.extent_at(offset, limit)
    }

    /// Returns the runs of swapped pages in a range, like [`Contents::swapped_in`].
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub fn swapped_in(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        self.contents.swapped_in(range)
    }

    /// Returns the POSIX ACL, like [`Contents::acl`].
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub fn acl(&self) -> io::Result<Option<Vec<u8>>> {
        self.contents.acl()
    }

    /// Maps a range for fast loads, like [`Contents::view`].
    ///
    /// # Errors
    /// Fails if the segment can only be read, or the kernel refuses.
    pub fn view(&self, range: Range<u64>) -> io::Result<View> {
        self.contents.view(range)
    }

    /// Returns the identity of the open segment.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Tells the kernel that these bytes are no longer needed.
    pub fn release(&self, offset: u64, length: u64) {
        self.contents.release(offset, length);
    }
}

/// Opens a System V segment through a process that has it attached.
fn through_holder(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
) -> Result<Box<dyn Contents>, TraceReason> {
    let listed = segment.holders.as_deref();
    match machine.open_attached(shmid, listed.unwrap_or_default(), listed.is_none()) {
        // The survey is outdated: search all processes.
        Err(TraceReason::Unreachable) if listed.is_some() && is_outdated(machine, segment, shmid) => {
            machine.open_attached(shmid, &[], true)
        }
        opened => opened,
    }
}

/// Returns true if a listed holder has exited, or the number of attachments has changed.
fn is_outdated(machine: &dyn Machine, segment: &Segment, shmid: ShmId) -> bool {
    let listed = segment.sysv().map(|facts| facts.nattch);
    let mut holders = segment.holders.iter().flat_map(|holders| holders.iter());
    machine.sysv_stat(shmid).is_ok_and(|now| Some(now.nattch) != listed)
        || holders.any(|holder| !machine.process_exists(holder.pid))
}

#[cfg(test)]
mod tests;

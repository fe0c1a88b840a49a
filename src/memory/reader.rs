//! The reader of a segment: verifies that it opens the segment that was listed, and never writes.

use super::page_buffer::{PageBuffer, is_slow};
use crate::machine::{Contents, Extent, Machine, Method, Trace, TraceReason};
use crate::segment::{Facts, Identity, Mode, Owner, Segment, SegmentId, ShmId, plain_error, shell_quote};
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

/// The reason why a segment could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{id} is gone: removed since it was listed")]
    Gone { id: SegmentId },
    /// The segment's name now belongs to another segment.
    #[error("{id} has changed since it was listed: its name now belongs to another segment. Try again")]
    Replaced { id: SegmentId },
    #[error("failed to read {id}: permission denied (owner {owner}, mode {mode} {symbolic}). \
             {remedy}",
            owner = .owner.user_text(), symbolic = .mode.symbolic(), remedy = remedy(.id, .owner, *.own))]
    Denied {
        id: SegmentId,
        owner: Owner,
        mode: Mode,
        /// Set if the user may change the mode, and a different mode would help.
        own: bool,
    },
    /// The segment is unlinked and only mapped.
    #[error(
        "failed to read {id}{former}: it was unlinked, and is mapped but not open in {holders}. \
         Run as root to read it through /proc/PID/map_files"
    )]
    Concealed {
        id: SegmentId,
        /// Describes its former name.
        former: String,
        holders: String,
    },
    #[error("{id} is not shared memory: not a regular file")]
    NotMemory { id: SegmentId },
    /// The segment does not fit into the address space.
    #[error(
        "failed to attach {id}: {size} does not fit in the address space. Check the limit with `ulimit -v`"
    )]
    TooLarge { id: SegmentId, size: crate::segment::Bytes },
    /// The segment can only be read by attaching it, and the caller refused that.
    #[error("{id} was not read: that would attach it, which changes nattch, last pid and times ({})", .reason.text())]
    NeedsAttach { id: SegmentId, reason: TraceReason },
    /// Another process holds a lease, which must be released first.
    #[error(
        "failed to open {id}: a process holds a lease on it (F_SETLEASE) and has been asked to release it. \
             Try again; the kernel breaks the lease after /proc/sys/fs/lease-break-time seconds"
    )]
    Leased { id: SegmentId },
    #[error("failed to open {id}: {}", plain_error(.source))]
    Other { id: SegmentId, source: io::Error },
}

/// Returns advice for a user without read permission.
fn remedy(id: &SegmentId, owner: &Owner, own: bool) -> String {
    if own {
        let id = shell_quote(id.to_string().as_bytes());
        return format!("Give yourself read permission: `shmlens chmod u+r {id}`");
    }
    format!("Run as {}, or ask the owner for read permission", permitted_users(owner))
}

/// Names the users who may read a segment that is readable only by its owner.
fn permitted_users(owner: &Owner) -> String {
    if owner.uid == 0 { "root".to_owned() } else { format!("{} or root", owner.user_text()) }
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

    /// Checks that the opened segment is the one that was listed.
    fn verified(
        machine: &dyn Machine,
        segment: &Segment,
        contents: io::Result<Box<dyn Contents>>,
    ) -> Result<Self, OpenError> {
        let contents = contents.map_err(|error| OpenError::new(machine, segment, error))?;
        let stat = contents.stat().map_err(|error| OpenError::new(machine, segment, error))?;
        if !segment.identity().fits(&stat.identity) {
            return Err(OpenError::Replaced { id: segment.id.clone() });
        }
        Ok(Self { contents: Arc::from(contents), id: segment.id.clone(), identity: stat.identity })
    }

    /// Returns the method that [`Self::open`] would use. Leaves no trace: opens the segment without
    /// reading it, and never attaches it.
    ///
    /// # Errors
    /// Fails like [`Self::open`].
    pub fn predict(machine: &dyn Machine, segment: &Segment) -> Result<Forecast, OpenError> {
        match Self::open_unattached(machine, segment) {
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
                machine.stat_object(name).is_ok_and(|other| !self.identity.fits(&other.identity()))
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

impl OpenError {
    fn new(machine: &dyn Machine, segment: &Segment, error: io::Error) -> Self {
        let id = segment.id.clone();
        match (error.raw_os_error(), error.kind()) {
            (Some(libc::ENODEV | libc::ELOOP), _) => Self::NotMemory { id },
            (Some(libc::ENOMEM), _) if matches!(segment.facts, Facts::Sysv(_)) => {
                Self::TooLarge { id, size: segment.size }
            }
            (Some(libc::EINVAL | libc::EIDRM), _) | (_, io::ErrorKind::NotFound) => Self::Gone { id },
            // With O_NONBLOCK, open(2) does not wait for the lease.
            (Some(libc::EAGAIN), _) if segment.posix().is_some() => Self::Leased { id },
            (_, io::ErrorKind::PermissionDenied) => {
                let me = machine.effective_uid();
                let creator = segment.sysv().map(|facts| facts.creator.uid);
                let own = me == segment.owner.uid || Some(me) == creator;
                // The owner has the permission already, so something else is wrong.
                let own = own && segment.mode.bits() & 0o400 == 0;
                Self::Denied { id, owner: segment.owner.clone(), mode: segment.mode, own }
            }
            _ => Self::Other { id, source: error },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    fn survey(machine: &FakeMachine) -> Vec<Segment> {
        Survey::take(machine, &mut Names::default()).segments
    }

    #[test]
    fn reads_stop_at_the_end() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"hello"));
        let reader = Reader::open(&machine, &survey(&machine)[0]).unwrap();
        let mut buffer = [9; 8];
        assert_eq!(reader.read_at(3, &mut buffer).unwrap(), 2);
        assert_eq!(&buffer[..2], b"lo");
        assert_eq!(reader.read_at(5, &mut buffer).unwrap(), 0);
        assert_eq!(reader.read_at(u64::MAX, &mut buffer).unwrap(), 0);
        assert_eq!(reader.extent_at(5, 1).unwrap(), None);
    }

    #[test]
    #[should_panic(expected = "PageBuffer")]
    #[cfg(debug_assertions)]
    fn large_read_at_a_slow_address_panics_in_debug_builds() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::hole(1 << 20));
        let reader = Reader::open(&machine, &survey(&machine)[0]).unwrap();
        let mut buffer = PageBuffer::default();
        buffer.place(16, 64 << 10);
        // 16 bytes past a page, like a block from malloc.
        let _ = reader.read_at(0, buffer.place(16, 64 << 10));
    }

    #[test]
    fn presence_distinguishes_removal_and_replacement() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(&[1; 100]));
        let reader = Reader::open(&machine, &survey(&machine)[0]).unwrap();
        machine.edit_object("a", |bytes| bytes.size = 10);
        assert_eq!(reader.presence(&machine).unwrap(), Presence::Present { size: 10 });
        machine.remove_object("a");
        assert_eq!(reader.presence(&machine).unwrap(), Presence::Removed { size: 10 });
        machine.add_object("a", FakeBytes::hole(7));
        assert_eq!(reader.presence(&machine).unwrap(), Presence::Replaced { size: 10 });
        let mut buffer = [0; 4];
        assert_eq!(reader.read_at(0, &mut buffer).unwrap(), 4);
    }

    #[test]
    fn refusal_names_the_owner_the_mode_and_the_remedy() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        machine.add_sysv(7, 0, FakeBytes::full(b"x"));
        machine.edit(|facts| facts.effective_uid = 1001);
        for segment in survey(&machine) {
            let error = Reader::open(&machine, &segment).err().unwrap().to_string();
            assert!(
                error.contains("owner ann") && error.contains("0600") && error.contains("root"),
                "{error}"
            );
        }
    }

    #[test]
    fn predict_attaches_nothing() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        machine.add_sysv(7, 0, FakeBytes::full(b"x"));
        let listed = survey(&machine);
        let traces: Vec<Trace> =
            listed.iter().map(|segment| Reader::predict(&machine, segment).unwrap().method.trace()).collect();
        assert_eq!(traces, [Trace::Attached, Trace::None]);
        machine.edit(|facts| facts.effective_uid = 1001);
        for segment in &listed {
            assert!(matches!(Reader::predict(&machine, segment), Err(OpenError::Denied { .. })));
        }
        machine.edit(|facts| assert_eq!(facts.attached, 0));
    }

    #[test]
    fn another_segment_of_the_same_name_is_not_opened() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        machine.add_sysv(7, 0, FakeBytes::full(b"x"));
        let listed = survey(&machine);
        machine.add_object("a", FakeBytes::full(b"x"));
        machine.edit(|facts| facts.sysv[0].row.creator_pid = 77);
        for segment in &listed {
            assert!(
                matches!(Reader::open(&machine, segment), Err(OpenError::Replaced { .. })),
                "{}",
                segment.id
            );
        }
        // Checking the segment has not left it attached.
        machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
        machine.remove_object("a");
        assert!(matches!(Reader::open(&machine, &listed[1]), Err(OpenError::Gone { .. })));
    }
}

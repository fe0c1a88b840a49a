//! A segment to change. Checks right before a change that it is still the one that was listed.

use super::{ActError, Step};
use crate::machine::control::{ObjectHandle, SysvStat};
use crate::machine::{Machine, ObjectStat};
use crate::segment::{ObjectName, Segment, SegmentId, ShmId};
use std::io;

/// The file type mask of a mode, and the type of a regular file, see `inode(7)`.
const TYPE_MASK: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub machine: &'a dyn Machine,
    pub segment: &'a Segment,
}

impl<'a> Target<'a> {
    pub const fn new(machine: &'a dyn Machine, segment: &'a Segment) -> Self {
        Self { machine, segment }
    }

    pub fn id(self) -> SegmentId {
        self.segment.id.clone()
    }

    /// Returns the current state of the System V segment. Fails unless it has the shmid, key,
    /// creator, size and change time of the one that was listed.
    pub fn check_sysv(self, shmid: ShmId) -> Result<SysvStat, ActError> {
        let segment = self.segment;
        let stat = self.machine.sysv_stat(shmid).map_err(|error| self.change_error(error))?;
        if stat.marked && !segment.sysv().is_some_and(|facts| facts.marked) {
            Err(self.replaced_error("it was marked for removal"))
        } else if segment.identity() != stat.identity() {
            Err(self.replaced_error("its shmid now belongs to another segment"))
        } else if segment.times.change != stat.change {
            Err(self.replaced_error("its owner or mode changed"))
        } else {
            Ok(stat)
        }
    }

    /// Opens a handle of the POSIX object, for all further operations. Fails unless the object has
    /// the device, inode and birth time of the one that was listed.
    pub fn check_posix(self, name: &ObjectName) -> Result<(Box<dyn ObjectHandle>, ObjectStat), ActError> {
        let held = self.machine.open_handle(name).map_err(|error| self.change_error(error))?;
        let stat = held.stat().map_err(|error| self.change_error(error))?;
        if stat.mode & TYPE_MASK != REGULAR {
            Err(self.replaced_error("its name is no longer a regular file"))
        } else if !self.segment.identity().matches(&stat.identity()) {
            Err(self.replaced_error("its name now belongs to another object"))
        } else {
            Ok((held, stat))
        }
    }

    /// Returns true if the name still belongs to the segment that was listed.
    pub fn still_exists(self) -> bool {
        match &self.segment.id {
            SegmentId::Sysv(shmid) => self.check_sysv(*shmid).is_ok(),
            SegmentId::Posix(name) => self.check_posix(name).is_ok(),
            SegmentId::Deleted { .. } => false,
        }
    }

    /// Returns true if the kernel refuses a write lease, because another process has the object
    /// open or mapped. `None` if this user cannot request a lease.
    pub fn lease(self) -> Option<bool> {
        match &self.segment.id {
            SegmentId::Posix(name) => self.machine.is_open_elsewhere(name, &self.segment.identity()).ok(),
            _ => None,
        }
    }

    pub fn gone_error(self) -> ActError {
        ActError::Gone { id: self.id() }
    }

    pub fn replaced_error(self, how: impl Into<String>) -> ActError {
        ActError::NotTheSame { id: self.id(), how: how.into() }
    }

    pub fn unverified_error(self, found: impl Into<String>) -> ActError {
        ActError::Unverified { id: self.id(), found: found.into() }
    }

    /// Returns the error for a change whose result the kernel does not report.
    pub fn unverifiable_error(self, source: io::Error) -> ActError {
        ActError::Failed { id: self.id(), step: Step::Verify, source }
    }

    fn change_error(self, source: io::Error) -> ActError {
        match source.raw_os_error() {
            Some(libc::EINVAL | libc::EIDRM | libc::ENOENT) => self.gone_error(),
            // A directory in the path was replaced by a link or a file.
            Some(libc::ELOOP | libc::ENOTDIR) => self.replaced_error("its directory was replaced"),
            _ if source.kind() == io::ErrorKind::NotFound => self.gone_error(),
            _ => ActError::Failed { id: self.id(), step: Step::Check, source },
        }
    }
}

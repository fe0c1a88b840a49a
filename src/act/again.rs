//! Checks right before a change that the segment is still the one that was listed.

use super::{ActError, Step};
use crate::machine::control::{ObjectHandle, SysvStat};
use crate::machine::{Machine, ObjectStat};
use crate::segment::{ObjectName, Segment, SegmentId, ShmId};
use std::io;

/// The file type mask of a mode, and the type of a regular file, see `inode(7)`.
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// The name of a segment, depending on its kind.
pub enum Named<'a> {
    Sysv(ShmId),
    Posix(&'a ObjectName),
    /// The segment has lost its name.
    Nothing,
}

pub const fn named(segment: &Segment) -> Named<'_> {
    match &segment.id {
        SegmentId::Sysv(shmid) => Named::Sysv(*shmid),
        SegmentId::Posix(name) => Named::Posix(name),
        SegmentId::Deleted { .. } => Named::Nothing,
    }
}

/// Returns the state of the System V segment if it is the one that was listed, with the same shmid,
/// key, creator, size and change time.
pub fn sysv(machine: &dyn Machine, segment: &Segment, shmid: ShmId) -> Result<SysvStat, ActError> {
    let stat = machine.sysv_stat(shmid).map_err(|error| gone_or(segment, error))?;
    let how = if stat.marked && !segment.sysv().is_some_and(|facts| facts.marked) {
        "it was marked for removal"
    } else if segment.identity() != stat.identity() {
        "its shmid now belongs to another segment"
    } else if segment.times.change != stat.change {
        "its owner or mode changed"
    } else {
        return Ok(stat);
    };
    Err(ActError::NotTheSame { id: segment.id.clone(), how: how.to_owned() })
}

/// Opens a handle on the POSIX object if it is the one that was listed, with the same device, inode
/// and birth time. All operations on the handle affect that object.
pub fn posix(
    machine: &dyn Machine,
    segment: &Segment,
    name: &ObjectName,
) -> Result<(Box<dyn ObjectHandle>, ObjectStat), ActError> {
    let held = machine.handle(name).map_err(|error| gone_or(segment, error))?;
    let stat = held.stat().map_err(|error| gone_or(segment, error))?;
    let how = if stat.mode & TYPE != REGULAR {
        "its name is no longer a regular file"
    } else if !segment.identity().fits(&stat.identity()) {
        "its name now belongs to another object"
    } else {
        return Ok((held, stat));
    };
    Err(ActError::NotTheSame { id: segment.id.clone(), how: how.to_owned() })
}

fn gone_or(segment: &Segment, source: io::Error) -> ActError {
    let id = segment.id.clone();
    match source.raw_os_error() {
        Some(libc::EINVAL | libc::EIDRM | libc::ENOENT) => ActError::Gone { id },
        // A directory in the path was replaced by a link or a file.
        Some(libc::ELOOP | libc::ENOTDIR) => {
            ActError::NotTheSame { id, how: "its directory was replaced".to_owned() }
        }
        _ if source.kind() == io::ErrorKind::NotFound => ActError::Gone { id },
        _ => ActError::Failed { id, step: Step::Check, source },
    }
}

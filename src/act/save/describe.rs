//! Describes an open segment for its archive.

use super::SaveError;
use crate::act::access::Acl;
use crate::act::archive::{Name, SavedSegment};
use crate::act::target::Target;
use crate::machine::{Machine, ObjectStat};
use crate::memory::{OpenError, Reader};
use crate::segment::{Bytes, Key, Mode, ObjectName, Owner, Segment, SegmentId, ShmId, Times};
use std::io;
use std::sync::Arc;

pub fn describe(target: Target<'_>, reader: &Reader) -> Result<SavedSegment, SaveError> {
    match &target.segment.id {
        SegmentId::Posix(name) => describe_object(target, name, reader),
        SegmentId::Sysv(shmid) => describe_sysv(target, *shmid, reader),
        SegmentId::Deleted { .. } => describe_unlinked(target, reader),
    }
}

/// Describes an unlinked object under its former name. No path leads to it, so mode and owner come
/// from the survey and may be outdated.
fn describe_unlinked(target: Target<'_>, reader: &Reader) -> Result<SavedSegment, SaveError> {
    let Target { machine, segment } = target;
    let read = |source| SaveError::Read { id: segment.id.clone(), source };
    let name = segment.former_name().ok_or_else(|| SaveError::NoName { id: segment.id.clone() })?;
    Ok(SavedSegment {
        name: Name::Posix(name.clone()),
        size: Bytes(reader.size().map_err(read)?),
        mode: segment.mode,
        owner: segment.owner.clone(),
        times: segment.times,
        acl: reader.acl().map_err(read)?,
        saved: machine.now(),
    })
}

fn describe_object(
    target: Target<'_>,
    name: &ObjectName,
    reader: &Reader,
) -> Result<SavedSegment, SaveError> {
    let Target { machine, segment } = target;
    let id = || target.id();
    let stat = match machine.stat_object(name) {
        Ok(stat) => stat,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::Gone { id: id() }.into());
        }
        Err(source) => return Err(SaveError::Read { id: id(), source }),
    };
    if !segment.identity().matches(&stat.identity()) {
        return Err(OpenError::Replaced { id: id() }.into());
    }
    let ObjectStat { mode, uid, gid, size, access, modify, change, birth, .. } = stat;
    let acl = reader.acl().map_err(|source| SaveError::Read { id: id(), source })?;
    // The mode and the ACL were read at different times. The ACL wins, as in a restore.
    let bits = acl.as_deref().and_then(Acl::mode_bits);
    let mode = bits.map_or(mode, |bits| mode & !0o777 | bits);
    Ok(SavedSegment {
        name: Name::Posix(name.clone()),
        size,
        mode: Mode::new(mode),
        owner: owner(machine, uid, gid),
        times: Times {
            access: Some(access),
            modify: Some(modify),
            change: Some(change),
            birth,
            ..Times::default()
        },
        acl,
        saved: machine.now(),
    })
}

fn describe_sysv(target: Target<'_>, shmid: ShmId, reader: &Reader) -> Result<SavedSegment, SaveError> {
    let Target { machine, segment } = target;
    let read = |source| SaveError::Read { id: segment.id.clone(), source };
    // Our attachment keeps the segment alive, so the shmid cannot belong to another one.
    let table = machine.sysv_rows().map_err(read)?;
    let row = table.rows.iter().find(|row| row.shmid == shmid);
    let row = row.ok_or_else(|| OpenError::Gone { id: segment.id.clone() })?;
    Ok(SavedSegment {
        // A segment marked for removal has lost its key, but the survey may have seen it.
        name: Name::Sysv { key: if row.key.is_private() { known_key(segment) } else { row.key }, shmid },
        size: Bytes(reader.size().map_err(read)?),
        mode: row.mode,
        owner: owner(machine, row.uid, row.gid),
        times: Times { attach: row.attach, detach: row.detach, change: row.change, ..Times::default() },
        acl: None,
        saved: machine.now(),
    })
}

fn known_key(segment: &Segment) -> Key {
    segment.sysv().map_or(Key(0), |facts| facts.key)
}

fn owner(machine: &dyn Machine, uid: u32, gid: u32) -> Owner {
    Owner {
        uid,
        user: machine.user_name(uid).map(Arc::from),
        gid,
        group: machine.group_name(gid).map(Arc::from),
    }
}

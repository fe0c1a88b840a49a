//! The segments of the demo and their removal. Removes only segments that it created, never others
//! that have reused a name or id.

use super::error::DemoError;
use super::mark::{self, Maker};
use super::orphan::{create_orphan, create_sysv, finish};
use super::part::Part;
use super::{key, sparse};
use crate::machine::Machine as _;
use crate::machine::control::{Control as _, Removal};
use crate::machine::real::RealMachine;
use crate::segment::{Bytes, Identity, ObjectName, SegmentId, ShmId};
use std::io;
use std::path::Path;

/// A segment created by a demo. Dropping it removes the segment.
#[derive(Debug)]
pub struct OwnedSegment {
    pub part: Part,
    pub id: SegmentId,
    pub size: Bytes,
    identity: Identity,
    removed: bool,
}

impl OwnedSegment {
    /// Creates a part of a demo. `None` if its key or name is taken.
    pub fn create(part: Part, maker: &Maker, program: &Path) -> Result<Option<Self>, DemoError> {
        let size = Bytes(part.size(maker));
        let (id, identity) = if part.is_sysv() {
            let (key, content) = (key::of(part, maker), part.content(maker));
            let created = match part {
                Part::Orphan => create_orphan(program, key, size, &content)
                    .map(|(shmid, pid)| (SegmentId::Sysv(shmid), pid)),
                _ => create_sysv(key, size, &content).map(|id| (id, maker.pid)),
            };
            let created = unless_taken(created).map_err(|source| DemoError::Sysv { size, source })?;
            let Some((id, creator_pid)) = created else { return Ok(None) };
            (id, Identity::Sysv { key, size, creator_pid, creator_uid: RealMachine.effective_uid() })
        } else {
            let text = format!("{}{}", maker.prefix(), part.name());
            let Some(name) = ObjectName::new(text.as_bytes()) else { return Ok(None) };
            let created = unless_taken(create_object(part, maker, &name));
            let id = SegmentId::Posix(name);
            let failed = |source| DemoError::Posix { id: id.clone(), source };
            let Some(identity) = created.map_err(failed)? else { return Ok(None) };
            (id, identity)
        };
        Ok(Some(Self { part, id, size, identity, removed: false }))
    }

    /// Removes the segment, unless it is already gone.
    pub fn remove(&mut self) -> Result<(), DemoError> {
        if std::mem::replace(&mut self.removed, true) {
            return Ok(());
        }
        let outcome = match &self.id {
            SegmentId::Posix(name) => remove_object(name, &self.identity),
            SegmentId::Sysv(shmid) => remove_sysv(*shmid, &self.identity),
            SegmentId::Deleted { .. } => Ok(()),
        };
        outcome.map_err(|source| DemoError::Left { id: self.id.clone(), source })
    }
}

impl Drop for OwnedSegment {
    fn drop(&mut self) {
        // Callers that need the error call `remove`.
        let _ = self.remove();
    }
}

fn create_object(part: Part, maker: &Maker, name: &ObjectName) -> io::Result<Identity> {
    let mut builder = RealMachine.build_object(name, part.size(maker))?;
    builder.write_at(0, &part.content(maker))?;
    if part == Part::Sparse {
        for run in sparse::runs().skip(1) {
            builder.write_at(run, &sparse::content(run))?;
        }
    }
    finish(builder.as_mut())?;
    let open = RealMachine.open_object(name)?;
    // Another object may have taken the name.
    let mut mark = [0; mark::LENGTH];
    open.read_at(part.mark_at(), &mut mark)?;
    match Maker::read(&mark) {
        Some((found, _)) if found == *maker => Ok(open.stat()?.identity),
        _ => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

fn unless_taken<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove_sysv(shmid: ShmId, identity: &Identity) -> io::Result<()> {
    // Unlike `IPC_STAT`, the table does not require read permission.
    let table = RealMachine.sysv_rows()?;
    // Once marked for removal, a segment has no key, and disappears with its last attachment.
    if !table.rows.iter().any(|row| row.shmid == shmid && row.identity() == *identity) {
        return Ok(());
    }
    RealMachine.sysv_remove(shmid).or_else(|error| match error.raw_os_error() {
        Some(libc::EINVAL | libc::EIDRM) => Ok(()),
        _ => Err(error),
    })
}

fn remove_object(name: &ObjectName, identity: &Identity) -> io::Result<()> {
    let held = match RealMachine.open_handle(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        held => held?,
    };
    if held.stat()?.identity() != *identity {
        return Ok(());
    }
    match RealMachine.unlink(name, held.as_ref(), &|_| true)? {
        Removal::Removed | Removal::Gone | Removal::Another | Removal::Refused => Ok(()),
        Removal::NotRestored(now) => {
            Err(io::Error::other(format!("replaced by another program's object, which is now {now}")))
        }
    }
}

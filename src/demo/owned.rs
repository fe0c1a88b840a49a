//! The segments of the demo and their removal. Removes only segments that it created, never others
//! that have reused a name or id.

use super::error::DemoError;
use super::mark::{self, Maker};
use super::orphan::{create_orphan, create_sysv, finish};
use super::part::Part;
use super::{key, sparse};
use crate::machine::Machine as _;
use crate::machine::control::{Control as _, Removal};
use crate::machine::real::{DEV_SHM, RealMachine};
use crate::segment::{Bytes, Identity, ObjectName, SegmentId, ShmId};
use crate::sys::shm::Attachment;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

/// A segment created by a demo. Dropping it removes the segment.
#[derive(Debug)]
pub struct OwnedSegment {
    pub part: Part,
    pub id: SegmentId,
    pub size: Bytes,
    pub handle: Handle,
    removed: bool,
}

/// The demo's handle on a segment.
#[derive(Debug)]
pub enum Handle {
    Attached(Arc<Attachment>, Identity),
    /// A child process created the segment.
    Closed(Identity),
    Open(Arc<File>),
}

impl OwnedSegment {
    /// Creates a part of a demo. `None` if its key or name is taken.
    pub fn create(part: Part, maker: &Maker, program: &Path) -> Result<Option<Self>, DemoError> {
        let size = Bytes(part.size(maker));
        let sysv = |source| DemoError::Sysv { size, source };
        let (id, handle) = match part {
            Part::State => {
                let created = create_sysv(key::of(part, maker), size, &part.content(maker));
                let Some(id) = unless_taken(created).map_err(sysv)? else { return Ok(None) };
                (id, Handle::Closed(identity(part, maker, maker.pid)))
            }
            Part::Orphan => {
                let created = create_orphan(program, key::of(part, maker), size, &part.content(maker));
                let Some((shmid, pid)) = unless_taken(created).map_err(sysv)? else { return Ok(None) };
                (SegmentId::Sysv(shmid), Handle::Closed(identity(part, maker, pid)))
            }
            Part::List | Part::Picture | Part::Sparse => {
                let text = format!("{}{}", maker.prefix(), part.name());
                let Some(name) = ObjectName::new(text.as_bytes()) else { return Ok(None) };
                let id = SegmentId::Posix(name.clone());
                let created = create_object(part, maker, &name);
                let failed = |source| DemoError::Posix { id: id.clone(), source };
                let Some(file) = unless_taken(created).map_err(failed)? else { return Ok(None) };
                (id, Handle::Open(Arc::new(file)))
            }
        };
        // From here on, Drop removes the segment after a failure.
        let mut made = Self { part, id, size, handle, removed: false };
        if let (Part::State, SegmentId::Sysv(shmid), Handle::Closed(identity)) =
            (part, &made.id, &made.handle)
        {
            let attachment = Attachment::read_write(shmid.0).map_err(sysv)?;
            made.handle = Handle::Attached(Arc::new(attachment), *identity);
        }
        Ok(Some(made))
    }

    /// Removes the segment, unless it is already gone.
    pub fn remove(&mut self) -> Result<(), DemoError> {
        if std::mem::replace(&mut self.removed, true) {
            return Ok(());
        }
        let outcome = match (&self.handle, &self.id) {
            (Handle::Open(file), SegmentId::Posix(name)) => remove_object(file, name),
            (Handle::Attached(_, identity) | Handle::Closed(identity), SegmentId::Sysv(shmid)) => {
                remove_sysv(*shmid, identity)
            }
            _ => Ok(()),
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

fn identity(part: Part, maker: &Maker, creator_pid: u32) -> Identity {
    Identity::Sysv {
        key: key::of(part, maker),
        size: Bytes(part.size(maker)),
        creator_pid,
        creator_uid: RealMachine.effective_uid(),
    }
}

fn create_object(part: Part, maker: &Maker, name: &ObjectName) -> io::Result<File> {
    let mut builder = RealMachine.build_object(name, part.size(maker))?;
    builder.write_at(0, &part.content(maker))?;
    if part == Part::Sparse {
        for run in sparse::runs().skip(1) {
            builder.write_at(run, &sparse::content(run))?;
        }
    }
    finish(builder.as_mut())?;
    let path = Path::new(DEV_SHM).join(name.as_path());
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = File::options().read(true).write(true).custom_flags(flags).open(path)?;
    // Another object may have taken the name.
    let mut mark = [0; mark::LENGTH];
    file.read_exact_at(&mut mark, part.mark_at())?;
    match Maker::read(&mark) {
        Some((found, _)) if found == *maker => Ok(file),
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

fn remove_object(file: &File, name: &ObjectName) -> io::Result<()> {
    let held = match RealMachine.handle(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        held => held?,
    };
    // While the file is open, its inode number is not reused.
    if held.stat()?.inode != file.metadata()?.ino() {
        return Ok(());
    }
    match RealMachine.unlink(name, held.as_ref(), &|_| true)? {
        Removal::Removed | Removal::Gone | Removal::Another | Removal::Refused => Ok(()),
        Removal::Astray(now) => {
            Err(io::Error::other(format!("replaced by another program's object, which is now {now}")))
        }
    }
}

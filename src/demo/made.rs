//! A segment that a demo made, and its removal: exactly what was made, never
//! what has its name or number by then.

use super::error::DemoError;
use super::key;
use super::mark::Maker;
use super::part::Part;
use super::sparse;
use crate::machine::real::{DEV_SHM, RealMachine};
use crate::machine::{Machine as _, sysv_table};
use crate::segment::{Bytes, Key, ObjectName, SegmentId, ShmId};
use crate::sys::unlink::{Removal, unlink_exactly};
use crate::sys::{child, object, shm, statx_fd};
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// A segment that a demo made. Dropping it removes it.
#[derive(Debug)]
pub struct Made {
    /// Which part of the demo it is.
    pub part: Part,
    /// What it is called.
    pub id: SegmentId,
    /// Its size.
    pub size: Bytes,
    /// How it is written to.
    pub handle: Handle,
    removed: bool,
}

/// What a demo holds of a segment that it made.
#[derive(Debug)]
pub enum Handle {
    /// Attached.
    Attached(Arc<shm::Attachment>, Identity),
    /// Made by a child and held by nobody.
    Unheld(Identity),
    /// Open.
    Open(Arc<File>),
}

/// What tells a System V segment from another that was given its id later. It
/// stays as it is when mode or owner are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    key: Key,
    size: Bytes,
    creator_pid: u32,
    creator_uid: u32,
}

impl Made {
    /// Makes a part of a demo.
    ///
    /// `None` when its key or its name is taken.
    ///
    /// # Errors
    /// What the kernel refused, and why.
    pub fn make(part: Part, maker: &Maker) -> Result<Option<Self>, DemoError> {
        match part {
            Part::State => Self::make_state(maker),
            Part::Orphan => Self::make_orphan(maker),
            Part::List | Part::Picture | Part::Sparse => Self::make_object(part, maker),
        }
    }

    fn make_state(maker: &Maker) -> Result<Option<Self>, DemoError> {
        let content = Part::State.content(maker);
        let size = Bytes(content.len() as u64);
        let failed = |source| DemoError::Sysv { size, source };
        let key = key::of(Part::State, maker);
        let Some(shmid) = unless_taken(shm::create(key.0, content.len(), 0o600)).map_err(failed)? else {
            return Ok(None);
        };
        let open = shm::Attachment::read_write(shmid).inspect_err(|_| drop(shm::remove(shmid)));
        let open = open.map_err(failed)?;
        if open.copy_from(0, &content) < content.len() {
            let _ = shm::remove(shmid);
            return Err(failed(io::Error::from_raw_os_error(libc::ENOMEM)));
        }
        let identity = Identity::of_own(key, size, maker.pid);
        Ok(Some(Self::sysv(Part::State, shmid, size, Handle::Attached(Arc::new(open), identity))))
    }

    fn make_orphan(maker: &Maker) -> Result<Option<Self>, DemoError> {
        let content = Part::Orphan.content(maker);
        let size = Bytes(Part::Orphan.size(maker));
        let key = key::of(Part::Orphan, maker);
        let length = usize::try_from(size.0).unwrap_or(content.len());
        let orphan = unless_taken(child::create_in_child(key.0, length, 0o600, &content))
            .map_err(|source| DemoError::Sysv { size, source })?;
        Ok(orphan.map(|orphan| {
            let identity = Identity::of_own(key, size, orphan.maker);
            Self::sysv(Part::Orphan, orphan.shmid, size, Handle::Unheld(identity))
        }))
    }

    fn sysv(part: Part, shmid: i32, size: Bytes, handle: Handle) -> Self {
        Self { part, id: SegmentId::Sysv(ShmId(shmid)), size, handle, removed: false }
    }

    fn make_object(part: Part, maker: &Maker) -> Result<Option<Self>, DemoError> {
        let text = format!("{}{}", maker.prefix(), part.name());
        let Some(name) = ObjectName::new(text.as_bytes()) else { return Ok(None) };
        let id = SegmentId::Posix(name.clone());
        let failed = |source| DemoError::Posix { id: id.clone(), source };
        let file = unless_taken(object::create_object(Path::new(DEV_SHM), name.as_path(), 0o600));
        let Some(file) = file.map_err(failed)?.map(Arc::new) else { return Ok(None) };
        // From here on a failure removes it, by Drop.
        let size = Bytes(part.size(maker));
        let made = Self { part, id: id.clone(), size, handle: Handle::Open(file), removed: false };
        made.fill(maker).map_err(failed)?;
        Ok(Some(made))
    }

    /// Writes the mark first, so that it is known as ours from the beginning.
    fn fill(&self, maker: &Maker) -> io::Result<()> {
        let Handle::Open(file) = &self.handle else { return Ok(()) };
        file.write_all_at(&self.part.content(maker), 0)?;
        file.set_len(self.size.0)?;
        if self.part == Part::Sparse {
            for run in sparse::runs().skip(1) {
                file.write_all_at(&sparse::content(run), run)?;
            }
        }
        Ok(())
    }

    /// Removes it. What is gone already is no error, and what has its name or
    /// number by then is left alone.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn remove(&mut self) -> Result<(), DemoError> {
        if std::mem::replace(&mut self.removed, true) {
            return Ok(());
        }
        let outcome = match (&self.handle, &self.id) {
            (Handle::Open(file), SegmentId::Posix(name)) => remove_object(file, name),
            (Handle::Attached(_, identity) | Handle::Unheld(identity), SegmentId::Sysv(shmid)) => {
                remove_sysv(*shmid, identity)
            }
            _ => Ok(()),
        };
        outcome.map_err(|source| DemoError::Left { id: self.id.clone(), source })
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Whoever wants to know what was left calls `remove`.
        let _ = self.remove();
    }
}

impl Identity {
    fn of_own(key: Key, size: Bytes, creator_pid: u32) -> Self {
        Self { key, size, creator_pid, creator_uid: RealMachine.effective_uid() }
    }

    fn of(row: &sysv_table::Row) -> Self {
        Self { key: row.key, size: row.size, creator_pid: row.creator_pid, creator_uid: row.creator_uid }
    }
}

/// That something is taken is no failure here.
fn unless_taken<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}

/// By the kernel's table, which tells who made it whatever its mode is now.
fn remove_sysv(shmid: ShmId, identity: &Identity) -> io::Result<()> {
    let table = RealMachine.sysv_rows()?;
    let row = table.rows.iter().find(|row| row.shmid == shmid);
    match row {
        // One that is marked already has lost its key, and goes with its last attachment.
        Some(row) if Identity::of(row) == *identity => shm::remove(shmid.0).or_else(gone_is_fine),
        _ => Ok(()),
    }
}

fn remove_object(file: &File, name: &ObjectName) -> io::Result<()> {
    let stat = statx_fd(file.as_fd())?;
    match unlink_exactly(Path::new(DEV_SHM), name.as_path(), stat.device, stat.inode)? {
        Removal::Removed | Removal::Gone | Removal::Another | Removal::Refused => Ok(()),
        Removal::Astray(path) => Err(io::Error::other(format!(
            "replaced by another program's object, which is now {}",
            crate::segment::escape(path.as_os_str().as_encoded_bytes())
        ))),
    }
}

fn gone_is_fine(error: io::Error) -> io::Result<()> {
    match error.raw_os_error() {
        Some(libc::EINVAL | libc::EIDRM) => Ok(()),
        _ => Err(error),
    }
}

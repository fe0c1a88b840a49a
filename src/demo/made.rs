//! A segment that a demo made, and its removal: exactly what was made, never
//! what has its name or number by then.

use super::error::DemoError;
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

/// The keys that demos take, the first free one for each segment. Nothing is
/// taken for a demo's because of its key alone.
pub const KEYS: std::ops::RangeInclusive<u32> = 0x5c09_e000..=0x5c09_e0ff;

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
    /// `None` when its name is taken.
    ///
    /// # Errors
    /// What the kernel refused, and why.
    pub fn make(part: Part, maker: &Maker) -> Result<Option<Self>, DemoError> {
        match part {
            Part::State => Self::make_state(maker).map(Some),
            Part::Orphan => Self::make_orphan(maker).map(Some),
            Part::List | Part::Picture | Part::Sparse => Self::make_object(part, maker),
        }
    }

    fn make_state(maker: &Maker) -> Result<Self, DemoError> {
        let content = Part::State.content(maker);
        let size = Bytes(content.len() as u64);
        let (key, shmid) = first_free_key(size, |key| shm::create(key, content.len(), 0o600))?;
        let open = shm::Attachment::read_write(shmid).inspect_err(|_| drop(shm::remove(shmid)));
        let open = open.map_err(|source| DemoError::Sysv { size, source })?;
        let _ = open.copy_from(0, &content);
        let identity = Identity::of_own(key, size, std::process::id());
        Ok(Self::sysv(Part::State, shmid, size, Handle::Attached(Arc::new(open), identity)))
    }

    fn make_orphan(maker: &Maker) -> Result<Self, DemoError> {
        let content = Part::Orphan.content(maker);
        let size = Bytes(Part::Orphan.size(maker));
        let length = usize::try_from(size.0).unwrap_or(content.len());
        let (key, orphan) = first_free_key(size, |key| child::create_in_child(key, length, 0o600, &content))?;
        let identity = Identity::of_own(key, size, orphan.maker);
        Ok(Self::sysv(Part::Orphan, orphan.shmid, size, Handle::Unheld(identity)))
    }

    fn sysv(part: Part, shmid: i32, size: Bytes, handle: Handle) -> Self {
        Self { part, id: SegmentId::Sysv(ShmId(shmid)), size, handle, removed: false }
    }

    fn make_object(part: Part, maker: &Maker) -> Result<Option<Self>, DemoError> {
        let text = format!("{}{}", maker.prefix(), part.name());
        let Some(name) = ObjectName::new(text.as_bytes()) else { return Ok(None) };
        let id = SegmentId::Posix(name.clone());
        let file = match object::create_object(Path::new(DEV_SHM), name.as_path(), 0o600) {
            Ok(file) => Arc::new(file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(source) => return Err(DemoError::Posix { id, source }),
        };
        // From here on a failure removes it, by Drop.
        let size = Bytes(part.size(maker));
        let made = Self { part, id, size, handle: Handle::Open(file), removed: false };
        made.fill(maker).map_err(|source| DemoError::Posix { id: made.id.clone(), source })?;
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
    fn of_own(key: u32, size: Bytes, creator_pid: u32) -> Self {
        Self { key: Key(key), size, creator_pid, creator_uid: RealMachine.effective_uid() }
    }

    fn of(row: &sysv_table::Row) -> Self {
        Self { key: row.key, size: row.size, creator_pid: row.creator_pid, creator_uid: row.creator_uid }
    }
}

/// Tries the demo's keys until one is free.
fn first_free_key<T>(size: Bytes, make: impl Fn(u32) -> io::Result<T>) -> Result<(u32, T), DemoError> {
    for key in KEYS {
        match make(key) {
            Ok(segment) => return Ok((key, segment)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(DemoError::Sysv { size, source }),
        }
    }
    Err(DemoError::Keys { from: *KEYS.start(), to: *KEYS.end() })
}

/// By the kernel's table, which tells who made it whatever its mode is now.
fn remove_sysv(shmid: ShmId, identity: &Identity) -> io::Result<()> {
    let table = sysv_table::parse(&RealMachine.sysv_table()?);
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
        Removal::Removed | Removal::Gone | Removal::Another => Ok(()),
        Removal::Astray(path) => Err(io::Error::other(format!(
            "another program put an object in its place, which is now called {}",
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

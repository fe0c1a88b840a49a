//! Saving: a segment's contents, holes kept, and what it takes to make it
//! again, in one file. The file is there whole or not at all.

use super::archive::{END, Name, Saved, Writing};
use crate::machine::{ExtentKind, Machine, ObjectStat, sysv_table};
use crate::memory::{OpenError, PageBuffer, Progress, Reader};
use crate::segment::{Bytes, Key, Mode, ObjectName, Owner, Segment, SegmentId, ShmId, Times, plain_error};
use crate::sys::unnamed::Unnamed;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much is read at once: it stays in the processor's cache until it is
/// summed up and written.
const PIECE: usize = 256 << 10;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it is.
    pub path: PathBuf,
    /// How long it is.
    pub length: Bytes,
    /// What is in it.
    pub saved: Saved,
}

/// Why a segment was not saved. No file is left then.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read.
    #[error("{id} cannot be read: {}", plain_error(.source))]
    Read {
        /// Which.
        id: SegmentId,
        /// What the kernel said.
        source: io::Error,
    },
    /// It was grown or shrunk meanwhile.
    #[error("{id} changed its size while it was saved; nothing is saved. Try again when it is quiet")]
    Resized {
        /// Which.
        id: SegmentId,
    },
    /// It is in no directory any more.
    #[error("{id} has no name any more that a restore could give back; `shmlens dump` prints what is in it")]
    NoName {
        /// Which.
        id: SegmentId,
    },
    /// The work was cancelled.
    #[error("stopped: {id} is not saved, and no file is left")]
    Stopped {
        /// Which.
        id: SegmentId,
    },
    /// The file would be longer than it may be.
    #[error("{id} holds {held}, and a copy may take {limit}")]
    TooLarge {
        /// Which.
        id: SegmentId,
        /// How much it holds; at least that.
        held: Bytes,
        /// The limit.
        limit: Bytes,
    },
    /// Something has the file's name.
    #[error("{} is there already and is left as it is. Choose another name", shown(.path))]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{} cannot be written: {}{}", shown(.path), plain_error(.source), remedy(.source))]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A path as text that is safe to print.
pub(super) fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    crate::segment::escape(path.as_os_str().as_bytes())
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ". Nothing is saved; choose a place with more room"
        }
        io::ErrorKind::NotFound => ". Make its directory first",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ". Choose a directory that you may write to"
        }
        _ => "",
    }
}

/// Saves a segment that a survey listed, in a file that does not exist yet.
/// What is written to it meanwhile may be in the file or not.
///
/// # Errors
/// When it cannot be read, or the file cannot be made; then there is no file.
pub fn save(
    machine: &dyn Machine,
    segment: &Segment,
    path: &Path,
    progress: &Progress,
) -> Result<Stored, SaveError> {
    Target { path, replace: false, limit: None }.save(machine, segment, progress)
}

/// As [`save`], in place of a file that may have the name.
///
/// # Errors
/// As [`save`]; the file that was there is as it was then.
pub fn save_over(
    machine: &dyn Machine,
    segment: &Segment,
    path: &Path,
    progress: &Progress,
) -> Result<Stored, SaveError> {
    Target { path, replace: true, limit: None }.save(machine, segment, progress)
}

/// Where it is saved.
pub(super) struct Target<'a> {
    pub path: &'a Path,
    /// Whether a file of that name is written over.
    pub replace: bool,
    /// The most bytes that the file may have.
    pub limit: Option<Bytes>,
}

impl Target<'_> {
    pub fn save(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        progress: &Progress,
    ) -> Result<Stored, SaveError> {
        // Found out now rather than after gigabytes; the last word is at the end.
        if !self.replace && self.path.symlink_metadata().is_ok() {
            return Err(SaveError::Exists { path: self.path.to_owned() });
        }
        let mut file = self.file().map_err(|error| self.failed(error))?;
        let reader = Reader::open(machine, segment)?;
        let saved = describe(machine, segment, &reader)?;
        let length = self.fill(&file, &reader, &saved, progress)?;
        self.publish(&mut file).map_err(|error| self.failed(error))?;
        Ok(Stored { path: self.path.to_owned(), length: Bytes(length), saved })
    }

    fn file(&self) -> io::Result<Unnamed> {
        let name = self.path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Unnamed::create(directory.unwrap_or(Path::new(".")), Path::new(name), 0o600)
    }

    /// Writes all of it, and returns the length of the file.
    fn fill(
        &self,
        file: &Unnamed,
        reader: &Reader,
        saved: &Saved,
        progress: &Progress,
    ) -> Result<u64, SaveError> {
        let id = || reader.id().clone();
        let read = |source| SaveError::Read { id: id(), source };
        let mut writing = Writing::begin(&file.file, saved).map_err(|error| self.failed(error))?;
        let mut buffer = PageBuffer::with_capacity(PIECE);
        let size = saved.size.0;
        progress.begin(size);
        let mut at = 0;
        while at < size {
            if progress.is_cancelled() {
                return Err(SaveError::Stopped { id: id() });
            }
            let Some(extent) = reader.extent_at(at, size - at).map_err(read)? else { break };
            let end = extent.end.min(size);
            if extent.kind == ExtentKind::Hole {
                at = end;
                progress.reach(at);
                continue;
            }
            while at < end && !progress.is_cancelled() {
                // Pieces end where a multiple of their length does, in step with
                // what the kernel reads and shows at once.
                let room = PIECE as u64 - at % PIECE as u64;
                let wanted = usize::try_from(room.min(end - at)).unwrap_or(PIECE);
                let count = reader.fill(&mut buffer, at, wanted).map_err(read)?;
                if count < wanted {
                    return Err(SaveError::Resized { id: id() });
                }
                self.check(writing.length() + count as u64, reader)?;
                writing.run(at, &buffer[..count]).map_err(|error| self.failed(error))?;
                reader.release(at, count as u64);
                at += count as u64;
                progress.reach(at);
            }
        }
        if reader.size().map_err(read)? != size {
            return Err(SaveError::Resized { id: id() });
        }
        self.check(writing.length() + END, reader)?;
        writing.finish().map_err(|error| self.failed(error))
    }

    fn check(&self, length: u64, reader: &Reader) -> Result<(), SaveError> {
        match self.limit {
            Some(limit) if length > limit.0 => {
                Err(SaveError::TooLarge { id: reader.id().clone(), held: Bytes(length), limit })
            }
            _ => Ok(()),
        }
    }

    /// The name comes once the disk has the rest.
    fn publish(&self, file: &mut Unnamed) -> io::Result<()> {
        file.file.sync_all()?;
        if self.replace {
            file.replace()?;
        } else {
            file.publish()?;
        }
        // Where the directory cannot be synced the file is whole all the same.
        let _ = file.sync_name();
        Ok(())
    }

    fn failed(&self, source: io::Error) -> SaveError {
        let path = self.path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => SaveError::Exists { path },
            _ => SaveError::Write { path, source },
        }
    }
}

/// What a segment that is open is beside its contents, as the kernel says now.
fn describe(machine: &dyn Machine, segment: &Segment, reader: &Reader) -> Result<Saved, SaveError> {
    match &segment.id {
        SegmentId::Posix(name) => describe_object(machine, segment, name, reader),
        SegmentId::Sysv(shmid) => describe_sysv(machine, segment, *shmid, reader),
        // Without a name there is nothing that a restore could call it.
        SegmentId::Deleted { .. } => Err(SaveError::NoName { id: segment.id.clone() }),
    }
}

fn describe_object(
    machine: &dyn Machine,
    segment: &Segment,
    name: &ObjectName,
    reader: &Reader,
) -> Result<Saved, SaveError> {
    let id = || segment.id.clone();
    let stat = match machine.stat_object(name) {
        Ok(stat) => stat,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::Gone { id: id() }.into());
        }
        Err(source) => return Err(SaveError::Read { id: id(), source }),
    };
    if !segment.identity().fits(&stat.identity()) {
        return Err(OpenError::Replaced { id: id() }.into());
    }
    let ObjectStat { mode, uid, gid, size, access, modify, change, birth, .. } = stat;
    Ok(Saved {
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
        acl: reader.acl().map_err(|source| SaveError::Read { id: id(), source })?,
        saved: machine.now(),
    })
}

fn describe_sysv(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
    reader: &Reader,
) -> Result<Saved, SaveError> {
    let read = |source| SaveError::Read { id: segment.id.clone(), source };
    // It is attached, so the line of that shmid is its line.
    let table = sysv_table::parse(&machine.sysv_table().map_err(read)?);
    let row = table.rows.iter().find(|row| row.shmid == shmid);
    let row = row.ok_or_else(|| OpenError::Gone { id: segment.id.clone() })?;
    Ok(Saved {
        // One that is marked for removal has lost its key; the survey may have seen it.
        name: Name::Sysv { key: if row.key.is_private() { known_key(segment) } else { row.key }, shmid },
        size: Bytes(reader.size().map_err(read)?),
        mode: Mode::new(row.perms & 0o777),
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

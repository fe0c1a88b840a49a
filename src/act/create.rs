//! Making a segment: `shmget(2)` with `IPC_EXCL`, and `O_CREAT | O_EXCL` below
//! `/dev/shm`. What exists is never touched, and what cannot be made whole is
//! taken away again.

use super::permissions::mode_text;
use super::{ActError, Action, Copying, Done, Plan, Undo};
use crate::machine::Machine;
use crate::machine::control::{Fill, Held, NewSysv, SysvPermissions};
use crate::segment::{Bytes, Mode, ObjectName, SegmentId, ShmId, escape, plain_error};
use crate::sys::object::extent_at;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// How much is copied at a time.
const PIECE: usize = 256 << 10;

/// A segment that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewSegment {
    /// System V.
    Sysv(NewSysv, Source),
    /// POSIX.
    Posix {
        /// Its name.
        name: ObjectName,
        /// Its size.
        size: Bytes,
        /// Its permission bits, exactly: the umask takes nothing away.
        mode: Mode,
        /// What it holds at first.
        source: Source,
    },
}

/// What a new segment holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// Zeros: a hole, which takes no memory.
    #[default]
    Nothing,
    /// What is in a file, holes kept; zeros behind its end.
    File(PathBuf),
}

impl NewSegment {
    /// What it is called before it is there.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Sysv(new, _) if new.key.is_private() => "a private System V segment".to_owned(),
            Self::Sysv(new, _) => format!("a System V segment with key {}", new.key),
            Self::Posix { name, .. } => SegmentId::Posix(name.clone()).to_string(),
        }
    }

    const fn size(&self) -> Bytes {
        match self {
            Self::Sysv(new, _) => new.size,
            Self::Posix { size, .. } => *size,
        }
    }

    /// Gives it the size of the file that it is filled from; without one it
    /// stays as it is.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn take_size_of_file(&mut self) -> Result<(), ActError> {
        let Source::File(path) = self.source() else { return Ok(()) };
        let (_, length) = open_file(path).map_err(|reason| self.no_file(reason))?;
        match self {
            Self::Sysv(new, _) => new.size = Bytes(length),
            Self::Posix { size, .. } => *size = Bytes(length),
        }
        Ok(())
    }

    fn no_file(&self, reason: String) -> ActError {
        ActError::NotMade { subject: self.subject(), reason, remedy: "Nothing was made".to_owned() }
    }

    const fn mode(&self) -> Mode {
        match self {
            Self::Sysv(new, _) => new.mode,
            Self::Posix { mode, .. } => *mode,
        }
    }

    const fn source(&self) -> &Source {
        match self {
            Self::Sysv(_, source) | Self::Posix { source, .. } => source,
        }
    }
}

/// What making it would do.
pub fn plan(machine: &dyn Machine, new: &NewSegment, plan: &mut Plan) {
    plan.say(format!("it is made: {}, mode {}", new.size(), mode_text(new.mode())));
    if let Source::File(path) = new.source() {
        plan.say(format!("it is filled from {}", path_text(path)));
    }
    if let NewSegment::Sysv(new, _) = new {
        if new.huge {
            plan.say("it is in huge pages, which are never swapped out");
        }
        if new.no_reserve {
            plan.say("no memory is set aside for it: writing to it may fail later");
        }
    }
    let taken = match new {
        NewSegment::Sysv(new, _) => key_is_taken(machine, new),
        NewSegment::Posix { name, .. } => machine.stat_object(name).is_ok(),
    };
    if taken {
        plan.refuse(super::Refusal::new(
            "it exists already, and is left as it is",
            "Choose another, or remove that one first",
        ));
    }
    if let Err(ActError::NotMade { reason, remedy, .. }) = open_source(new) {
        plan.refuse(super::Refusal::new(reason, remedy));
    }
    plan.undo = Undo::Yes("rm removes it".to_owned());
}

fn key_is_taken(machine: &dyn Machine, new: &NewSysv) -> bool {
    let table = machine.sysv_rows().unwrap_or_default();
    !new.key.is_private() && table.rows.iter().any(|row| row.key == new.key)
}

/// Makes it.
pub fn apply(machine: &dyn Machine, new: &NewSegment) -> Result<Done, ActError> {
    let failed = |source: io::Error| not_made(machine, new, &source);
    let file = open_source(new)?;
    let id = match new {
        NewSegment::Sysv(sysv, _) => {
            SegmentId::Sysv(create_sysv(machine, sysv, file.as_ref()).map_err(failed)?)
        }
        NewSegment::Posix { name, size, mode, .. } => {
            create_posix(machine, name, *size, *mode, file.as_ref()).map_err(failed)?;
            SegmentId::Posix(name.clone())
        }
    };
    let said = match new {
        NewSegment::Sysv(sysv, _) if !sysv.key.is_private() => {
            format!("made with key {}: {}, mode {}", sysv.key, new.size(), mode_text(new.mode()))
        }
        _ => format!("made: {}, mode {}", new.size(), mode_text(new.mode())),
    };
    Ok(Done::new(id, said).undone_by(Action::Remove(Copying::Without)))
}

/// The file to fill it from, when it is no longer than the segment.
fn open_source(new: &NewSegment) -> Result<Option<(File, u64)>, ActError> {
    let Source::File(path) = new.source() else { return Ok(None) };
    let (file, length) = open_file(path).map_err(|reason| new.no_file(reason))?;
    if Bytes(length) > new.size() {
        return Err(ActError::NotMade {
            subject: new.subject(),
            reason: format!("{} has {}, and the segment only {}", path_text(path), Bytes(length), new.size()),
            remedy: "Give a larger size, or none to take that of the file".to_owned(),
        });
    }
    Ok(Some((file, length)))
}

/// A regular file and how long it is, or why it cannot be read. What only looks
/// like one (a pipe that nobody writes to) is not waited for.
fn open_file(path: &Path) -> Result<(File, u64), String> {
    let unread = |error: &io::Error| format!("{} cannot be read: {}", path_text(path), plain_error(error));
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = file.map_err(|error| unread(&error))?;
    let facts = file.metadata().map_err(|error| unread(&error))?;
    if !facts.is_file() {
        return Err(format!("{} is no regular file", path_text(path)));
    }
    Ok((file, facts.len()))
}

fn path_text(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}

fn create_sysv(machine: &dyn Machine, new: &NewSysv, file: Option<&(File, u64)>) -> io::Result<ShmId> {
    let control = machine.control();
    // To be filled it has to be ours to write, and nobody else's to see.
    let first = NewSysv { mode: if file.is_some() { Mode::new(0o600) } else { new.mode }, ..new.clone() };
    let shmid = control.sysv_create(&first)?;
    let finish = || {
        if let Some((file, length)) = file {
            copy(file, *length, control.sysv_fill(shmid)?.as_ref())?;
        }
        let stat = control.sysv_stat(shmid)?;
        if stat.mode != new.mode {
            control.sysv_set(shmid, SysvPermissions { uid: stat.uid, gid: stat.gid, mode: new.mode })?;
        }
        let now = control.sysv_stat(shmid)?;
        let whole = now.mode == new.mode && now.size == new.size && now.key == new.key;
        if whole { Ok(()) } else { Err(io::Error::other("the kernel shows another one than was asked for")) }
    };
    finish().inspect_err(|_| drop(control.sysv_remove(shmid)))?;
    Ok(shmid)
}

fn create_posix(
    machine: &dyn Machine,
    name: &ObjectName,
    size: Bytes,
    mode: Mode,
    from: Option<&(File, u64)>,
) -> io::Result<()> {
    let control = machine.control();
    let (fill, held) = control.create_object(name)?;
    let finish = |fill: &dyn Fill, held: &dyn Held| {
        fill.set_size(size)?;
        if let Some((file, length)) = from {
            copy(file, *length, fill)?;
        }
        // The last of it: until then nobody else may open what is not whole.
        held.set_mode(mode)?;
        let now = held.stat()?;
        let whole = now.size == size && Mode::new(now.mode) == mode && now.links > 0;
        if whole { Ok(()) } else { Err(io::Error::other("the kernel shows another one than was asked for")) }
    };
    finish(fill.as_ref(), held.as_ref()).inspect_err(|_| drop(control.unlink(name, held.as_ref())))
}

/// Copies a file into a segment; holes are not read and not written.
fn copy(file: &File, length: u64, to: &dyn Fill) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    let mut at = 0;
    while let Some(extent) = extent_at(file, at, length, length)? {
        while extent.data && at < extent.end {
            let part = usize::try_from(extent.end - at).unwrap_or(PIECE).min(PIECE);
            let count = file.read_at(&mut buffer[..part], at)?;
            if count == 0 {
                return Err(io::Error::other("the file was cut short while it was read"));
            }
            to.write_at(at, &buffer[..count])?;
            at += count as u64;
        }
        at = extent.end;
    }
    Ok(())
}

/// Words for what the kernel said.
fn not_made(machine: &dyn Machine, new: &NewSegment, error: &io::Error) -> ActError {
    let subject = new.subject();
    let limits = machine.limits();
    let number = |limit: Option<u64>| limit.map_or_else(|| "unknown".to_owned(), |limit| limit.to_string());
    if error.kind() == io::ErrorKind::AlreadyExists {
        return ActError::Exists { subject, remedy: "Choose another, or remove that one first".to_owned() };
    }
    let sysv = matches!(new, NewSegment::Sysv(..));
    let huge = matches!(new, NewSegment::Sysv(NewSysv { huge: true, .. }, _));
    let (reason, remedy) = match error.raw_os_error() {
        Some(libc::EINVAL) if sysv => (
            format!("{} bytes are not between 1 and kernel.shmmax ({})", new.size().0, number(limits.shmmax)),
            "Give another size",
        ),
        Some(libc::ENOSPC) if sysv => (
            format!(
                "there are as many System V segments (kernel.shmmni {}) or pages in them (kernel.shmall {}) as \
                 there may be",
                number(limits.shmmni),
                number(limits.shmall)
            ),
            "Remove some, or raise the limit with sysctl; `shmlens limits` shows what is used",
        ),
        Some(libc::ENOMEM) if huge => (
            "there are not enough free huge pages".to_owned(),
            "Raise vm.nr_hugepages with sysctl, or leave the huge pages out",
        ),
        Some(libc::EPERM) if huge => (
            "you may not have huge pages: only members of the group vm.hugetlb_shm_group and root (CAP_IPC_LOCK) may"
                .to_owned(),
            "Run with sudo, or leave the huge pages out",
        ),
        Some(libc::ENOMEM) => {
            ("the kernel does not set that much memory aside".to_owned(), "Give a smaller size, or have none set aside (no-reserve)")
        }
        Some(libc::ENOSPC) => (
            "/dev/shm is full".to_owned(),
            "Remove something, or make it larger (mount -o remount,size=…); `shmlens limits` shows what is used",
        ),
        Some(libc::EACCES) => ("you may not write to that directory".to_owned(), "Run with sudo"),
        Some(libc::ENOENT) => ("there is no such directory below /dev/shm".to_owned(), "Make it first"),
        Some(libc::ENAMETOOLONG) => ("its name is too long".to_owned(), "A part of a name has at most 255 bytes"),
        Some(libc::EFBIG) => (format!("{} are too large for an object", new.size()), "Give a smaller size"),
        _ => (plain_error(error), "Nothing was made"),
    };
    ActError::NotMade { subject, reason, remedy: remedy.to_owned() }
}

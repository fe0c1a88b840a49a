//! Creates a segment: `shmget(2)` with `IPC_EXCL`, or a file below `/dev/shm` that
//! gets its name once it is whole. Never touches one that exists. A segment that is
//! filled from a file is protected like one that is restored, see
//! [`unfinished`](super::unfinished).

use super::permissions::mode_text;
use super::save::shown;
use super::state::StateDirectory;
use super::undo::identity_of;
use super::unfinished::{Filling, Origin};
use super::{ActError, Action, Copying, Done, Outcome, Plan, Task, Undo};
use crate::machine::control::{NewSysv, SysvPermissions};
use crate::machine::{Finish, Machine, Making};
use crate::memory::{PageBuffer, Progress};
use crate::segment::{Bytes, Mode, ObjectName, SegmentId, ShmId, plain_error};
use crate::sys::object::extent_at;
use crate::sys::regular::{Links, open_regular};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// How much is copied at a time.
const PIECE: usize = 256 << 10;
const CHOOSE_ANOTHER: &str = "Choose another, or remove the existing segment first";

/// A segment to create.
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
        /// Its permission bits, exactly: the umask is ignored.
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
        ActError::NotMade {
            subject: self.subject(),
            reason,
            remedy: "Choose a file that you can read".to_owned(),
        }
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

/// Plans its creation.
pub fn plan(machine: &dyn Machine, new: &NewSegment, plan: &mut Plan) {
    plan.say(format!("{}, mode {}", new.size(), mode_text(permissions(new))));
    if let Source::File(path) = new.source() {
        plan.say(format!("filled from {}", shown(path)));
    }
    if let NewSegment::Sysv(new, _) = new {
        if new.huge {
            plan.say("in huge pages, which are never swapped out");
        }
        if new.no_reserve {
            plan.say("no memory is reserved: writes may fail later");
        }
    }
    let taken = match new {
        NewSegment::Sysv(new, _) => key_is_taken(machine, new).then_some("the key is in use"),
        NewSegment::Posix { name, .. } => machine.stat_object(name).is_ok().then_some("the name is in use"),
    };
    if let Some(reason) = taken {
        plan.refuse(super::Refusal::new(reason, CHOOSE_ANOTHER));
    }
    if let Err(ActError::NotMade { reason, remedy, .. }) = open_source(new) {
        plan.refuse(super::Refusal::new(reason, remedy));
    }
    plan.undo = Undo::Yes("remove it with `shmlens rm`".to_owned());
}

/// The mode that it gets: nine bits, see [`Finish::mode`].
const fn permissions(new: &NewSegment) -> Mode {
    Mode::new(new.mode().bits() & 0o777)
}

fn key_is_taken(machine: &dyn Machine, new: &NewSysv) -> bool {
    let table = machine.sysv_rows().unwrap_or_default();
    !new.key.is_private() && table.rows.iter().any(|row| row.key == new.key)
}

/// Carries out a plan of [`plan_create`](super::plan_create). While a System V segment
/// is filled from a file, a mark in the state directory names it, so that
/// [`unfinished`](super::unfinished::unfinished) finds what a kill leaves. Where no
/// mark can be made, it is filled without.
pub fn create(
    machine: &dyn Machine,
    plan: &Plan,
    state: Option<&StateDirectory>,
    progress: &Progress,
) -> Outcome {
    let result = match (&plan.refusal, &plan.task) {
        (Some(refusal), _) => Err(ActError::Refused { subject: plan.subject(), refusal: refusal.clone() }),
        (None, Task::Create(new)) => apply(machine, new, state, progress),
        (None, Task::Change { .. }) => return super::apply(machine, plan),
    };
    Outcome { subject: plan.subject(), action: plan.task.word(), result }
}

/// Creates it.
pub(super) fn apply(
    machine: &dyn Machine,
    new: &NewSegment,
    state: Option<&StateDirectory>,
    progress: &Progress,
) -> Result<Done, ActError> {
    let source = open_source(new)?;
    progress.begin(source.as_ref().map_or(0, |source| source.length));
    let work = Work { machine, new, state, progress };
    let id = match (new, &source) {
        (NewSegment::Posix { name, size, .. }, _) => work.posix(name, *size, source.as_ref())?,
        (NewSegment::Sysv(sysv, _), Some(source)) => work.filled_sysv(sysv, source)?,
        (NewSegment::Sysv(sysv, _), None) => {
            let sysv = NewSysv { mode: permissions(new), ..sysv.clone() };
            let shmid = empty_sysv(machine, &sysv).map_err(|error| work.failed(&error))?;
            SegmentId::Sysv(shmid)
        }
    };
    let mode = mode_text(permissions(new));
    let said = match new {
        NewSegment::Sysv(sysv, _) if !sysv.key.is_private() => {
            format!("created with key {}: {}, mode {mode}", sysv.key, new.size())
        }
        _ => format!("created: {}, mode {mode}", new.size()),
    };
    let identity = identity_of(machine, &id);
    Ok(Done { identity, ..Done::new(id, said).undone_by(Action::Remove(Copying::Without)) })
}

/// A file that a segment is filled from.
struct SourceFile {
    file: File,
    path: PathBuf,
    length: u64,
}

/// The file to fill it from, when it is no longer than the segment.
fn open_source(new: &NewSegment) -> Result<Option<SourceFile>, ActError> {
    let Source::File(path) = new.source() else { return Ok(None) };
    let (file, length) = open_file(path).map_err(|reason| new.no_file(reason))?;
    if Bytes(length) > new.size() {
        return Err(ActError::NotMade {
            subject: new.subject(),
            reason: format!("{} has {}, but the segment only {}", shown(path), Bytes(length), new.size()),
            remedy: "Use a larger size, or omit it to use the file size".to_owned(),
        });
    }
    Ok(Some(SourceFile { file, path: path.clone(), length }))
}

/// A regular file and its length, or why it cannot be read.
fn open_file(path: &Path) -> Result<(File, u64), String> {
    let unread = |error: io::Error| format!("failed to read {}: {}", shown(path), plain_error(&error));
    let file = open_regular(path, File::options().read(true), Links::Follow).map_err(unread)?;
    let length = file.metadata().map_err(unread)?.len();
    Ok((file, length))
}

/// A System V segment without contents: there is no moment in which it is half-filled.
fn empty_sysv(machine: &dyn Machine, new: &NewSysv) -> io::Result<ShmId> {
    let control = machine.control();
    let shmid = control.sysv_create(new)?;
    let finish = || {
        let stat = control.sysv_stat(shmid)?;
        if stat.mode != new.mode {
            control.sysv_set(shmid, SysvPermissions { uid: stat.uid, gid: stat.gid, mode: new.mode })?;
        }
        let now = control.sysv_stat(shmid)?;
        let as_asked = now.mode == new.mode && now.size == new.size && now.key == new.key;
        if as_asked { Ok(()) } else { Err(io::Error::other("its size or mode differs from the request")) }
    };
    finish().inspect_err(|_| drop(control.sysv_remove(shmid)))?;
    Ok(shmid)
}

/// A creation under way.
struct Work<'a> {
    machine: &'a dyn Machine,
    new: &'a NewSegment,
    state: Option<&'a StateDirectory>,
    progress: &'a Progress,
}

impl Work<'_> {
    /// Fills an object that has no name, and gives it its name last.
    fn posix(
        &self,
        name: &ObjectName,
        size: Bytes,
        source: Option<&SourceFile>,
    ) -> Result<SegmentId, ActError> {
        let making = self.machine.control().begin_object(name, size.0);
        let mut making = making.map_err(|error| self.failed(&error))?;
        if let Some(source) = source {
            self.copy(source, making.as_mut())?;
        }
        self.finish(making.as_mut())
    }

    fn filled_sysv(&self, sysv: &NewSysv, source: &SourceFile) -> Result<SegmentId, ActError> {
        let origin = Origin::create(&source.path, permissions(self.new));
        let filling = Filling::begin(self.machine, sysv, &origin, self.state);
        let mut filling = filling.map_err(|error| self.failed(&error))?;
        self.copy(source, filling.making())?;
        filling.filled();
        self.finish(filling.making())
    }

    fn finish(&self, making: &mut dyn Making) -> Result<SegmentId, ActError> {
        let look = Finish { mode: permissions(self.new), owner: None, acl: None, used: None };
        Ok(making.finish(&look).map_err(|error| self.failed(&error))?.id)
    }

    /// Copies the file; holes are neither read nor written.
    fn copy(&self, source: &SourceFile, to: &mut dyn Making) -> Result<(), ActError> {
        let unread = |error: io::Error| {
            self.new.no_file(format!("failed to read {}: {}", shown(&source.path), plain_error(&error)))
        };
        let (file, length) = (&source.file, source.length);
        let mut buffer = PageBuffer::with_capacity(PIECE);
        let mut at = 0;
        while let Some(extent) = extent_at(file, at, length, length).map_err(unread)? {
            while extent.data && at < extent.end {
                self.stop_if_cancelled()?;
                let part = usize::try_from(extent.end - at).unwrap_or(PIECE).min(PIECE);
                let count = file.read_at(buffer.place(at, part), at).map_err(unread)?;
                if count == 0 {
                    return Err(self
                        .new
                        .no_file(format!("{} was truncated while being read", shown(&source.path))));
                }
                to.write_at(at, &buffer[..count]).map_err(|error| self.failed(&error))?;
                at += count as u64;
                self.progress.reach(at);
            }
            at = extent.end;
        }
        self.stop_if_cancelled()
    }

    fn stop_if_cancelled(&self) -> Result<(), ActError> {
        if self.progress.is_cancelled() {
            return Err(ActError::NotCreated { subject: self.new.subject() });
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> ActError {
        not_made(self.machine, self.new, error)
    }
}

/// Explains what the kernel said.
fn not_made(machine: &dyn Machine, new: &NewSegment, error: &io::Error) -> ActError {
    let subject = new.subject();
    let limits = machine.limits();
    let number = |limit: Option<u64>| limit.map_or_else(|| "unknown".to_owned(), |limit| limit.to_string());
    if error.kind() == io::ErrorKind::AlreadyExists {
        return ActError::Exists { subject, remedy: CHOOSE_ANOTHER.to_owned() };
    }
    let sysv = matches!(new, NewSegment::Sysv(..));
    let huge = matches!(new, NewSegment::Sysv(NewSysv { huge: true, .. }, _));
    let no_reserve = matches!(new, NewSegment::Sysv(NewSysv { no_reserve: true, .. }, _));
    let (reason, remedy) = match error.raw_os_error() {
        Some(libc::EINVAL) if sysv => (
            format!(
                "invalid size of {} bytes: expected 1 to kernel.shmmax ({})",
                new.size().0,
                number(limits.shmmax)
            ),
            "Choose another size",
        ),
        Some(libc::ENOSPC) if sysv => (
            format!(
                "the limit on System V segments (kernel.shmmni {}) or their pages (kernel.shmall {}) has been reached",
                number(limits.shmmni),
                number(limits.shmall)
            ),
            "Remove segments, or raise the limit with sysctl; see `shmlens limits`",
        ),
        Some(libc::ENOMEM) if huge => (
            "not enough free huge pages".to_owned(),
            "Raise vm.nr_hugepages with sysctl, or do not use huge pages",
        ),
        Some(libc::EPERM) if huge => (
            "only root (CAP_IPC_LOCK) and members of the group vm.hugetlb_shm_group can use huge pages"
                .to_owned(),
            "Run with sudo, or do not use huge pages",
        ),
        Some(libc::ENOMEM) if no_reserve => {
            ("not enough memory for its contents".to_owned(), "Free some memory")
        }
        Some(libc::ENOMEM) => (
            "the kernel cannot reserve that much memory".to_owned(),
            "Choose a smaller size, or do not reserve memory (no-reserve)",
        ),
        Some(libc::ENOSPC) => (
            "/dev/shm is full".to_owned(),
            "Remove segments, or enlarge it (mount -o remount,size=…); see `shmlens limits`",
        ),
        Some(libc::EACCES) => ("you cannot write to the directory".to_owned(), "Run with sudo"),
        Some(libc::ENOENT) => {
            ("the directory does not exist in /dev/shm".to_owned(), "Create the directory first")
        }
        Some(libc::ENAMETOOLONG) => {
            ("the name is too long".to_owned(), "Use at most 255 bytes for each part of the name")
        }
        Some(libc::EFBIG) => {
            (format!("{} is too large for a POSIX object", new.size()), "Choose a smaller size")
        }
        _ => (plain_error(error), "Nothing was created"),
    };
    ActError::NotMade { subject, reason, remedy: remedy.to_owned() }
}

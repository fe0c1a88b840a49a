//! Creates a segment: `shmget(2)` with `IPC_EXCL`, or a file below `/dev/shm` that gets its name
//! only when it is complete. Never touches an existing segment. A segment that is filled from a
//! file is protected like a restored one, see [`unfinished`](super::unfinished).

use super::permissions::mode_text;
use super::save::shown;
use super::undo::identity_of;
use super::unfinished::{BeginError, Filling, Origin};
use super::{ActError, Action, Actor, Copying, Done, Plan, Undo};
use crate::machine::control::{Capability, NewSysv, SysvPermissions};
use crate::machine::{FinalAttributes, LimitFacts, Machine, SegmentBuilder};
use crate::memory::PageBuffer;
use crate::segment::{Bytes, Mode, ObjectName, SegmentId, ShmId, plain_error};
use crate::survey::DevShmUse;
use crate::sys::object::extent_at;
use crate::sys::regular::{Links, open_regular};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The number of bytes to copy at a time.
const PIECE: usize = 256 << 10;
/// The maximum size of a file, and the maximum length of a path component.
const LARGEST: u64 = i64::MAX as u64;
const LONGEST_PART: usize = 255;
const CHOOSE_ANOTHER: &str = "Choose another, or remove the existing segment first";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewSegment {
    /// A System V segment.
    Sysv(NewSysv, Source),
    /// A POSIX object.
    Posix {
        name: ObjectName,
        size: Bytes,
        /// The exact permission bits; the umask is ignored.
        mode: Mode,
        /// The initial contents.
        source: Source,
    },
}

/// The initial contents of a new segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// Zeros: a hole, which uses no memory.
    #[default]
    Nothing,
    /// The contents of a file, with holes preserved and zeros after the end.
    File(PathBuf),
}

impl NewSegment {
    /// Returns a description of the segment for messages before it exists.
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

    /// Sets the size to that of the source file. Without a source file, the size does not change.
    pub fn take_size_of_file(&mut self) -> Result<(), ActError> {
        let Source::File(path) = self.source() else { return Ok(()) };
        let (file, length) = self.open_file(path)?;
        if length == 0 && has_contents(&file) {
            return Err(ActError::NotMade {
                subject: self.subject(),
                reason: format!("the size of {} is unknown", shown(path)),
                remedy: "Use --size to set one that is large enough".to_owned(),
            });
        }
        match self {
            Self::Sysv(new, _) => new.size = Bytes(length),
            Self::Posix { size, .. } => *size = Bytes(length),
        }
        Ok(())
    }

    /// Opens a regular file, and returns its length too.
    fn open_file(&self, path: &Path) -> Result<(File, u64), ActError> {
        let unread = |error| self.unreadable(path, &error);
        let file = open_regular(path, File::options().read(true), Links::Follow).map_err(unread)?;
        let length = file.metadata().map_err(unread)?.len();
        Ok((file, length))
    }

    fn unreadable(&self, path: &Path, error: &io::Error) -> ActError {
        self.no_file(format!("failed to read {}: {}", shown(path), plain_error(error)))
    }

    fn no_file(&self, reason: String) -> ActError {
        ActError::NotMade {
            subject: self.subject(),
            reason,
            remedy: "Choose a file that you can read".to_owned(),
        }
    }

    /// Returns a warning if `/dev/shm` does not have enough space to fill the object.
    #[must_use]
    pub fn warning(&self, machine: &dyn Machine) -> Option<String> {
        match self {
            Self::Posix { size, .. } => DevShmUse::from(machine.limits().dev_shm?).too_large(*size),
            Self::Sysv(..) => None,
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

/// Plans the creation of a segment.
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
    if let Some(warning) = new.warning(machine) {
        plan.say(warning);
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
    let error = foresee(machine, new).err().map(|error| not_made(machine, new, &error));
    if let Some(ActError::NotMade { reason, remedy, .. }) = error {
        plan.refuse(super::Refusal::new(reason, remedy));
    }
    plan.undo = Undo::Yes("remove it with `shmlens rm`".to_owned());
}

/// Returns the mode of the finished segment: nine bits, see [`FinalAttributes::mode`].
const fn permissions(new: &NewSegment) -> Mode {
    Mode::new(new.mode().bits() & 0o777)
}

/// Predicts the error of the kernel, as far as possible without creating a segment.
fn foresee(machine: &dyn Machine, new: &NewSegment) -> io::Result<()> {
    let fail = |number: i32| Err(io::Error::from_raw_os_error(number));
    match new {
        NewSegment::Posix { name, size, .. } => {
            machine.check_new_object(name)?;
            if size.0 > LARGEST {
                return fail(libc::EFBIG);
            }
            // Longer components before the last one have failed already.
            let last = name.as_path().file_name().unwrap_or_default();
            if last.len() > LONGEST_PART { fail(libc::ENAMETOOLONG) } else { Ok(()) }
        }
        NewSegment::Sysv(new, _) => foresee_sysv(machine, new),
    }
}

/// Checks in the same order as `newseg` in ipc/shm.c.
fn foresee_sysv(machine: &dyn Machine, new: &NewSysv) -> io::Result<()> {
    let fail = |number: i32| Err(io::Error::from_raw_os_error(number));
    let limits = machine.limits();
    let size = new.size.0;
    if size == 0 || limits.shmmax.is_some_and(|shmmax| size > shmmax) {
        return fail(libc::EINVAL);
    }
    let pages = |bytes: u64| bytes.div_ceil(limits.page_size.max(1));
    let rows = machine.sysv_rows().unwrap_or_default().rows;
    let used: u64 = rows.iter().fold(0, |sum, row| sum.saturating_add(pages(row.size.0)));
    if limits.shmall.is_some_and(|shmall| used.saturating_add(pages(size)) > shmall) {
        return fail(libc::ENOSPC);
    }
    let memory = machine.memory();
    if new.huge {
        if let Some(huge) = memory.huge {
            let me = machine.credentials();
            if huge.size == Bytes(0) {
                return fail(libc::EINVAL);
            }
            if !me.may(Capability::IpcLock) && !huge.group.is_some_and(|group| me.is_in(group)) {
                return fail(libc::EPERM);
            }
            if !new.no_reserve && size.div_ceil(huge.size.0) > huge.free {
                return fail(libc::ENOMEM);
            }
        }
    } else if size > LARGEST {
        return fail(libc::EINVAL);
    } else if !new.no_reserve && memory.reservable.is_some_and(|most| new.size > most) {
        return fail(libc::ENOMEM);
    }
    match limits.shmmni {
        Some(shmmni) if rows.len() as u64 >= shmmni => fail(libc::ENOSPC),
        _ => Ok(()),
    }
}

fn key_is_taken(machine: &dyn Machine, new: &NewSysv) -> bool {
    let table = machine.sysv_rows().unwrap_or_default();
    !new.key.is_private() && table.rows.iter().any(|row| row.key == new.key)
}

/// Creates the segment. While a System V segment is filled from a file, a mark in the state directory
/// names it, so that [`unfinished`](super::unfinished::unfinished) finds the segment if this process
/// is killed. Nothing is created if the mark cannot be written, except for a user without a state
/// directory, who gets no mark.
pub fn apply(actor: &Actor<'_>, new: &NewSegment) -> Result<Done, ActError> {
    let machine = actor.machine;
    let source = open_source(new)?;
    actor.progress.begin(source.as_ref().map_or(0, |source| source.length));
    let work = Work { actor, new };
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

/// The file that a segment is filled from.
struct SourceFile {
    file: File,
    path: PathBuf,
    /// The length that the file reports, or 0 if unknown.
    length: u64,
    /// Set if the file has contents although its length is 0, like files in `/proc`.
    endless: bool,
}

/// Opens the source file and checks that it is no longer than the segment.
fn open_source(new: &NewSegment) -> Result<Option<SourceFile>, ActError> {
    let Source::File(path) = new.source() else { return Ok(None) };
    let (file, length) = new.open_file(path)?;
    if Bytes(length) > new.size() {
        return Err(ActError::NotMade {
            subject: new.subject(),
            reason: format!("{} is {}, but the segment is only {}", shown(path), Bytes(length), new.size()),
            remedy: "Use a larger size, or omit it to use the file size".to_owned(),
        });
    }
    let endless = length == 0 && has_contents(&file);
    Ok(Some(SourceFile { file, path: path.clone(), length, endless }))
}

/// Returns whether the file has any contents, whatever length it reports.
fn has_contents(file: &File) -> bool {
    file.read_at(&mut [0], 0).is_ok_and(|count| count > 0)
}

/// Creates a System V segment without contents. The segment is complete as soon as it exists.
fn empty_sysv(machine: &dyn Machine, new: &NewSysv) -> io::Result<ShmId> {
    let shmid = machine.sysv_create(new)?;
    let finish = || {
        let stat = machine.sysv_stat(shmid)?;
        if stat.mode != new.mode {
            machine.sysv_set(shmid, SysvPermissions { uid: stat.uid, gid: stat.gid, mode: new.mode })?;
        }
        let now = machine.sysv_stat(shmid)?;
        let as_asked = now.mode == new.mode && now.size == new.size && now.key == new.key;
        if as_asked { Ok(()) } else { Err(io::Error::other("its size or mode differs from the request")) }
    };
    finish().inspect_err(|_| drop(machine.sysv_remove(shmid)))?;
    Ok(shmid)
}

/// A creation in progress.
struct Work<'a> {
    actor: &'a Actor<'a>,
    new: &'a NewSegment,
}

impl Work<'_> {
    /// Fills an unnamed object and then links it to its name.
    fn posix(
        &self,
        name: &ObjectName,
        size: Bytes,
        source: Option<&SourceFile>,
    ) -> Result<SegmentId, ActError> {
        let builder = self.actor.machine.build_object(name, size.0);
        let mut builder = builder.map_err(|error| self.failed(&error))?;
        if let Some(source) = source {
            self.copy(source, builder.as_mut())?;
        }
        self.finish(builder.as_mut())
    }

    fn filled_sysv(&self, sysv: &NewSysv, source: &SourceFile) -> Result<SegmentId, ActError> {
        let origin = Origin::create(&source.path, permissions(self.new));
        let filling = Filling::begin(self.actor, sysv, &origin);
        let mut filling = filling.map_err(|error| match error {
            BeginError::Refused(error) => self.failed(&error),
            BeginError::NoMark(source) => ActError::NoMark { subject: self.new.subject(), source },
        })?;
        self.copy(source, filling.builder())?;
        filling.filled();
        self.finish(filling.builder())
    }

    fn finish(&self, builder: &mut dyn SegmentBuilder) -> Result<SegmentId, ActError> {
        let look = FinalAttributes { mode: permissions(self.new), owner: None, acl: None, used: None };
        Ok(builder.finish(&look).map_err(|error| self.failed(&error))?.id)
    }

    /// Copies the file without reading or writing holes.
    fn copy(&self, source: &SourceFile, to: &mut dyn SegmentBuilder) -> Result<(), ActError> {
        let unread = |error| self.new.unreadable(&source.path, &error);
        let (file, length) = (&source.file, source.length);
        let mut buffer = PageBuffer::with_capacity(PIECE);
        let mut at = 0;
        if source.endless {
            return self.copy_to_end(source, to);
        }
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
                self.actor.progress.reach(at);
            }
            at = extent.end;
        }
        self.stop_if_cancelled()
    }

    /// Copies a file of unknown size.
    fn copy_to_end(&self, source: &SourceFile, to: &mut dyn SegmentBuilder) -> Result<(), ActError> {
        let mut buffer = vec![0; PIECE];
        let mut at = 0;
        loop {
            self.stop_if_cancelled()?;
            let count = source.file.read_at(&mut buffer, at);
            let count = count.map_err(|error| self.new.unreadable(&source.path, &error))?;
            let end = at + count as u64;
            if Bytes(end) > self.new.size() {
                let reason = format!("{} is larger than {}", shown(&source.path), self.new.size());
                let remedy = "Use a larger size".to_owned();
                return Err(ActError::NotMade { subject: self.new.subject(), reason, remedy });
            }
            if count == 0 {
                return Ok(());
            }
            to.write_at(at, &buffer[..count]).map_err(|error| self.failed(&error))?;
            at = end;
        }
    }

    fn stop_if_cancelled(&self) -> Result<(), ActError> {
        if self.actor.progress.is_cancelled() {
            return Err(ActError::NotCreated { subject: self.new.subject() });
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> ActError {
        not_made(self.actor.machine, self.new, error)
    }
}

/// Describes the System V limit that was reached.
fn full_limit(machine: &dyn Machine, limits: &LimitFacts) -> String {
    let number = |limit: Option<u64>| limit.map_or_else(|| "unknown".to_owned(), |limit| limit.to_string());
    let count = machine.sysv_rows().map_or(0, |table| table.rows.len() as u64);
    if limits.shmmni.is_some_and(|most| count >= most) {
        format!("there are as many System V segments as kernel.shmmni allows ({})", number(limits.shmmni))
    } else {
        let pages = number(limits.shmall);
        format!("System V segments would take more pages than kernel.shmall allows ({pages})")
    }
}

/// Explains the error of the kernel.
fn not_made(machine: &dyn Machine, new: &NewSegment, error: &io::Error) -> ActError {
    let subject = new.subject();
    let limits = machine.limits();
    let number = |limit: Option<u64>| limit.map_or_else(|| "unknown".to_owned(), |limit| limit.to_string());
    if error.kind() == io::ErrorKind::AlreadyExists {
        return ActError::Exists { subject, remedy: CHOOSE_ANOTHER.to_owned() };
    }
    let sysv = matches!(new, NewSegment::Sysv(..));
    let size = new.size().0;
    let in_limit = size > 0 && limits.shmmax.is_none_or(|most| size <= most);
    let huge = matches!(new, NewSegment::Sysv(NewSysv { huge: true, .. }, _));
    let no_reserve = matches!(new, NewSegment::Sysv(NewSysv { no_reserve: true, .. }, _));
    let (reason, remedy) = match error.raw_os_error() {
        Some(libc::EINVAL) if huge && in_limit => {
            ("this kernel has no huge pages of the default size".to_owned(), "Do not use huge pages")
        }
        Some(libc::EINVAL) if sysv && in_limit && size > LARGEST => (
            format!("{} is too large: the kernel allows at most {} per segment", new.size(), Bytes(LARGEST)),
            "Choose a smaller size",
        ),
        Some(libc::EINVAL) if sysv => (
            format!(
                "invalid size of {} bytes: expected 1 to kernel.shmmax ({})",
                new.size().0,
                number(limits.shmmax)
            ),
            "Choose another size",
        ),
        Some(libc::ENOSPC) if sysv => (
            full_limit(machine, &limits),
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
        Some(libc::EROFS) => {
            ("/dev/shm is mounted read-only".to_owned(), "Remount it with `mount -o remount,rw /dev/shm`")
        }
        Some(libc::EACCES) => ("you cannot write to the directory".to_owned(), "Run with sudo"),
        Some(libc::ENOENT) => {
            ("the directory does not exist in /dev/shm".to_owned(), "Create the directory first")
        }
        Some(libc::ENAMETOOLONG) => {
            ("the name is too long".to_owned(), "Use at most 255 bytes per path component")
        }
        Some(libc::EFBIG) => {
            (format!("{} is too large for a POSIX object", new.size()), "Choose a smaller size")
        }
        _ => (plain_error(error), "Nothing was created"),
    };
    ActError::NotMade { subject, reason, remedy: remedy.to_owned() }
}

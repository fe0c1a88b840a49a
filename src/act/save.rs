//! Saves a segment to a single file: the contents, with holes preserved, and the metadata needed to
//! recreate the segment. The file is published only when complete.

use super::access::Acl;
use super::archive::{END, LONGEST_RUN, Name, RUN_HEADER, Saved, Writing};
use super::{Done, Outcome};
use crate::machine::{ExtentKind, Machine, ObjectStat};
use crate::memory::{OpenError, PageBuffer, Progress, Reader, is_slow, pipeline};
use crate::segment::{Bytes, Key, Mode, ObjectName, Owner, Segment, SegmentId, ShmId, Times, plain_error};
use crate::sys::object::kind_of;
use crate::sys::unnamed::{ReplaceError, Unnamed};
use crate::sys::write_behind::WriteBehind;
use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The size of each write: a multiple of the page size, and small enough that a block stays in the
/// CPU cache between reading and writing.
const BLOCK: usize = 256 << 10;
const _: () = assert!(BLOCK + RUN_HEADER <= LONGEST_RUN);
/// The length of a run whose only purpose is to shift the offset of the next run, see [`is_slow`].
const SHORT_RUN: usize = 4096;
/// The smallest segment that is worth a second thread.
const WORTH_A_THREAD: u64 = 4 << 20;
const DEV_SHM: &str = "/dev/shm";

/// A file that [`save`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub path: PathBuf,
    pub length: Bytes,
    /// The metadata in the file.
    pub saved: Saved,
}

/// The reason why a segment was not saved. No file is left behind.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The segment cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The segment cannot be read.
    #[error("failed to read {id}: {}", plain_error(.source))]
    Read { id: SegmentId, source: io::Error },
    /// The size of the segment changed during the save.
    #[error("failed to save {id}: its size changed during the save. Try again")]
    Resized { id: SegmentId },
    /// The segment was unlinked, and no holder shows its former name.
    #[error(
        "failed to save {id}: it was unlinked and its former name is unknown, so `restore` could not name it. \
         Save its contents with `shmlens dump --raw {id} > FILE`"
    )]
    NoName { id: SegmentId },
    /// The save was cancelled.
    #[error("stopped: {id} was not saved")]
    Stopped { id: SegmentId },
    /// The file would exceed the size limit.
    #[error("failed to save {id}: {held} of data exceeds the limit of {limit}")]
    TooLarge {
        id: SegmentId,
        /// The amount of data in the segment, or a lower bound.
        held: Bytes,
        limit: Bytes,
    },
    /// The file name is in use.
    #[error("{} already exists. Choose another name", shown(.path))]
    Exists { path: PathBuf },
    /// The file would replace a segment.
    #[error("{} is a segment: files in /dev/shm are shared memory. Choose another file", shown(.path))]
    Segment {
        /// The path of the segment.
        path: PathBuf,
    },
    /// The file would be a segment, but changes are disabled.
    #[error(
        "failed to save to {}: files in /dev/shm are segments, and changes are disabled (read-only). \
         Choose another directory",
        shown(.path)
    )]
    ReadOnly { path: PathBuf },
    /// The name belongs to a special file, which is never replaced.
    #[error("{} exists and is {kind}, not a regular file. Choose another name", shown(.path))]
    NotRegular {
        path: PathBuf,
        /// The file type with its article, such as `a directory`.
        kind: &'static str,
    },
    /// The file cannot be written.
    #[error("failed to write {}: {}{}", shown(.path), plain_error(.source), remedy(.source))]
    Write { path: PathBuf, source: io::Error },
    /// Standard output or another output stream cannot be written.
    #[error("failed to write {id}: {}", plain_error(.source))]
    Output { id: SegmentId, source: io::Error },
}

/// Returns the path as a string that is safe to print.
pub(super) fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    crate::segment::escape(path.as_os_str().as_bytes())
}

fn remedy(error: &io::Error) -> &'static str {
    if error.raw_os_error() == Some(libc::EPERM) {
        return ". The file or its directory may be immutable: check with `lsattr`";
    }
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ". Choose a directory with more free space"
        }
        io::ErrorKind::NotFound => ". Create the directory first",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ". Choose a directory that you can write to"
        }
        _ => "",
    }
}

/// Saves a segment from a survey to a new file. Writes to the segment during the save may or may
/// not be in the file. On an error, no file is left behind.
pub fn save(
    machine: &dyn Machine,
    segment: &Segment,
    path: &Path,
    progress: &Progress,
) -> Result<Stored, SaveError> {
    Target { path, replace: false, limit: None }.save(machine, segment, progress)
}

/// Does the same as [`save`], but may replace a regular file. On an error, the existing file is
/// unchanged.
pub fn save_over(
    machine: &dyn Machine,
    segment: &Segment,
    path: &Path,
    progress: &Progress,
) -> Result<Stored, SaveError> {
    Target { path, replace: true, limit: None }.save(machine, segment, progress)
}

/// Calls [`save`] or [`save_over`] and returns the result as an [`Outcome`] with messages for the
/// user.
pub fn save_outcome(
    machine: &dyn Machine,
    segment: &Segment,
    path: &Path,
    replace: bool,
    progress: &Progress,
) -> Outcome {
    let stored = Target { path, replace, limit: None }.save(machine, segment, progress);
    let result = stored.map(|stored| {
        let (size, length) = (stored.saved.size, stored.length);
        let mut said = vec![format!("saved to {}: {size}, {length} in the file", shown(&stored.path))];
        said.extend(segment.former_name().map(|name| format!("restores as {name}")));
        Done { id: segment.id.clone(), said, undo: None, identity: None, copy: None }
    });
    Outcome { subject: segment.id.to_string(), action: "save", result: result.map_err(Into::into) }
}

/// Does the same as [`save`], but writes to any output, such as a pipe. Output that an error cuts
/// short has no end marker and cannot be restored.
pub fn save_to(
    machine: &dyn Machine,
    segment: &Segment,
    to: impl Write,
    progress: &Progress,
) -> Result<Saved, SaveError> {
    let reader = Reader::open(machine, segment)?;
    let saved = describe(machine, segment, &reader)?;
    let failed = |source| SaveError::Output { id: segment.id.clone(), source };
    Contents { reader: &reader, saved: &saved, progress, limit: None, failed: &failed }.write(to)?;
    Ok(saved)
}

/// The destination of a save.
pub(super) struct Target<'a> {
    pub path: &'a Path,
    /// Set to replace a regular file of that name.
    pub replace: bool,
    /// The maximum size of the file.
    pub limit: Option<Bytes>,
}

impl Target<'_> {
    pub fn save(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        progress: &Progress,
    ) -> Result<Stored, SaveError> {
        // Fail now rather than after gigabytes of data. The check when the file is published is
        // authoritative.
        foresee(self.path, self.replace)?;
        let mut file = self.file().map_err(|error| self.failed(error))?;
        let reader = Reader::open(machine, segment)?;
        let saved = describe(machine, segment, &reader)?;
        let failed = |error| self.failed(error);
        let contents =
            Contents { reader: &reader, saved: &saved, progress, limit: self.limit, failed: &failed };
        let length = contents.write(WriteBehind::new(&file.file))?;
        self.publish(&mut file)?;
        Ok(Stored { path: self.path.to_owned(), length: Bytes(length), saved })
    }

    fn file(&self) -> io::Result<Unnamed> {
        let name = self.path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Unnamed::create(directory.unwrap_or(Path::new(".")), Path::new(name), 0o600)
    }

    /// Syncs the file before it gets its name.
    fn publish(&self, file: &mut Unnamed) -> Result<(), SaveError> {
        let failed = |error| self.failed(error);
        file.file.sync_all().map_err(failed)?;
        // Check the open file itself: a symbolic link may have replaced its directory since the
        // first check.
        let is_segment = file.file.metadata().map_err(failed)?.dev() == dev_shm_mount().unwrap_or(0);
        if self.replace && !is_segment {
            file.replace().map_err(|error| match error {
                ReplaceError::NotRegular(kind) => SaveError::NotRegular { path: self.path.to_owned(), kind },
                ReplaceError::Io(source) => self.failed(source),
            })?;
        } else {
            file.publish().map_err(failed)?;
        }
        // A directory that cannot be synced is no error: the contents of the file are on the disk.
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

/// Predicts from the path alone whether a file can be saved under this name. Returns
/// [`SaveError::NotRegular`] for a special file, and [`SaveError::Exists`] for a regular file
/// unless `replace` is set.
pub(super) fn foresee(path: &Path, replace: bool) -> Result<(), SaveError> {
    let Ok(stat) = path.symlink_metadata() else { return Ok(()) };
    let path = path.to_owned();
    match kind_of(stat.mode()) {
        Some(kind) => Err(SaveError::NotRegular { path, kind }),
        None if is_in_dev_shm(&path) => Err(SaveError::Segment { path }),
        None if replace => Ok(()),
        None => Err(SaveError::Exists { path }),
    }
}

/// Returns whether a file at this path is or would be a segment: its directory is in the file
/// system mounted at `/dev/shm`, even if the path leads there through a link.
#[must_use]
pub fn is_in_dev_shm(path: &Path) -> bool {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let below = || Some(fs::canonicalize(directory).ok()?.starts_with(fs::canonicalize(DEV_SHM).ok()?));
    let device = || Some(fs::metadata(directory).ok()?.dev() == dev_shm_mount()?);
    below() == Some(true) || device() == Some(true)
}

/// Returns the device number of the file system mounted at `/dev/shm`, or `None` if that is a plain
/// directory.
fn dev_shm_mount() -> Option<u64> {
    let device = fs::metadata(DEV_SHM).ok()?.dev();
    (fs::metadata("/dev").ok()?.dev() != device).then_some(device)
}

/// An open segment that is being written to an archive.
struct Contents<'a> {
    reader: &'a Reader,
    saved: &'a Saved,
    progress: &'a Progress,
    /// The maximum size of the archive.
    limit: Option<Bytes>,
    failed: &'a (dyn Fn(io::Error) -> SaveError + Sync),
}

impl Contents<'_> {
    /// Writes the whole archive and returns its length. One thread reads a block while another
    /// writes the previous blocks.
    fn write(&self, mut to: impl Write) -> Result<u64, SaveError> {
        let size = self.saved.size.0;
        self.progress.begin(size);
        let (writing, metadata) = Writing::begin(self.saved).map_err(self.failed)?;
        to.write_all(&metadata).map_err(self.failed)?;
        let mut blocks = Blocks { contents: self, writing, at: 0, data_end: 0 };
        let (mut read, mut written) = (Ok(()), Ok(()));
        pipeline(
            size >= WORTH_A_THREAD,
            |block: &mut Block| {
                blocks.next(block).unwrap_or_else(|error| {
                    read = Err(error);
                    false
                })
            },
            |block| match to.write_all(&block.bytes) {
                Ok(()) => {
                    self.progress.reach(block.end);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    written = Err((self.failed)(error));
                    ControlFlow::Break(())
                }
            },
        );
        let writing = blocks.writing;
        written.and(read)?;
        if self.progress.is_cancelled() {
            return Err(SaveError::Stopped { id: self.reader.id().clone() });
        }
        if self.reader.size().map_err(|error| self.unread(error))? != size {
            return Err(self.resized());
        }
        self.progress.reach(size);
        let length = writing.length() + END as u64;
        self.check(length)?;
        to.write_all(&writing.end()).and_then(|()| to.flush()).map_err(self.failed)?;
        Ok(length)
    }

    fn resized(&self) -> SaveError {
        SaveError::Resized { id: self.reader.id().clone() }
    }

    fn unread(&self, source: io::Error) -> SaveError {
        SaveError::Read { id: self.reader.id().clone(), source }
    }

    fn check(&self, length: u64) -> Result<(), SaveError> {
        match self.limit {
            Some(limit) if length > limit.0 => {
                Err(SaveError::TooLarge { id: self.reader.id().clone(), held: Bytes(length), limit })
            }
            _ => Ok(()),
        }
    }
}

/// A part of the archive: runs of data with their headers.
#[derive(Default)]
struct Block {
    bytes: PageBuffer,
    /// The offset in the segment where the last run of the block ends.
    end: u64,
}

/// Reads the data of a segment in ascending order.
struct Blocks<'a> {
    contents: &'a Contents<'a>,
    writing: Writing,
    at: u64,
    /// The end of the data extent that contains `at`.
    data_end: u64,
}

impl Blocks<'_> {
    /// Fills the next block. Returns false at the end of the segment and after a cancellation.
    fn next(&mut self, block: &mut Block) -> Result<bool, SaveError> {
        let position = self.writing.length();
        // Blocks end at multiples of `BLOCK` in the file, so that every write covers whole pages.
        let room = BLOCK - offset_in_block(position);
        let room = if room > RUN_HEADER { room } else { room + BLOCK };
        let bytes = block.bytes.place(position, room);
        let mut filled = 0;
        while room - filled > RUN_HEADER && self.find_data()? {
            filled += self.read_run(&mut bytes[filled..])?;
        }
        block.bytes.truncate(filled);
        block.end = self.at;
        Ok(filled > 0 && !self.contents.progress.is_cancelled())
    }

    /// Advances to the next data extent. Returns false at the end of the segment and after a
    /// cancellation.
    fn find_data(&mut self) -> Result<bool, SaveError> {
        let Contents { reader, saved, progress, .. } = self.contents;
        let size = saved.size.0;
        while self.at >= self.data_end {
            if self.at >= size || progress.is_cancelled() {
                return Ok(false);
            }
            let extent = reader.extent_at(self.at, size - self.at);
            let Some(extent) = extent.map_err(|error| self.contents.unread(error))? else { return Ok(false) };
            match extent.kind {
                ExtentKind::Hole => self.at = extent.end.min(size),
                ExtentKind::Data => self.data_end = extent.end.min(size),
            }
        }
        Ok(true)
    }

    /// Reads as much data from the current offset as fits, and returns the length of the run.
    fn read_run(&mut self, room: &mut [u8]) -> Result<usize, SaveError> {
        let reader = self.contents.reader;
        let left = usize::try_from(self.data_end - self.at).unwrap_or(usize::MAX);
        let mut length = left.min(room.len() - RUN_HEADER);
        if is_slow(self.at, &room[RUN_HEADER..][..length]) {
            // The header shifts the next run to a different offset within the page.
            length = SHORT_RUN;
        }
        let run = &mut room[..RUN_HEADER + length];
        self.contents.check(self.writing.length() + run.len() as u64)?;
        let count = reader.read_at(self.at, &mut run[RUN_HEADER..]);
        if count.map_err(|error| self.contents.unread(error))? < length {
            return Err(self.contents.resized());
        }
        reader.release(self.at, length as u64);
        self.writing.run(self.at, run);
        self.at += length as u64;
        Ok(run.len())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "less than the length of a block")]
fn offset_in_block(position: u64) -> usize {
    (position % BLOCK as u64) as usize
}

/// Returns the metadata of an open segment, as the kernel reports it now.
fn describe(machine: &dyn Machine, segment: &Segment, reader: &Reader) -> Result<Saved, SaveError> {
    match &segment.id {
        SegmentId::Posix(name) => describe_object(machine, segment, name, reader),
        SegmentId::Sysv(shmid) => describe_sysv(machine, segment, *shmid, reader),
        SegmentId::Deleted { .. } => describe_unlinked(machine, segment, reader),
    }
}

/// Returns the metadata of an unlinked object, with its former name. No path leads to the object
/// any more, so mode and owner come from the survey; `fchmod` may have changed them since.
fn describe_unlinked(machine: &dyn Machine, segment: &Segment, reader: &Reader) -> Result<Saved, SaveError> {
    let read = |source| SaveError::Read { id: segment.id.clone(), source };
    let name = segment.former_name().ok_or_else(|| SaveError::NoName { id: segment.id.clone() })?;
    Ok(Saved {
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
    let acl = reader.acl().map_err(|source| SaveError::Read { id: id(), source })?;
    // The mode and the ACL were read at different times. The ACL takes precedence, as it does in a
    // restore.
    let bits = acl.as_deref().and_then(Acl::mode_bits);
    let mode = bits.map_or(mode, |bits| mode & !0o777 | bits);
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
        acl,
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
    // Our attachment keeps the segment alive, so the row of that shmid belongs to this segment.
    let table = machine.sysv_rows().map_err(read)?;
    let row = table.rows.iter().find(|row| row.shmid == shmid);
    let row = row.ok_or_else(|| OpenError::Gone { id: segment.id.clone() })?;
    Ok(Saved {
        // A segment marked for removal has lost its key, but the survey may have seen the key.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::archive::Reading;
    use crate::act::restore;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::{Access, Facts};
    use crate::survey::{Depth, Holdings, Names, Survey};

    #[test]
    fn an_unlinked_object_is_saved_under_its_former_name_or_not_at_all() {
        let machine = FakeMachine::new();
        machine.add_object("dir/a", FakeBytes::full(b"hello"));
        machine.add_process(7, "grabber");
        machine.open_in(7, "dir/a", Access::Read);
        machine.remove_object("dir/a");
        let mut names = Names::default();
        let holdings = Holdings::look(&machine, Depth::Private, &[], &mut names);
        let mut survey = Survey::take(&machine, &mut names);
        survey.join(&holdings, &machine, &mut names);
        let mut segment = survey.segments.remove(0);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let progress = Progress::new();
        let outcome = save_outcome(&machine, &segment, &path, false, &progress);
        assert!(outcome.result.unwrap().text().contains("restores as /dir/a"));
        assert_eq!(restore(&machine, &path, &progress).unwrap().id.to_string(), "posix:/dir/a");
        if let Facts::Posix(facts) = &mut segment.facts {
            facts.unlinked.as_mut().unwrap().name = None;
        }
        let error = save_over(&machine, &segment, &path, &progress).unwrap_err().to_string();
        assert!(
            error.contains("former name is unknown") && error.contains("dump --raw deleted:1a:"),
            "{error}"
        );
    }

    /// The runs have enough headers to reach every distance at which a read is slow. The fake
    /// machine panics on a slow read.
    #[test]
    fn many_runs_come_back_and_no_read_is_slow() {
        const LENGTH: u64 = 36 << 10;
        let mut bytes = FakeBytes::hole(300 * (LENGTH + 4096));
        for at in 0..300 {
            bytes.write(at * (LENGTH + 4096), &vec![u8::try_from(at % 251).unwrap() + 1; 36 << 10]);
        }
        let machine = FakeMachine::new();
        machine.add_object("a", bytes);
        let segment = Survey::take(&machine, &mut Names::default()).segments.remove(0);
        let reader = Reader::open(&machine, &segment).unwrap();
        let mut file = vec![];
        save_to(&machine, &segment, &mut file, &Progress::new()).unwrap();
        let mut reading = Reading::begin(&file[..]).unwrap();
        let (mut run, mut original) = (PageBuffer::default(), PageBuffer::default());
        let (mut runs, mut total) = (0, 0);
        while let Some((offset, bytes)) = reading.next(&mut run).unwrap() {
            reader.fill(&mut original, offset, bytes.len()).unwrap();
            assert!(bytes == &*original, "{offset:#x}");
            runs += 1;
            total += bytes.len() as u64;
        }
        assert!(runs > 300 && total == 300 * LENGTH, "{runs} {total}");
    }
}

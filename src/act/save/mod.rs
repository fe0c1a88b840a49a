//! Saves a segment to a single file: the contents, with holes preserved, and the metadata needed to
//! recreate it. The file appears only when it is complete.

mod contents;
mod describe;

use super::archive::SavedSegment;
use super::{Actor, ChangeReport, Outcome};
use crate::memory::{OpenError, Reader};
use crate::segment::{Bytes, Segment, SegmentId, plain_error};
use crate::sys::object::kind_of;
use crate::sys::unnamed::{ReplaceError, UnnamedFile};
use crate::sys::write_behind::WriteBehind;
use contents::Contents;
use describe::describe;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const DEV_SHM: &str = "/dev/shm";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveResult {
    pub path: PathBuf,
    pub length: Bytes,
    pub saved: SavedSegment,
}

/// The reason why a segment was not saved. No file is left behind.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("failed to read {id}: {}", plain_error(.source))]
    Read { id: SegmentId, source: io::Error },
    #[error("failed to save {id}: its size changed during the save. Try again")]
    Resized { id: SegmentId },
    /// The segment was unlinked, and no holder shows its former name.
    #[error(
        "failed to save {id}: it was unlinked and its former name is unknown, so `restore` could not name it. \
         Save its contents with `shmlens dump --raw {id} > FILE`"
    )]
    NoName { id: SegmentId },
    #[error("stopped: {id} was not saved")]
    Stopped { id: SegmentId },
    #[error("failed to save {id}: {held} of data exceeds the limit of {limit}")]
    TooLarge {
        id: SegmentId,
        /// The amount of data in the segment, or a lower bound.
        held: Bytes,
        limit: Bytes,
    },
    #[error("{} already exists. Choose another name", printable(.path))]
    Exists { path: PathBuf },
    /// The path is below `/dev/shm`, where the file would replace a segment.
    #[error("{} is a segment: files in /dev/shm are shared memory. Choose another file", printable(.path))]
    Segment { path: PathBuf },
    /// The path is below `/dev/shm`, where the file would become a segment, but changes are
    /// disabled.
    #[error(
        "failed to save to {}: files in /dev/shm are segments, and changes are disabled (read-only). \
         Choose another directory",
        printable(.path)
    )]
    ReadOnly { path: PathBuf },
    /// A special file has the name and is never replaced.
    #[error("{} exists and is {kind}, not a regular file. Choose another name", printable(.path))]
    NotRegular {
        path: PathBuf,
        /// The file type with its article, as in `a directory`.
        kind: &'static str,
    },
    #[error("failed to write {}: {}{}", printable(.path), plain_error(.source), remedy(.source))]
    Write { path: PathBuf, source: io::Error },
    #[error("failed to write {id}: {}", plain_error(.source))]
    Output { id: SegmentId, source: io::Error },
}

/// Escapes a path for messages.
pub(super) fn printable(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    crate::segment::escape(path.as_os_str().as_bytes())
}

/// Returns the directory of a file; `.` for a bare file name.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
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

impl Actor<'_> {
    /// Saves a segment to a new file. The file may or may not include writes to the segment during
    /// the save. On an error, no file is left behind.
    pub fn save(&self, segment: &Segment, path: &Path) -> Result<SaveResult, SaveError> {
        Destination { path, replace: false, limit: None }.save(self, segment)
    }

    /// Saves a segment like [`Actor::save`], but may replace a regular file. On an error, the
    /// existing file is unchanged.
    pub fn save_over(&self, segment: &Segment, path: &Path) -> Result<SaveResult, SaveError> {
        Destination { path, replace: true, limit: None }.save(self, segment)
    }

    /// Saves a segment and returns an [`Outcome`] with messages for the user.
    pub fn save_outcome(&self, segment: &Segment, path: &Path, replace: bool) -> Outcome {
        let stored = Destination { path, replace, limit: None }.save(self, segment);
        let result = stored.map(|stored| {
            let (size, length) = (stored.saved.size, stored.length);
            let messages = format!("saved to {}: {size}, {length} in the file", printable(&stored.path));
            let mut done = ChangeReport::new(segment.id.clone(), messages);
            done.messages.extend(segment.former_name().map(|name| format!("restores as {name}")));
            done
        });
        Outcome { subject: segment.id.to_string(), action: "save", result: result.map_err(Into::into) }
    }

    /// Saves a segment to any output, such as a pipe. Output that was cut short by an error has no
    /// end marker and cannot be restored.
    pub fn save_to(&self, segment: &Segment, to: impl Write) -> Result<SavedSegment, SaveError> {
        let failed = |source| SaveError::Output { id: segment.id.clone(), source };
        let reader = Reader::open(self.machine, segment)?;
        Ok(self.write(segment, &reader, None, &failed, to)?.0)
    }

    /// Writes an open segment as an archive of at most `limit` bytes. Returns its metadata and
    /// length.
    fn write(
        &self,
        segment: &Segment,
        reader: &Reader,
        limit: Option<Bytes>,
        failed: &(dyn Fn(io::Error) -> SaveError + Sync),
        to: impl Write,
    ) -> Result<(SavedSegment, Bytes), SaveError> {
        let saved = describe(self.on(segment), reader)?;
        let contents = Contents { reader, saved: &saved, progress: self.progress, limit, failed };
        let length = contents.write(to)?;
        Ok((saved, Bytes(length)))
    }
}

pub(super) struct Destination<'a> {
    pub path: &'a Path,
    pub replace: bool,
    pub limit: Option<Bytes>,
}

impl Destination<'_> {
    pub fn save(&self, actor: &Actor<'_>, segment: &Segment) -> Result<SaveResult, SaveError> {
        // Fail now rather than after gigabytes of data. The path is checked again when the file is
        // published.
        predict(self.path, self.replace)?;
        let mut file = self.file().map_err(|error| self.save_error(error))?;
        let reader = Reader::open(actor.machine, segment)?;
        let failed = |error| self.save_error(error);
        let (saved, length) =
            actor.write(segment, &reader, self.limit, &failed, WriteBehind::new(&file.file))?;
        self.publish(&mut file)?;
        Ok(SaveResult { path: self.path.to_owned(), length, saved })
    }

    fn file(&self) -> io::Result<UnnamedFile> {
        let name = self.path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        UnnamedFile::create(directory_of(self.path), Path::new(name), 0o600)
    }

    fn publish(&self, file: &mut UnnamedFile) -> Result<(), SaveError> {
        let failed = |error| self.save_error(error);
        file.file.sync_all().map_err(failed)?;
        // Check the open file: since the first check, a symbolic link may have replaced its
        // directory.
        let is_segment = file.file.metadata().map_err(failed)?.dev() == dev_shm_mount().unwrap_or(0);
        if self.replace && !is_segment {
            file.replace().map_err(|error| match error {
                ReplaceError::NotRegular(kind) => SaveError::NotRegular { path: self.path.to_owned(), kind },
                ReplaceError::Io(source) => self.save_error(source),
            })?;
        } else {
            file.publish().map_err(failed)?;
        }
        // The contents of the file are on disk even if its directory cannot be synced.
        let _ = file.sync_name();
        Ok(())
    }

    fn save_error(&self, source: io::Error) -> SaveError {
        let path = self.path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => SaveError::Exists { path },
            _ => SaveError::Write { path, source },
        }
    }
}

/// Predicts from the path alone if a file can be saved there. Returns [`SaveError::NotRegular`] for
/// a special file, and [`SaveError::Exists`] for a regular file unless `replace` is set.
pub(super) fn predict(path: &Path, replace: bool) -> Result<(), SaveError> {
    let Ok(stat) = path.symlink_metadata() else { return Ok(()) };
    let path = path.to_owned();
    match kind_of(stat.mode()) {
        Some(kind) => Err(SaveError::NotRegular { path, kind }),
        None if is_in_dev_shm(&path) => Err(SaveError::Segment { path }),
        None if replace => Ok(()),
        None => Err(SaveError::Exists { path }),
    }
}

/// Returns true if a file at this path is or would be a segment: its directory is in the file
/// system mounted at `/dev/shm`, even if the path leads there through a link.
#[must_use]
pub fn is_in_dev_shm(path: &Path) -> bool {
    let directory = directory_of(path);
    let below = || Some(fs::canonicalize(directory).ok()?.starts_with(fs::canonicalize(DEV_SHM).ok()?));
    let device = || Some(fs::metadata(directory).ok()?.dev() == dev_shm_mount()?);
    below() == Some(true) || device() == Some(true)
}

/// Returns the device number of the file system mounted at `/dev/shm`; `None` if that is a plain
/// directory.
fn dev_shm_mount() -> Option<u64> {
    let device = fs::metadata(DEV_SHM).ok()?.dev();
    (fs::metadata("/dev").ok()?.dev() != device).then_some(device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::archive::ArchiveReader;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::memory::{PageBuffer, Progress};
    use crate::segment::{Access, Facts};
    use crate::survey::{Depth, Holdings, Names, Survey};

    #[test]
    fn unlinked_object_is_saved_under_its_former_name() {
        let machine = FakeMachine::new();
        machine.add_object("dir/a", FakeBytes::full(b"hello"));
        machine.add_process(7, "grabber");
        machine.open_in(7, "dir/a", Access::Read);
        machine.remove_object("dir/a");
        let mut names = Names::default();
        let holdings = Holdings::scan(&machine, Depth::Private, &[], &mut names);
        let mut survey = Survey::take(&machine, &mut names);
        survey.join(&holdings, &machine, &mut names);
        let mut segment = survey.segments.remove(0);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let progress = Progress::new();
        let actor = Actor::new(&machine, &progress);
        let outcome = actor.save_outcome(&segment, &path, false);
        assert!(outcome.result.unwrap().text().contains("restores as /dir/a"));
        assert_eq!(actor.restore(&path).unwrap().id.to_string(), "posix:/dir/a");
        if let Facts::Posix(facts) = &mut segment.facts {
            facts.unlinked.as_mut().unwrap().name = None;
        }
        let error = actor.save_over(&segment, &path).unwrap_err().to_string();
        assert!(
            error.contains("former name is unknown") && error.contains("dump --raw deleted:1a:"),
            "{error}"
        );
    }

    /// The many run headers reach every distance at which a read is slow. The fake machine panics
    /// on a slow read.
    #[test]
    fn reads_avoid_slow_addresses() {
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
        Actor::new(&machine, &Progress::new()).save_to(&segment, &mut file).unwrap();
        let mut reading = ArchiveReader::begin(&file[..]).unwrap();
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

//! Saves a segment to a single file: the contents, with holes preserved, and the metadata needed to
//! recreate it. The file appears only when it is complete.

mod contents;
mod describe;

use super::archive::SavedSegment;
use super::destination::Destination;
use super::{Actor, ChangeReport, Outcome};
use crate::memory::{OpenError, Reader};
use crate::segment::{Bytes, Segment, SegmentId, plain_error};
use crate::sys::write_behind::WriteBehind;
use contents::Contents;
use describe::describe;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
        self.save_as(segment, Destination { path, replace: false }, None)
    }

    /// Saves a segment like [`Actor::save`], but may replace a regular file. On an error, the
    /// existing file is unchanged.
    pub fn save_over(&self, segment: &Segment, path: &Path) -> Result<SaveResult, SaveError> {
        self.save_as(segment, Destination { path, replace: true }, None)
    }

    /// Saves a segment and returns an [`Outcome`] with messages for the user.
    pub fn save_outcome(&self, segment: &Segment, path: &Path, replace: bool) -> Outcome {
        let stored = self.save_as(segment, Destination { path, replace }, None);
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

    /// Saves a segment to a file of at most `limit` bytes.
    pub(super) fn save_as(
        &self,
        segment: &Segment,
        destination: Destination<'_>,
        limit: Option<Bytes>,
    ) -> Result<SaveResult, SaveError> {
        // Fail now rather than after gigabytes of data. The path is checked again when the file is
        // published.
        destination.check()?;
        let mut file = destination.create()?;
        let reader = Reader::open(self.machine, segment)?;
        let failed = |error| destination.error(error);
        let (saved, length) = self.write(segment, &reader, limit, &failed, WriteBehind::new(&file.file))?;
        destination.publish(&mut file)?;
        Ok(SaveResult { path: destination.path.to_owned(), length, saved })
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

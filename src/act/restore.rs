//! Recreates a segment from a file that `save` wrote. Never touches an existing segment, and leaves
//! nothing behind if the file is incomplete.

use super::Actor;
use super::archive::{ArchiveError, ArchiveReader, Name, SavedSegment};
use super::save::printable;
use super::saved_file::{CancelableFile, SavedFile};
use super::state::StateError;
use super::unfinished::{BeginError, Filling, Origin};
use crate::machine::control::NewSysv;
use crate::machine::{
    AttributeError, FinalAttributes, FinishedSegment, Machine, SegmentBuilder, UNFINISHED_MODE,
};
use crate::memory::{PageBuffer, Progress, pipeline};
use crate::segment::{Bytes, Key, Mode, Segment, SegmentId, ShmId, escape, plain_error};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::{fs, io};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreResult {
    /// The new name or shmid.
    pub id: SegmentId,
    pub saved: SavedSegment,
    /// The differences from the saved segment, as fragments.
    pub differences: Vec<String>,
}

/// The reason why nothing was restored. No partial segment is left behind.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("failed to open {}: {}", printable(.path), plain_error(.source))]
    Open { path: PathBuf, source: io::Error },
    /// The file was not written by `save`, or is incomplete or damaged.
    #[error("failed to restore {}: {source}", printable(.path))]
    File { path: PathBuf, source: ArchiveError },
    /// Another user may have written the file, and the restore was not confirmed.
    #[error("{file} {reason} and would create {segment}. Not confirmed; use --yes")]
    Unconfirmed {
        file: String,
        reason: String,
        /// The saved segment, with owner, mode and size.
        segment: String,
    },
    /// The name or the key is in use.
    #[error("failed to restore {}: {}. Remove the existing segment first", .name, name_in_use(.name, *.by))]
    Taken {
        name: Name,
        /// The segment that has the key.
        by: Option<ShmId>,
    },
    /// The kernel refused to create the segment.
    #[error("failed to restore {}: {}{}", .name, plain_error(.source), remedy(.name, *.size, .source))]
    Make { name: Name, size: Bytes, source: io::Error },
    /// The recovery mark, which identifies the segment if this process is killed, cannot be
    /// written.
    #[error("failed to restore {name}: cannot write the recovery mark: {source}")]
    NoMark { name: Name, source: StateError },
    #[error("stopped: {name} was not restored; partial data was removed")]
    Stopped { name: Name },
}

fn name_in_use(name: &Name, by: Option<ShmId>) -> String {
    match (name, by) {
        (Name::Sysv { key, .. }, Some(shmid)) => format!("sysv:{shmid} has key {key}"),
        (Name::Sysv { key, .. }, None) => format!("key {key} is in use"),
        (Name::Posix(_), _) => "the name is in use".to_owned(),
    }
}

fn remedy(name: &Name, size: Bytes, error: &io::Error) -> String {
    match (name, error.raw_os_error()) {
        (Name::Posix(_), Some(libc::ENOENT)) => ". Create the directory in /dev/shm first".to_owned(),
        (Name::Posix(_), Some(libc::ENOSPC)) => {
            ". /dev/shm is full: remove segments or enlarge it; see `shmlens limits`".to_owned()
        }
        (Name::Sysv { .. }, Some(libc::EINVAL)) => {
            format!(". The size is {size}; see kernel.shmmax in `shmlens limits`")
        }
        (Name::Sysv { .. }, Some(libc::ENOSPC)) => {
            ". The limit on System V segments or their total size has been reached; see `shmlens limits`"
                .to_owned()
        }
        (Name::Sysv { .. }, Some(libc::ENOMEM)) => format!(". The size is {size}; free some memory"),
        (_, Some(libc::EACCES | libc::EPERM)) => ". Run as root or as its owner".to_owned(),
        _ => String::new(),
    }
}

/// Reads and verifies the metadata of a saved segment, but not its contents.
pub fn read_metadata(path: &Path) -> Result<SavedSegment, RestoreError> {
    Ok(SavedFile::open(path)?.saved().clone())
}

impl Actor<'_> {
    /// Restores a segment from a file that [`Actor::save`] wrote, see [`SavedFile::restore`]. Fails
    /// with [`RestoreError::Unconfirmed`] if another user may have written the file.
    pub fn restore(&self, path: &Path) -> Result<RestoreResult, RestoreError> {
        let file = SavedFile::open(path)?;
        match file.distrust_reason(self.machine) {
            Some(reason) => Err(file.unconfirmed_error(self.machine, reason)),
            None => file.restore(self),
        }
    }

    /// Restores a copy and deletes it. On an error, the copy is kept.
    pub fn restore_copy(&self, path: &Path) -> Result<RestoreResult, RestoreError> {
        let restored = self.restore(path)?;
        // If the file remains, the next undo fails because the name is in use: nothing is lost.
        let _ = fs::remove_file(path);
        Ok(restored)
    }
}

impl SavedFile {
    /// Restores the segment, even from a file that another user may have written. An error leaves
    /// no partial segment behind.
    /// A POSIX object is filled without a name and gets its name at the end. A System V segment has
    /// its key from the beginning, so the file is read twice: the segment is created only after the
    /// whole file has been verified. (A pipe can be read only once.) Until the segment is complete,
    /// only its creator can attach it.
    /// A mark in the state directory names the segment, so that
    /// [`unfinished`](super::unfinished::unfinished) finds it if this process is killed. Fails if
    /// the mark cannot be written; a user without a state directory gets no mark.
    pub fn restore(mut self, actor: &Actor<'_>) -> Result<RestoreResult, RestoreError> {
        let Actor { machine, progress, .. } = *actor;
        let saved = self.saved().clone();
        check_free(machine, &saved)?;
        let length = self.length;
        let work = Restore { path: self.path.clone(), saved: &saved, progress, length };
        if length.is_none() {
            self.reading.source_mut().canceled = Some(progress.cancellation());
        }
        let new = match &saved.name {
            Name::Posix(name) => {
                progress.begin(length.unwrap_or(saved.size.0));
                let builder = machine.build_object(name, saved.size.0);
                let mut builder = builder.map_err(|error| work.restore_error(error))?;
                work.fill(&mut self.reading, 0, Some(builder.as_mut()))?;
                work.finish(builder.as_mut())?
            }
            Name::Sysv { key, .. } => {
                if let Some(length) = length {
                    progress.begin(2 * length);
                    work.fill(&mut self.reading, 0, None)?;
                    self.rewind()?;
                } else {
                    progress.begin(saved.size.0);
                }
                let mut filling = self.begin_filling(actor, *key, &work)?;
                work.fill(&mut self.reading, length.unwrap_or(0), Some(filling.builder()))?;
                filling.mark_filled();
                work.finish(filling.builder())?
            }
        };
        let differences = differences(machine, &saved, &new);
        Ok(RestoreResult { id: new.id, saved, differences })
    }

    fn begin_filling(
        &self,
        actor: &Actor<'_>,
        key: Key,
        work: &Restore<'_>,
    ) -> Result<Filling, RestoreError> {
        let saved = self.saved();
        let origin = Origin::restore(self.absolute(), saved.mode);
        let new = NewSysv { key, size: saved.size, mode: UNFINISHED_MODE, huge: false, no_reserve: false };
        match Filling::begin(actor, &new, &origin) {
            // A sparse segment may be larger than the memory that can be reserved.
            Err(BeginError::Refused(error)) if error.raw_os_error() == Some(libc::ENOMEM) => {
                Filling::begin(actor, &NewSysv { no_reserve: true, ..new }, &origin)
            }
            outcome => outcome,
        }
        .map_err(|error| match error {
            BeginError::Refused(error) => work.restore_error(error),
            BeginError::NoMark(source) => RestoreError::NoMark { name: saved.name.clone(), source },
        })
    }
}

/// Checks that the name or key is free before reading gigabytes. The kernel checks it again on
/// creation.
fn check_free(machine: &dyn Machine, saved: &SavedSegment) -> Result<(), RestoreError> {
    let by = match &saved.name {
        Name::Posix(name) => match machine.stat_object(name) {
            Ok(_) => None,
            Err(_) => return Ok(()),
        },
        Name::Sysv { key, .. } => match owner_of(machine, *key) {
            Some(shmid) => Some(shmid),
            None => return Ok(()),
        },
    };
    Err(RestoreError::Taken { name: saved.name.clone(), by })
}

fn owner_of(machine: &dyn Machine, key: Key) -> Option<ShmId> {
    let table = machine.sysv_rows().ok()?;
    table.rows.iter().find(|row| !key.is_private() && row.key == key).map(|row| row.shmid)
}

/// The smallest segment that is worth a second thread.
const MIN_PARALLEL: u64 = 4 << 20;

struct Restore<'a> {
    path: PathBuf,
    saved: &'a SavedSegment,
    progress: &'a Progress,
    /// `None` for a pipe.
    length: Option<u64>,
}

#[derive(Default)]
struct Run {
    offset: u64,
    bytes: PageBuffer,
    /// The end of the run in the file.
    position: u64,
}

impl Restore<'_> {
    /// Reads and verifies the whole file, and writes its data to `to` if set.
    fn fill(
        &self,
        reading: &mut ArchiveReader<CancelableFile>,
        before: u64,
        mut to: Option<&mut (dyn SegmentBuilder + '_)>,
    ) -> Result<(), RestoreError> {
        let wrong = |source| RestoreError::File { path: self.path.clone(), source };
        if reading.saved() != self.saved {
            return Err(wrong(ArchiveError::Damaged("it changed while being read".to_owned())));
        }
        let (mut read, mut written) = (Ok(()), Ok(()));
        // One thread reads and verifies a run while another writes the previous one.
        pipeline(
            to.is_some() && self.saved.size.0 >= MIN_PARALLEL,
            |run: &mut Run| match reading.next(&mut run.bytes) {
                Ok(Some((offset, _))) => {
                    (run.offset, run.position) = (offset, reading.position());
                    !self.progress.is_cancelled()
                }
                Ok(None) => false,
                Err(error) => {
                    read = Err(if self.progress.is_cancelled() {
                        RestoreError::Stopped { name: self.saved.name.clone() }
                    } else {
                        wrong(error)
                    });
                    false
                }
            },
            |run| {
                if let Some(builder) = to.as_deref_mut()
                    && let Err(error) = builder.write_at(run.offset, &run.bytes)
                {
                    written = Err(self.restore_error(error));
                    return ControlFlow::Break(());
                }
                let end = run.offset + run.bytes.len() as u64;
                self.progress.reach(if self.length.is_some() { before + run.position } else { end });
                ControlFlow::Continue(())
            },
        );
        written.and(read)?;
        if self.progress.is_cancelled() {
            return Err(RestoreError::Stopped { name: self.saved.name.clone() });
        }
        Ok(())
    }

    fn finish(&self, builder: &mut dyn SegmentBuilder) -> Result<FinishedSegment, RestoreError> {
        let saved = self.saved;
        let used = saved.times.access.zip(saved.times.modify);
        let look =
            FinalAttributes { mode: saved.mode, owner: Some(&saved.owner), acl: saved.acl.as_deref(), used };
        builder.finish(&look).map_err(|error| self.restore_error(error))
    }

    fn restore_error(&self, source: io::Error) -> RestoreError {
        let name = self.saved.name.clone();
        match source.kind() {
            io::ErrorKind::AlreadyExists => RestoreError::Taken { name, by: None },
            _ => RestoreError::Make { name, size: self.saved.size, source },
        }
    }
}

/// Describes the attributes that no restore of this segment can bring back.
#[must_use]
pub fn unrestorable(segment: &Segment) -> &'static str {
    match &segment.id {
        SegmentId::Sysv(_) => "the shmid, attachments, creator and times",
        SegmentId::Posix(_) | SegmentId::Deleted { .. } => "open descriptors, mappings and the creation time",
    }
}

impl RestoreResult {
    /// Returns the differences that do not affect every copy ([`unrestorable`]).
    #[must_use]
    pub fn unexpected_differences(&self) -> &[String] {
        let expected = if matches!(self.id, SegmentId::Sysv(_)) { 3 } else { 1 };
        self.differences.get(expected..).unwrap_or_default()
    }
}

/// Lists the differences from the saved segment, starting with those that affect every copy.
fn differences(machine: &dyn Machine, saved: &SavedSegment, new: &FinishedSegment) -> Vec<String> {
    let mut differences = vec![];
    match (&saved.name, &new.id) {
        (Name::Sysv { shmid, .. }, SegmentId::Sysv(now)) => {
            differences.push(format!("shmid {shmid} → {now}"));
            differences.push("creator and times are new".to_owned());
            differences.push("attachments, locking and huge pages are not restored".to_owned());
        }
        _ => differences.push("programs that have the old object open will not see this one".to_owned()),
    }
    let special = saved.mode.bits() & 0o7000;
    if special != 0 {
        differences.push(format!(
            "mode {} → {}: setuid, setgid and sticky bits are never restored",
            saved.mode,
            Mode::new(saved.mode.bits() & 0o777)
        ));
    }
    for refused in &new.refused {
        differences.push(match refused {
            AttributeError::User(error) => format!(
                "the owner is you instead of {}: {}. Run as root to restore it",
                saved.owner.user_text(),
                plain_error(error)
            ),
            AttributeError::Group(error) => {
                format!("the group is yours instead of {}: {}", saved.owner.group_text(), plain_error(error))
            }
            AttributeError::Acl(error) => {
                format!(
                    "failed to set the ACL: {}; the group has no access until you set one",
                    plain_error(error)
                )
            }
        });
    }
    let user = machine.user_name(saved.owner.uid);
    if let Some(before) = saved.owner.user.as_deref()
        && user.as_deref() != Some(before)
    {
        let before = escape(before.as_bytes());
        differences.push(format!("uid {} was {before} when the segment was saved", saved.owner.uid));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::SaveError;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    /// Returns a machine with an object and a System V segment of ann, both with holes.
    fn example() -> (FakeMachine, tempfile::TempDir) {
        let machine = FakeMachine::new();
        let mut bytes = FakeBytes::hole((4 << 40) + 5);
        bytes.write(10_000, b"hello");
        bytes.write(4 << 40, b"world");
        machine.add_object("a", bytes.clone());
        machine.add_sysv(7, 0x4d2, bytes);
        (machine, tempfile::tempdir().unwrap())
    }

    fn segments(machine: &FakeMachine) -> Vec<Segment> {
        Survey::take(machine, &mut Names::default()).segments
    }

    #[test]
    fn saved_segments_are_restored() {
        let (machine, directory) = example();
        let before = segments(&machine);
        let progress = Progress::new();
        let actor = Actor::new(&machine, &progress);
        let paths = [directory.path().join("0"), directory.path().join("1")];
        for (segment, path) in before.iter().zip(&paths) {
            let stored = actor.save(segment, path).unwrap();
            assert_eq!(stored.length.0, fs::metadata(path).unwrap().len());
            assert!(stored.length.0 < 20_000, "{}", stored.length);
            assert_eq!(read_metadata(path).unwrap(), stored.saved);
            assert_eq!(progress.done(), segment.size.0);
            let error = actor.save(segment, path).unwrap_err();
            assert!(matches!(error, SaveError::Exists { .. }), "{error}");
            actor.save_over(segment, path).unwrap();
            let error = actor.restore(path).unwrap_err().to_string();
            assert!(error.contains("failed to restore"), "{error}");
        }
        let pages = machine.edit(|facts| facts.sysv.remove(0).bytes.pages);
        machine.remove_object("a");
        for path in &paths {
            let restored = actor.restore(path).unwrap();
            assert!(!restored.differences.is_empty());
        }
        let after = segments(&machine);
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(
                (before.size, before.mode, &before.owner, before.resident),
                (after.size, after.mode, &after.owner, after.resident)
            );
        }
        assert_eq!(after[1].id, before[1].id);
        assert_eq!(after[0].sysv().unwrap().key, Key(0x4d2));
        machine.edit(|facts| {
            assert_eq!(facts.sysv[0].bytes.pages, pages);
            let object = facts.posix.values().next().unwrap();
            assert_eq!(object.bytes.lock().unwrap().pages, pages);
        });
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn canceled_restore_leaves_nothing() {
        let canceled = Progress::new();
        canceled.cancel();
        for index in 0..2 {
            let (machine, directory) = example();
            let segment = &segments(&machine)[index];
            let path = directory.path().join("file");
            let error = Actor::new(&machine, &canceled).save(segment, &path).unwrap_err();
            assert!(matches!(error, SaveError::Stopped { .. }), "{error}");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
            Actor::new(&machine, &Progress::new()).save(segment, &path).unwrap();
            machine.remove_object("a");
            machine.edit(|facts| facts.sysv.clear());
            let error = Actor::new(&machine, &canceled).restore(&path).unwrap_err();
            assert!(matches!(error, RestoreError::Stopped { .. }), "{error}");
            assert!(segments(&machine).is_empty());
        }
    }

    #[test]
    fn restore_of_another_user_reports_lost_attributes() {
        let (machine, directory) = example();
        let path = directory.path().join("file");
        let progress = Progress::new();
        let actor = Actor::new(&machine, &progress);
        actor.save(&segments(&machine)[1], &path).unwrap();
        machine.remove_object("a");
        machine.edit(|facts| facts.users.insert(1000, "b\x1bob".to_owned()));
        let restored = actor.restore(&path).unwrap();
        assert!(
            restored.differences.iter().any(|differences| differences.contains("was ann when")),
            "{:?}",
            restored.differences
        );
    }
}

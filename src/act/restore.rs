//! Restoring: a segment is made again from a file. Nothing that exists is
//! touched, and nothing is made from a file that is not whole.

use super::archive::{ArchiveError, Name, Reading, Saved};
use super::save::shown;
use super::state::StateDirectory;
use super::unfinished::Mark;
use crate::machine::{Finish, Finished, Machine, Making, Refused};
use crate::memory::Progress;
use crate::segment::{Bytes, Key, Segment, SegmentId, ShmId, plain_error};
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A segment that was made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What it is called now.
    pub id: SegmentId,
    /// What it was.
    pub saved: Saved,
    /// What did not come back, a sentence each.
    pub lost: Vec<String>,
}

/// Why nothing was restored. Nothing is made then.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file cannot be opened.
    #[error("{} cannot be opened: {}", shown(.path), plain_error(.source))]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file is none of ours, or is not whole.
    #[error("nothing is restored from {}: {source}", shown(.path))]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// Something has the name or the key.
    #[error("{} is not restored: {}. It is left as it is; remove or rename it first",
            .name, taken(.name, *.by))]
    Taken {
        /// What would be made.
        name: Name,
        /// Which segment has the key.
        by: Option<ShmId>,
    },
    /// The kernel does not make it.
    #[error("{} cannot be made: {}{}", .name, plain_error(.source), remedy(.name, *.size, .source))]
    Make {
        /// What would be made.
        name: Name,
        /// How large it would be.
        size: Bytes,
        /// What the kernel said.
        source: io::Error,
    },
    /// The work was cancelled.
    #[error("stopped: {name} is not restored, and nothing of it is left")]
    Stopped {
        /// What would have been made.
        name: Name,
    },
}

fn taken(name: &Name, by: Option<ShmId>) -> String {
    match (name, by) {
        (Name::Sysv { key, .. }, Some(shmid)) => format!("sysv:{shmid} has the key {key}"),
        (Name::Sysv { key, .. }, None) => format!("another segment has the key {key}"),
        (Name::Posix(_), _) => "something has that name".to_owned(),
    }
}

fn remedy(name: &Name, size: Bytes, error: &io::Error) -> String {
    match (name, error.raw_os_error()) {
        (Name::Posix(_), Some(libc::ENOENT)) => ". Make its directory below /dev/shm first".to_owned(),
        (Name::Posix(_), Some(libc::ENOSPC)) => {
            ". /dev/shm is full: make room, or mount it larger; `shmlens limits` shows both".to_owned()
        }
        (Name::Sysv { .. }, Some(libc::EINVAL)) => {
            format!(". It has {size}: see kernel.shmmax in `shmlens limits`")
        }
        (Name::Sysv { .. }, Some(libc::ENOSPC)) => {
            ". The kernel's limit of segments or of their pages is reached: `shmlens limits` shows both"
                .to_owned()
        }
        (Name::Sysv { .. }, Some(libc::ENOMEM)) => format!(". There is no memory for its {size}"),
        (_, Some(libc::EACCES | libc::EPERM)) => ". Run as root, or as the user who may make it".to_owned(),
        _ => String::new(),
    }
}

/// What a file holds: its metadata, whose checksum is right. The contents are
/// not looked at.
///
/// # Errors
/// When it cannot be opened, is something else or is damaged.
pub fn look_into(path: &Path) -> Result<Saved, RestoreError> {
    let (file, _) = open(path)?;
    let reading = Reading::begin(&file).map_err(|source| file_error(path, source))?;
    Ok(reading.saved().clone())
}

/// Makes a segment again from a file that [`save`](super::save()) wrote.
///
/// A POSIX object is filled without a name and gets it last. A System V
/// segment has its key from the beginning, so the file is read twice: nothing
/// is made before all of it has proved right. Until then only its maker may
/// attach it.
///
/// # Errors
/// When the file is not whole, the name or the key is taken, or the kernel
/// refuses; then nothing is made.
pub fn restore(machine: &dyn Machine, path: &Path, progress: &Progress) -> Result<Restored, RestoreError> {
    restore_marked(machine, path, None, progress)
}

/// As [`restore`], with a mark in the state directory while a System V segment is
/// filled: what a kill leaves of it is found by that,
/// [`unfinished`](super::unfinished::unfinished). Where no mark can be made, it is
/// restored without.
///
/// # Errors
/// As [`restore`].
pub fn restore_marked(
    machine: &dyn Machine,
    path: &Path,
    state: Option<&StateDirectory>,
    progress: &Progress,
) -> Result<Restored, RestoreError> {
    let (mut file, length) = open(path)?;
    let saved = look_into(path)?;
    check_free(machine, &saved)?;
    let work = Work { path, saved: &saved, progress };
    let total = length + saved.size.0.min(1);
    let made = match &saved.name {
        Name::Posix(name) => {
            progress.begin(total);
            let mut making =
                machine.control().begin_object(name, saved.size.0).map_err(|error| work.failed(error))?;
            work.fill(&file, 0, Some(making.as_mut()))?;
            work.finish(making.as_mut())?
        }
        Name::Sysv { key, .. } => {
            progress.begin(2 * total);
            work.fill(&file, 0, None)?;
            file.rewind().map_err(|source| work.unreadable(source))?;
            let what = (*key, saved.size, saved.mode);
            // Dropped behind the segment, so that it is there as long as that is not whole.
            let mut mark = state.and_then(|state| Mark::begin(state, machine, what, path).ok());
            let mut making =
                machine.control().begin_sysv(*key, saved.size.0).map_err(|error| work.failed(error))?;
            if let Some((mark, id)) = mark.as_mut().zip(making.id()) {
                mark.made(machine, &id);
            }
            work.fill(&file, length, Some(making.as_mut()))?;
            if let Some(mark) = &mut mark {
                mark.filled();
            }
            work.finish(making.as_mut())?
        }
    };
    let lost = lost(machine, &saved, &made);
    Ok(Restored { id: made.id, saved, lost })
}

/// Opens a regular file: a FIFO would wait for somebody who writes.
fn open(path: &Path) -> Result<(File, u64), RestoreError> {
    let failed = |source| RestoreError::Open { path: path.to_owned(), source };
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(failed)?;
    let stat = file.metadata().map_err(failed)?;
    if !stat.is_file() {
        return Err(failed(io::Error::other("it is no regular file")));
    }
    Ok((file, stat.len()))
}

fn file_error(path: &Path, source: ArchiveError) -> RestoreError {
    RestoreError::File { path: path.to_owned(), source }
}

/// Found out before gigabytes are read; the kernel has the last word.
fn check_free(machine: &dyn Machine, saved: &Saved) -> Result<(), RestoreError> {
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

/// One restore under way.
struct Work<'a> {
    path: &'a Path,
    saved: &'a Saved,
    progress: &'a Progress,
}

impl Work<'_> {
    /// Reads the file to its end, and writes what is in it where there is
    /// something to write to. When this is through the file was right.
    fn fill(
        &self,
        file: &File,
        before: u64,
        mut to: Option<&mut (dyn Making + '_)>,
    ) -> Result<(), RestoreError> {
        let wrong = |source| file_error(self.path, source);
        let counted = Counted { file, done: before, progress: self.progress };
        let mut reading = Reading::begin(counted).map_err(wrong)?;
        if reading.saved() != self.saved {
            return Err(wrong(ArchiveError::Damaged("it changed while it was read".to_owned())));
        }
        let mut buffer = vec![];
        loop {
            if self.progress.is_cancelled() {
                return Err(RestoreError::Stopped { name: self.saved.name.clone() });
            }
            let Some((offset, bytes)) = reading.next(&mut buffer).map_err(wrong)? else { return Ok(()) };
            if let Some(making) = to.as_deref_mut() {
                making.write_at(offset, bytes).map_err(|error| self.failed(error))?;
            }
        }
    }

    fn finish(&self, making: &mut dyn Making) -> Result<Finished, RestoreError> {
        let saved = self.saved;
        let used = saved.times.access.zip(saved.times.modify);
        let look = Finish { mode: saved.mode, owner: &saved.owner, acl: saved.acl.as_deref(), used };
        making.finish(&look).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> RestoreError {
        let name = self.saved.name.clone();
        match source.kind() {
            io::ErrorKind::AlreadyExists => RestoreError::Taken { name, by: None },
            _ => RestoreError::Make { name, size: self.saved.size, source },
        }
    }

    fn unreadable(&self, source: io::Error) -> RestoreError {
        file_error(self.path, ArchiveError::Read(source))
    }
}

/// A file that tells how far it was read.
struct Counted<'a> {
    file: &'a File,
    done: u64,
    progress: &'a Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.done += count as u64;
        self.progress.reach(self.done);
        Ok(count)
    }
}

/// What a saved segment cannot get back, before it is removed or restored.
#[must_use]
pub fn cannot_come_back(segment: &Segment) -> &'static str {
    match &segment.id {
        SegmentId::Sysv(_) => "its shmid, attachments, creator and times",
        SegmentId::Posix(_) | SegmentId::Deleted { .. } => "its open descriptors, mappings and creation time",
    }
}

fn lost(machine: &dyn Machine, saved: &Saved, made: &Finished) -> Vec<String> {
    let mut lost = vec![];
    match (&saved.name, &made.id) {
        (Name::Sysv { shmid, .. }, SegmentId::Sysv(now)) => {
            lost.push(format!("its shmid is {now}; it was {shmid}"));
            lost.push("its creator is this process, and its times begin anew".to_owned());
            lost.push("who was attached to the old one is not attached to this one".to_owned());
            lost.push("if it was locked in memory or in huge pages, it is not any more".to_owned());
        }
        _ => {
            lost.push("it is made anew: who had the old one open or mapped does not see this one".to_owned());
        }
    }
    for refused in &made.refused {
        lost.push(match refused {
            Refused::User(error) => format!(
                "it belongs to you and not to {}: {}. Only root can give it away",
                saved.owner.user_text(),
                plain_error(error)
            ),
            Refused::Group(error) => {
                format!("its group is yours and not {}: {}", saved.owner.group_text(), plain_error(error))
            }
            Refused::Acl(error) => {
                format!(
                    "its ACL could not be set: {}; its group has no rights until it is",
                    plain_error(error)
                )
            }
        });
    }
    let user = machine.user_name(saved.owner.uid);
    if let Some(before) = saved.owner.user.as_deref()
        && user.as_deref() != Some(before)
    {
        let before = crate::segment::escape(before.as_bytes());
        lost.push(format!("user {} was called {before} when it was saved and is not now", saved.owner.uid));
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::{SaveError, save, save_over};
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::survey::{Names, Survey};
    use std::fs;

    /// ann's object and segment, with holes.
    fn example() -> (MadeMachine, tempfile::TempDir) {
        let machine = MadeMachine::new();
        let mut bytes = MadeBytes::hole((4 << 40) + 5);
        bytes.write(10_000, b"hello");
        bytes.write(4 << 40, b"world");
        machine.add_object("a", bytes.clone());
        machine.add_sysv(7, 0x4d2, bytes);
        (machine, tempfile::tempdir().unwrap())
    }

    fn segments(machine: &MadeMachine) -> Vec<Segment> {
        Survey::take(machine, &mut Names::default()).segments
    }

    #[test]
    fn what_was_saved_comes_back() {
        let (machine, directory) = example();
        let before = segments(&machine);
        let progress = Progress::new();
        let paths = [directory.path().join("0"), directory.path().join("1")];
        for (segment, path) in before.iter().zip(&paths) {
            let stored = save(&machine, segment, path, &progress).unwrap();
            assert_eq!(stored.length.0, fs::metadata(path).unwrap().len());
            assert!(stored.length.0 < 20_000, "{}", stored.length);
            assert_eq!(look_into(path).unwrap(), stored.saved);
            assert_eq!(progress.done(), segment.size.0);
            // It is there already.
            let error = save(&machine, segment, path, &progress).unwrap_err();
            assert!(matches!(error, SaveError::Exists { .. }), "{error}");
            save_over(&machine, segment, path, &progress).unwrap();
            let error = restore(&machine, path, &progress).unwrap_err().to_string();
            assert!(error.contains("is not restored"), "{error}");
        }
        let pages = machine.edit(|facts| facts.sysv.remove(0).bytes.pages);
        machine.remove_object("a");
        for path in &paths {
            let restored = restore(&machine, path, &progress).unwrap();
            assert!(!restored.lost.is_empty());
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
    fn stopped_work_leaves_nothing() {
        let cancelled = Progress::new();
        cancelled.cancel();
        for at in 0..2 {
            let (machine, directory) = example();
            let segment = &segments(&machine)[at];
            let path = directory.path().join("file");
            let error = save(&machine, segment, &path, &cancelled).unwrap_err();
            assert!(matches!(error, SaveError::Stopped { .. }), "{error}");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
            save(&machine, segment, &path, &Progress::new()).unwrap();
            machine.remove_object("a");
            machine.edit(|facts| facts.sysv.clear());
            let error = restore(&machine, &path, &cancelled).unwrap_err();
            assert!(matches!(error, RestoreError::Stopped { .. }), "{error}");
            assert!(segments(&machine).is_empty());
        }
    }

    #[test]
    fn another_user_is_told() {
        let (machine, directory) = example();
        let path = directory.path().join("file");
        save(&machine, &segments(&machine)[1], &path, &Progress::new()).unwrap();
        machine.remove_object("a");
        machine.edit(|facts| facts.users.insert(1000, "b\x1bob".to_owned()));
        let restored = restore(&machine, &path, &Progress::new()).unwrap();
        assert!(restored.lost.iter().any(|lost| lost.contains("was called ann")), "{:?}", restored.lost);
    }
}

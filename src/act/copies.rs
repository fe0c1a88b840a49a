//! Copies of what was removed, in the state directory: the newest are kept, up
//! to a total size, and the last one can be brought back.

use super::archive::MAGIC;
use super::restore::{RestoreError, Restored, restore_marked};
use super::save::{SaveError, Stored, Target};
use super::state::{StateDirectory, StateError};
use crate::machine::Machine;
use crate::memory::{OpenError, Progress};
use crate::segment::{Bytes, Segment, SegmentId, plain_error};
use nix::unistd::geteuid;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

const FOLDER: &str = "copies";
/// What the name of a copy ends in, after its time in nanoseconds and the pid.
const ENDING: &str = ".shmlens";

/// The copies of this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    state: StateDirectory,
    limit: Bytes,
}

/// Why no copy was kept. Then nothing is there of it.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It holds more than all copies may take.
    #[error(
        "no copy of {id} is kept: it holds {held}, and copies may take {limit}. Save it to a file of your own"
    )]
    TooLarge {
        /// Which.
        id: SegmentId,
        /// How much it holds; at least that.
        held: Bytes,
        /// The limit.
        limit: Bytes,
    },
    /// It may not be read.
    #[error("no copy is kept: {0}")]
    Unreadable(OpenError),
    /// There is no room on the disk.
    #[error(
        "no copy of {id} is kept: it holds {held}, and where copies are kept there is room for {room}. \
             Save it to a file elsewhere"
    )]
    NoRoom {
        /// Which.
        id: SegmentId,
        /// How much it holds.
        held: Bytes,
        /// How much is free.
        room: Bytes,
    },
    /// It cannot be saved.
    #[error("no copy is kept: {0}")]
    Save(SaveError),
    /// There is no place for copies.
    #[error("no copy is kept: {0}")]
    State(#[from] StateError),
}

/// Why nothing was brought back.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is none.
    #[error("there is no copy to bring back")]
    None,
    /// It cannot be restored; it is still there.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// Copies cannot be looked at.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Copies {
    /// Those in a state directory. `limit` is what all of them may take together.
    #[must_use]
    pub const fn new(state: StateDirectory, limit: Bytes) -> Self {
        Self { state, limit }
    }

    /// What all of them may take together.
    #[must_use]
    pub const fn limit(&self) -> Bytes {
        self.limit
    }

    /// Whether a copy of this segment would be kept, as far as can be told
    /// without reading it.
    ///
    /// # Errors
    /// What [`Copies::keep`] would say.
    pub fn foresee(&self, segment: &Segment) -> Result<(), KeepError> {
        let id = || segment.id.clone();
        let held = Bytes(
            segment.resident.map_or(0, |bytes| bytes.0)
                + segment.sysv().and(segment.swapped).map_or(0, |bytes| bytes.0),
        );
        if held > self.limit {
            return Err(KeepError::TooLarge { id: id(), held, limit: self.limit });
        }
        // A look makes nothing: the nearest directory that is there has the same room.
        match self.state.path().ancestors().find(|path| path.exists()).and_then(room) {
            Some(room) if room < held => Err(KeepError::NoRoom { id: id(), held, room }),
            _ => Ok(()),
        }
    }

    /// Keeps a copy of a segment that a survey listed. It is on the disk when this
    /// returns, and beside all older ones: until what it is a copy of is removed
    /// nothing goes for it, see [`Copies::make_room`].
    ///
    /// # Errors
    /// When it is too large, may not be read, or there is no room for it.
    pub fn keep(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        progress: &Progress,
    ) -> Result<Stored, KeepError> {
        self.foresee(segment)?;
        let folder = self.state.folder(FOLDER)?;
        loop {
            let path = folder.join(self.next_name());
            let target = Target { path: &path, replace: false, limit: Some(self.limit) };
            match target.save(machine, segment, progress) {
                // Another process was as quick: the next name is another one.
                Err(SaveError::Exists { .. }) => {}
                outcome => return outcome.map_err(|error| refused(error, &folder)),
            }
        }
    }

    /// Lets the oldest go until the rest is within the limit, once what `newest` is
    /// a copy of is removed. Never `newest`, and never what shmlens did not write.
    /// Returns those that went.
    pub(super) fn make_room(&self, newest: &Path) -> Vec<PathBuf> {
        let mut total = 0u64;
        let mut dropped = vec![];
        for path in self.list() {
            total = total.saturating_add(size_if_ours(&path).unwrap_or(0));
            if total > self.limit.0 && path != newest && fs::remove_file(&path).is_ok() {
                dropped.push(path);
            }
        }
        dropped
    }

    /// The copies there are, the newest first.
    #[must_use]
    pub fn list(&self) -> Vec<PathBuf> {
        let Ok(folder) = fs::read_dir(self.state.path().join(FOLDER)) else { return vec![] };
        let mut found: Vec<(Stamp, PathBuf)> = folder
            .filter_map(Result::ok)
            .filter_map(|entry| Some((stamp(entry.file_name().to_str()?)?, entry.path())))
            .filter(|(_, path)| size_if_ours(path).is_some())
            .collect();
        found.sort_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// The newest copy.
    #[must_use]
    pub fn last(&self) -> Option<PathBuf> {
        self.list().into_iter().next()
    }

    /// Brings the newest copy back, and lets the copy go: what was in it is
    /// there again, and the next call brings back the one before.
    ///
    /// # Errors
    /// When there is none, or it cannot be restored; it is kept then.
    pub fn undo(&self, machine: &dyn Machine, progress: &Progress) -> Result<Restored, UndoError> {
        let path = self.last().ok_or(UndoError::None)?;
        let restored = restore_marked(machine, &path, Some(&self.state), progress)?;
        // If it stays, the next undo says that the name is taken: nothing is lost.
        let _ = fs::remove_file(&path);
        Ok(restored)
    }

    /// Later than every copy there is, should the clock have been turned back.
    fn next_name(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let newest = self.last().and_then(|path| stamp(path.file_name()?.to_str()?));
        let time = newest.map_or(now, |(newest, _)| now.max(newest + 1));
        format!("{time:020}-{}{ENDING}", process::id())
    }
}

fn refused(error: SaveError, folder: &Path) -> KeepError {
    match error {
        SaveError::Open(error) => KeepError::Unreadable(error),
        SaveError::TooLarge { id, held, limit } => KeepError::TooLarge { id, held, limit },
        SaveError::Write { source, path } if source.kind() == io::ErrorKind::StorageFull => {
            let room = room(folder).map_or_else(|| "none".to_owned(), |room| room.to_string());
            let source = io::Error::new(source.kind(), format!("{}, {room} is free", plain_error(&source)));
            KeepError::Save(SaveError::Write { path, source })
        }
        error => KeepError::Save(error),
    }
}

/// When it was made, in nanoseconds since 1970, and by which process.
type Stamp = (u128, u32);

/// From a file's name, if it is one that copies have.
fn stamp(name: &str) -> Option<Stamp> {
    let (time, pid) = name.strip_suffix(ENDING)?.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if time.len() != 20 || !digits(time) || !digits(pid) {
        return None;
    }
    Some((time.parse().ok()?, pid.parse().ok()?))
}

/// How long a file is that shmlens wrote for this user.
fn size_if_ours(path: &Path) -> Option<u64> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    let stat = file.metadata().ok()?;
    let mut beginning = [0; MAGIC.len()];
    let ours = stat.is_file()
        && stat.uid() == geteuid().as_raw()
        && file.read_exact(&mut beginning).is_ok()
        && beginning == MAGIC;
    ours.then_some(stat.len())
}

/// How much may be written there.
fn room(folder: &Path) -> Option<Bytes> {
    let stat = nix::sys::statvfs::statvfs(folder).ok()?;
    Some(Bytes(stat.blocks_available().saturating_mul(stat.fragment_size())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::survey::{Names, Survey};
    use std::os::unix::fs::PermissionsExt as _;

    fn segment(machine: &MadeMachine, name: &str) -> Segment {
        let segments = Survey::take(machine, &mut Names::default()).segments;
        segments.into_iter().find(|segment| segment.id.to_string() == format!("posix:/{name}")).unwrap()
    }

    fn copies(limit: u64) -> (tempfile::TempDir, Copies) {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path().join("shmlens"));
        (directory, Copies::new(state, Bytes(limit)))
    }

    #[test]
    fn the_last_one_comes_back_first() {
        let (_directory, copies) = copies(1 << 20);
        let machine = MadeMachine::new();
        let progress = Progress::new();
        for name in ["a", "b"] {
            machine.add_object(name, MadeBytes::full(name.as_bytes()));
            let kept = copies.keep(&machine, &segment(&machine, name), &progress).unwrap();
            assert_eq!(copies.last().unwrap(), kept.path);
            assert_eq!(fs::metadata(&kept.path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(matches!(copies.undo(&machine, &progress), Err(UndoError::Restore(_))));
        machine.remove_object("a");
        machine.remove_object("b");
        assert_eq!(copies.undo(&machine, &progress).unwrap().id.to_string(), "posix:/b");
        assert_eq!(copies.undo(&machine, &progress).unwrap().id.to_string(), "posix:/a");
        assert!(matches!(copies.undo(&machine, &progress), Err(UndoError::None)));
    }

    #[test]
    fn old_copies_go_and_nothing_else() {
        let (_directory, copies) = copies(25_000);
        let machine = MadeMachine::new();
        let keep = |name: &str| {
            machine.add_object(name, MadeBytes::full(&[7; 10_000]));
            copies.keep(&machine, &segment(&machine, name), &Progress::new()).unwrap().path
        };
        let first = keep("a");
        let folder = first.parent().unwrap().to_owned();
        // Old by their names, and none of ours.
        let others = ["00000000000000000001-1.shmlens", "notes.txt", "00000000000000000002-1"];
        for name in others {
            fs::write(folder.join(name), vec![0; 50_000]).unwrap();
        }
        std::os::unix::fs::symlink(&first, folder.join("00000000000000000003-1.shmlens")).unwrap();
        assert!(copies.make_room(&keep("b")).is_empty());
        let newest = keep("c");
        // Until what it is a copy of is removed, none goes for it.
        assert_eq!(copies.list().len(), 3);
        assert_eq!(copies.make_room(&newest), std::slice::from_ref(&first));
        // What is just within the limit stays.
        let within = Copies {
            limit: Bytes(copies.list().iter().filter_map(|path| size_if_ours(path)).sum()),
            ..copies.clone()
        };
        assert!(within.make_room(&newest).is_empty());
        assert!(!first.exists() && others.iter().all(|name| folder.join(name).exists()));
        assert_eq!(copies.list().len(), 2);
    }

    #[test]
    fn a_copy_of_another_user_is_none_of_ours() {
        if !geteuid().is_root() {
            return;
        }
        let (_directory, copies) = copies(1 << 20);
        let machine = MadeMachine::new();
        machine.add_object("a", MadeBytes::full(b"x"));
        let kept = copies.keep(&machine, &segment(&machine, "a"), &Progress::new()).unwrap();
        assert_eq!(copies.last().as_ref(), Some(&kept.path));
        std::os::unix::fs::chown(&kept.path, Some(1000), None).unwrap();
        assert_eq!(copies.last(), None);
    }

    #[test]
    fn refusals_are_in_words_and_leave_the_rest() {
        let (_directory, copies) = copies(25_000);
        let machine = MadeMachine::new();
        machine.add_object("small", MadeBytes::full(&[7; 10_000]));
        copies.keep(&machine, &segment(&machine, "small"), &Progress::new()).unwrap();
        machine.add_object("large", MadeBytes::full(&vec![7; 30_000]));
        let large = segment(&machine, "large");
        let error = copies.keep(&machine, &large, &Progress::new()).unwrap_err();
        assert!(matches!(error, KeepError::TooLarge { .. }), "{error}");
        assert!(error.to_string().contains("copies may take"), "{error}");
        // One that has grown since it was listed.
        machine.add_object("grown", MadeBytes::hole(30_000));
        let grown = segment(&machine, "grown");
        machine.edit_object("grown", |bytes| bytes.write(0, &vec![7; 30_000]));
        let error = copies.keep(&machine, &grown, &Progress::new()).unwrap_err();
        assert!(matches!(error, KeepError::TooLarge { .. }), "{error}");
        machine.edit(|facts| facts.effective_uid = 1001);
        let error = copies.keep(&machine, &segment(&machine, "small"), &Progress::new()).unwrap_err();
        assert!(matches!(error, KeepError::Unreadable(_)), "{error}");
        assert_eq!(copies.list().len(), 1);
        assert_eq!(fs::read_dir(copies.state.path().join(FOLDER)).unwrap().count(), 1);
    }

    #[test]
    fn a_clock_that_was_turned_back_changes_nothing() {
        let (_directory, copies) = copies(1 << 20);
        let machine = MadeMachine::new();
        machine.add_object("a", MadeBytes::full(b"x"));
        let keep = || copies.keep(&machine, &segment(&machine, "a"), &Progress::new()).unwrap().path;
        let early = keep();
        let late = early.with_file_name("09999999999999999999-1.shmlens");
        fs::rename(&early, &late).unwrap();
        let newest = keep();
        assert_eq!(copies.list(), [newest, late]);
    }
}

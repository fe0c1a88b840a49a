//! Finds System V segments that `restore` or `create --from` was filling when the command was
//! killed.
//!
//! The kernel assigns a segment its key on creation, so a segment that is being filled already has
//! its key. A mark in the state directory names the segment, so that a kill does not leave an
//! incomplete segment behind unnoticed. The mark is written before the segment is created,
//! completed when the shmid is known, and removed at the end; it is locked in the meantime. An
//! unlocked mark belongs to a process that was killed.

use super::save::shown;
use super::state::{StateDirectory, StateError};
use super::{ActError, Action, Actor, Copying, Done, Options, apply, plan};
use crate::machine::control::NewSysv;
use crate::machine::{FILLING, Machine, SegmentBuilder};
use crate::segment::{Bytes, Facts, Key, Mode, Segment, SegmentId, ShmId, Timestamp};
use crate::sys::regular::{Links, open_regular, read_at_most};
use crate::sys::unnamed::Unnamed;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;

const FOLDER: &str = "unfinished";
const ENDING: &str = ".jsonl";
/// An upper bound on the size of a mark: each line has at most one path.
const LARGEST: u64 = 1 << 20;
/// The maximum number of seconds between a mark and the creation of its segment if the shmid is
/// unknown: one directly follows the other, and both times are in whole seconds.
const AT_ONCE: f64 = 2.0;

/// A line of a mark. The last line applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    /// The boot and namespace in which the shmid is valid:
    /// [`Control::world`](crate::machine::control::Control::world).
    world: String,
    /// The source file as a string that is safe to print.
    file: String,
    /// The command that fills the segment.
    command: Command,
    /// The shmid, once it is known.
    shmid: Option<i32>,
    key: u32,
    size: u64,
    /// The mode of the finished segment.
    mode: u32,
    creator_pid: u32,
    creator_uid: u32,
    /// The change time of the segment, in seconds since 1970; before its creation, the time of the
    /// mark.
    change: i64,
    /// Set if the contents are complete, and only owner and mode remain to be set.
    whole: bool,
}

/// A command that fills segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Command {
    Restore,
    Create,
}

/// The source of a segment that is being filled, and its final mode.
pub(super) struct Origin {
    command: Command,
    file: String,
    mode: Mode,
}

impl Origin {
    /// Returns the origin for `restore` of a saved segment; `file` is safe to print.
    pub fn restore(file: String, mode: Mode) -> Self {
        Self { command: Command::Restore, file, mode }
    }

    /// Returns the origin for `create --from` of a file.
    pub fn create(file: &Path, mode: Mode) -> Self {
        Self { command: Command::Create, file: absolute(file), mode }
    }
}

/// Returns the absolute path as a string that is safe to print.
pub(super) fn absolute(path: &Path) -> String {
    shown(&fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}

/// A System V segment that is being filled, with its mark. Dropping a `Filling` removes both,
/// unless the segment was finished.
pub(super) struct Filling {
    // The fields are dropped in this order: the mark must outlive the incomplete segment.
    builder: Box<dyn SegmentBuilder>,
    mark: Option<Mark>,
}

impl Filling {
    /// Creates a segment that only its creator can attach. It gets a mark, unless this user has no
    /// state directory ([`unprotected`]).
    pub fn begin(actor: &Actor<'_>, new: &NewSysv, origin: &Origin) -> Result<Self, BeginError> {
        let (machine, what) = (actor.machine, (new.key, new.size));
        let mut mark = match actor.state.map(|state| (state, Mark::begin(state, machine, what, origin))) {
            None => None,
            Some((_, Ok(mark))) => Some(mark),
            Some((state, Err(error))) if has_no_place(state, &error) => None,
            Some((_, Err(error))) => return Err(BeginError::NoMark(error)),
        };
        let builder = machine.build_sysv(new).map_err(BeginError::Refused)?;
        if let Some((mark, id)) = mark.as_mut().zip(builder.id()) {
            mark.made(machine, &id);
        }
        Ok(Self { builder, mark })
    }

    pub fn builder(&mut self) -> &mut dyn SegmentBuilder {
        self.builder.as_mut()
    }

    /// Records that the contents are complete.
    pub fn filled(&mut self) {
        if let Some(mark) = &mut self.mark {
            mark.filled();
        }
    }
}

/// The reason why a segment was not created.
#[derive(Debug)]
pub(super) enum BeginError {
    /// The mark cannot be written, so a kill would leave an incomplete segment that nothing finds.
    NoMark(StateError),
    /// The kernel refused to create the segment.
    Refused(io::Error),
}

/// Returns the reason why no mark protects a System V segment while it is filled: this user has no
/// state directory. Any other problem is an error of `Filling::begin`.
#[must_use]
pub fn unprotected(state: Option<&StateDirectory>) -> Option<StateError> {
    match state {
        None => Some(StateError::Homeless),
        Some(state) => state.folder(FOLDER).err().filter(|error| has_no_place(state, error)),
    }
}

/// Returns the same as [`StateError::is_no_place`], if this user has no state directory yet.
fn has_no_place(state: &StateDirectory, error: &StateError) -> bool {
    let denied = match error {
        StateError::Unusable { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
        StateError::Homeless => true,
        StateError::Foreign { .. } => false,
    };
    denied && fs::symlink_metadata(state.path()).is_err()
}

/// The mark of a segment that is being filled. Dropping the mark removes its file.
struct Mark {
    path: PathBuf,
    file: File,
    line: Line,
    _lock: Flock<File>,
}

impl Mark {
    /// Records that a segment is about to be created and filled.
    pub fn begin(
        state: &StateDirectory,
        machine: &dyn Machine,
        (key, size): (Key, Bytes),
        origin: &Origin,
    ) -> Result<Self, StateError> {
        let folder = state.folder(FOLDER)?;
        let now = machine.now();
        let path = folder.join(format!("{:020}-{}{ENDING}", now.seconds, process::id()));
        let line = Line {
            world: machine.world(),
            file: origin.file.clone(),
            command: origin.command,
            shmid: None,
            key: key.0,
            size: size.0,
            mode: origin.mode.bits() & 0o777,
            creator_pid: process::id(),
            creator_uid: machine.effective_uid(),
            change: now.seconds,
            whole: false,
        };
        let publish = || -> io::Result<Self> {
            let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            let mut unnamed = Unnamed::create(&folder, Path::new(name), 0o600)?;
            let file = unnamed.file.try_clone()?;
            let lock = Flock::lock(unnamed.file.try_clone()?, FlockArg::LockExclusiveNonblock);
            let lock = lock.map_err(|(_, error)| io::Error::from(error))?;
            let mut mark = Self { path: path.clone(), file, line, _lock: lock };
            mark.write()?;
            // Locked before any process can find it.
            unnamed.publish()?;
            Ok(mark)
        };
        publish().map_err(|source| StateError::Unusable { path: path.clone(), source })
    }

    /// Records the shmid of the new segment. A write error is not fatal: the segment can still be
    /// identified by its other attributes, though less reliably.
    pub fn made(&mut self, machine: &dyn Machine, id: &SegmentId) {
        let SegmentId::Sysv(shmid) = id else { return };
        self.line.shmid = Some(shmid.0);
        if let Some(change) = machine.sysv_stat(*shmid).ok().and_then(|stat| stat.change) {
            self.line.change = change.seconds;
        }
        let _ = self.write();
    }

    /// Records that the contents are complete.
    pub fn filled(&mut self) {
        self.line.whole = true;
        let _ = self.write();
    }

    fn write(&mut self) -> io::Result<()> {
        let mut line = serde_json::to_vec(&self.line)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // A remaining mark would describe the segment incorrectly.
        let _ = fs::remove_file(&self.path);
    }
}

/// A segment that is incomplete because the command that filled it was killed.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// The segment from the survey.
    pub segment: Segment,
    /// The killed command and its file, such as `restore of a.saved`; safe to print.
    pub origin: String,
    mark: PathBuf,
}

impl Unfinished {
    /// Returns a message that describes the segment and explains how to remove it.
    #[must_use]
    pub fn notice(&self) -> String {
        format!(
            "{} is incomplete: {} was killed. Run `shmlens rm --recover` to remove it",
            self.segment.id, self.origin
        )
    }

    /// Describes the effect of recovering the segment.
    #[must_use]
    pub fn will(&self) -> String {
        format!("removes it: incomplete because {} was killed", self.origin)
    }
}

/// Finds the incomplete segments in a survey. Changes nothing.
#[must_use]
pub fn unfinished(machine: &dyn Machine, state: &StateDirectory, segments: &[Segment]) -> Vec<Unfinished> {
    let world = machine.world();
    let find = |mark: PathBuf| {
        let line = abandoned(&mark).filter(|line| line.world == world)?;
        let segment = segments.iter().find(|segment| line.is(segment))?.clone();
        Some(Unfinished { segment, origin: line.origin(), mark })
    };
    marks(state).filter_map(find).collect()
}

/// Removes the marks of killed commands whose segments no longer exist.
pub fn remove_stale_marks(machine: &dyn Machine, state: &StateDirectory, segments: &[Segment]) {
    let world = machine.world();
    for mark in marks(state) {
        let Some(line) = abandoned(&mark) else { continue };
        let is_over = if line.world == world {
            !segments.iter().any(|segment| line.is(segment))
        } else {
            // No segment survives a reboot, but another namespace may still exist.
            boot(&line.world) != boot(&world)
        };
        if is_over {
            let _ = fs::remove_file(&mark);
        }
    }
}

fn marks(state: &StateDirectory) -> impl Iterator<Item = PathBuf> {
    let folder = fs::read_dir(state.path().join(FOLDER)).into_iter().flatten();
    let paths = folder.filter_map(Result::ok).map(|entry| entry.path());
    paths.filter(|path| path.to_str().is_some_and(|path| path.ends_with(ENDING)))
}

/// Removes an incomplete segment, unless it is gone, has changed or was attached in the meantime.
pub fn take_away(machine: &dyn Machine, unfinished: &Unfinished) -> Result<Done, ActError> {
    let plan = plan(machine, &unfinished.segment, &Action::Remove(Copying::Without), &Options::default());
    let mut done = apply(machine, &plan).result?;
    let _ = fs::remove_file(&unfinished.mark);
    done.said = vec![format!("removed: incomplete because {} was killed", unfinished.origin)];
    Ok(done)
}

/// Returns the last line of a mark whose process has exited.
fn abandoned(path: &Path) -> Option<Line> {
    let file = open_regular(path, File::options().read(true), Links::Refuse).ok()?;
    let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).ok()?;
    let text = read_at_most(&lock, LARGEST).ok()??;
    text.split(|&byte| byte == b'\n').rev().find_map(|line| serde_json::from_slice(line).ok())
}

/// Returns the boot id, which is the first word of a world.
fn boot(world: &str) -> Option<&str> {
    world.split(' ').next()
}

impl Line {
    /// Returns the command and its file, such as `restore of a.saved`.
    fn origin(&self) -> String {
        match self.command {
            Command::Restore => format!("restore of {}", self.file),
            Command::Create => format!("create --from {}", self.file),
        }
    }

    /// Returns whether the line describes this segment, and the segment is unfinished.
    fn is(&self, segment: &Segment) -> bool {
        let (SegmentId::Sysv(ShmId(shmid)), Facts::Sysv(facts)) = (&segment.id, &segment.facts) else {
            return false;
        };
        let made = Timestamp::from_seconds(self.change);
        let when = segment.times.change.is_some_and(|change| match self.shmid {
            Some(own) => own == *shmid && change == made,
            // The command was killed before it recorded the shmid.
            None => (0.0..=AT_ONCE).contains(&change.seconds_since(made)),
        });
        // The contents are complete and the mode is already the final one: the segment is finished, or
        // as good as finished.
        let done = self.whole && self.mode == FILLING.bits();
        when && !done
            && !facts.marked
            && segment.mode == FILLING
            && (facts.key, segment.size) == (Key(self.key), Bytes(self.size))
            && (facts.creator_pid, facts.creator.uid) == (self.creator_pid, self.creator_uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    fn scene() -> (tempfile::TempDir, StateDirectory, FakeMachine) {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path());
        let machine = FakeMachine::new();
        machine.edit(|facts| facts.effective_uid = 1000);
        (directory, state, machine)
    }

    fn begin(state: &StateDirectory, machine: &FakeMachine) -> Mark {
        let origin = Origin::restore("/file".to_owned(), Mode::new(0o666));
        Mark::begin(state, machine, (Key(7), Bytes(4096)), &origin).unwrap()
    }

    /// Adds the segment of the mark in its unfinished state.
    fn add(machine: &FakeMachine) -> SegmentId {
        let at = machine.add_sysv(3, 7, FakeBytes::hole(4096));
        machine.edit(|facts| {
            let now = facts.now;
            let row = &mut facts.sysv[at].row;
            (row.mode, row.creator_pid) = (FILLING, process::id());
            row.change = Some(Timestamp::from_seconds(now));
        });
        SegmentId::Sysv(ShmId(3))
    }

    /// Simulates a kill, which leaves the file without a lock.
    fn kill(mark: Mark) {
        let text = fs::read(&mark.path).unwrap();
        let path = mark.path.clone();
        drop(mark);
        fs::write(path, text).unwrap();
    }

    fn found(state: &StateDirectory, machine: &FakeMachine) -> Vec<Unfinished> {
        let segments = Survey::take(machine, &mut Names::default()).segments;
        let before = marks(state);
        let found = unfinished(machine, state, &segments);
        assert_eq!(marks(state), before, "finding them changes nothing");
        remove_stale_marks(machine, state, &segments);
        found
    }

    fn marks(state: &StateDirectory) -> usize {
        fs::read_dir(state.path().join(FOLDER)).unwrap().count()
    }

    #[test]
    fn one_that_was_killed_is_found_and_taken_away() {
        for number_is_known in [true, false] {
            let (_directory, state, machine) = scene();
            let mut mark = begin(&state, &machine);
            let id = add(&machine);
            if number_is_known {
                mark.made(&machine, &id);
            }
            // A running command keeps its segment and its mark.
            assert_eq!((found(&state, &machine), marks(&state)), (vec![], 1));
            kill(mark);
            let found = found(&state, &machine);
            assert_eq!(
                (found[0].segment.id.to_string().as_str(), found[0].origin.as_str()),
                ("sysv:3", "restore of /file")
            );
            let done = take_away(&machine, &found[0]).unwrap();
            assert!(done.said[0].contains("restore of /file was killed"), "{done:?}");
            assert_eq!((machine.edit(|facts| facts.sysv.len()), marks(&state)), (0, 0));
        }
    }

    #[test]
    fn what_is_not_that_very_one_is_left_and_its_mark_goes() {
        let change: [fn(&mut crate::machine::control::SysvStat); 7] = [
            |row| row.mode = Mode::new(0o666),
            |row| row.key = Key(8),
            |row| row.creator_pid += 1,
            |row| row.creator_uid += 1,
            |row| row.size = Bytes(4097),
            |row| row.change = row.change.map(|time| Timestamp::from_seconds(time.seconds + 3)),
            |row| row.shmid = ShmId(4),
        ];
        for change in change {
            let (_directory, state, machine) = scene();
            let mut mark = begin(&state, &machine);
            let id = add(&machine);
            mark.made(&machine, &id);
            kill(mark);
            machine.edit(|facts| change(&mut facts.sysv[0].row));
            assert_eq!((found(&state, &machine), marks(&state)), (vec![], 0));
            assert_eq!(machine.edit(|facts| facts.sysv.len()), 1);
        }
    }

    #[test]
    fn one_that_somebody_attached_or_that_was_changed_meanwhile_is_not_removed() {
        let (_directory, state, machine) = scene();
        let mut mark = begin(&state, &machine);
        let id = add(&machine);
        mark.made(&machine, &id);
        kill(mark);
        let found = found(&state, &machine);
        machine.edit(|facts| facts.sysv[0].row.nattch = 1);
        assert!(take_away(&machine, &found[0]).unwrap_err().to_string().contains("nattch 1"));
        machine.edit(|facts| {
            facts.sysv[0].row.nattch = 0;
            facts.sysv[0].row.change = Some(Timestamp::from_seconds(7));
        });
        assert!(matches!(take_away(&machine, &found[0]), Err(ActError::NotTheSame { .. })));
        assert_eq!((machine.edit(|facts| facts.sysv.len()), marks(&state)), (1, 1));
    }

    #[test]
    fn one_of_another_world_is_none_of_this() {
        // No segment survives a reboot, but another namespace may still exist.
        for (world, left) in [("made elsewhere", 1), ("another boot", 0)] {
            let (_directory, state, machine) = scene();
            let mut mark = begin(&state, &machine);
            let id = add(&machine);
            mark.line.world = world.to_owned();
            mark.made(&machine, &id);
            kill(mark);
            assert_eq!((found(&state, &machine), marks(&state)), (vec![], left), "{world}");
        }
    }

    #[test]
    fn one_that_was_marked_for_removal_goes_by_itself() {
        let (_directory, state, machine) = scene();
        let mut mark = begin(&state, &machine);
        let id = add(&machine);
        mark.made(&machine, &id);
        kill(mark);
        machine.edit(|facts| facts.sysv[0].row.marked = true);
        assert_eq!(found(&state, &machine), vec![]);
    }

    #[test]
    fn whole_with_the_mode_of_one_being_filled_is_finished() {
        let (_directory, state, machine) = scene();
        let origin = Origin::create(Path::new("/file"), FILLING);
        let mut mark = Mark::begin(&state, &machine, (Key(7), Bytes(4096)), &origin).unwrap();
        let id = add(&machine);
        mark.made(&machine, &id);
        mark.filled();
        kill(mark);
        assert_eq!((found(&state, &machine), marks(&state)), (vec![], 0));
    }
}

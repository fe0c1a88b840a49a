//! Finds System V segments that `restore` or `create --from` was filling when it was killed.
//! The kernel assigns the key on creation, so other processes can find a segment before it is
//! filled. A mark in the state directory names the segment until it is complete, so that a kill
//! does not leave an incomplete segment behind unnoticed. The mark is written before the segment is
//! created, gets the shmid after that, and is locked by the process that fills the segment. An
//! unlocked mark belongs to a process that was killed.

mod mark;

use super::{ActError, Action, ChangeReport, Copying, Options, StateDirectory, StateError, apply, plan};
use crate::machine::Machine;
use crate::segment::Segment;
pub(super) use mark::{BeginError, Filling, Origin, absolute};
use mark::{boot, read_abandoned};
use std::fs;
use std::io;
use std::path::PathBuf;

const DIRECTORY: &str = "unfinished";
const SUFFIX: &str = ".jsonl";

/// Returns the reason why a segment is filled without a mark: this user has no state directory. Any
/// other problem is an error of `Filling::begin`.
#[must_use]
pub fn reason_without_mark(state: Option<&StateDirectory>) -> Option<StateError> {
    match state {
        None => Some(StateError::Homeless),
        Some(state) => state.subdirectory(DIRECTORY).err().filter(|error| is_homeless(state, error)),
    }
}

fn is_homeless(state: &StateDirectory, error: &StateError) -> bool {
    let denied = match error {
        StateError::Unusable { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
        StateError::Homeless => true,
        StateError::Foreign { .. } => false,
    };
    denied && fs::symlink_metadata(state.path()).is_err()
}

/// A segment that was left incomplete by a kill.
#[derive(Debug, Clone, PartialEq)]
pub struct UnfinishedSegment {
    pub segment: Segment,
    /// The killed command and its file, as in `restore of a.saved`; safe to print.
    pub origin: String,
    mark: PathBuf,
}

impl UnfinishedSegment {
    /// Describes the segment and explains how to remove it.
    #[must_use]
    pub fn notice(&self) -> String {
        format!(
            "{} is incomplete: {} was killed. Run `shmlens rm --recover` to remove it",
            self.segment.id, self.origin
        )
    }

    /// Describes the effect of removing the segment.
    #[must_use]
    pub fn effect(&self) -> String {
        format!("removes it: incomplete because {} was killed", self.origin)
    }
}

/// Finds the incomplete segments in a survey.
#[must_use]
pub fn find_unfinished(
    machine: &dyn Machine,
    state: &StateDirectory,
    segments: &[Segment],
) -> Vec<UnfinishedSegment> {
    let scope = machine.id_scope();
    let find = |mark: PathBuf| {
        let line = read_abandoned(&mark).filter(|line| line.scope == scope)?;
        let segment = segments.iter().find(|segment| line.describes(segment))?.clone();
        Some(UnfinishedSegment { segment, origin: line.origin(), mark })
    };
    marks(state).filter_map(find).collect()
}

/// Removes the marks of killed commands whose segments no longer exist.
pub fn remove_stale_marks(machine: &dyn Machine, state: &StateDirectory, segments: &[Segment]) {
    let scope = machine.id_scope();
    for mark in marks(state) {
        let Some(line) = read_abandoned(&mark) else { continue };
        let is_over = if line.scope == scope {
            !segments.iter().any(|segment| line.describes(segment))
        } else {
            // No segment survives a reboot, but the namespace of another one may still exist.
            boot(&line.scope) != boot(&scope)
        };
        if is_over {
            let _ = fs::remove_file(&mark);
        }
    }
}

fn marks(state: &StateDirectory) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(state.path().join(DIRECTORY)).into_iter().flatten();
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths.filter(|path| path.to_str().is_some_and(|path| path.ends_with(SUFFIX)))
}

/// Removes an incomplete segment, unless it is gone, has changed or was attached since.
pub fn remove(machine: &dyn Machine, unfinished: &UnfinishedSegment) -> Result<ChangeReport, ActError> {
    let plan = plan(machine, &unfinished.segment, &Action::Remove(Copying::Without), &Options::default());
    let mut done = apply(machine, &plan).result?;
    let _ = fs::remove_file(&unfinished.mark);
    done.messages = vec![format!("removed: incomplete because {} was killed", unfinished.origin)];
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::mark::Mark;
    use super::*;
    use crate::machine::UNFINISHED_MODE;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::{Bytes, Key, Mode, SegmentId, ShmId, Timestamp};
    use crate::survey::{Names, Survey};
    use std::path::Path;
    use std::process;

    fn setup() -> (tempfile::TempDir, StateDirectory, FakeMachine) {
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
        let index = machine.add_sysv(3, 7, FakeBytes::hole(4096));
        machine.edit(|facts| {
            let now = facts.now;
            let row = &mut facts.sysv[index].row;
            (row.mode, row.creator_pid) = (UNFINISHED_MODE, process::id());
            row.change = Some(Timestamp::from_seconds(now));
        });
        SegmentId::Sysv(ShmId(3))
    }

    /// Simulates a kill: the mark stays without a lock.
    fn simulate_kill(mark: Mark) {
        let text = fs::read(&mark.path).unwrap();
        let path = mark.path.clone();
        drop(mark);
        fs::write(path, text).unwrap();
    }

    fn found(state: &StateDirectory, machine: &FakeMachine) -> Vec<UnfinishedSegment> {
        let segments = Survey::take(machine, &mut Names::default()).segments;
        let before = marks(state);
        let found = find_unfinished(machine, state, &segments);
        assert_eq!(marks(state), before, "finding them changes nothing");
        remove_stale_marks(machine, state, &segments);
        found
    }

    fn marks(state: &StateDirectory) -> usize {
        fs::read_dir(state.path().join(DIRECTORY)).unwrap().count()
    }

    #[test]
    fn incomplete_segment_is_found_and_removed() {
        for number_is_known in [true, false] {
            let (_directory, state, machine) = setup();
            let mut mark = begin(&state, &machine);
            let id = add(&machine);
            if number_is_known {
                mark.record_shmid(&machine, &id);
            }
            // The segment and mark of a running command are kept.
            assert_eq!((found(&state, &machine), marks(&state)), (vec![], 1));
            simulate_kill(mark);
            let found = found(&state, &machine);
            assert_eq!(
                (found[0].segment.id.to_string().as_str(), found[0].origin.as_str()),
                ("sysv:3", "restore of /file")
            );
            let done = remove(&machine, &found[0]).unwrap();
            assert!(done.messages[0].contains("restore of /file was killed"), "{done:?}");
            assert_eq!((machine.edit(|facts| facts.sysv.len()), marks(&state)), (0, 0));
        }
    }

    #[test]
    fn mark_of_a_replaced_segment_is_removed() {
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
            let (_directory, state, machine) = setup();
            let mut mark = begin(&state, &machine);
            let id = add(&machine);
            mark.record_shmid(&machine, &id);
            simulate_kill(mark);
            machine.edit(|facts| change(&mut facts.sysv[0].row));
            assert_eq!((found(&state, &machine), marks(&state)), (vec![], 0));
            assert_eq!(machine.edit(|facts| facts.sysv.len()), 1);
        }
    }

    #[test]
    fn remove_refuses_an_attached_or_changed_segment() {
        let (_directory, state, machine) = setup();
        let mut mark = begin(&state, &machine);
        let id = add(&machine);
        mark.record_shmid(&machine, &id);
        simulate_kill(mark);
        let found = found(&state, &machine);
        machine.edit(|facts| facts.sysv[0].row.nattch = 1);
        assert!(remove(&machine, &found[0]).unwrap_err().to_string().contains("nattch 1"));
        machine.edit(|facts| {
            facts.sysv[0].row.nattch = 0;
            facts.sysv[0].row.change = Some(Timestamp::from_seconds(7));
        });
        assert!(matches!(remove(&machine, &found[0]), Err(ActError::NotTheSame { .. })));
        assert_eq!((machine.edit(|facts| facts.sysv.len()), marks(&state)), (1, 1));
    }

    #[test]
    fn mark_of_another_namespace_is_ignored() {
        // No segment survives a reboot, but the namespace of another one may still exist.
        for (scope, left) in [("made elsewhere", 1), ("another boot", 0)] {
            let (_directory, state, machine) = setup();
            let mut mark = begin(&state, &machine);
            let id = add(&machine);
            mark.line.scope = scope.to_owned();
            mark.record_shmid(&machine, &id);
            simulate_kill(mark);
            assert_eq!((found(&state, &machine), marks(&state)), (vec![], left), "{scope}");
        }
    }

    #[test]
    fn segment_marked_for_removal_is_ignored() {
        let (_directory, state, machine) = setup();
        let mut mark = begin(&state, &machine);
        let id = add(&machine);
        mark.record_shmid(&machine, &id);
        simulate_kill(mark);
        machine.edit(|facts| facts.sysv[0].row.marked = true);
        assert_eq!(found(&state, &machine), vec![]);
    }

    #[test]
    fn complete_segment_with_its_final_mode_is_finished() {
        let (_directory, state, machine) = setup();
        let origin = Origin::create(Path::new("/file"), UNFINISHED_MODE);
        let mut mark = Mark::begin(&state, &machine, (Key(7), Bytes(4096)), &origin).unwrap();
        let id = add(&machine);
        mark.record_shmid(&machine, &id);
        mark.record_filled();
        simulate_kill(mark);
        assert_eq!((found(&state, &machine), marks(&state)), (vec![], 0));
    }
}

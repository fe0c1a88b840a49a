//! Moves objects back that a removal had moved aside. Either the removal was killed before it
//! unlinked the object, or it moved the wrong object and could not move it back because a new
//! object had taken the name.

use super::{ActError, ChangeReport, Step, Target, permitted};
use crate::machine::Machine;
use crate::machine::control::Capability;
use crate::segment::{ObjectName, Segment, SegmentId, Timestamp, shell_quote};
use crate::survey::Survey;
use crate::sys::unlink::is_removal_directory;
use std::io;

/// Objects that were renamed more recently than this may belong to a removal in progress, although
/// a removal takes only microseconds.
const MIN_AGE_SECONDS: f64 = 2.0;

/// An object that still has the temporary name of a removal.
#[derive(Debug, Clone, PartialEq)]
pub struct RenamedObject {
    pub segment: Segment,
    pub before: ObjectName,
}

impl RenamedObject {
    /// Describes the object and explains how to rename it back.
    #[must_use]
    pub fn notice(&self) -> String {
        format!(
            "{} is left over from an interrupted removal of {}. Run `shmlens rm --recover` to rename it back",
            self.segment.id,
            SegmentId::Posix(self.before.clone())
        )
    }

    /// Explains that it is too early to rename the object back.
    #[must_use]
    pub fn too_early(&self) -> String {
        format!(
            "{}: the removal of {} may still be in progress. Try again in a few seconds",
            self.segment.id,
            SegmentId::Posix(self.before.clone())
        )
    }

    /// Explains that the object is renamed back only if the user names it.
    #[must_use]
    pub fn untrusted_notice(&self) -> String {
        format!(
            "{} is named like a leftover of {}, but it belongs to {}, who may have chosen that name. \
             Not renamed. Use `shmlens rm --recover {}` to rename it",
            self.segment.id,
            SegmentId::Posix(self.before.clone()),
            self.segment.owner.user_text(),
            shell_quote(self.segment.id.to_string().as_bytes())
        )
    }
}

/// The objects with temporary names of removals.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Moved aside by a killed removal of this user.
    pub renamed: Vec<RenamedObject>,
    /// Possibly part of a removal in progress.
    pub in_progress: Vec<RenamedObject>,
    /// Possibly named by another user, to trick this one into renaming them.
    pub untrusted: Vec<RenamedObject>,
}

impl Leftovers {
    /// Finds the objects in a survey that was taken at `now`.
    #[must_use]
    pub fn find(machine: &dyn Machine, segments: &[Segment], now: Timestamp) -> Self {
        let mut found = Self::default();
        for segment in segments {
            let SegmentId::Posix(name) = &segment.id else { continue };
            let Some(before) = machine.name_before(name) else { continue };
            let changed = segment.times.change;
            // A time in the future (the clock was set back) does not mean that a removal is in
            // progress.
            let is_stale = changed
                .is_none_or(|changed| changed.is_future(now) || now.seconds_since(changed) > MIN_AGE_SECONDS);
            let list = match (is_own(machine, segment, name), is_stale) {
                (false, _) => &mut found.untrusted,
                (true, false) => &mut found.in_progress,
                (true, true) => &mut found.renamed,
            };
            list.push(RenamedObject { segment: segment.clone(), before });
        }
        found
    }
}

/// Returns true if a removal of this user renamed the object. Any user can create a file with such
/// a name, but not as this user, and not in a directory of this user: objects of other users are
/// removed through a directory of their own.
fn is_own(machine: &dyn Machine, segment: &Segment, name: &ObjectName) -> bool {
    let me = machine.effective_uid();
    let in_own_directory = || {
        let parent = name.as_path().parent();
        parent.is_some_and(is_removal_directory)
            && machine.guards(name).is_ok_and(|guards| guards.directory_uid == me)
    };
    segment.owner.uid == me || in_own_directory()
}

/// Returns the objects that killed removals of this user moved aside, in a survey that was taken at
/// `now`.
#[must_use]
pub fn find_renamed(machine: &dyn Machine, segments: &[Segment], now: Timestamp) -> Vec<RenamedObject> {
    Leftovers::find(machine, segments, now).renamed
}

/// Finds the empty directories of killed removals of this user. Each was created for an object of
/// another user, which had been unlinked before the kill.
#[must_use]
pub fn empty_directories(machine: &dyn Machine, survey: &Survey) -> Vec<ObjectName> {
    let is_left = |name: &ObjectName| {
        machine.stat_object(name).is_ok_and(|stat| {
            let is_stale =
                stat.modify.is_future(survey.at) || survey.at.seconds_since(stat.modify) > MIN_AGE_SECONDS;
            stat.mode & libc::S_IFMT == libc::S_IFDIR && stat.uid == machine.effective_uid() && is_stale
        })
    };
    let is_empty = |name: &ObjectName| {
        let is_inside = |other: &ObjectName| other.as_path().parent() == Some(name.as_path());
        let objects = survey.segments.iter().filter_map(|segment| match &segment.id {
            SegmentId::Posix(name) => Some(name),
            SegmentId::Sysv(_) | SegmentId::Deleted { .. } => None,
        });
        !objects.chain(&survey.other_names).any(is_inside)
    };
    let names = survey.other_names.iter().filter(|name| is_removal_directory(name.as_path()));
    let mut found: Vec<ObjectName> = names.filter(|name| is_left(name) && is_empty(name)).cloned().collect();
    found.sort_unstable();
    found
}

/// Removes one of the [`empty_directories`], unless it is gone or no longer empty.
pub fn remove_empty(machine: &dyn Machine, name: &ObjectName) -> Result<ChangeReport, ActError> {
    let id = SegmentId::Posix(name.clone());
    match machine.remove_directory(name) {
        Ok(()) => Ok(ChangeReport::new(id, "removed: empty directory left over from an interrupted removal")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ActError::Gone { id }),
        Err(source) => Err(ActError::Failed { id, step: Step::Remove, source }),
    }
}

/// Predicts the error of [`recover`] without changing anything.
pub fn predict(machine: &dyn Machine, renamed: &RenamedObject) -> Result<(), ActError> {
    if machine.stat_object(&renamed.before).is_ok() {
        return Err(name_in_use(renamed));
    }
    match permitted::removal(Target::new(machine, &renamed.segment)) {
        Some(refusal) => Err(ActError::Refused { subject: renamed.segment.id.to_string(), refusal }),
        None => Ok(()),
    }
}

fn name_in_use(renamed: &RenamedObject) -> ActError {
    ActError::Exists {
        subject: SegmentId::Posix(renamed.before.clone()).to_string(),
        remedy: format!("Remove either that object or {}", renamed.segment.id),
    }
}

/// Renames the object back, unless the name is in use, or the object is gone or was replaced.
pub fn recover(machine: &dyn Machine, renamed: &RenamedObject) -> Result<ChangeReport, ActError> {
    let id = SegmentId::Posix(renamed.before.clone());
    let target = Target::new(machine, &renamed.segment);
    let SegmentId::Posix(now) = &renamed.segment.id else { return Err(target.gone_error()) };
    let (held, _) = target.check_posix(now)?;
    match machine.rename_to_free(now, &renamed.before) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(name_in_use(renamed)),
        Err(error) => return Err(ActError::from_kernel(target, Step::Rename, Capability::Fowner, error)),
    }
    let now = machine.stat_object(&renamed.before).map_err(|source| target.unverifiable_error(source))?;
    let own = held.stat().map_err(|source| target.unverifiable_error(source))?;
    if now.identity() != own.identity() {
        return Err(ActError::Unverified { id, found: "another object with that name".to_owned() });
    }
    Ok(ChangeReport::new(id, format!("renamed back from {}", renamed.segment.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::Names;

    const LEFTOVER: &str = "shmlens-removing-0123456789abcdef-name";

    #[test]
    fn recover_refuses_a_replaced_object() {
        let machine = FakeMachine::new();
        machine.edit(|facts| facts.effective_uid = 1000);
        machine.add_object(LEFTOVER, FakeBytes::full(b"moved"));
        let survey = Survey::take(&machine, &mut Names::default());
        let found = find_renamed(&machine, &survey.segments, survey.at);
        assert_eq!(found.len(), 1);
        machine.add_object(LEFTOVER, FakeBytes::full(b"another"));
        let error = recover(&machine, &found[0]).unwrap_err();
        assert!(matches!(error, ActError::NotTheSame { .. }), "{error}");
        let names = || machine.edit(|facts| facts.posix.keys().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names(), [format!("/{LEFTOVER}")]);
        let survey = Survey::take(&machine, &mut Names::default());
        recover(&machine, &find_renamed(&machine, &survey.segments, survey.at)[0]).unwrap();
        assert_eq!(names(), ["/name"]);
    }

    #[test]
    fn leftovers_of_another_user_are_not_trusted() {
        let machine = FakeMachine::new();
        machine.add_object(LEFTOVER, FakeBytes::full(b"ann's"));
        for (me, (renamed, untrusted)) in [(1000, (1, 0)), (0, (0, 1)), (1001, (0, 1))] {
            machine.edit(|facts| facts.effective_uid = me);
            let survey = Survey::take(&machine, &mut Names::default());
            let found = Leftovers::find(&machine, &survey.segments, survey.at);
            assert_eq!((found.renamed.len(), found.untrusted.len()), (renamed, untrusted), "{me}");
        }
    }

    #[test]
    fn leftovers_are_found_after_the_clock_was_set_back() {
        let machine = FakeMachine::new();
        machine.edit(|facts| facts.effective_uid = 1000);
        machine.add_object(LEFTOVER, FakeBytes::full(b"moved"));
        let survey = Survey::take(&machine, &mut Names::default());
        let before = Timestamp::from_seconds(survey.at.seconds - 86_400);
        assert_eq!(find_renamed(&machine, &survey.segments, before).len(), 1);
    }
}

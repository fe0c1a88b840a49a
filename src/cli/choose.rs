//! Resolves names on the command line to segments, and explains names that belong to something
//! else.

use super::out::warn;
use super::{Failure, as_root};
use crate::machine::Machine;
use crate::segment::name::SegmentName;
use crate::segment::resolve::{ExactNames, ResolveError, other_meaning, resolve};
use crate::segment::{Kind, ObjectName, Segment, SegmentId};
use crate::survey::Survey;
use crate::sys::object::kind_of;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

/// Finds a segment for a command that changes nothing. A bare word may be a unique prefix; the full
/// name is then printed on standard error.
///
/// Fails if no segment or more than one matches, or if the name in `/dev/shm` belongs to something
/// other than shared memory.
pub fn choose<'a>(machine: &dyn Machine, survey: &'a Survey, text: &OsStr) -> Result<&'a Segment, Failure> {
    let name = SegmentName::read(text.as_bytes(), None);
    let found = resolve(&name, &survey.segments);
    match &found {
        Ok(found) if !found.by_prefix && !found.by_former_name => {}
        Err(ResolveError::Ambiguous { .. }) if name.object().is_none() => {}
        _ => refuse_other_files(machine, &name)?,
    }
    if matches!(&found, Err(ResolveError::Unknown { .. })) {
        refuse_unseen(machine, survey, &name)?;
    }
    let found = found?;
    if found.by_prefix {
        warn(&format!("'{}' is short for {}", name.quoted(), found.segment.id.short()));
    }
    if found.by_former_name {
        warn_of_former_name(&name, found.segment);
    }
    warn_of_other_meaning(&name, found.segment, &survey.segments);
    Ok(found.segment)
}

/// Warns that a shmid is also the key of another segment.
fn warn_of_other_meaning<'a>(
    name: &SegmentName<'_>,
    segment: &Segment,
    segments: impl IntoIterator<Item = &'a Segment>,
) {
    if let Some(text) = other_meaning(name, segment, segments) {
        warn(&text);
    }
}

/// Warns that the name no longer exists, and names the unlinked object that had it.
fn warn_of_former_name(name: &SegmentName<'_>, segment: &Segment) {
    const MAX_NAMED: usize = 2;
    let holders = match segment.holders_text(MAX_NAMED) {
        holders if holders.is_empty() => String::new(),
        holders => format!(", still held by {holders}"),
    };
    warn(&format!("'{}' was unlinked; using {}{holders}", name.quoted(), segment.id));
}

/// Fails with advice if a process that could not be inspected may hold an unlinked object with this
/// name.
fn refuse_unseen(machine: &dyn Machine, survey: &Survey, name: &SegmentName<'_>) -> Result<(), Failure> {
    let unreadable = survey.coverage.as_ref().map_or(0, |coverage| coverage.unreadable);
    if matches!(name.id(), Some(SegmentId::Deleted { .. })) && unreadable > 0 {
        return Err(Failure::NotFoundEverywhere {
            name: name.quoted(),
            unreadable,
            remedy: as_root(machine, " to inspect all"),
        });
    }
    Ok(())
}

/// Finds a segment by its exact name for a command that changes something.
///
/// Fails like [`choose`], and also if the name is ambiguous or the former name of an unlinked
/// object.
pub fn choose_exact<'a>(
    machine: &dyn Machine,
    survey: &Survey,
    names: &ExactNames<'a>,
    text: &OsStr,
    kind: Option<Kind>,
) -> Result<&'a Segment, Failure> {
    let name = SegmentName::read(text.as_bytes(), kind);
    let found = names.resolve_unless(&name, |object| has_file(machine, survey, object));
    if matches!(found, Err(ResolveError::Unknown { .. } | ResolveError::Unlinked { .. })) {
        refuse_other_files(machine, &name)?;
    }
    let segment = found?;
    // The index is needed for thousands of names, where a scan per name takes longer than the
    // removal.
    warn_of_other_meaning(&name, segment, names.with_plain_key(&name).iter().copied());
    Ok(segment)
}

/// Like [`choose_exact`], but for `save`, which changes nothing: also accepts the former name of an
/// unlinked object, if only one had it.
pub fn choose_exact_to_read<'a>(
    machine: &dyn Machine,
    survey: &'a Survey,
    text: &OsStr,
    kind: Option<Kind>,
) -> Result<&'a Segment, Failure> {
    let name = SegmentName::read(text.as_bytes(), kind);
    let names = ExactNames::new(&survey.segments);
    let found = names.resolve_to_read(&name, |object| has_file(machine, survey, object));
    let by_former_name =
        matches!(&found, Ok(segment) if Some(&segment.id) != name.id().as_ref()) && name.key().is_none();
    if by_former_name || found.is_err() {
        refuse_other_files(machine, &name)?;
    }
    if matches!(found, Err(ResolveError::Unknown { .. })) {
        refuse_unseen(machine, survey, &name)?;
    }
    let segment = found?;
    if by_former_name {
        warn_of_former_name(&name, segment);
    }
    warn_of_other_meaning(&name, segment, &survey.segments);
    Ok(segment)
}

/// Returns true if a file in `/dev/shm` has this name but is not a segment of the survey.
fn has_file(machine: &dyn Machine, survey: &Survey, object: &ObjectName) -> bool {
    // A system call per name takes as long as removing it. The survey has all names at the top
    // level, but not those in directories that this user may not list.
    if !object.as_bytes().contains(&b'/') && !survey.unlisted.contains(&Kind::Posix) {
        return survey.other_names.contains(object);
    }
    match machine.stat_object(object) {
        Ok(_) => true,
        // A file system is mounted at the name.
        Err(error) => error.kind() == io::ErrorKind::CrossesDevices,
    }
}

/// Returns an error if the name in `/dev/shm` does not belong to a regular file.
fn refuse_other_files(machine: &dyn Machine, name: &SegmentName<'_>) -> Result<(), Failure> {
    let Some(object) = name.object() else { return Ok(()) };
    let kind = match machine.stat_object(&object) {
        Ok(stat) => kind_of(stat.mode),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            return Err(Failure::OtherMount { id: SegmentId::Posix(object) });
        }
        Err(_) => None,
    };
    let Some(kind) = kind else { return Ok(()) };
    Err(Failure::NotMemory { id: SegmentId::Posix(object), kind })
}

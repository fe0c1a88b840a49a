//! From a name on the command line to the segment, or to an error that tells
//! what has that name instead.

use super::Failure;
use super::out::warn;
use crate::machine::Machine;
use crate::segment::name::SegmentName;
use crate::segment::resolve::{ExactNames, ResolveError, resolve};
use crate::segment::{Kind, Segment, SegmentId};
use crate::survey::Survey;
use crate::sys::object::kind_of;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

/// Finds a segment for a command that changes nothing. A bare word may be a
/// unique prefix; the full name is then printed on standard error.
///
/// # Errors
/// When no segment or more than one matches, or when something other than
/// shared memory has exactly that name in `/dev/shm`.
pub fn choose<'a>(machine: &dyn Machine, survey: &'a Survey, text: &OsStr) -> Result<&'a Segment, Failure> {
    let name = SegmentName::read(text.as_bytes(), None);
    let found = resolve(&name, &survey.segments);
    match &found {
        Ok(found) if !found.by_prefix => {}
        Err(ResolveError::Ambiguous { .. }) if name.object().is_none() => {}
        _ => refuse_other_files(machine, &name)?,
    }
    let found = found?;
    if found.by_prefix {
        warn(&format!("'{}' is short for {}", name.quoted(), found.segment.id.short()));
    }
    Ok(found.segment)
}

/// Finds a segment for a command that changes something, by its exact name.
///
/// # Errors
/// As [`choose`], and when the text could mean two things.
pub fn choose_exact<'a>(
    machine: &dyn Machine,
    names: &ExactNames<'a>,
    text: &OsStr,
    kind: Option<Kind>,
) -> Result<&'a Segment, Failure> {
    let name = SegmentName::read(text.as_bytes(), kind);
    let found = names.resolve_unless(&name, |object| match machine.stat_object(object) {
        Ok(_) => true,
        // The name of a file system that is mounted below /dev/shm.
        Err(error) => error.kind() == io::ErrorKind::CrossesDevices,
    });
    if matches!(found, Err(ResolveError::Unknown { .. })) {
        refuse_other_files(machine, &name)?;
    }
    Ok(found?)
}

/// An error where the name in `/dev/shm` is not that of a regular file.
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

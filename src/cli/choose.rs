//! From a text on the command line to the segment that it names, or to what
//! stands under that name instead.

use super::Failure;
use crate::machine::Machine;
use crate::segment::resolve::{ExactNames, ResolveError, resolve};
use crate::segment::{ObjectName, Segment, SegmentId, unescape};
use crate::survey::Survey;
use std::io;

/// The type bits of a mode, `inode(7)`.
const TYPE: u32 = 0o170_000;

/// Finds the segment that `text` names.
///
/// # Errors
/// When it names none, or more than one, or when that very name in `/dev/shm`
/// is of something else: a FIFO is called a FIFO.
pub fn choose<'a>(machine: &dyn Machine, survey: &'a Survey, text: &str) -> Result<&'a Segment, Failure> {
    let found = resolve(text, &survey.segments);
    // A path, as the shell completes it.
    if let (Err(ResolveError::Unknown { .. }), Some(name)) = (&found, text.strip_prefix("/dev/shm/")) {
        return choose(machine, survey, &format!("posix:/{name}"));
    }
    let by_beginning = match &found {
        Ok(segment) => match &segment.id {
            SegmentId::Posix(name) => object_name(text).as_ref() != Some(name),
            SegmentId::Sysv(_) | SegmentId::Deleted { .. } => false,
        },
        Err(ResolveError::Unknown { .. }) => true,
        Err(ResolveError::Ambiguous { .. }) => object_name(text).is_some(),
    };
    if by_beginning && let Some((name, kind)) = something_else(machine, text) {
        return Err(Failure::NotMemory { id: SegmentId::Posix(name), kind });
    }
    Ok(found?)
}

/// Finds the segment that is called exactly so, for what changes something.
///
/// # Errors
/// As [`choose`].
pub fn choose_exact<'a>(
    machine: &dyn Machine,
    names: &ExactNames<'a>,
    text: &str,
) -> Result<&'a Segment, Failure> {
    // A path, as the shell completes it.
    let path = text.strip_prefix("/dev/shm/").map(|name| format!("posix:/{name}"));
    let found = match (names.resolve(text), &path) {
        (Err(ResolveError::Unknown { .. }), Some(name)) => names.resolve(name),
        (found, _) => found,
    };
    if found.is_err()
        && let Some((name, kind)) = something_else(machine, path.as_deref().unwrap_or(text))
    {
        return Err(Failure::NotMemory { id: SegmentId::Posix(name), kind });
    }
    Ok(found?)
}

fn object_name(text: &str) -> Option<ObjectName> {
    let name = text.strip_prefix("posix:").unwrap_or(text);
    ObjectName::new(&unescape(name))
}

/// What is no regular file under that name, and what it is.
fn something_else(machine: &dyn Machine, text: &str) -> Option<(ObjectName, &'static str)> {
    let name = object_name(text)?;
    let stat = match machine.stat_object(&name) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            return Some((name, "on another file system, mounted below /dev/shm"));
        }
        stat => stat.ok()?,
    };
    let kind = match stat.mode & TYPE {
        0o010_000 => "a FIFO (named pipe)",
        0o020_000 => "a character device",
        0o040_000 => "a directory",
        0o060_000 => "a block device",
        0o120_000 => "a symbolic link",
        0o140_000 => "a socket",
        _ => return None,
    };
    Some((name, kind))
}

//! POSIX segments: the regular files below `/dev/shm`.

use super::Names;
use crate::machine::{Machine, ObjectListing, ObjectStat, UnreadableDirectory};
use crate::segment::{Facts, Mode, ObjectName, PosixFacts, Segment, SegmentId, Times, Unlinked, plain_error};
use std::io;

/// Adds the listed objects and problems. Returns true if only mounts and private directories of
/// other users are missing.
pub fn add(
    listing: io::Result<ObjectListing>,
    machine: &dyn Machine,
    names: &mut Names,
    segments: &mut Vec<Segment>,
    problems: &mut Vec<String>,
) -> bool {
    let listing = match listing {
        Ok(listing) => listing,
        Err(error) => {
            problems.push(format!("failed to list POSIX segments: /dev/shm: {}", plain_error(&error)));
            return false;
        }
    };
    for name in &listing.mounts {
        problems
            .push(format!("/dev/shm{name}: another file system is mounted here; its files are not listed"));
    }
    for directory in &listing.unreadable {
        problems.push(unreadable(directory, machine, names));
    }
    segments.extend(listing.objects.into_iter().map(|(name, stat)| segment(name, &stat, machine, names)));
    listing.unreadable.iter().all(UnreadableDirectory::is_denied)
}

/// Describes a directory that could not be listed, and names the users who can list it.
fn unreadable(directory: &UnreadableDirectory, machine: &dyn Machine, names: &mut Names) -> String {
    let UnreadableDirectory { name, uid, gid, mode, reason, .. } = directory;
    if !directory.is_denied() {
        return format!("failed to list /dev/shm{name}: {}", plain_error(reason));
    }
    let owner = names.owner(machine, *uid, *gid).user_text();
    let readers = if *uid == 0 { "root".to_owned() } else { format!("{owner} or root") };
    let mode = Mode::new(*mode);
    format!("failed to list /dev/shm{name}: permission denied (owner {owner}, mode {mode}). Run as {readers}")
}

fn segment(name: ObjectName, stat: &ObjectStat, machine: &dyn Machine, names: &mut Names) -> Segment {
    from_stat(SegmentId::Posix(name), stat, None, machine, names)
}

/// Builds the segment of an object, linked or unlinked.
pub fn from_stat(
    id: SegmentId,
    stat: &ObjectStat,
    unlinked: Option<Unlinked>,
    machine: &dyn Machine,
    names: &mut Names,
) -> Segment {
    let facts = PosixFacts { device: stat.device, inode: stat.inode, links: stat.links, unlinked };
    let owner = names.owner(machine, stat.uid, stat.gid);
    Segment {
        // The blocks of a file include swapped-out pages.
        resident: Some(stat.allocated),
        times: Times {
            change: Some(stat.change),
            access: Some(stat.access),
            modify: Some(stat.modify),
            birth: stat.birth,
            ..Times::default()
        },
        ..Segment::new(id, stat.size, Mode::new(stat.mode), owner, Facts::Posix(facts))
    }
}

//! Objects that are in no directory any more and that processes still hold.

use super::{Hold, Holdings, Seen};
use crate::machine::Machine;
use crate::machine::process::Object;
use crate::segment::{Bytes, ObjectName, Segment, SegmentId, Unlinked};
use crate::survey::{Names, posix};
use std::collections::{HashMap, HashSet};

/// What the kernel puts behind the name of a file that has none any more.
const DELETED: &[u8] = b" (deleted)";

/// Adds a segment for each. `segments` has to be younger than the look, so
/// that what has a name is among them.
pub fn add(holdings: &Holdings, machine: &dyn Machine, names: &mut Names, segments: &mut Vec<Segment>) {
    let listed: HashSet<(u64, u64)> = segments
        .iter()
        .filter_map(|segment| segment.posix())
        .map(|facts| (facts.device, facts.inode))
        .collect();
    let mut found: HashMap<(u64, u64), Vec<(u32, &Hold)>> = HashMap::new();
    for (&pid, entry) in &holdings.processes {
        let Seen::Holds(_, holds) = &*entry.seen else { continue };
        for hold in holds {
            if let Object::File { device, inode } = hold.of
                && !listed.contains(&(device, inode))
            {
                found.entry((device, inode)).or_default().push((pid, hold));
            }
        }
    }
    let mut new: Vec<Segment> =
        found.into_iter().filter_map(|(file, ways)| segment(file, &ways, machine, names)).collect();
    new.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    segments.extend(new);
}

/// Looks at it through one of its holders. None of them may let us: then it is
/// not shown, since nothing is known of it but a number.
fn segment(
    (device, inode): (u64, u64),
    ways: &[(u32, &Hold)],
    machine: &dyn Machine,
    names: &mut Names,
) -> Option<Segment> {
    let source = machine.processes();
    let (pid, place, stat) = ways.iter().find_map(|(pid, hold)| {
        let stat = source.stat_held(*pid, hold.place).ok()?;
        ((stat.device, stat.inode) == (device, inode)).then_some((*pid, hold.place, stat))
    })?;
    // One with a name was made meanwhile, or stands where we may not list.
    if stat.links > 0 {
        return None;
    }
    let mut former = ways.iter().filter_map(|(pid, hold)| {
        let name = former_name(&source.name_held(*pid, hold.place).ok()?)?;
        let temporary = stat.size == SEMAPHORE && is_temporary(name.as_bytes());
        (!temporary).then_some(name)
    });
    let first = former_name(&source.name_held(pid, place).unwrap_or_default());
    // Names of one holder differ only where it was renamed, or where glibc created it under another one.
    let name = match first {
        Some(name) if !(stat.size == SEMAPHORE && is_temporary(name.as_bytes())) => Some(name),
        _ => former.next(),
    };
    // A removal of ours moves it aside first: that is not what it was called.
    let name = name.map(|name| machine.control().name_before(&name).unwrap_or(name));
    let id = SegmentId::Deleted { device, inode };
    Some(posix::described(id, &stat, Some(Unlinked { name }), machine, names))
}

/// The size of glibc's named semaphores on 64-bit machines.
const SEMAPHORE: Bytes = Bytes(32);

/// Whether glibc may have chosen the name: it creates a semaphore as `sem.` and six random letters and
/// digits, links it to its name and unlinks the first (`sem_open`). The creator's mapping keeps the first.
/// Six lower-case letters are a word that a program chose, with a chance of 200 to 1.
fn is_temporary(name: &[u8]) -> bool {
    let random = name.strip_prefix(b"sem.").filter(|rest| rest.len() == 6);
    random.is_some_and(|rest| {
        rest.iter().all(u8::is_ascii_alphanumeric) && !rest.iter().all(u8::is_ascii_lowercase)
    })
}

/// `/dev/shm/psm_1 (deleted)` was `/psm_1`.
fn former_name(path: &[u8]) -> Option<ObjectName> {
    let path = path.strip_suffix(DELETED)?;
    ObjectName::new(path.strip_prefix(b"/dev/shm/")?)
}

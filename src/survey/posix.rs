//! POSIX segments: the regular files below `/dev/shm`.

use super::Names;
use crate::machine::{Machine, ObjectStat};
use crate::segment::{Facts, Mode, ObjectName, PosixFacts, Segment, SegmentId, State, Times, Verdict};

pub fn segments(machine: &dyn Machine, names: &mut Names, problems: &mut Vec<String>) -> Vec<Segment> {
    let listing = match machine.list_objects() {
        Ok(listing) => listing,
        Err(error) => {
            problems.push(format!("POSIX segments cannot be listed: /dev/shm: {error}"));
            return vec![];
        }
    };
    for (directory, reason) in &listing.unreadable {
        problems.push(format!("/dev/shm{directory} cannot be looked into: {reason}"));
    }
    listing.objects.into_iter().map(|(name, stat)| segment(name, &stat, machine, names)).collect()
}

fn segment(name: ObjectName, stat: &ObjectStat, machine: &dyn Machine, names: &mut Names) -> Segment {
    Segment {
        id: SegmentId::Posix(name),
        size: stat.size,
        resident: Some(stat.allocated),
        // A file's blocks count what is in memory and what is swapped out.
        swapped: None,
        mode: Mode::new(stat.mode),
        owner: names.owner(machine, stat.uid, stat.gid),
        times: Times {
            change: Some(stat.change),
            access: Some(stat.access),
            modify: Some(stat.modify),
            birth: stat.birth,
            ..Times::default()
        },
        facts: Facts::Posix(PosixFacts { device: stat.device, inode: stat.inode }),
        verdict: Verdict::new(State::Unknown, "not judged yet"),
    }
}

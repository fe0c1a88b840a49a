//! Converts the holders that shmlens found to the format of the crowd.

use super::truth::HeldObject;
use shmlens::machine::process::Object;
use shmlens::segment::{Facts, Segment, SegmentId};
use shmlens::survey::Survey;
use std::collections::BTreeMap;

pub fn object(segment: &Segment) -> Object {
    match (&segment.id, &segment.facts) {
        (SegmentId::Sysv(shmid), _) => Object::Sysv(shmid.0),
        (_, Facts::Posix(facts)) => Object::File { device: facts.device, inode: facts.inode },
        _ => panic!("{} is neither", segment.id),
    }
}

pub fn found(survey: &Survey) -> BTreeMap<Object, Vec<HeldObject>> {
    let holders = |segment: &Segment| {
        let holders = segment.holders.iter().flat_map(|all| all.iter());
        let held = holders.map(|holder| HeldObject {
            pid: holder.pid,
            access: holder.access,
            mappings: holder.mappings,
            descriptors: holder.descriptors,
            private: holder.private,
        });
        let mut held: Vec<HeldObject> = held.collect();
        held.sort();
        held
    };
    survey.segments.iter().map(|segment| (object(segment), holders(segment))).collect()
}

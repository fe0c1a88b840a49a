//! Sampling leaves no trace.

use super::{Scope, last, listed, posix, value, writer};
use crate::support::{Namespaces, Nobody, Object, Sysv};
use shmlens::decode::Scalar;
use shmlens::scope::{Grade, Rate};
use shmlens::segment::{SegmentId, ShmId};
use shmlens::sys::shm;
use std::os::unix::fs::MetadataExt as _;

const MIB: u64 = 1 << 20;

#[test]
fn holes_stay_holes_until_they_are_written() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("sparse", 4 * MIB, 0o600);
    object.write(0, &7_u64.to_ne_bytes());
    let before = object.file.metadata().unwrap();
    let segment = posix("/sparse");
    let offsets = [0, 4092, MIB, 2 * MIB];
    let values = offsets.map(|offset| value(&segment, Scalar::U64, offset)).into();
    let mut scope = Scope::start(Rate::Burst, values);
    // More than one check of the pages.
    scope.sample_for(std::time::Duration::from_millis(300));
    let after = object.file.metadata().unwrap();
    assert_eq!(after.blocks(), before.blocks());
    assert_eq!((after.atime(), after.atime_nsec()), (before.atime(), before.atime_nsec()));
    let samples = [0, 1, 2, 3].map(|channel| last(&scope.all, channel).unwrap());
    let expected = [(7, Grade::Whole), (0, Grade::Stable), (0, Grade::Whole), (0, Grade::Whole)];
    assert_eq!(samples, expected);
    object.write(2 * MIB, &9_u64.to_ne_bytes());
    scope.until(|all| last(all, 3) == Some((9, Grade::Whole)));
    scope.sample_for(std::time::Duration::from_millis(300));
    assert_eq!(last(&scope.stop(), 3), Some((9, Grade::Whole)));
    assert_eq!(object.file.metadata().unwrap().blocks(), before.blocks() + 8);
}

#[test]
fn system_v_segment_is_sampled_through_its_holder() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["sysv", "0x5c09e", "1000"]) else { return };
    let shmid = ShmId(shm::find(0x5c09e).unwrap());
    let id = SegmentId::Sysv(shmid);
    let segment = listed(&id);
    let before = shm::stat(shmid.0).unwrap();
    for rate in [Rate::Burst, Rate::Hertz(1000.0)] {
        let mut scope = Scope::start(rate, vec![value(&segment, Scalar::U64, 0)]);
        scope.until(|all| all.timing.samples > 100 && last(all, 0).is_some_and(|(count, _)| count > 50));
        assert_eq!(shm::stat(shmid.0).unwrap(), before, "{rate:?}");
        // A mapping that is no attachment would hide one that was not found.
        assert_eq!(listed(&id).holders.map(|holders| holders.len()), Some(1));
        scope.stop();
    }
    assert_eq!(shm::stat(shmid.0).unwrap(), before);
}

#[test]
fn holes_of_an_attached_segment_stay_holes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x5c09e, 4 * MIB, 0o644);
    sysv.write(8, &7_u64.to_ne_bytes());
    let segment = listed(&sysv.id());
    let resident = || listed(&sysv.id()).resident;
    let before = resident();
    let values = [8, MIB].map(|offset| value(&segment, Scalar::U64, offset)).into();
    let mut scope = {
        let _nobody = Nobody::here();
        Scope::start(Rate::Burst, values)
    };
    scope.sample_for(std::time::Duration::from_millis(300));
    assert_eq!(shm::stat(sysv.shmid).unwrap().nattch, 1, "nobody may only attach it");
    assert_eq!(resident(), before);
    let all = scope.stop();
    assert_eq!([0, 1].map(|channel| last(&all, channel).unwrap()), [(7, Grade::Whole), (0, Grade::Whole)]);
    assert_eq!(shm::stat(sysv.shmid).unwrap().nattch, 0);
}

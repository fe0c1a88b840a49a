//! The table of System V segments, and the limits.

use super::{listed, survey};
use crate::support::{NOBODY, Namespaces, Nobody, Object, Sysv};
use shmlens::machine::real::RealMachine;
use shmlens::machine::{Machine as _, sysv_table};
use shmlens::memory::Reader;
use shmlens::segment::{Bytes, Key, Mode};
use shmlens::sys::shm;
use std::process::Command;

#[test]
fn owners_keys_and_flags_are_read_exactly() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let far = Sysv::new(0xdead_beef, 12_345, 0o641).owned_by(100_000, 4_000_000_000);
    far.lock();
    let segment = listed(&far.id());
    assert_eq!((segment.owner.uid, segment.owner.gid), (100_000, 4_000_000_000));
    assert_eq!((segment.owner.user.clone(), segment.mode), (None, Mode::new(0o641)));
    let facts = segment.sysv().unwrap();
    assert_eq!(
        (facts.key, facts.creator.uid, facts.creator.user.as_deref()),
        (Key(0xdead_beef), 0, Some("root"))
    );
    assert!(facts.locked && !facts.marked);

    let reader = Reader::open(&RealMachine, &segment).unwrap();
    let id = far.id();
    drop(far);
    let segment = listed(&id);
    let facts = segment.sysv().unwrap();
    assert!(facts.locked && facts.marked && segment.mode == Mode::new(0o641));
    drop(reader);
}

#[test]
fn full_table_is_listed_completely() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let limits = survey().limits;
    assert_eq!(limits.shmmni, Some(4096));
    let segments: Vec<_> = (1..=4096).map(|key| Sysv::new(key, 1, 0o600)).collect();
    assert!(shm::create(5000, 1, 0o600).is_err(), "more than shmmni");
    let full = survey();
    assert_eq!((full.segments.len(), full.problems.len()), (4096, 0));
    assert_eq!((full.limits.sysv_segments, full.limits.sysv_bytes), (4096, Bytes(4096)));
    for segment in &segments {
        assert!(full.segments.iter().any(|listed| listed.id == segment.id()));
    }
}

#[test]
fn limits_match_the_kernel() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let before = survey().limits;
    let object = Object::new("full", 0, 0o600);
    object.write(0, &vec![1; 1 << 20]);
    let after = survey().limits;
    let (before, shm) = (before.dev_shm.unwrap(), after.dev_shm.unwrap());
    assert_eq!((shm.used.0 - before.used.0, shm.inodes_used - before.inodes_used), (1 << 20, 1));
    let output = Command::new("df").args(["-B1", "--output=size", "/dev/shm"]).output().unwrap();
    let size = String::from_utf8_lossy(&output.stdout).lines().nth(1).unwrap().trim().parse().unwrap();
    assert_eq!(shm.size, Bytes(size));
    let sysctl =
        |name| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap().trim().parse().ok();
    assert_eq!(after.shmmni, sysctl("shmmni"));
    assert_eq!(after.shmmax.map(|bytes| bytes.0), sysctl("shmmax"));
}

#[test]
fn shmctl_slots_match_the_proc_table() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let plain = Sysv::new(7, 5000, 0o640).owned_by(NOBODY, 100_000);
    let locked = Sysv::new(0, 4096, 0o600);
    locked.lock();
    let marked = Sysv::new(8, 4096, 0o604);
    let _held = shm::Attachment::read_only(marked.shmid).unwrap();
    shm::remove(marked.shmid).unwrap();
    let gone = Sysv::new(9, 4096, 0o600);
    let last = Sysv::new(10, 4096, 0o000);
    drop(gone);
    let nobody = Nobody::here();
    let mut table = sysv_table::parse(&RealMachine.sysv_table().unwrap());
    assert_eq!(table.rows.len(), 4);
    for row in &mut table.rows {
        (row.resident, row.swapped) = (None, None);
    }
    assert_eq!(RealMachine.sysv_rows().unwrap(), table);
    drop(nobody);
    drop((plain, last));
}

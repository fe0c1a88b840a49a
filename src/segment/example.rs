//! Example segments for unit tests.

use super::{
    Access, Bytes, Facts, Holder, Key, Mode, ObjectName, Owner, Place, PosixFacts, Segment, SegmentId, ShmId,
    State, SysvFacts, Times, Timestamp, Unlinked, Verdict,
};

fn ann() -> Owner {
    Owner { uid: 1000, user: Some("ann".into()), gid: 1000, group: Some("ann".into()) }
}

/// Returns `sysv:32770`: key 0x4d2, 1 MiB, locked, attached twice, 5000 s old at 10 000.
pub fn sysv() -> Segment {
    let facts = SysvFacts {
        key: Key(0x4d2),
        creator: ann(),
        creator_pid: 4121,
        last_pid: 4188,
        nattch: 2,
        locked: true,
        marked: false,
    };
    let id = SegmentId::Sysv(ShmId(32770));
    Segment {
        resident: Some(Bytes(128 << 10)),
        swapped: Some(Bytes(0)),
        times: Times { change: Some(Timestamp::from_seconds(5000)), ..Times::default() },
        verdict: Verdict::new(State::InUse, "attached 2 times"),
        ..Segment::new(id, Bytes(1 << 20), Mode::new(0o666), ann(), Facts::Sysv(facts))
    }
}

/// A process of user ann that has mapped a 4 KiB segment.
pub fn holder(pid: u32) -> Holder {
    Holder {
        pid,
        command: b"reader"[..].into(),
        owner: ann(),
        started: Timestamp::from_seconds(9000),
        start: 0,
        access: Access::Read,
        mappings: 1,
        mapped_to: 4096,
        descriptors: 0,
        place: Place::Mapping { start: 0, end: 4096 },
        private: false,
        ourselves: false,
    }
}

/// Returns `posix:/psm_1f09ab2c`: 4 KiB, 180 s old at 10 000.
pub fn posix() -> Segment {
    posix_named(b"psm_1f09ab2c")
}

/// Like [`posix`], with another name.
pub fn posix_named(name: &[u8]) -> Segment {
    let id = SegmentId::Posix(ObjectName::new(name).unwrap());
    let facts = PosixFacts { device: 26, inode: 7, links: 1, unlinked: None };
    Segment {
        resident: Some(Bytes(4096)),
        times: Times { birth: Some(Timestamp::from_seconds(9820)), ..Times::default() },
        verdict: Verdict::new(State::Unknown, "its holders are not known"),
        ..Segment::new(id, Bytes(4096), Mode::new(0o600), ann(), Facts::Posix(facts))
    }
}

/// An unlinked object with this inode and former name.
pub fn unlinked(inode: u64, former_name: &[u8]) -> Segment {
    let mut segment = posix_named(former_name);
    segment.id = SegmentId::Deleted { device: 26, inode };
    let unlinked = Some(Unlinked { name: ObjectName::new(former_name), by: vec![], concealed: false });
    segment.facts = Facts::Posix(PosixFacts { device: 26, inode, links: 0, unlinked });
    segment
}

//! New segments of the fake machine.

use super::{FakeBytes, FakeMachine};
use crate::machine::{FinalAttributes, FinishedSegment, SegmentBuilder};
use crate::segment::{Key, Mode, ObjectName, SegmentId, ShmId};
use std::io;

/// A segment that is being filled; it does not exist until it is finished.
pub struct FakeBuilder {
    pub machine: FakeMachine,
    pub name: Result<ObjectName, Key>,
    pub bytes: FakeBytes,
}

impl FakeBuilder {
    /// Returns true if another segment has the name or the key.
    pub fn is_taken(&self) -> bool {
        self.machine.edit(|facts| match &self.name {
            Ok(name) => facts.posix.contains_key(name) || facts.others.contains(name),
            Err(key) => !key.is_private() && facts.sysv.iter().any(|segment| segment.row.key == *key),
        })
    }
}

impl SegmentBuilder for FakeBuilder {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.bytes.write(offset, bytes);
        Ok(())
    }

    fn finish(&mut self, attributes: &FinalAttributes<'_>) -> io::Result<FinishedSegment> {
        if self.is_taken() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let bytes = std::mem::take(&mut self.bytes);
        let caller = crate::machine::control::Control::credentials(&self.machine);
        let (uid, gid) = attributes.owner.map_or((caller.uid, caller.gid), |owner| (owner.uid, owner.gid));
        let mode = attributes.mode.bits() & 0o777;
        let id = match &self.name {
            Ok(name) => {
                self.machine.add_named(name.clone(), bytes);
                self.machine.edit(|facts| {
                    if let Some(object) = facts.posix.get_mut(name) {
                        let stat = &mut object.stat;
                        (stat.uid, stat.gid, stat.mode) = (uid, gid, 0o100_000 | mode);
                        stat.birth = Some(crate::segment::Timestamp::from_seconds(facts.now));
                        stat.change = crate::segment::Timestamp::from_seconds(facts.now);
                    }
                });
                SegmentId::Posix(name.clone())
            }
            Err(key) => {
                let highest =
                    |facts: &mut super::FakeFacts| facts.sysv.iter().map(|segment| segment.row.shmid.0).max();
                let shmid = self.machine.edit(highest).map_or(0, |highest| highest + 1);
                let index = self.machine.add_sysv(shmid, key.0, bytes);
                self.machine.edit(|facts| {
                    let row = &mut facts.sysv[index].row;
                    (row.uid, row.gid, row.mode) = (uid, gid, Mode::new(mode));
                    (row.creator_uid, row.creator_gid) = (caller.uid, caller.gid);
                    row.change = Some(crate::segment::Timestamp::from_seconds(facts.now));
                });
                SegmentId::Sysv(ShmId(shmid))
            }
        };
        Ok(FinishedSegment { id, refused: vec![] })
    }
}

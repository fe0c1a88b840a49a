//! Open segments of the fake machine.

use super::{FakeBytes, FakeMachine, FakeSysv, lock};
use crate::machine::control::SysvStat;
use crate::machine::{Contents, ContentsStat, Extent, Trace};
use crate::segment::Identity;
use std::io;
use std::sync::{Arc, Mutex};

/// An open POSIX object: it survives the removal of its name.
pub struct OpenFakeObject {
    pub identity: Identity,
    pub bytes: Arc<Mutex<FakeBytes>>,
    pub trace: Trace,
}

impl Contents for OpenFakeObject {
    fn stat(&self) -> io::Result<ContentsStat> {
        let bytes = lock(&self.bytes);
        Ok(ContentsStat { size: bytes.size, identity: self.identity, removed: bytes.removed })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(lock(&self.bytes).read(offset, buffer))
    }

    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>> {
        Ok(lock(&self.bytes).extent(offset, limit))
    }

    fn trace(&self) -> Trace {
        self.trace
    }
}

/// An attached System V segment; dropping it detaches.
pub struct AttachedFake {
    pub machine: FakeMachine,
    pub row: SysvStat,
}

impl AttachedFake {
    fn with<T>(&self, ask: impl FnOnce(&FakeSysv) -> T) -> io::Result<T> {
        let facts = lock(&self.machine.facts);
        let made = facts.sysv.iter().find(|made| made.row.shmid == self.row.shmid);
        made.map(ask).ok_or_else(|| io::Error::from_raw_os_error(libc::EIDRM))
    }
}

impl Contents for AttachedFake {
    fn stat(&self) -> io::Result<ContentsStat> {
        let removed = self.with(|made| made.row.marked).unwrap_or(true);
        Ok(ContentsStat { size: self.row.size.0, identity: self.row.identity(), removed })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|made| made.bytes.read(offset, buffer))
    }

    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>> {
        self.with(|made| made.bytes.extent(offset, limit))
    }

    fn trace(&self) -> Trace {
        Trace::Attached
    }
}

impl Drop for AttachedFake {
    fn drop(&mut self) {
        let mut facts = lock(&self.machine.facts);
        for made in facts.sysv.iter_mut().filter(|made| made.row.shmid == self.row.shmid) {
            made.row.nattch = made.row.nattch.saturating_sub(1);
        }
        facts.reap();
    }
}

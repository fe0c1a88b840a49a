//! Open segments of the fake machine.

use super::{FakeBytes, FakeMachine, FakeSysv, lock};
use crate::machine::control::SysvStat;
use crate::machine::{Contents, ContentsStat, Extent, Method};
use crate::segment::Identity;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// An open POSIX object: it survives the removal of its name.
pub struct OpenFakeObject {
    pub identity: Identity,
    pub bytes: Arc<Mutex<FakeBytes>>,
    pub method: Method,
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

    fn method(&self) -> Method {
        self.method
    }

    fn swapped_in(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        Ok(lock(&self.bytes).swapped_in(&range))
    }
}

/// A System V segment, attached or opened through a holder.
pub struct OpenFakeSysv {
    pub machine: FakeMachine,
    pub row: SysvStat,
    pub method: Method,
}

impl OpenFakeSysv {
    fn with<T>(&self, ask: impl FnOnce(&FakeSysv) -> T) -> io::Result<T> {
        let facts = lock(&self.machine.facts);
        let segment = facts.sysv.iter().find(|segment| segment.row.shmid == self.row.shmid);
        segment.map(ask).ok_or_else(|| io::Error::from_raw_os_error(libc::EIDRM))
    }
}

impl Contents for OpenFakeSysv {
    fn stat(&self) -> io::Result<ContentsStat> {
        let removed = self.with(|segment| segment.row.marked).unwrap_or(true);
        Ok(ContentsStat { size: self.row.size.0, identity: self.row.identity(), removed })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|segment| segment.bytes.read(offset, buffer))
    }

    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>> {
        self.with(|segment| segment.bytes.extent(offset, limit))
    }

    fn method(&self) -> Method {
        self.method
    }

    fn swapped_in(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        self.with(|segment| segment.bytes.swapped_in(&range))
    }
}

impl Drop for OpenFakeSysv {
    fn drop(&mut self) {
        if self.method != Method::Attach {
            return;
        }
        let mut facts = lock(&self.machine.facts);
        for segment in facts.sysv.iter_mut().filter(|segment| segment.row.shmid == self.row.shmid) {
            segment.row.nattch = segment.row.nattch.saturating_sub(1);
        }
        facts.reap();
    }
}

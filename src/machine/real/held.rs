//! Reads System V segments through a mapping of a process that has them attached. Reading the
//! mapped file allocates nothing, and changes no field of `shmid_ds`. It could be mapped as well, but
//! that would look like an attachment that nattch does not count.

use super::posix::{extent_of_file, read_file};
use super::sysv::{reports_holes, row_in_table};
use super::sysv_stat;
use crate::machine::{Contents, ContentsStat, Extent, ExtentKind, Method};
use crate::segment::{Bytes, Identity, ShmId};
use crate::sys::object::OpenObject;
use crate::sys::shm::{self, ShmStat};
use crate::sys::swapped::swapped_in;
use std::fs::File;
use std::io;
use std::ops::Range;

pub struct HeldSegment {
    shmid: ShmId,
    file: File,
    pid: u32,
    identity: Identity,
    size: u64,
    /// Set for huge pages, whose file reports no holes.
    huge: bool,
}

impl HeldSegment {
    /// `object` must be the file of that segment.
    pub fn new(object: OpenObject, pid: u32, stat: &ShmStat) -> Self {
        let huge = !reports_holes(&object.file);
        let identity = sysv_stat(stat).identity();
        Self { shmid: ShmId(stat.shmid), file: object.file, pid, identity, size: stat.size, huge }
    }
}

impl Contents for HeldSegment {
    fn stat(&self) -> io::Result<ContentsStat> {
        // The open file keeps the memory, but not the shmid, which may belong to another segment
        // now.
        let removed = shm::stat_any(self.shmid.0).map_or(true, |stat| {
            let stat = sysv_stat(&stat);
            stat.marked || !self.identity.matches(&stat.identity())
        });
        Ok(ContentsStat { size: self.size, identity: self.identity, removed })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        // With huge pages, the file is longer than the segment.
        let room = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = buffer.len().min(room);
        read_file(&self.file, offset, &mut buffer[..length])
    }

    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>> {
        if !self.huge {
            return extent_of_file(&self.file, offset, self.size, limit);
        }
        let end = offset.saturating_add(limit.max(1)).min(self.size);
        let empty = row_in_table(self.shmid, |row| row.resident) == Some(Bytes(0));
        let kind = if empty { ExtentKind::Hole } else { ExtentKind::Data };
        Ok((offset < self.size).then_some(Extent { end, kind }))
    }

    fn method(&self) -> Method {
        // The times in `shmid_ds` do not change, even without O_NOATIME.
        Method::Holder { pid: self.pid, keeps_access_time: true }
    }

    fn swapped_in(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        swapped_in(&self.file, range.start..range.end.min(self.size))
    }
}

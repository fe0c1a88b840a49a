//! Reading a POSIX object: by descriptor and `pread(2)`, never by mapping it.
//! A mapping would allocate the holes it reads and raise SIGBUS when the owner
//! shrinks the object.

use super::object_stat;
use crate::machine::{Contents, ContentsStat, Extent, ExtentKind, Trace};
use crate::sys::object::{OpenObject, extent_at};
use crate::sys::statx_fd;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;

pub struct PosixContents {
    object: OpenObject,
}

impl PosixContents {
    pub const fn new(object: OpenObject) -> Self {
        Self { object }
    }
}

impl Contents for PosixContents {
    fn stat(&self) -> io::Result<ContentsStat> {
        let stat = object_stat(&statx_fd(self.object.file.as_fd())?);
        Ok(ContentsStat { size: stat.size.0, identity: stat.identity(), removed: stat.links == 0 })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            let Some(at) = offset.checked_add(done as u64).filter(|&at| i64::try_from(at).is_ok()) else {
                break;
            };
            match self.object.file.read_at(&mut buffer[done..], at) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>> {
        let size = statx_fd(self.object.file.as_fd())?.size;
        let found = extent_at(&self.object.file, offset, size)?;
        Ok(found.map(|run| Extent {
            end: run.end.min(offset.saturating_add(limit.max(1))),
            kind: if run.data { ExtentKind::Data } else { ExtentKind::Hole },
        }))
    }

    fn trace(&self) -> Trace {
        if self.object.keeps_access_time { Trace::None } else { Trace::AccessTime }
    }
}

//! Reads POSIX objects with `pread(2)`. Loads from a mapping would allocate the holes that they
//! read, so only those who know that the pages exist ask for a view.

use super::object_stat;
use crate::machine::{Contents, ContentsStat, Extent, ExtentKind, Method};
use crate::sys::object::{OpenObject, extent_at};
use crate::sys::swapped::swapped_in;
use crate::sys::view::View;
use crate::sys::{handle, statx_fd};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;

pub struct PosixContents {
    object: OpenObject,
    /// The process through which the object was opened; `None` if the object was opened by its
    /// name.
    holder: Option<u32>,
}

impl PosixContents {
    pub const fn new(object: OpenObject) -> Self {
        Self { object, holder: None }
    }

    pub const fn through(object: OpenObject, holder: u32) -> Self {
        Self { object, holder: Some(holder) }
    }
}

/// Reads until the buffer is full or the file ends (`pread(2)`).
pub fn read_file(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        // pread(2) refuses a range that ends past 2^63-1, the maximum size of an object.
        let position = offset.saturating_add(done as u64);
        let limit = usize::try_from((i64::MAX as u64).saturating_sub(position)).unwrap_or(usize::MAX);
        let rest = &mut buffer[done..];
        let end = rest.len().min(limit);
        if end == 0 {
            break;
        }
        match file.read_at(&mut rest[..end], position) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Returns the extent that contains `offset`, like [`Contents::extent_at`].
pub fn extent_of_file(file: &File, offset: u64, size: u64, limit: u64) -> io::Result<Option<Extent>> {
    let found = extent_at(file, offset, size, limit)?;
    Ok(found.map(|run| Extent {
        end: run.end.min(offset.saturating_add(limit.max(1))),
        kind: if run.data { ExtentKind::Data } else { ExtentKind::Hole },
    }))
}

impl Contents for PosixContents {
    fn stat(&self) -> io::Result<ContentsStat> {
        let stat = object_stat(&statx_fd(self.object.file.as_fd())?);
        Ok(ContentsStat { size: stat.size.0, identity: stat.identity(), removed: stat.links == 0 })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_file(&self.object.file, offset, buffer)
    }

    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>> {
        let size = statx_fd(self.object.file.as_fd())?.size;
        extent_of_file(&self.object.file, offset, size, limit)
    }

    fn method(&self) -> Method {
        let keeps_access_time = self.object.keeps_access_time;
        match self.holder {
            Some(pid) => Method::Holder { pid, keeps_access_time },
            None => Method::Name { keeps_access_time },
        }
    }

    fn swapped_in(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        swapped_in(&self.object.file, range)
    }

    fn view(&self, range: Range<u64>) -> io::Result<View> {
        View::of_file(&self.object.file, range)
    }

    fn acl(&self) -> io::Result<Option<Vec<u8>>> {
        handle::acl(self.object.file.as_fd())
    }
}

//! Reads System V segments, which are attached read-only. Accesses only pages that `mincore(2)`
//! reports as resident, so that nothing is allocated.
//!
//! A swapped page is not resident but has data: if part of the segment is in swap, its nonresident
//! pages must be read too.
//!
//! For a segment backed by huge pages, `mincore` only reports pages that this process has accessed,
//! so the entire segment counts as data. Huge pages are never swapped out.
//!
//! Root may open the mapping as a file (`/proc/self/map_files`) and read it like an object, which
//! finds holes of any size at once and includes swapped pages. For other users, `mincore` takes
//! about ten seconds per TiB, hole or not.

use super::posix::{extent_of_file, read_file};
use super::{SYSV_TABLE, sysv_stat};
use crate::machine::control::SysvStat;
use crate::machine::{Contents, ContentsStat, Extent, ExtentKind, LastUse, Method, UseLog, sysv_table};
use crate::segment::{Bytes, Identity, ShmId, Timestamp};
use crate::sys::shm::{self, Attachment};
use crate::sys::swapped::swapped_in;
use crate::sys::view::View;
use crate::sys::{page_size, swap};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use std::fs::{self, File};
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::{io, process};

/// The number of pages per `mincore` call: 16 MiB, well under a millisecond.
const PAGES_PER_CALL: usize = 4096;

pub struct SysvContents {
    shmid: ShmId,
    attachment: Arc<Attachment>,
    identity: Identity,
    /// `None` if this process may not open it.
    file: Option<File>,
    /// Set for huge pages: neither `mincore` nor the file reports holes.
    huge: bool,
}

static LOG: OnceLock<&'static dyn UseLog> = OnceLock::new();

/// Sets the log that records the last use of segments before this process attaches them.
pub fn log_uses(log: &'static dyn UseLog) {
    let _ = LOG.set(log);
}

/// Records the last use of a segment by another process before attaching or detaching overwrites
/// it.
pub fn note_use(shmid: ShmId) {
    let Some(log) = LOG.get() else { return };
    // Attaching requires the same permission.
    let Ok(stat) = shm::stat(shmid.0) else { return };
    let pid = stat.last_pid.cast_unsigned();
    if pid != process::id() {
        let time = |seconds: i64| (seconds != 0).then(|| Timestamp::from_seconds(seconds));
        let last = LastUse { pid, attach: time(stat.attach_time), detach: time(stat.detach_time) };
        log.note(shmid, &sysv_stat(&stat).identity(), last);
    }
}

impl Drop for SysvContents {
    fn drop(&mut self) {
        // Another process may have used the segment in the meantime.
        note_use(self.shmid);
    }
}

impl SysvContents {
    pub fn attach(shmid: ShmId) -> io::Result<Self> {
        note_use(shmid);
        let attachment = Arc::new(Attachment::read_only(shmid.0)?);
        let identity = sysv_stat(&shm::stat(shmid.0)?).identity();
        let file = attachment.open().ok();
        let huge = file.as_ref().map_or_else(|| attachment.is_in_huge_pages(), |file| !reports_holes(file));
        Ok(Self { shmid, attachment, identity, file, huge })
    }

    /// Returns true if a nonresident page may have data.
    fn may_be_swapped(&self) -> bool {
        swap::in_use() && row_in_table(self.shmid, |row| row.swapped).is_none_or(|bytes| bytes.0 > 0)
    }

    /// Copies data; with huge pages, holes too.
    fn copy(&self, offset: u64, part: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < part.len() {
            done += self.attachment.copy_to(offset + done as u64, &mut part[done..]);
            if done == part.len() {
                break;
            }
            if !self.huge {
                // Memory ran out, or the swap device failed.
                return Err(io::Error::from_raw_os_error(libc::EIO));
            }
            // A huge page that cannot be allocated: a hole.
            let page = page_size() - (offset + done as u64) % page_size();
            let end = usize::try_from(page).map_or(part.len(), |page| part.len().min(done + page));
            part[done..end].fill(0);
            done = end;
        }
        Ok(())
    }

    /// Returns the run of pages with equal residency from `first` on, at most `count`.
    fn run(&self, first: u64, count: u64) -> io::Result<(u64, bool)> {
        let mut pages = [0u8; PAGES_PER_CALL];
        let count = usize::try_from(count).unwrap_or(PAGES_PER_CALL).clamp(1, PAGES_PER_CALL);
        self.attachment.resident(first, &mut pages[..count])?;
        let there = pages[0] & 1 != 0;
        let length = pages[..count].iter().take_while(|&&page| (page & 1 != 0) == there).count();
        Ok((length as u64, there))
    }
}

impl Contents for SysvContents {
    fn stat(&self) -> io::Result<ContentsStat> {
        // Size and identity cannot change while the segment is attached. If the owner revokes read
        // permission, the last known state is kept.
        let removed = shm::stat(self.shmid.0).is_ok_and(|stat| sysv_stat(&stat).marked);
        Ok(ContentsStat { size: self.attachment.len(), identity: self.identity, removed })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(file) = &self.file {
            return read_file(file, offset, buffer);
        }
        let length = self.attachment.len().saturating_sub(offset).min(buffer.len() as u64);
        let mut done = 0;
        while done < length {
            let at = offset + done;
            let Some(extent) = self.extent_at(at, length - done)? else { break };
            let end = (extent.end - offset).min(length);
            // Both numbers are within the buffer, whose length is a usize.
            let (Ok(from), Ok(to)) = (usize::try_from(done), usize::try_from(end)) else { break };
            let part = &mut buffer[from..to];
            match extent.kind {
                ExtentKind::Data => self.copy(at, part)?,
                ExtentKind::Hole => part.fill(0),
            }
            done = end;
        }
        Ok(usize::try_from(done).unwrap_or(buffer.len()))
    }

    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>> {
        let size = self.attachment.len();
        if offset >= size {
            return Ok(None);
        }
        if self.huge {
            let end = offset.saturating_add(limit.max(1)).min(size);
            let empty = row_in_table(self.shmid, |row| row.resident) == Some(Bytes(0));
            return Ok(Some(Extent { end, kind: if empty { ExtentKind::Hole } else { ExtentKind::Data } }));
        }
        if let Some(file) = &self.file {
            return extent_of_file(file, offset, size, limit);
        }
        let page = page_size();
        let last = offset.saturating_add(limit.max(1)).min(size);
        let first_page = offset / page;
        let (pages, there) = self.run(first_page, last.div_ceil(page) - first_page)?;
        let end = ((first_page + pages) * page).min(last);
        // The order matters: mincore first, then the swap use, so that a page that is swapped out
        // in between does not count as a hole.
        let kind = if there || self.may_be_swapped() { ExtentKind::Data } else { ExtentKind::Hole };
        Ok(Some(Extent { end, kind }))
    }

    fn method(&self) -> Method {
        Method::Attach
    }

    fn swapped_in(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        if let Some(file) = &self.file {
            return swapped_in(file, range);
        }
        let mut runs: Vec<Range<u64>> = vec![];
        if self.huge || !self.may_be_swapped() {
            return Ok(runs);
        }
        // A page that is not resident is a hole or swapped out, and mincore does not distinguish
        // them.
        let range = range.start..range.end.min(self.attachment.len());
        let (mut first, page) = (range.start / page_size(), page_size());
        while first * page < range.end {
            let (pages, there) = self.run(first, range.end.div_ceil(page) - first)?;
            if !there {
                runs.push((first * page).max(range.start)..((first + pages) * page).min(range.end));
            }
            first += pages;
        }
        Ok(runs)
    }

    fn view(&self, range: Range<u64>) -> io::Result<View> {
        // A missing huge page cannot be replaced by a small one.
        if self.huge {
            return Err(io::ErrorKind::Unsupported.into());
        }
        View::of_attachment(&self.attachment, range)
    }

    fn release(&self, offset: u64, length: u64) {
        self.attachment.release(offset, length);
    }
}

/// Returns a field of a segment's row in the kernel's table.
pub fn row_in_table(shmid: ShmId, figure: impl Fn(&SysvStat) -> Option<Bytes>) -> Option<Bytes> {
    let table = sysv_table::parse(&fs::read(SYSV_TABLE).ok()?);
    table.rows.iter().find(|row| row.shmid == shmid).and_then(figure)
}

/// Returns true if the file reports holes: hugetlbfs reports the whole file as data.
pub fn reports_holes(file: &File) -> bool {
    fstatfs(file).is_ok_and(|stat| stat.filesystem_type() == TMPFS_MAGIC)
}

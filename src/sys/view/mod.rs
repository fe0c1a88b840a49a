//! Read-only views of shared memory whose loads never kill this process.
//!
//! A load raises SIGBUS if the kernel cannot provide the page: the object has shrunk, or memory ran
//! out. A view turns that into [`View::is_lost`]. Its loads take a nanosecond, where `pread(2)` takes
//! 600.

mod guard;

use super::shm::Attachment;
use super::{check, page_size};
use guard::Guard;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};
use std::fs::File;
use std::io;
use std::num::NonZero;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A view of a part of a segment. Dropping it unmaps the part.
#[derive(Debug)]
pub struct View {
    /// Dropped before the pages are unmapped, after which the address may belong to others.
    guard: Guard,
    /// The address of the first byte of the part.
    start: NonNull<u8>,
    length: usize,
    _pages: Pages,
}

#[derive(Debug)]
#[expect(dead_code, reason = "keeps the pages mapped")]
enum Pages {
    Mapped(Mapped),
    /// Part of an attachment, which stays attached as long.
    Attached(Arc<Attachment>),
}

#[derive(Debug)]
struct Mapped {
    address: NonNull<u8>,
    length: NonZero<usize>,
}

// SAFETY: the pages stay mapped wherever the view is, and only `load` reads them, atomically.
unsafe impl Send for View {}

impl View {
    /// Maps a part of a file, which may end earlier. Allocates nothing: see [`Self::load`].
    ///
    /// # Errors
    /// `EINVAL` for an empty range or one that does not start at a multiple of 8, `Unsupported` for
    /// huge pages, `EACCES`, `ENOMEM`, `ENOBUFS` if there are too many views.
    pub fn of_file(file: &File, range: Range<u64>) -> io::Result<Self> {
        // A missing huge page cannot be replaced by a small one.
        if fstatfs(file)?.filesystem_type() == HUGETLBFS_MAGIC {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let first = range.start - range.start % page_size();
        let length = range.end.checked_sub(first).and_then(|length| usize::try_from(length).ok());
        let length = length.and_then(NonZero::new).ok_or_else(invalid)?;
        let at = libc::off_t::try_from(first).map_err(|_| invalid())?;
        // SAFETY: with a null address the kernel chooses a free range, so no memory that this
        // program uses is replaced.
        let address = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, file, at) }?;
        let pages = Mapped { address: address.cast(), length };
        // A child forked by another thread would hold the object until it execs.
        // SAFETY: the whole mapping, whose contents do not change.
        unsafe { check(libc::madvise(address.as_ptr(), length.get(), libc::MADV_DONTFORK)) }?;
        // Smaller than the length of the mapping.
        let before = usize::try_from(range.start - first).map_err(|_| invalid())?;
        // SAFETY: within the mapping.
        let start = unsafe { pages.address.add(before) };
        Self::new(start, length.get() - before, Pages::Mapped(pages))
    }

    /// Views a part of an attached segment.
    ///
    /// # Errors
    /// As [`Self::of_file`].
    pub fn of_attachment(attachment: &Arc<Attachment>, range: Range<u64>) -> io::Result<Self> {
        let (start, length) = attachment.readable_range(range).ok_or_else(invalid)?;
        Self::new(start, length, Pages::Attached(Arc::clone(attachment)))
    }

    fn new(start: NonNull<u8>, length: usize, pages: Pages) -> io::Result<Self> {
        if length == 0 || !start.cast::<u64>().is_aligned() {
            return Err(invalid());
        }
        let guard = Guard::new(start.as_ptr().addr(), length)?;
        Ok(Self { guard, start, length, _pages: pages })
    }

    /// Loads the 8 bytes at a multiple of 8, at once: no aligned value in them is torn. `None` if
    /// they start past the end of the part.
    ///
    /// Allocates the page if nobody has written it, so check first that it exists. Bytes of a page
    /// that no longer exists are 0, and [`Self::is_lost`] returns true from then on.
    #[must_use]
    pub fn load(&self, word: usize) -> Option<u64> {
        let at = word.checked_mul(8).filter(|&at| at < self.length)?;
        // SAFETY: the part starts at a multiple of 8 and is mapped as whole pages, so the 8 bytes are
        // mapped. Relaxed loads of this size are allowed on read-only memory.
        Some(unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(at).cast()).load(Ordering::Relaxed) })
    }

    /// Returns true if a page was missing. The view has zeros in its place, for good.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.guard.is_hit()
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the address came from mmap, is unmapped only here, and nothing borrows the memory.
        let _ = unsafe { munmap(self.address.cast(), self.length.get()) };
    }
}

fn invalid() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}

#[cfg(test)]
mod tests;

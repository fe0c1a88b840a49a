//! The ring buffer in which the kernel writes the records of an event.

use super::MIN_RING;
use crate::sys::page_size;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::io;
use std::num::NonZero;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// A ring buffer: `struct perf_event_mmap_page` and the data after it.
pub struct Ring {
    page: NonNull<u8>,
    length: NonZero<usize>,
    /// The offset of the data in the mapping, and its size, a power of two.
    data: usize,
    size: usize,
    /// Bytes that were read so far.
    tail: u64,
}

// SAFETY: the mapping belongs to the ring alone, and is used through it only.
unsafe impl Send for Ring {}

/// The offsets of `data_head` and `data_tail` in the first page.
const HEAD: usize = 1024;
const TAIL: usize = 1032;
/// The size of `struct perf_event_header`: type, flags, size.
const HEADER: usize = 8;

impl Ring {
    /// Maps a buffer of at least `wanted` bytes, or of [`MIN_RING`] where the limit is lower.
    pub fn map(event: BorrowedFd<'_>, wanted: usize) -> io::Result<Self> {
        let page = usize::try_from(page_size()).unwrap_or(4096);
        let mut size = wanted.next_power_of_two();
        loop {
            let length = NonZero::new(page + size).ok_or(io::ErrorKind::InvalidInput)?;
            let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
            // SAFETY: with a null address the kernel chooses a free range, so no memory that this
            // program uses is replaced.
            match unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, event, 0) } {
                Ok(start) => return Ok(Self { page: start.cast(), length, data: page, size, tail: 0 }),
                // The limit on locked memory (`perf_event_mlock_kb`, `RLIMIT_MEMLOCK`).
                Err(_) if size > MIN_RING => size /= 2,
                Err(nix::errno::Errno::EPERM) => return Err(io::Error::from_raw_os_error(libc::ENOBUFS)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn counter(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the offset is within the first page and aligned to 8 bytes, and the kernel changes
        // the counters atomically.
        unsafe { AtomicU64::from_ptr(self.page.add(offset).cast().as_ptr()) }
    }

    /// The bytes that were read so far.
    pub const fn tail(&self) -> u64 {
        self.tail
    }

    /// The bytes that the kernel wrote so far. What is before it is complete.
    pub fn head(&self) -> u64 {
        self.counter(HEAD).load(Ordering::Acquire)
    }

    /// Lets the kernel overwrite what was read.
    pub fn release(&mut self, tail: u64) {
        self.tail = tail;
        self.counter(TAIL).store(tail, Ordering::Release);
    }

    /// Copies the record at `at`, without its header, and moves on. Returns its type. `None` at the
    /// end, or if its size cannot be right.
    pub fn next(&self, at: &mut u64, end: u64, into: &mut Vec<u8>) -> Option<u32> {
        let left = usize::try_from(end.checked_sub(*at)?).ok().filter(|&left| left <= self.size)?;
        if left < HEADER {
            return None;
        }
        let mut header = [0; HEADER];
        self.copy(*at, &mut header);
        let [kind @ .., _, _, low, high] = header;
        let size = usize::from(u16::from_ne_bytes([low, high]));
        if size < HEADER || size > left {
            return None;
        }
        into.clear();
        into.resize(size - HEADER, 0);
        self.copy(*at + HEADER as u64, into);
        *at += size as u64;
        Some(u32::from_ne_bytes(kind))
    }

    /// Copies bytes that the kernel has completed, around the end of the ring.
    fn copy(&self, at: u64, into: &mut [u8]) {
        let start = usize::try_from(at % self.size as u64).unwrap_or(0);
        let first = into.len().min(self.size - start);
        let (before, after) = into.split_at_mut(first);
        let after_length = after.len().min(self.size);
        // SAFETY: both ranges are within the data of the mapping. The kernel writes there only after
        // `release`.
        unsafe {
            let data = self.page.add(self.data);
            data.add(start).copy_to_nonoverlapping(NonNull::from(before).cast(), first);
            data.copy_to_nonoverlapping(NonNull::from(after).cast(), after_length);
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the address came from mmap, is unmapped only here, and nothing borrows the memory.
        let _ = unsafe { munmap(self.page.cast(), self.length.get()) };
    }
}

//! A shared mapping of a file, `mmap(2)`.

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::fs::File;
use std::io;
use std::num::NonZero;
use std::ptr::NonNull;

/// A mapping of a whole file. Dropping it unmaps the file.
#[derive(Debug)]
pub struct Mapping {
    address: NonNull<u8>,
    length: NonZero<usize>,
    writable: bool,
}

impl Mapping {
    /// Maps the file. Only for objects that shmlens created: in the demo.
    ///
    /// # Errors
    /// `EINVAL` for an empty file, `EACCES` if the file is not open for the access, `ENOMEM`.
    pub fn new(file: &File, writable: bool) -> io::Result<Self> {
        let length = usize::try_from(file.metadata()?.len()).ok().and_then(NonZero::new);
        let length = length.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        let write = if writable { ProtFlags::PROT_WRITE } else { ProtFlags::empty() };
        // SAFETY: with a null address the kernel chooses a free range, so no memory that this
        // program uses is replaced.
        let address =
            unsafe { mmap(None, length, ProtFlags::PROT_READ | write, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Self { address: address.cast(), length, writable })
    }

    /// Writes bytes at `offset`. Writes nothing if they are not within the mapping, or if it is
    /// read-only.
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        let end = offset.checked_add(bytes.len());
        if self.writable && end.is_some_and(|end| end <= self.length.get()) {
            // SAFETY: the range is within the mapping, which is writable and stays while self
            // lives.
            unsafe { store(self.address.add(offset), bytes) };
        }
    }
}

/// Stores bytes, aligned words at once, as programs store their values. `own_memory::write` would be a
/// write by the kernel, which watchpoints do not see.
///
/// # Safety
/// The range must be mapped and writable.
pub(super) unsafe fn store(address: NonNull<u8>, bytes: &[u8]) {
    let mut at = 0;
    while at < bytes.len() {
        // SAFETY: `at` is within the range.
        let target = unsafe { address.add(at) };
        match bytes[at..].first_chunk::<8>() {
            Some(word) if target.addr().get().is_multiple_of(8) => {
                // SAFETY: 8 bytes from `target` on are within the range, and it is aligned.
                unsafe { target.cast::<u64>().write_volatile(u64::from_ne_bytes(*word)) };
                at += 8;
            }
            _ => {
                // SAFETY: as above.
                unsafe { target.write_volatile(bytes[at]) };
                at += 1;
            }
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the address came from mmap, is unmapped only here, and nothing borrows the
        // memory.
        let _ = unsafe { munmap(self.address.cast(), self.length.get()) };
    }
}

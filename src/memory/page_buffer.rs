//! Buffers for large reads, at addresses for which the kernel copies at full speed.
//!
//! On AMD processors since Zen 3, `pread(2)` from tmpfs runs at a quarter of its speed if the
//! buffer's address is 1 to 16 bytes ahead of the file offset, modulo 4096. `malloc` returns large
//! blocks exactly 16 bytes past a page, so every large `Vec` that is read into at the start of a
//! page is slow. A `PageBuffer` starts at an address that equals the offset modulo 4096.

use std::ops::{Deref, Range};

/// Addresses at this distance look the same to the processor.
const PAGE: usize = 4096;
/// A distance behind an offset that is neither slow itself nor makes another offset just ahead of
/// it slow.
const SAFE_DISTANCE: u64 = 64;
/// Reads of this size or more must avoid the slow distances.
const MIN_LARGE_SIZE: usize = 32 << 10;

/// A reusable buffer. It dereferences to the bytes of the last [`place`](Self::place).
#[derive(Default)]
pub struct PageBuffer {
    memory: Vec<u8>,
    /// The part of `memory` that is in use.
    used: Range<usize>,
}

impl PageBuffer {
    /// Returns an empty buffer with room for `capacity` bytes at any offset.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { memory: zeroed(capacity), used: 0..0 }
    }

    /// Returns the number of bytes that fit without a new allocation.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.memory.len().saturating_sub(PAGE)
    }

    /// Returns `length` bytes to read into from `offset`. Their previous contents are unspecified.
    pub fn place(&mut self, offset: u64, length: usize) -> &mut [u8] {
        if length == 0 {
            // A buffer without memory has no address to align.
            self.used = 0..0;
            return &mut [];
        }
        if length > self.capacity() {
            // Free the old block first: nothing in it is needed.
            self.memory = vec![];
            self.memory = zeroed(length);
        }
        // The remainder modulo 4096 survives any cast and wrapping subtraction.
        #[expect(clippy::cast_possible_truncation, reason = "only the lowest 12 bits count")]
        let start = (offset as usize).wrapping_sub(self.memory.as_ptr().addr()) % PAGE;
        self.used = start..start + length;
        &mut self.memory[self.used.clone()]
    }

    /// Returns `length` bytes to read from offset `from` in one file and write at offset `to` in
    /// another, where the kernel's copy has the same slow distances.
    pub fn place_between(&mut self, from: u64, to: u64, length: usize) -> &mut [u8] {
        let place = if is_near(to, from) { from.wrapping_sub(SAFE_DISTANCE) } else { from };
        self.place(place, length)
    }

    /// Keeps only the first `length` bytes, after a short read.
    pub fn truncate(&mut self, length: usize) {
        self.used.end = self.used.end.min(self.used.start + length);
    }
}

impl Deref for PageBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.used.clone()]
    }
}

/// Returns zeroed memory for `capacity` bytes and the distance to a suitable address.
fn zeroed(capacity: usize) -> Vec<u8> {
    vec![0; capacity.saturating_add(PAGE)]
}

/// Returns true if a read at `offset` into this buffer is large and slow on some processors.
pub fn is_slow(offset: u64, buffer: &[u8]) -> bool {
    buffer.len() >= MIN_LARGE_SIZE && is_near(buffer.as_ptr().addr() as u64, offset)
}

/// Returns true if the target of a copy is slightly ahead of its source, modulo 4096, which makes
/// the copy slow.
fn is_near(target: u64, source: u64) -> bool {
    (1..=16).contains(&(target.wrapping_sub(source) % PAGE as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(bytes: &[u8]) -> u64 {
        bytes.as_ptr().addr() as u64
    }

    #[test]
    fn empty_read_needs_no_memory() {
        let mut buffer = PageBuffer::default();
        for offset in [0, 1, 4095] {
            assert!(buffer.place(offset, 0).is_empty());
        }
    }

    #[test]
    fn address_equals_the_offset_modulo_a_page() {
        let mut buffer = PageBuffer::default();
        for length in [1, 4096, 40_000, 100, 300_000, 32 << 10] {
            for offset in [0, 1, 4080, 4095, 4096, 12_345, u64::MAX - 400_000] {
                let bytes = buffer.place(offset, length);
                assert_eq!((address(bytes) % 4096, bytes.len()), (offset % 4096, length));
                assert!(!is_slow(offset, bytes));
            }
        }
    }

    #[test]
    fn buffer_between_two_files_is_slow_for_neither() {
        let mut buffer = PageBuffer::default();
        for from in [0, 8, 4095] {
            for to in (0..4096).map(|ahead| from + ahead) {
                let here = address(buffer.place_between(from, to, MIN_LARGE_SIZE));
                assert!(!is_near(here, from) && !is_near(to, here), "{from} to {to}");
            }
        }
    }

    #[test]
    fn smaller_reads_reuse_the_memory() {
        let mut buffer = PageBuffer::with_capacity(100_000);
        let first = address(buffer.place(5, 100_000));
        assert_eq!(address(buffer.place(5, 10)), first);
        assert_eq!(address(buffer.place(5, 100_000)), first);
        assert_eq!(buffer.capacity(), 100_000);
    }

    #[test]
    fn short_read_leaves_fewer_bytes() {
        let mut buffer = PageBuffer::default();
        assert!(buffer.is_empty());
        buffer.place(7, 5).copy_from_slice(b"hello");
        buffer.truncate(9);
        assert_eq!(&*buffer, b"hello");
        buffer.truncate(4);
        assert_eq!(&*buffer, b"hell");
    }

    #[test]
    fn only_addresses_just_ahead_of_the_offset_are_slow() {
        let mut buffer = PageBuffer::default();
        let bytes = &*buffer.place(0, MIN_LARGE_SIZE + 64);
        let slow = |offset, start: usize| is_slow(offset, &bytes[start..start + MIN_LARGE_SIZE]);
        assert_eq!([0, 1, 16, 17, 32].map(|start| slow(0, start)), [false, true, true, false, false]);
        assert_eq!([4080, 4079, 4095, 1].map(|offset| slow(offset, 0)), [true, false, true, false]);
        assert!(!is_slow(0, &bytes[16..MIN_LARGE_SIZE]), "a small read is never slow");
    }
}

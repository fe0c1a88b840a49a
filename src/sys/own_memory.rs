//! Copies to and from memory of this process whose pages may be missing: `process_vm_readv(2)` and
//! `process_vm_writev(2)` on the process itself.
//!
//! A load or store raises SIGBUS if the kernel cannot provide the page: no free huge page, no
//! memory for a segment without a reservation, a failing swap device. These calls return an error
//! instead. At 256 KiB per call they are also twice as fast as `memcpy` if the pages are not mapped
//! yet, because they avoid page faults.

use std::io;
use std::ptr::NonNull;

/// `MADV_POPULATE_READ` and `MADV_POPULATE_WRITE`, Linux 5.14.
const POPULATE_READ: libc::c_int = 22;
const POPULATE_WRITE: libc::c_int = 23;

/// Copies `buffer.len()` bytes from `from` and returns the number of bytes read.
///
/// # Safety
/// The range has to stay mapped and readable during the call.
pub unsafe fn read(from: NonNull<u8>, buffer: &mut [u8]) -> usize {
    let (to, length) = (buffer.as_mut_ptr(), buffer.len());
    let done = repeat(length, |at| {
        let local = vector(to.wrapping_add(at), length - at);
        let remote = vector(from.as_ptr().wrapping_add(at), length - at);
        // SAFETY: local is the rest of the buffer; the kernel checks remote.
        unsafe { libc::process_vm_readv(own_pid(), &raw const local, 1, &raw const remote, 1, 0) }
    });
    done.unwrap_or_else(|| {
        if !populate(from, length, POPULATE_READ) {
            return 0;
        }
        // SAFETY: the caller keeps the range mapped; the buffer is ours.
        unsafe { load(from.as_ptr(), buffer) };
        length
    })
}

/// Copies `bytes` to `to` and returns the number of bytes written.
///
/// # Safety
/// The range has to stay mapped and writable during the call, and no Rust
/// reference may point into it.
pub unsafe fn write(to: NonNull<u8>, bytes: &[u8]) -> usize {
    let (from, length) = (bytes.as_ptr(), bytes.len());
    let done = repeat(length, |at| {
        let local = vector(from.wrapping_add(at).cast_mut(), length - at);
        let remote = vector(to.as_ptr().wrapping_add(at), length - at);
        // SAFETY: local is the rest of the bytes, which are only read; the kernel checks remote.
        unsafe { libc::process_vm_writev(own_pid(), &raw const local, 1, &raw const remote, 1, 0) }
    });
    done.unwrap_or_else(|| {
        if !populate(to, length, POPULATE_WRITE) {
            return 0;
        }
        // SAFETY: the caller keeps the range mapped and writable.
        unsafe { store(bytes, to.as_ptr()) };
        length
    })
}

/// Loads bytes that other processes may write concurrently. The loads are volatile, since plain
/// loads would be a data race, and as wide as the alignment of the source allows: an aligned value
/// of up to 8 bytes is never torn.
///
/// # Safety
/// The range from `from` on has to be mapped and readable.
#[expect(clippy::cast_ptr_alignment, reason = "`width` checks the alignment")]
unsafe fn load(from: *const u8, buffer: &mut [u8]) {
    let (mut at, length) = (0, buffer.len());
    while at < length {
        let source = from.wrapping_add(at);
        // SAFETY: within the range, and aligned where it says so.
        let (bytes, width) = unsafe {
            match width(source.addr(), length - at) {
                8 => (source.cast::<u64>().read_volatile().to_ne_bytes(), 8),
                4 => (pad(source.cast::<u32>().read_volatile().to_ne_bytes()), 4),
                2 => (pad(source.cast::<u16>().read_volatile().to_ne_bytes()), 2),
                _ => (pad([source.read_volatile()]), 1),
            }
        };
        buffer[at..at + width].copy_from_slice(&bytes[..width]);
        at += width;
    }
}

/// Stores bytes that other processes may access concurrently, like [`load`].
///
/// # Safety
/// The range from `to` on has to be mapped and writable.
#[expect(clippy::cast_ptr_alignment, reason = "`width` checks the alignment")]
unsafe fn store(bytes: &[u8], to: *mut u8) {
    let mut at = 0;
    while at < bytes.len() {
        let target = to.wrapping_add(at);
        let width = width(target.addr(), bytes.len() - at);
        let mut value = [0; 8];
        value[..width].copy_from_slice(&bytes[at..at + width]);
        // SAFETY: within the range, and aligned where it says so.
        unsafe {
            match width {
                8 => target.cast::<u64>().write_volatile(u64::from_ne_bytes(value)),
                4 => target
                    .cast::<u32>()
                    .write_volatile(u32::from_ne_bytes([value[0], value[1], value[2], value[3]])),
                2 => target.cast::<u16>().write_volatile(u16::from_ne_bytes([value[0], value[1]])),
                _ => target.write_volatile(value[0]),
            }
        }
        at += width;
    }
}

fn pad<const N: usize>(bytes: [u8; N]) -> [u8; 8] {
    let mut padded = [0; 8];
    padded[..N].copy_from_slice(&bytes);
    padded
}

/// Returns the widest aligned access at an address, within `left` bytes.
const fn width(address: usize, left: usize) -> usize {
    let mut width = 8;
    while width > 1 && (!address.is_multiple_of(width) || width > left) {
        width /= 2;
    }
    width
}

/// Repeats a call until all bytes are copied or a page is missing. `None` if the call is forbidden,
/// as in some sandboxes.
fn repeat(length: usize, mut call: impl FnMut(usize) -> isize) -> Option<usize> {
    let mut done = 0;
    while done < length {
        match usize::try_from(call(done)) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(_) => match io::Error::last_os_error().raw_os_error() {
                Some(libc::EPERM | libc::ENOSYS) if done == 0 => return None,
                _ => break,
            },
        }
    }
    Some(done)
}

/// Maps the pages of a range. Returns true if they can be accessed. Kernels before 5.14 do not
/// support the check.
fn populate(start: NonNull<u8>, length: usize, advice: libc::c_int) -> bool {
    let page = usize::try_from(super::page_size()).unwrap_or(1);
    let before = start.as_ptr().addr() % page;
    // SAFETY: the pages of the range, which the caller keeps mapped; their contents do not change.
    let result =
        unsafe { libc::madvise(start.as_ptr().wrapping_sub(before).cast(), length + before, advice) };
    result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL)
}

fn vector(start: *mut u8, length: usize) -> libc::iovec {
    libc::iovec { iov_base: start.cast(), iov_len: length }
}

/// Returns our own pid. Not cached: a forked child has a different pid.
fn own_pid() -> libc::pid_t {
    // SAFETY: getpid takes nothing and cannot fail.
    unsafe { libc::getpid() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::page_size;
    use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
    use std::num::NonZero;

    #[test]
    fn loads_and_stores_copy_every_byte_at_any_alignment() {
        let source: Vec<u8> = (0..64).collect();
        for start in 0..16 {
            for length in 0..32 {
                let mut memory = vec![0xff; 64];
                let mut found = vec![0; length];
                // SAFETY: both ranges lie within the vectors, which nothing else refers to.
                unsafe {
                    store(&source[..length], memory.as_mut_ptr().wrapping_add(start));
                    load(memory.as_ptr().wrapping_add(start), &mut found);
                }
                assert_eq!(found, source[..length], "{start} {length}");
                let beside = memory[..start].iter().chain(&memory[start + length..]);
                assert!(beside.into_iter().all(|&byte| byte == 0xff), "{start} {length}");
            }
        }
    }

    #[test]
    fn aligned_value_is_loaded_at_once() {
        for width in [1, 2, 4, 8] {
            for address in (0..64).step_by(width) {
                assert!(super::width(address, 8) >= width);
                assert_eq!(super::width(address, width), width);
            }
        }
    }

    /// Passes two mapped pages to `check`. Only the first one is backed by a file.
    fn with_mapping(check: impl FnOnce(NonNull<u8>, usize)) {
        let page = usize::try_from(page_size()).unwrap();
        let file = tempfile::tempfile().unwrap();
        file.set_len(page_size()).unwrap();
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let length = NonZero::new(2 * page).unwrap();
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, &file, 0) }.unwrap();
        check(start.cast(), page);
        // SAFETY: mapped above, and not referenced anymore.
        unsafe { munmap(start, 2 * page) }.unwrap();
    }

    #[test]
    fn missing_page_ends_the_copy_without_a_signal() {
        with_mapping(|start, page| {
            let bytes = vec![7; 2 * page];
            let mut found = vec![0; 2 * page];
            // SAFETY: both pages are mapped; the second has no page behind it.
            unsafe {
                assert_eq!(write(start, &bytes), page);
                assert_eq!(read(start, &mut found), page);
                assert_eq!(write(start.add(page), &bytes[..page]), 0);
                assert_eq!(read(start.add(page), &mut found[..page]), 0);
            }
            assert!(found[..page] == bytes[..page]);
        });
    }

    #[test]
    fn pages_are_populated_if_the_calls_are_forbidden() {
        with_mapping(|start, page| {
            let missing = NonNull::new(start.as_ptr().wrapping_add(page)).unwrap();
            for advice in [POPULATE_READ, POPULATE_WRITE] {
                assert!(populate(NonNull::new(start.as_ptr().wrapping_add(5)).unwrap(), 7, advice));
                assert!(!populate(missing, 7, advice));
            }
        });
    }
}

//! POSIX semaphores as their files hold them: `sem_open(3)` maps a `sem_t`.
//!
//! glibc (sysdeps/nptl/internaltypes.h), 64 bits: u32 value, u32 waiters, i32
//! 0x80 for one that processes share, 20 bytes unused. 32 bits: the value with
//! a bit for "somebody waits" below it, 0x80, unused, waiters. musl
//! (`src/thread/sem_open.c`): an int with the value and that bit on top, an int
//! of waiters, 0 for one that processes share.

/// A named semaphore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Semaphore {
    /// How many may still enter: 0 makes the next one wait.
    pub value: u32,
    /// How many threads wait, as it says itself: killed ones count on.
    pub waiters: u32,
    /// Who wrote it.
    pub library: Library,
}

/// The C libraries that keep semaphores in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// glibc, for 64-bit programs: 32 bytes.
    Glibc64,
    /// glibc, for 32-bit programs: 16 bytes.
    Glibc32,
    /// musl: 32 or 16 bytes.
    Musl,
}

/// `SEM_VALUE_MAX`.
const MOST: u32 = 0x7fff_ffff;
/// No machine has more threads.
const MOST_WAITERS: u32 = 1 << 22;
/// `LLL_SHARED`: processes share it.
const SHARED: u32 = 0x80;

/// Reads the whole file of a semaphore. `None` when it is none, and for one of
/// musl that is 0 with nobody waiting: that is nothing but zeros.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Semaphore> {
    let (words, []) = bytes.as_chunks::<4>() else { return None };
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let (semaphore, rest) = match words.as_slice() {
        [value, waiters, SHARED, rest @ ..] if rest.len() == 5 => {
            (Semaphore { value: *value, waiters: *waiters, library: Library::Glibc64 }, rest)
        }
        [value, SHARED, rest @ .., waiters] if rest.len() == 1 => {
            (Semaphore { value: value >> 1, waiters: *waiters, library: Library::Glibc32 }, rest)
        }
        [value, waiters, 0, rest @ ..] if matches!(rest.len(), 1 | 5) && (*value != 0 || *waiters != 0) => {
            (Semaphore { value: value & MOST, waiters: *waiters, library: Library::Musl }, rest)
        }
        _ => return None,
    };
    // glibc leaves what it does not use as it was in memory, musl zeroes it.
    let zeroed = semaphore.library != Library::Musl || rest.iter().all(|&word| word == 0);
    (semaphore.value <= MOST && semaphore.waiters <= MOST_WAITERS && zeroed).then_some(semaphore)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn the_three_forms() {
        let found =
            |words: &[u32]| read(&bytes(words)).map(|found| (found.value, found.waiters, found.library));
        assert_eq!(found(&[1, 0, 0x80, 0, 0, 0, 0, 0]), Some((1, 0, Library::Glibc64)));
        assert_eq!(found(&[0, 3, 0x80, 7, 0, 0, 0, 0]), Some((0, 3, Library::Glibc64)));
        assert_eq!(found(&[7, 0x80, 0, 2]), Some((3, 2, Library::Glibc32)));
        assert_eq!(found(&[0x8000_0000, 1, 0, 0, 0, 0, 0, 0]), Some((0, 1, Library::Musl)));
        assert_eq!(found(&[5, 0, 0, 0]), Some((5, 0, Library::Musl)));
    }

    #[test]
    fn what_is_none() {
        for words in [
            &[][..],
            &[1, 0, 0x80],
            &[1, 0, 0x80, 0],
            &[1, 0, 0x81, 0, 0, 0, 0, 0],
            &[0x8000_0000, 0, 0x80, 0, 0, 0, 0, 0],
            &[1, u32::MAX, 0x80, 0, 0, 0, 0, 0],
            &[0; 8],
            &[1, 0, 0, 0, 0, 1, 0, 0],
        ] {
            assert_eq!(read(&bytes(words)), None, "{words:?}");
        }
        assert_eq!(read(&[0x80; 31]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_will_do(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(found) = read(&bytes) {
                prop_assert!(found.value <= MOST && matches!(bytes.len(), 16 | 32));
            }
        }
    }
}

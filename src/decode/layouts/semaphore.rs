//! The file format of POSIX semaphores: `sem_open(3)` maps a `sem_t`.
//!
//! - glibc, 64 bits (sysdeps/nptl/internaltypes.h): u32 value, u32 waiters, i32 0x80 if shared
//!   between processes, 20 unused bytes.
//! - glibc, 32 bits: u32 value shifted left above a flag for waiters, 0x80, unused, waiters.
//! - musl (`src/thread/sem_open.c`): int value with a flag for waiters as its highest bit, int
//!   waiters, 0 if shared.

/// A named semaphore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Semaphore {
    pub value: u32,
    /// Waiting threads, including killed ones.
    pub waiters: u32,
    pub library: Library,
}

/// C libraries that store semaphores in files.
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
const MAX_VALUE: u32 = 0x7fff_ffff;
/// A bound that no real machine exceeds.
pub(super) const MAX_WAITERS: u32 = 1 << 22;
/// `LLL_SHARED`, for semaphores shared by processes.
const SHARED: u32 = 0x80;

/// Parses a complete semaphore file. Returns `None` for anything else and for all zeros: a musl
/// semaphore with value 0 and no waiters looks like an empty file.
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
            (Semaphore { value: value & MAX_VALUE, waiters: *waiters, library: Library::Musl }, rest)
        }
        _ => return None,
    };
    // glibc leaves unused bytes uninitialized, musl zeroes them.
    let zeroed = semaphore.library != Library::Musl || rest.iter().all(|&word| word == 0);
    (semaphore.value <= MAX_VALUE && semaphore.waiters <= MAX_WAITERS && zeroed).then_some(semaphore)
}

impl Semaphore {
    /// Formats the semaphore: `value 0, 2 waiters`.
    #[must_use]
    pub fn text(&self) -> String {
        let waiters = match self.waiters {
            0 => "no waiters".to_owned(),
            1 => "1 waiter".to_owned(),
            many => format!("{many} waiters"),
        };
        format!("value {}, {waiters}", self.value)
    }
}

impl Library {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Glibc64 => "glibc",
            Self::Glibc32 => "glibc, 32-bit",
            Self::Musl => "musl",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn all_three_libraries_are_recognized() {
        let found =
            |words: &[u32]| read(&bytes(words)).map(|found| (found.value, found.waiters, found.library));
        assert_eq!(found(&[1, 0, 0x80, 0, 0, 0, 0, 0]), Some((1, 0, Library::Glibc64)));
        assert_eq!(found(&[0, 3, 0x80, 7, 0, 0, 0, 0]), Some((0, 3, Library::Glibc64)));
        assert_eq!(found(&[7, 0x80, 0, 2]), Some((3, 2, Library::Glibc32)));
        assert_eq!(found(&[0x8000_0000, 1, 0, 0, 0, 0, 0, 0]), Some((0, 1, Library::Musl)));
        assert_eq!(found(&[5, 0, 0, 0]), Some((5, 0, Library::Musl)));
    }

    #[test]
    fn other_contents_are_not_a_semaphore() {
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
        fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(found) = read(&bytes) {
                prop_assert!(found.value <= MAX_VALUE && matches!(bytes.len(), 16 | 32));
            }
        }
    }
}

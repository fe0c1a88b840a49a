//! The state of glibc's locks, read from their bytes (`sysdeps/nptl/bits/struct_mutex.h` and its
//! neighbours, `nptl/pthread_rwlock_common.c`, `nptl/pthread_barrier_wait.c`).

use super::semaphore::MAX_WAITERS;
use crate::decode::{Child, Place, Type, TypeKind};
use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockKind {
    Mutex,
    RwLock,
    /// A condition variable, in the layout of glibc up to 2.40, or since 2.41.
    Condition {
        since_2_41: bool,
    },
    Barrier,
    Semaphore,
}

/// The state of a lock, as its bytes tell it. Thread ids are those of the owner's pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    Unlocked,
    /// Locked by a thread, several times if recursive.
    Locked {
        tid: u32,
        times: u32,
    },
    /// The kernel marked a robust mutex when its owner died: the next thread gets `EOWNERDEAD`.
    OwnerDied {
        tid: u32,
    },
    /// A thread got `EOWNERDEAD`, and has not called `pthread_mutex_consistent(3)` yet.
    Inconsistent,
    /// Unlocked while inconsistent: locking fails with `ENOTRECOVERABLE`.
    NotRecoverable,
    /// Locked for reading.
    Read {
        readers: u32,
    },
    /// A condition variable, with the number of its waiters.
    Waiters(u32),
    /// A barrier, with the threads that have arrived and those that it waits for.
    Arrived {
        threads: u32,
        of: u32,
    },
    Semaphore {
        value: u32,
        waiters: u32,
    },
}

/// `FUTEX_OWNER_DIED`.
const OWNER_DIED: u32 = 0x4000_0000;
/// `FUTEX_TID_MASK`.
const TID_MASK: u32 = 0x3fff_ffff;
/// `PTHREAD_MUTEX_INCONSISTENT` and `PTHREAD_MUTEX_NOTRECOVERABLE`, as owners.
const INCONSISTENT: u32 = 0x7fff_ffff;
const NOT_RECOVERABLE: u32 = 0x7fff_fffe;
/// The kinds of mutexes whose futex word has the tid of the owner.
const ROBUST: u32 = 0x10;
const INHERIT: u32 = 0x20;

impl LockKind {
    /// Returns the kind of lock that a type is, by its name and size.
    #[must_use]
    pub fn of(ty: &Type) -> Option<Self> {
        let TypeKind::Record(record) = ty.kind() else { return None };
        let (kind, size) = match record.name() {
            "mutex" | "pthread_mutex_t" => (Self::Mutex, 40),
            "rwlock" | "pthread_rwlock_t" => (Self::RwLock, 56),
            "cond" | "pthread_cond_t" => {
                // `wrefs` moved from here to 28.
                (Self::Condition { since_2_41: !has_field_at(ty, 36) }, 48)
            }
            "barrier" | "pthread_barrier_t" => (Self::Barrier, 32),
            "sem" | "sem_t" => (Self::Semaphore, 32),
            _ => return None,
        };
        (ty.size() == size).then_some(kind)
    }

    /// The name in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mutex => "mutex",
            Self::RwLock => "rwlock",
            Self::Condition { .. } => "condition",
            Self::Barrier => "barrier",
            Self::Semaphore => "semaphore",
        }
    }

    /// In bytes.
    #[must_use]
    pub const fn size(self) -> u64 {
        match self {
            Self::Mutex => 40,
            Self::RwLock => 56,
            Self::Condition { .. } => 48,
            Self::Barrier | Self::Semaphore => 32,
        }
    }

    /// The offsets of the words that threads wait on.
    #[must_use]
    pub const fn waited_on(self) -> Range<u64> {
        match self {
            Self::Mutex => 0..4,
            Self::RwLock => 8..16,
            Self::Condition { .. } | Self::Barrier | Self::Semaphore => 0..self.size(),
        }
    }

    /// Returns true if the lock works between processes. `None` if there are too few bytes, or if all
    /// are zero: it is not initialized, or it is initialized without an attribute.
    #[must_use]
    pub fn is_process_shared(self, bytes: &[u8]) -> Option<bool> {
        let bytes = bytes.get(..usize::try_from(self.size()).ok()?)?;
        if bytes.iter().all(|&byte| byte == 0) {
            return None;
        }
        Some(match self {
            Self::Mutex => word(bytes, 16) & 0x80 != 0,
            Self::RwLock => word(bytes, 28) != 0,
            Self::Condition { since_2_41 } => word(bytes, if since_2_41 { 28 } else { 36 }) & 1 != 0,
            Self::Barrier => word(bytes, 12) != 0,
            Self::Semaphore => word(bytes, 8) != 0,
        })
    }

    /// Reads the state. `None` if there are too few bytes.
    #[must_use]
    pub fn state(self, bytes: &[u8]) -> Option<LockState> {
        let bytes = bytes.get(..usize::try_from(self.size()).ok()?)?;
        let word = |offset| word(bytes, offset);
        Some(match self {
            Self::Mutex => mutex(word(0), word(4), word(8), word(16)),
            Self::RwLock => rwlock(word(0), word(24)),
            Self::Condition { since_2_41 } => LockState::Waiters(word(if since_2_41 { 28 } else { 36 }) >> 3),
            Self::Barrier => LockState::Arrived { threads: word(0).wrapping_sub(word(4)), of: word(8) },
            Self::Semaphore => LockState::Semaphore { value: word(0), waiters: word(4) },
        })
    }
}

/// Returns the locks in a value, at most `max`, with their offsets in the segment.
#[must_use]
pub fn locks_in(value: Place<'_>, max: usize) -> Vec<(u64, LockKind)> {
    /// Values that are visited for each lock.
    const MAX_VISITS: usize = 4096;
    let (mut found, mut next, mut visits) = (vec![], vec![value], 0);
    while let Some(place) = next.pop().filter(|_| found.len() < max && visits < MAX_VISITS) {
        visits += 1;
        match LockKind::of(place.ty) {
            Some(kind) => found.push((place.offset, kind)),
            None if place.ty.is_leaf() => {}
            None => next.extend(
                place.children().take(max).map(|child| child.place).filter(|place| !place.ty.is_leaf()),
            ),
        }
    }
    found.sort_unstable();
    found
}

/// Returns the path of the lock at an offset in the segment, as in `Type::path_text`. `None` if the
/// value has no lock there.
#[must_use]
pub fn path_of_lock(value: Place<'_>, offset: u64) -> Option<String> {
    let (mut place, mut path) = (value, String::new());
    loop {
        if LockKind::of(place.ty).is_some() {
            return (place.offset == offset).then_some(path);
        }
        let holds = |child: &Child<'_>| child.place.range().contains(&offset) && !child.place.ty.is_leaf();
        let child = match place.ty.kind() {
            TypeKind::Array(array) => {
                place.child(offset.checked_sub(place.offset)?.checked_div(array.stride)?)
            }
            _ => place.children().find(holds),
        };
        let child = child.filter(holds)?;
        child.label.push(&mut path);
        place = child.place;
    }
}

/// The word at an offset, 0 past the end.
fn word(bytes: &[u8], offset: usize) -> u32 {
    let word = bytes.get(offset..).and_then(<[u8]>::first_chunk);
    word.map_or(0, |word| u32::from_le_bytes(*word))
}

/// Returns true if a field starts at an offset, in the record or in one at its start.
fn has_field_at(ty: &Type, offset: u64) -> bool {
    let TypeKind::Record(record) = ty.kind() else { return false };
    record
        .fields()
        .iter()
        .any(|field| field.offset == offset || field.offset == 0 && has_field_at(&field.ty, offset))
}

const fn mutex(lock: u32, count: u32, owner: u32, kind: u32) -> LockState {
    match owner {
        INCONSISTENT => return LockState::Inconsistent,
        NOT_RECOVERABLE => return LockState::NotRecoverable,
        _ => {}
    }
    let times = if count > 1 { count } else { 1 };
    if kind & (ROBUST | INHERIT) != 0 {
        let tid = lock & TID_MASK;
        return match (lock & OWNER_DIED != 0, tid) {
            (true, _) => LockState::OwnerDied { tid: if tid == 0 { owner } else { tid } },
            (false, 0) => LockState::Unlocked,
            (false, tid) => LockState::Locked { tid, times },
        };
    }
    // The owner is set just after the lock, and cleared just before.
    if lock == 0 { LockState::Unlocked } else { LockState::Locked { tid: owner, times } }
}

const fn rwlock(readers: u32, writer: u32) -> LockState {
    const WRITE_PHASE: u32 = 1;
    const WRITE_LOCKED: u32 = 2;
    let count = readers >> 3;
    match (readers & WRITE_LOCKED != 0, writer) {
        (true, tid) if tid != 0 => LockState::Locked { tid, times: 1 },
        // Readers wait in the write phase.
        _ if count > 0 && readers & WRITE_PHASE == 0 => LockState::Read { readers: count },
        _ => LockState::Unlocked,
    }
}

impl LockState {
    /// The thread that has the lock, or died with it. 0 while a thread is about to set it.
    #[must_use]
    pub const fn owner(self) -> Option<u32> {
        match self {
            Self::Locked { tid, .. } | Self::OwnerDied { tid } => Some(tid),
            _ => None,
        }
    }

    /// Describes the state, with the owner as a number.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Unlocked => "unlocked".to_owned(),
            Self::Locked { tid: 0, .. } => "locked".to_owned(),
            Self::Locked { tid, times: 1 } => format!("locked by thread {tid}"),
            Self::Locked { tid, times } => format!("locked {times} times by thread {tid}"),
            Self::OwnerDied { tid: 0 } => "its owner died; the next thread gets EOWNERDEAD".to_owned(),
            Self::OwnerDied { tid } => {
                format!("its owner {tid} died; the next thread gets EOWNERDEAD")
            }
            Self::Inconsistent => "locked after its owner died, not yet made consistent".to_owned(),
            Self::NotRecoverable => "not recoverable: locking fails with ENOTRECOVERABLE".to_owned(),
            Self::Read { readers: 1 } => "locked by 1 reader".to_owned(),
            Self::Read { readers } => format!("locked by {readers} readers"),
            Self::Waiters(count) => waiters(count),
            Self::Arrived { threads, of } => format!("{threads} of {of} threads arrived"),
            Self::Semaphore { value, waiters: count } => format!("value {value}, {}", waiters(count)),
        }
    }

    /// Returns false for counts and thread ids that no machine has.
    #[must_use]
    pub const fn is_plausible(self) -> bool {
        match self {
            Self::Locked { tid, .. } | Self::OwnerDied { tid } => tid <= MAX_WAITERS,
            Self::Read { readers: count } | Self::Waiters(count) => count <= MAX_WAITERS,
            Self::Arrived { threads, of } => of <= MAX_WAITERS && threads <= of,
            Self::Semaphore { value, waiters } => value <= i32::MAX.cast_unsigned() && waiters <= MAX_WAITERS,
            _ => true,
        }
    }
}

fn waiters(count: u32) -> String {
    match count {
        0 => "no waiters".to_owned(),
        1 => "1 waiter".to_owned(),
        many => format!("{many} waiters"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(words: &[(usize, u32)]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        for &(offset, word) in words {
            bytes[offset..offset + 4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn states_of_every_kind_are_told() {
        let mutex = LockKind::Mutex;
        let rwlock = LockKind::RwLock;
        for (kind, words, text) in [
            (mutex, &[(16, 0x80)][..], "unlocked"),
            (mutex, &[(0, 1), (8, 7890), (16, 0x80)], "locked by thread 7890"),
            (mutex, &[(0, 2), (4, 3), (8, 7890), (16, 0x81)], "locked 3 times by thread 7890"),
            (mutex, &[(0, 1), (16, 0x80)], "locked"),
            (mutex, &[(0, 0x8000_000c), (8, 12), (16, 0x90)], "locked by thread 12"),
            (mutex, &[(0, 12), (16, 0xa0)], "locked by thread 12"),
            (
                mutex,
                &[(0, 0xc000_0000), (8, 12), (16, 0x90)],
                "its owner 12 died; the next thread gets EOWNERDEAD",
            ),
            (
                mutex,
                &[(0, 13), (8, INCONSISTENT), (16, 0x90)],
                "locked after its owner died, not yet made consistent",
            ),
            (
                mutex,
                &[(8, NOT_RECOVERABLE), (16, 0x90)],
                "not recoverable: locking fails with ENOTRECOVERABLE",
            ),
            (rwlock, &[(28, 1)], "unlocked"),
            (rwlock, &[(0, 3 << 3), (28, 1)], "locked by 3 readers"),
            (rwlock, &[(0, 3), (24, 12), (28, 1)], "locked by thread 12"),
            (rwlock, &[(0, 3 | 2 << 3), (24, 12)], "locked by thread 12"),
            (LockKind::Condition { since_2_41: false }, &[(36, 2 << 3 | 1)], "2 waiters"),
            (LockKind::Condition { since_2_41: true }, &[(28, 1 << 3 | 1)], "1 waiter"),
            (LockKind::Barrier, &[(0, 5), (4, 3), (8, 4)], "2 of 4 threads arrived"),
            (LockKind::Semaphore, &[(0, 1), (8, 0x80)], "value 1, no waiters"),
        ] {
            let state = kind.state(&bytes(words)).unwrap();
            assert_eq!(state.text(), text);
            assert!(state.is_plausible());
        }
        assert_eq!(mutex.state(&[0; 39]), None);
        assert!(!mutex.state(&[0xaa; 40]).unwrap().is_plausible());
    }

    #[test]
    fn every_named_lock_type_is_a_lock() {
        for (name, kind) in [
            ("mutex", LockKind::Mutex),
            ("rwlock", LockKind::RwLock),
            ("cond", LockKind::Condition { since_2_41: false }),
            ("cond:2.41", LockKind::Condition { since_2_41: true }),
            ("barrier", LockKind::Barrier),
            ("sem", LockKind::Semaphore),
            ("pthread_mutex_t", LockKind::Mutex),
            ("pthread_rwlock_t", LockKind::RwLock),
            ("pthread_cond_t", LockKind::Condition { since_2_41: false }),
            ("pthread_barrier_t", LockKind::Barrier),
            ("sem_t", LockKind::Semaphore),
        ] {
            let parsed = crate::decode::parse_type(name, &|_| Err(String::new())).unwrap();
            assert_eq!(LockKind::of(&parsed.ty), Some(kind), "{name}");
        }
    }
}

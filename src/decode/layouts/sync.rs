//! The objects of pthreads and semaphores, as glibc lays them out on 64-bit machines
//! (`sysdeps/nptl/bits/struct_mutex.h` and its neighbours).

use super::lock::LockKind;
use super::semaphore::{Library, read as read_semaphore};
use super::{Built, Fit, Peek};
use crate::decode::{Bits, ByteOrder, Enum, Enumerator, Field, Record, RecordKind, Scalar, Type};

/// The part of a segment that is searched for mutexes.
const SEARCHED: usize = 4096;
/// The maximum number of mutexes to report.
const MAX_FOUND: usize = 16;
/// More threads than any machine has.
const MAX_THREADS: u32 = 1 << 22;
const MUTEX_SIZE: usize = 40;
/// `PTHREAD_MUTEX_NO_ELISION_NP`.
const NO_ELISION: u32 = 0x200;

/// The flags of a mutex in its kind.
const ROBUST: u32 = 0x10;
const INHERIT: u32 = 0x20;
const PROTECT: u32 = 0x40;
const SHARED: u32 = 0x80;

/// Returns the type of a name: `mutex`, `cond`, `cond:2.41`, `rwlock`, `barrier`, `sem`.
pub fn named(word: &str) -> Option<Type> {
    match word.trim() {
        "mutex" => mutex(),
        "cond" => cond(&[("g_refs", 16), ("g_size", 24), ("g1_orig_size", 32), ("g_signals", 40)], 36),
        // The layout since glibc 2.41.
        "cond:2.41" => cond(&[("g_size", 16), ("g1_orig_size", 24), ("g_signals", 32)], 28),
        "rwlock" => rwlock(),
        "barrier" => record(
            "barrier",
            32,
            ["in", "round", "count", "shared", "out"].into_iter().zip((0..).step_by(4)).map(u32_field),
        ),
        "sem" => record("sem", 32, [("value", 0), ("waiters", 4), ("shared", 8)].into_iter().map(u32_field)),
        _ => None,
    }
}

fn record(name: &str, size: u64, fields: impl Iterator<Item = Field>) -> Option<Type> {
    Type::record(Record::new(RecordKind::Struct, name, fields.collect()), size, 8).ok()
}

fn scalar(scalar: Scalar) -> Type {
    Type::scalar(scalar, ByteOrder::Little)
}

fn u32_field((name, offset): (&str, u64)) -> Field {
    Field::new(name, scalar(Scalar::U32), offset)
}

fn bits(name: &str, ty: Scalar, offset: u64, bits: std::ops::Range<u8>) -> Field {
    let bits = Bits { start: bits.start, width: bits.end - bits.start };
    Field { bits: Some(bits), ..Field::new(name, scalar(ty), offset) }
}

fn mutex() -> Option<Type> {
    let fields = [
        u32_field(("lock", 0)),
        u32_field(("count", 4)),
        Field::new("owner", scalar(Scalar::I32), 8),
        u32_field(("nusers", 12)),
        Field::new("kind", mutex_kind(), 16),
        Field::new("spins", scalar(Scalar::I16), 20),
        Field::new("elision", scalar(Scalar::I16), 22),
        Field::new("previous", Type::pointer("pthread_mutex_t", 8, ByteOrder::Little), 24),
        Field::new("next", Type::pointer("pthread_mutex_t", 8, ByteOrder::Little), 32),
    ];
    record("mutex", 40, fields.into_iter())
}

/// All kinds of mutexes, named by their attributes.
fn mutex_kind() -> Type {
    let kinds = (0..0x400_u32).filter(|kind| is_kind(*kind));
    let enumerator = |kind: u32| Enumerator { name: kind_text(kind).into(), value: kind.into() };
    Type::enumeration(Enum::new("", Scalar::I32, ByteOrder::Little, kinds.map(enumerator).collect()))
}

/// Returns true for a combination of attributes that exists.
const fn is_kind(kind: u32) -> bool {
    let known = 3 | ROBUST | INHERIT | PROTECT | SHARED | NO_ELISION;
    kind & !known == 0 && kind & (INHERIT | PROTECT) != INHERIT | PROTECT
}

/// Returns true for a combination of attributes of a process-shared mutex.
pub(super) const fn is_shared_kind(kind: u32) -> bool {
    kind & SHARED != 0 && is_kind(kind)
}

fn kind_text(kind: u32) -> String {
    let mut words = vec![["normal", "recursive", "error-checking", "adaptive"][kind as usize & 3]];
    let flags = [
        (SHARED, "process-shared"),
        (ROBUST, "robust"),
        (INHERIT, "priority inheritance"),
        (PROTECT, "priority protection"),
        (NO_ELISION, "no elision"),
    ];
    words.extend(flags.iter().filter(|(flag, _)| kind & flag != 0).map(|(_, word)| *word));
    words.join(", ")
}

fn cond(words: &[(&str, u64)], references: u64) -> Option<Type> {
    let mut fields = vec![
        Field::new("wait_sequence", scalar(Scalar::U64), 0),
        Field::new("g1_start", scalar(Scalar::U64), 8),
        bits("process_shared", Scalar::Bool, references, 0..1),
        bits("monotonic", Scalar::Bool, references, 1..2),
        bits("waiters", Scalar::U32, references, 3..32),
    ];
    for &(name, offset) in words {
        let ty = scalar(Scalar::U32);
        let ty = if name == "g1_orig_size" { ty } else { Type::array(ty, 2).ok()? };
        fields.push(Field::new(name, ty, offset));
    }
    fields.sort_by_key(|field| field.offset);
    record("cond", 48, fields.into_iter())
}

fn rwlock() -> Option<Type> {
    let fields = [
        bits("write_phase", Scalar::Bool, 0, 0..1),
        bits("write_locked", Scalar::Bool, 0, 1..2),
        bits("readers_wait", Scalar::Bool, 0, 2..3),
        bits("readers", Scalar::U32, 0, 3..32),
        u32_field(("writers", 4)),
        u32_field(("write_phase_futex", 8)),
        u32_field(("writers_futex", 12)),
        Field::new("writer", scalar(Scalar::I32), 24),
        Field::new("shared", scalar(Scalar::I32), 28),
        u32_field(("flags", 48)),
    ];
    record("rwlock", 56, fields.into_iter())
}

/// Finds semaphores and mutexes in the contents of a segment.
pub fn fitting(contents: &Peek<'_>, size: u64, is_named_semaphore: bool) -> Vec<Fit> {
    let length = usize::try_from(size).unwrap_or(usize::MAX).min(SEARCHED);
    let mut head = vec![0; length];
    if !contents(0, &mut head) {
        return vec![];
    }
    let mut found = vec![];
    if size == 32
        && let Some(semaphore) = read_semaphore(&head).filter(|found| found.library == Library::Glibc64)
        && let Some(ty) = named("sem")
    {
        let name =
            if is_named_semaphore { "name and contents of a semaphore" } else { "a process-shared sem_t" };
        let evidence = format!("{name}: {}", semaphore.text());
        found.push(fit("sem", 0, ty, is_named_semaphore, evidence));
    }
    let offsets = (0..head.len().saturating_sub(MUTEX_SIZE - 1)).step_by(8);
    let mutexes = offsets.filter_map(|offset| Some((offset, mutex_at(&head[offset..])?)));
    for (offset, evidence) in mutexes.take(MAX_FOUND) {
        if let Some(ty) = mutex() {
            found.push(fit("mutex", offset as u64, ty, false, evidence));
        }
    }
    found
}

fn fit(name: &str, offset: u64, ty: Type, is_certain: bool, evidence: String) -> Fit {
    let name = if offset == 0 { name.to_owned() } else { format!("{name}@{offset:#x}") };
    Fit { name, offset, built: Built { ty, count: 1, is_certain, evidence, note: None } }
}

/// Describes a process-shared mutex at the start of `bytes`. `None` if a field is implausible.
fn mutex_at(bytes: &[u8]) -> Option<String> {
    let words: Vec<u32> =
        bytes.get(..MUTEX_SIZE)?.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let [lock, count, owner, users, kind, spins, ..] = *words.as_slice() else { return None };
    let linked = words[6..].iter().any(|&word| word != 0);
    if !is_shared_kind(kind) || spins != 0 || users > MAX_THREADS {
        return None;
    }
    let by_owner = kind & (ROBUST | INHERIT) != 0;
    let is_recursive = kind & 3 == 1;
    let plausible = if by_owner {
        let thread = lock & 0x3fff_ffff;
        thread <= MAX_THREADS && (thread == 0 || thread == owner || owner >= 0x7fff_fffe || owner == 0)
    } else {
        kind & PROTECT != 0 || lock <= 2 && (lock != 0 || owner == 0)
    };
    let is_dead = owner | 1 == 0x7fff_ffff;
    let is_owned = owner != 0;
    // Robust mutexes and those with priority inheritance count too.
    let counted = is_dead
        || if is_recursive { (count > 0) == is_owned } else { count <= u32::from(by_owner && is_owned) };
    let is_thread = owner <= MAX_THREADS || by_owner && is_dead;
    let used = is_dead || users > 0 || !is_owned;
    // Only robust mutexes that are locked are in a list.
    if !plausible || !counted || !used || !is_thread || linked && kind & ROBUST == 0 {
        return None;
    }
    let state = LockKind::Mutex.state(bytes)?.text();
    Some(format!("{}: {state}", kind_text(kind)))
}

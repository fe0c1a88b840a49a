//! Named POSIX semaphores: `sem_open(3)` maps a `sem_t`.

pub use crate::decode::layouts::{Library, Semaphore, read_semaphore as read};

use crate::machine::{Machine, Trace};
use crate::memory::{Reader, WriteLeases};
use crate::segment::{Facts, ObjectName, PosixFacts, Segment, SegmentId, Unlinked};

/// The prefix that `sem_open(3)` adds to a name.
const PREFIX: &[u8] = b"sem.";
/// The sizes of semaphores in bytes.
const SIZES: [u64; 2] = [16, 32];

/// Returns true if the segment has the name and size of a semaphore.
#[must_use]
pub fn is_semaphore(segment: &Segment) -> bool {
    let name: Option<&ObjectName> = match (&segment.id, &segment.facts) {
        (SegmentId::Posix(name), _) => Some(name),
        (_, Facts::Posix(PosixFacts { unlinked: Some(Unlinked { name, .. }), .. })) => name.as_ref(),
        _ => None,
    };
    SIZES.contains(&segment.size.0) && name.is_some_and(|name| name.as_bytes().starts_with(PREFIX))
}

/// Parses the contents of a segment with the name and size of a semaphore. All zeros means a musl
/// semaphore.
#[must_use]
pub fn of(segment: &Segment, bytes: &[u8]) -> Option<Semaphore> {
    if !is_semaphore(segment) || bytes.len() as u64 != segment.size.0 {
        return None;
    }
    let zeros = bytes.iter().all(|&byte| byte == 0);
    read(bytes).or_else(|| zeros.then_some(Semaphore { value: 0, waiters: 0, library: Library::Musl }))
}

/// Reads the semaphore in a segment, if that leaves no trace and breaks no lease.
#[must_use]
pub fn probe(machine: &dyn Machine, segment: &Segment) -> Option<Semaphore> {
    if !is_semaphore(segment) {
        return None;
    }
    let reader = Reader::open_unleased(machine, segment, &mut WriteLeases::default()).ok();
    let reader = reader.filter(|reader| reader.trace() == Trace::None)?;
    let mut bytes = [0; 32];
    let count = reader.read_at(0, &mut bytes).ok()?;
    of(segment, bytes.get(..count)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn only_files_named_like_semaphores_are_read_and_only_without_a_trace() {
        let machine = FakeMachine::new();
        let glibc = bytes(&[0, 2, 0x80, 0, 0, 0, 0, 0]);
        for (name, bytes) in [
            ("other", FakeBytes::full(&glibc)),
            ("sem.large", FakeBytes::full(&[&glibc[..], &[0; 8]].concat())),
            ("sem.mp-1", FakeBytes::full(&glibc)),
            ("sem.none", FakeBytes::full(&[0xff; 32])),
            ("sem.zeros", FakeBytes::hole(32)),
        ] {
            machine.add_object(name, bytes);
        }
        let recognized = || -> Vec<Option<String>> {
            let survey = Survey::take(&machine, &mut Names::default());
            survey
                .segments
                .iter()
                .map(|one| {
                    probe(&machine, one).map(|found| format!("{} ({})", found.text(), found.library.name()))
                })
                .collect()
        };
        let [glibc, zeros] = ["value 0, 2 waiters (glibc)", "value 0, no waiters (musl)"];
        assert_eq!(recognized(), [None, None, Some(glibc.to_owned()), None, Some(zeros.to_owned())]);
        // Reading another user's object changes its access time.
        machine.edit(|facts| {
            facts.effective_uid = 1001;
            facts.posix.values_mut().for_each(|object| object.stat.mode = 0o100_666);
        });
        assert_eq!(recognized(), [const { None }; 5]);
    }
}

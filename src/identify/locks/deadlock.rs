//! Threads that wait for each other.

use super::threads::{ThreadName, Threads, Waiter};
use crate::decode::layouts::LockKind;
use crate::machine::process::Object;
use std::collections::{BTreeMap, BTreeSet};

/// A cycle of threads, each of which waits for a lock that the next one has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlock {
    pub links: Vec<Waiter>,
}

impl Deadlock {
    /// Describes the cycle. `name` returns the name of a segment.
    #[must_use]
    pub fn text(&self, name: &dyn Fn(Object) -> String) -> String {
        let link = |index: usize| {
            let Waiter { thread, object, offset } = &self.links[index];
            let owner = &self.links[(index + 1) % self.links.len()].thread;
            format!("{} waits for {}+{offset:#x}, held by {}", thread.text(), name(*object), owner.text())
        };
        let links: Vec<String> = (0..self.links.len()).map(link).collect();
        format!("deadlock: {}", links.join("; "))
    }
}

/// Finds the cycles of threads that wait for mutexes and rwlocks. `read` fills a buffer from a segment.
#[must_use]
pub fn deadlocks(threads: &Threads, read: &dyn Fn(Object, u64, &mut [u8]) -> bool) -> Vec<Deadlock> {
    // Each thread waits for at most one lock.
    let mut waits: BTreeMap<ThreadKey, (&Waiter, ThreadKey)> = BTreeMap::new();
    for waiter in threads.all_waiters() {
        let owner = owner_of(threads, waiter, read);
        if let Some(owner) = owner.filter(|owner| key(owner) != key(&waiter.thread)) {
            waits.insert(key(&waiter.thread), (waiter, key(&owner)));
        }
    }
    let mut seen = BTreeSet::new();
    let mut found = vec![];
    for &start in waits.keys() {
        let (mut path, mut at) = (vec![], start);
        while seen.insert(at)
            && let Some((waiter, next)) = waits.get(&at)
        {
            path.push((*waiter).clone());
            at = *next;
        }
        // The path returned to one of its own threads.
        if let Some(first) = path.iter().position(|waiter| key(&waiter.thread) == at) {
            found.push(Deadlock { links: path.split_off(first) });
        }
    }
    found
}

/// The pid and tid of a thread.
type ThreadKey = (u32, u32);

const fn key(thread: &ThreadName) -> ThreadKey {
    (thread.pid, thread.tid)
}

/// The owner of the lock that a thread waits for. Threads wait at the start of a mutex, and in the
/// middle of a rwlock.
fn owner_of(
    threads: &Threads,
    waiter: &Waiter,
    read: &dyn Fn(Object, u64, &mut [u8]) -> bool,
) -> Option<ThreadName> {
    let starts = [(LockKind::Mutex, 0), (LockKind::RwLock, 8), (LockKind::RwLock, 12)];
    starts.into_iter().find_map(|(kind, waits_at)| {
        let mut bytes = vec![0; usize::try_from(kind.size()).ok()?];
        read(waiter.object, waiter.offset.checked_sub(waits_at)?, &mut bytes).then_some(())?;
        let state = kind.state(&bytes).filter(|_| kind.is_process_shared(&bytes) == Some(true))?;
        threads.thread(waiter.object, state.owner().filter(|tid| *tid != 0)?)
    })
}

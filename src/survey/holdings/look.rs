//! The look itself: every process, or some, on two threads.

use super::{Entry, Found, Holdings, Seen, problem, sum_up};
use crate::machine::Machine;
use crate::machine::process::{Examined, FileLock, Listed, SegmentDevices, Wanted};
use crate::segment::Timestamp;
use crate::survey::Names;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, panic, thread};

/// How many threads look: more than two gain little, and the machine has other work.
const THREADS: usize = 2;

/// How many processes a thread takes at a time.
const HANDFUL: usize = 8;

/// How often those are looked at that have come during the look. A process may
/// hand what it holds to a child and end, so that neither would be seen.
const ROUNDS: usize = 8;

/// How long, in seconds, a process that has not run since is believed to hold
/// what it held: longer by up to as much again, so that not all are due at once.
const BELIEVED: u32 = 30;

/// How deep to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Shared mappings and descriptors.
    Shared,
    /// Private mappings too: a process that mapped an object privately still
    /// keeps it alive, and is found no other way.
    Private,
}

impl Holdings {
    /// Looks at every process. Those named first are looked at first.
    ///
    /// Nothing is opened but files of `/proc`, and nothing in them is changed.
    #[must_use]
    pub fn look(machine: &dyn Machine, depth: Depth, first: &[u32], names: &mut Names) -> Self {
        look(machine, depth == Depth::Private, first, None, names, |_| ()).0
    }

    /// As [`Holdings::look`], and does some work as soon as the processes were
    /// looked at: what else is to be known mostly waits.
    pub fn look_and<T>(
        machine: &dyn Machine,
        depth: Depth,
        names: &mut Names,
        work: impl FnOnce(&mut Names) -> T,
    ) -> (Self, T) {
        look(machine, depth == Depth::Private, &[], None, names, work)
    }

    /// Looks at every process again. One that has not run on a processor since
    /// it was looked at holds what it held, and is not asked, for a minute at most.
    #[must_use]
    pub fn refresh(&self, machine: &dyn Machine, first: &[u32], names: &mut Names) -> Self {
        look(machine, self.private, first, Some(self), names, |_| ()).0
    }

    /// Looks again at some processes, at those that are new, and at those that
    /// have run since. What was seen of the others is believed, however long ago.
    #[must_use]
    pub fn again(&self, machine: &dyn Machine, some: &[u32], names: &mut Names) -> Self {
        let some: HashSet<u32> = some.iter().copied().collect();
        // What one of them has passed on, somebody has run to take.
        let believe = |listed: Listed, ran: Option<u64>| {
            let known = self.processes.get(&listed.pid).filter(|known| known.serial == listed.serial);
            let rested = |known: &&Entry| known.ran == ran && !some.contains(&listed.pid);
            known.filter(rested).cloned()
        };
        let looker = Looker { machine, wanted: &self.wanted, now: machine.now(), believe: &believe };
        let ((processes, failed), locks) = with_locks(machine, || looker.look(&[]));
        // Of what nobody looked at again, no more is known than before.
        let failed = failed.or_else(|| self.coverage.failed.clone());
        let wanted = self.wanted.clone();
        Self::new(machine, Found { at: self.at, wanted, processes, locks, failed }, names)
    }
}

fn look<T>(
    machine: &dyn Machine,
    private: bool,
    first: &[u32],
    before: Option<&Holdings>,
    names: &mut Names,
    work: impl FnOnce(&mut Names) -> T,
) -> (Holdings, T) {
    let at = machine.now();
    names.begin(at);
    let (segment_devices, unknown) = match machine.segment_devices() {
        Ok(segment_devices) => (segment_devices, None),
        Err(error) => (
            SegmentDevices::default(),
            Some(problem("failed to identify the shared-memory file systems", &error)),
        ),
    };
    let wanted = Wanted { segment_devices, private, as_text: false };
    let before = before.filter(|before| before.wanted == wanted);
    let believe = |listed: Listed, ran: Option<u64>| {
        let known = before?.processes.get(&listed.pid)?;
        let rested = known.serial == listed.serial && ran.is_some() && known.ran == ran;
        (rested && known.is_fresh(listed.pid, at)).then(|| known.clone())
    };
    let looker = Looker { machine, wanted: &wanted, now: at, believe: &believe };
    let (((processes, failed), done), locks) = with_locks(machine, || (looker.look(first), work(names)));
    let found = Found { at, wanted, processes, locks, failed: unknown.or(failed) };
    (Holdings::new(machine, found, names), done)
}

/// Does some work while the locks on files are asked for. They take their time
/// and no processor: the kernel waits until nobody is in the midst of changing
/// them (`percpu_down_write` in `locks_start` of `fs/locks.c`).
fn with_locks<T>(machine: &dyn Machine, work: impl FnOnce() -> T) -> (T, io::Result<Vec<FileLock>>) {
    let locks = || machine.locks();
    thread::scope(|scope| {
        // Where there may be no more threads, one after the other does too.
        let Ok(other) = thread::Builder::new().spawn_scoped(scope, locks) else { return (work(), locks()) };
        let done = work();
        (done, other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

impl Entry {
    /// That it was looked at long ago makes nothing wrong; it is asked again
    /// for what a clock in nanoseconds might have missed.
    fn is_fresh(&self, pid: u32, now: Timestamp) -> bool {
        let limit = f64::from(BELIEVED + pid % BELIEVED);
        (0.0..limit).contains(&now.seconds_since(self.at))
    }
}

/// What is known of a process by how long it has run, if that does.
type Believe<'a> = dyn Fn(Listed, Option<u64>) -> Option<Entry> + Sync + 'a;

struct Looker<'a> {
    machine: &'a dyn Machine,
    wanted: &'a Wanted,
    now: Timestamp,
    believe: &'a Believe<'a>,
}

impl Looker<'_> {
    /// Every process; and why some may be missing.
    fn look(&self, first: &[u32]) -> (HashMap<u32, Entry>, Option<String>) {
        let mut found: HashMap<u32, Entry> = HashMap::new();
        for _ in 0..ROUNDS {
            let newest = self.machine.newest_pid();
            let mut due = match self.machine.list_processes() {
                Ok(listed) => listed,
                Err(error) => {
                    return (found, Some(problem("failed to list processes", &error)));
                }
            };
            let there: HashMap<u32, u64> = due.iter().map(|listed| (listed.pid, listed.serial)).collect();
            found.retain(|pid, entry| there.get(pid) == Some(&entry.serial));
            due.retain(|listed| !found.contains_key(&listed.pid));
            if due.is_empty() {
                return (found, None);
            }
            if !first.is_empty() {
                due.sort_by_key(|listed| !first.contains(&listed.pid));
            }
            found.extend(self.ask(&due));
            if newest.is_some() && self.machine.newest_pid() == newest {
                // Nobody has come meanwhile.
                return (found, None);
            }
        }
        (found, Some("processes start faster than they can be checked".to_owned()))
    }

    fn ask(&self, due: &[Listed]) -> Vec<(u32, Entry)> {
        let next = AtomicUsize::new(0);
        let all = Mutex::new(Vec::with_capacity(due.len()));
        let share = || {
            let mut mine = vec![];
            loop {
                let from = next.fetch_add(HANDFUL, Ordering::Relaxed);
                let Some(rest) = due.get(from..).filter(|rest| !rest.is_empty()) else { break };
                let handful = rest.iter().take(HANDFUL);
                mine.extend(handful.filter_map(|&listed| Some((listed.pid, self.one(listed)?))));
            }
            all.lock().unwrap_or_else(PoisonError::into_inner).extend(mine);
        };
        let threads = THREADS.min(due.len().div_ceil(HANDFUL));
        thread::scope(|scope| {
            // Where there may be no more threads, one does too.
            let others: Vec<_> =
                (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, share).ok()).collect();
            share();
            for other in others {
                other.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
            }
        });
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` for one that is gone.
    fn one(&self, listed: Listed) -> Option<Entry> {
        // Before it is looked at: what it does meanwhile counts as done later.
        let ran = self.machine.cpu_time(listed.pid);
        if let Some(known) = (self.believe)(listed, ran).filter(|known| *known.seen != Seen::Exhausted) {
            return Some(known);
        }
        let seen = match self.machine.examine(listed.pid, self.wanted) {
            Examined::Gone => return None,
            Examined::Exhausted => Seen::Exhausted,
            Examined::Unreadable(users) => Seen::Unreadable(users),
            Examined::Nothing => Seen::Nothing,
            Examined::Found(process, uses) => Seen::Holds(Box::new(process), sum_up(uses)),
        };
        Some(Entry { serial: listed.serial, ran, at: self.now, seen: Arc::new(seen) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::Access;

    fn machine() -> FakeMachine {
        let machine = FakeMachine::new();
        machine.add_sysv(1, 0, FakeBytes::hole(1));
        for pid in [7, 8] {
            machine.add_process(pid, "writer");
            machine.attach_in(pid, 1, Access::ReadWrite);
        }
        machine
    }

    #[test]
    fn a_process_that_has_the_pid_of_another_holds_nothing_of_its() {
        let machine = machine();
        let mut names = Names::default();
        let before = Holdings::look(&machine, Depth::Private, &[], &mut names);
        assert_eq!((before.held_by(7).len(), before.held_by(8).len()), (1, 1));
        machine.end_process(7);
        machine.add_process(7, "another");
        let now = machine.edit(|facts| facts.now);
        machine.edit(|facts| {
            facts.processes.get_mut(&7).unwrap().began = Timestamp::from_seconds(now);
        });
        for after in [before.again(&machine, &[8], &mut names), before.refresh(&machine, &[], &mut names)] {
            assert_eq!((after.held_by(7).len(), after.held_by(8).len()), (0, 1));
        }
    }

    #[test]
    fn who_is_gone_is_forgotten_and_who_is_new_is_found_whoever_was_asked_for() {
        let machine = machine();
        let mut names = Names::default();
        let before = Holdings::look(&machine, Depth::Private, &[], &mut names);
        machine.end_process(7);
        machine.add_process(9, "new");
        machine.attach_in(9, 1, Access::Read);
        machine.attach_in(8, 1, Access::Read);
        let after = before.again(&machine, &[], &mut names);
        assert_eq!((after.held_by(7).len(), after.held_by(9).len()), (0, 1));
        assert_eq!(after.coverage.processes, 2);
        assert_eq!(after.processes[&8].seen, before.processes[&8].seen, "it was not asked for");
        let after = after.again(&machine, &[8], &mut names);
        assert_ne!(after.processes[&8].seen, before.processes[&8].seen);
    }

    #[test]
    fn what_failed_stays_so_until_all_are_looked_at_again() {
        let machine = machine();
        let mut names = Names::default();
        machine.edit(|facts| facts.blind = true);
        let before = Holdings::look(&machine, Depth::Private, &[], &mut names);
        assert!(before.coverage.failed.is_some());
        machine.edit(|facts| facts.blind = false);
        let some = before.again(&machine, &[7], &mut names);
        assert_eq!((some.coverage.failed.is_some(), some.held_by(7).len()), (true, 1));
        let all = before.refresh(&machine, &[], &mut names);
        assert!(all.coverage.is_whole() && all.private);
    }

    #[test]
    fn who_is_believed_is_asked_again_in_time() {
        let entry = Entry {
            serial: 1,
            ran: Some(1),
            at: Timestamp::from_seconds(1000),
            seen: Arc::new(Seen::Nothing),
        };
        assert!(entry.is_fresh(7, Timestamp::from_seconds(1036)));
        assert!(!entry.is_fresh(7, Timestamp::from_seconds(1037)));
        assert!(!entry.is_fresh(7, Timestamp::from_seconds(999)), "the clock was set back");
    }
}

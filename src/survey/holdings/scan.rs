//! Scans all or some processes, on two threads.

use super::{Entry, Holdings, Outcome, ScanResult, group, problem};
use crate::machine::Machine;
use crate::machine::process::{Examination, FileLock, ListedProcess, ScanOptions, SegmentDevices};
use crate::segment::Timestamp;
use crate::survey::Names;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, panic, thread};

/// More threads bring little benefit.
const MAX_THREADS: usize = 2;

/// The number of processes in a thread's batch.
const BATCH_SIZE: usize = 8;

/// Passes over the process list. A process may pass a descriptor to a new child and exit, so a
/// single pass could miss both.
const MAX_PASSES: usize = 40;

/// The interval between later passes: a build or a test run starts processes in
/// bursts, and a quiet moment ends the scan.
const PASS_INTERVAL: Duration = Duration::from_millis(2);

/// A process this many pids before the newest one may not have been visible yet.
const MAX_STARTING: u32 = 64;

/// Passes without a pause.
const FAST_PASSES: usize = 8;

/// A result is reused for this many seconds if its process has not run, and for up to twice as
/// long, so that results do not all expire at once.
const LIFETIME_SECONDS: u32 = 30;

/// The extent of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Shared mappings and descriptors.
    Shared,
    /// Also private mappings, which also keep an unlinked object alive.
    Private,
}

impl Holdings {
    /// Scans all processes, starting with those in `first`. Only reads files in `/proc`.
    #[must_use]
    pub fn scan(machine: &dyn Machine, depth: Depth, first: &[u32], names: &mut Names) -> Self {
        scan(machine, depth == Depth::Private, first, None, names, |_| ()).0
    }

    /// Scans all processes, and does other work while the kernel lists the file locks.
    pub fn scan_and<T>(
        machine: &dyn Machine,
        depth: Depth,
        names: &mut Names,
        work: impl FnOnce(&mut Names) -> T,
    ) -> (Self, T) {
        scan(machine, depth == Depth::Private, &[], None, names, work)
    }

    /// Scans again. Reuses the results of processes that have not run since, for up to a minute.
    #[must_use]
    pub fn refresh(&self, machine: &dyn Machine, first: &[u32], names: &mut Names) -> Self {
        scan(machine, self.private, first, Some(self), names, |_| ()).0
    }

    /// Scans these processes, new ones, and those that have run since. Reuses all other results,
    /// however old.
    #[must_use]
    pub fn rescan(&self, machine: &dyn Machine, some: &[u32], names: &mut Names) -> Self {
        let some: HashSet<u32> = some.iter().copied().collect();
        // A process cannot have received a descriptor without running.
        let reuse = |listed: ListedProcess, ran: Option<u64>| {
            let known = self.processes.get(&listed.pid).filter(|known| known.serial == listed.serial);
            let is_unchanged = |known: &&Entry| known.ran == ran && !some.contains(&listed.pid);
            known.filter(is_unchanged).cloned()
        };
        let scanner = Scanner { machine, wanted: &self.wanted, now: machine.now(), reuse: &reuse };
        let ((processes, failed), locks) = with_locks(machine, || scanner.scan(&[]));
        // A failure of the previous scan still applies to the reused results.
        let failed = failed.or_else(|| self.coverage.failed.clone());
        let wanted = self.wanted.clone();
        Self::new(machine, ScanResult { at: self.at, wanted, processes, locks, failed }, names)
    }
}

fn scan<T>(
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
    let wanted = ScanOptions { segment_devices, private, as_text: false };
    let before = before.filter(|before| before.wanted == wanted);
    let reuse = |listed: ListedProcess, ran: Option<u64>| {
        let known = before?.processes.get(&listed.pid)?;
        let is_unchanged = known.serial == listed.serial && ran.is_some() && known.ran == ran;
        (is_unchanged && known.is_fresh(listed.pid, at)).then(|| known.clone())
    };
    let scanner = Scanner { machine, wanted: &wanted, now: at, reuse: &reuse };
    let (((processes, failed), done), locks) = with_locks(machine, || (scanner.scan(first), work(names)));
    let found = ScanResult { at, wanted, processes, locks, failed: unknown.or(failed) };
    (Holdings::new(machine, found, names), done)
}

/// Does other work while the kernel lists the file locks, which takes long but no CPU time: the
/// kernel waits until no process is changing locks (`percpu_down_write` in `locks_start` of
/// `fs/locks.c`).
fn with_locks<T>(machine: &dyn Machine, work: impl FnOnce() -> T) -> (T, io::Result<Vec<FileLock>>) {
    let locks = || machine.locks();
    thread::scope(|scope| {
        // Without a second thread, run them in turn.
        let Ok(other) = thread::Builder::new().spawn_scoped(scope, locks) else { return (work(), locks()) };
        let done = work();
        (done, other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

impl Entry {
    /// Returns true if the result is recent. Old ones are refreshed in case the CPU clock missed a
    /// short run.
    fn is_fresh(&self, pid: u32, now: Timestamp) -> bool {
        let limit = f64::from(LIFETIME_SECONDS + pid % LIFETIME_SECONDS);
        (0.0..limit).contains(&now.seconds_since(self.at))
    }
}

/// Returns the result to reuse for a process with this CPU time, if any.
type Reuse<'a> = dyn Fn(ListedProcess, Option<u64>) -> Option<Entry> + Sync + 'a;

struct Scanner<'a> {
    machine: &'a dyn Machine,
    wanted: &'a ScanOptions,
    now: Timestamp,
    reuse: &'a Reuse<'a>,
}

impl Scanner<'_> {
    /// Scans all processes. Also returns the reason why some may be missing.
    fn scan(&self, first: &[u32]) -> (HashMap<u32, Entry>, Option<String>) {
        let mut found: HashMap<u32, Entry> = HashMap::new();
        let mut before: Option<u32> = None;
        for round in 0..MAX_PASSES {
            if round >= FAST_PASSES {
                thread::sleep(PASS_INTERVAL);
            }
            let newest = self.machine.newest_pid();
            // Later passes list only new processes, and so more often end before the next one
            // starts. After the last pid, the kernel starts over at the first.
            let first_new = before.zip(newest).filter(|(before, newest)| before <= newest);
            let listed = match first_new {
                Some((before, _)) => self.machine.list_processes_from(before.saturating_sub(MAX_STARTING)),
                None => self.machine.list_processes(),
            };
            let mut due = match listed {
                Ok(listed) => listed,
                Err(error) => return (found, Some(problem("failed to list processes", &error))),
            };
            if first_new.is_none() {
                let there: HashMap<u32, u64> = due.iter().map(|it| (it.pid, it.serial)).collect();
                found.retain(|pid, entry| there.get(pid) == Some(&entry.serial));
            }
            due.retain(|it| found.get(&it.pid).is_none_or(|entry| entry.serial != it.serial));
            if due.is_empty() {
                return (found, None);
            }
            if !first.is_empty() {
                due.sort_by_key(|listed| !first.contains(&listed.pid));
            }
            // A new thread would count as a new process.
            let threads = if before.is_none() { MAX_THREADS } else { 1 };
            found.extend(self.examine_all(&due, threads));
            if newest.is_some() && self.machine.newest_pid() == newest {
                // No process has started since.
                return (found, None);
            }
            before = newest;
        }
        (found, Some("processes start faster than they can be checked".to_owned()))
    }

    fn examine_all(&self, due: &[ListedProcess], threads: usize) -> Vec<(u32, Entry)> {
        let next = AtomicUsize::new(0);
        let all = Mutex::new(Vec::with_capacity(due.len()));
        let work = || {
            let mut results = vec![];
            loop {
                let from = next.fetch_add(BATCH_SIZE, Ordering::Relaxed);
                let Some(rest) = due.get(from..).filter(|rest| !rest.is_empty()) else { break };
                let batch = rest.iter().take(BATCH_SIZE);
                results.extend(batch.filter_map(|&listed| Some((listed.pid, self.examine(listed)?))));
            }
            all.lock().unwrap_or_else(PoisonError::into_inner).extend(results);
        };
        let threads = threads.min(due.len().div_ceil(BATCH_SIZE));
        thread::scope(|scope| {
            // Without more threads, this one does all the work.
            let others: Vec<_> =
                (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
            work();
            for other in others {
                other.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
            }
        });
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Examines a process; `None` if it has exited.
    fn examine(&self, listed: ListedProcess) -> Option<Entry> {
        // Read the CPU time first, so that later changes are not missed.
        let ran = self.machine.cpu_time(listed.pid);
        if let Some(known) = (self.reuse)(listed, ran).filter(|known| *known.outcome != Outcome::Exhausted) {
            return Some(known);
        }
        let outcome = match self.machine.examine(listed.pid, self.wanted) {
            Examination::Gone => return None,
            Examination::Exhausted => Outcome::Exhausted,
            Examination::Unreadable(users) => Outcome::Unreadable(users),
            Examination::Nothing => Outcome::Nothing,
            Examination::Found(process, uses) => Outcome::Holds(Box::new(process), group(uses)),
        };
        Some(Entry { serial: listed.serial, ran, at: self.now, outcome: Arc::new(outcome) })
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
    fn process_with_a_reused_pid_inherits_no_results() {
        let machine = machine();
        let mut names = Names::default();
        let before = Holdings::scan(&machine, Depth::Private, &[], &mut names);
        assert_eq!((before.held_by(7).len(), before.held_by(8).len()), (1, 1));
        machine.end_process(7);
        machine.add_process(7, "another");
        let now = machine.edit(|facts| facts.now);
        machine.edit(|facts| {
            facts.processes.get_mut(&7).unwrap().started = Timestamp::from_seconds(now);
        });
        for after in [before.rescan(&machine, &[8], &mut names), before.refresh(&machine, &[], &mut names)] {
            assert_eq!((after.held_by(7).len(), after.held_by(8).len()), (0, 1));
        }
    }

    #[test]
    fn partial_scan_drops_exited_and_finds_new_processes() {
        let machine = machine();
        let mut names = Names::default();
        let before = Holdings::scan(&machine, Depth::Private, &[], &mut names);
        machine.end_process(7);
        machine.add_process(9, "new");
        machine.attach_in(9, 1, Access::Read);
        machine.attach_in(8, 1, Access::Read);
        let after = before.rescan(&machine, &[], &mut names);
        assert_eq!((after.held_by(7).len(), after.held_by(9).len()), (0, 1));
        assert_eq!(after.coverage.processes, 2);
        assert_eq!(
            after.processes[&8].outcome, before.processes[&8].outcome,
            "only selected processes are scanned again"
        );
        let after = after.rescan(&machine, &[8], &mut names);
        assert_ne!(after.processes[&8].outcome, before.processes[&8].outcome);
    }

    #[test]
    fn failure_remains_until_the_next_full_scan() {
        let machine = machine();
        let mut names = Names::default();
        machine.edit(|facts| facts.blind = true);
        let before = Holdings::scan(&machine, Depth::Private, &[], &mut names);
        assert!(before.coverage.failed.is_some());
        machine.edit(|facts| facts.blind = false);
        let some = before.rescan(&machine, &[7], &mut names);
        assert_eq!((some.coverage.failed.is_some(), some.held_by(7).len()), (true, 1));
        let all = before.refresh(&machine, &[], &mut names);
        assert!(all.coverage.is_whole() && all.private);
    }

    #[test]
    fn reused_result_expires() {
        let entry = Entry {
            serial: 1,
            ran: Some(1),
            at: Timestamp::from_seconds(1000),
            outcome: Arc::new(Outcome::Nothing),
        };
        assert!(entry.is_fresh(7, Timestamp::from_seconds(1036)));
        assert!(!entry.is_fresh(7, Timestamp::from_seconds(1037)));
        assert!(!entry.is_fresh(7, Timestamp::from_seconds(999)), "the clock was set back");
    }
}

//! The look itself: every process, or some, on two threads.

use super::{Holdings, Seen, sum_up};
use crate::machine::Machine;
use crate::machine::process::{Examined, Wanted};
use crate::survey::Names;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{panic, thread};

/// How many threads look: more than two gain little, and the machine has other work.
const THREADS: usize = 2;

/// How many processes a thread takes at a time.
const HANDFUL: usize = 8;

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
    /// A process that comes or goes meanwhile is found or not; the others are.
    #[must_use]
    pub fn look(machine: &dyn Machine, depth: Depth, first: &[u32], names: &mut Names) -> Self {
        let at = machine.now();
        names.begin(at);
        let source = machine.processes();
        let private = depth == Depth::Private;
        let devices = source.devices();
        let mut pids: Vec<u32> = first.to_vec();
        let early: HashSet<u32> = first.iter().copied().collect();
        let all = source.pids();
        let listed = all.is_ok();
        pids.extend(all.unwrap_or_default().into_iter().filter(|pid| !early.contains(pid)));
        let seen = examine(machine, &pids, Wanted { devices, private });
        Self::new(machine, at, Wanted { devices, private }, seen, listed, names)
    }

    /// Looks again at some processes, and at those that are new. What was seen
    /// of the others is believed.
    #[must_use]
    pub fn again(&self, machine: &dyn Machine, some: &[u32], names: &mut Names) -> Self {
        let source = machine.processes();
        let some: HashSet<u32> = some.iter().copied().collect();
        let all = source.pids();
        let listed = all.is_ok();
        let there: HashSet<u32> = all.unwrap_or_default().into_iter().collect();
        let due: Vec<u32> = there
            .iter()
            .copied()
            .filter(|pid| some.contains(pid) || !self.processes.contains_key(pid))
            .collect();
        let wanted = Wanted { devices: self.devices, private: self.private };
        let mut seen = examine(machine, &due, wanted);
        for (pid, old) in &self.processes {
            if there.contains(pid) && !some.contains(pid) {
                seen.insert(*pid, old.clone());
            }
        }
        // Of what nobody looked at again, no more is known than before.
        Self::new(machine, self.at, wanted, seen, listed, names)
    }
}

fn examine(machine: &dyn Machine, pids: &[u32], wanted: Wanted) -> HashMap<u32, Seen> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(HashMap::with_capacity(pids.len()));
    let share = || {
        let mut mine = vec![];
        loop {
            let from = next.fetch_add(HANDFUL, Ordering::Relaxed);
            let Some(rest) = pids.get(from..).filter(|rest| !rest.is_empty()) else { break };
            for &pid in rest.iter().take(HANDFUL) {
                mine.extend(one(machine, pid, wanted).map(|seen| (pid, seen)));
            }
        }
        all.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(mine);
    };
    thread::scope(|scope| {
        // Where there may be no more threads, one does too.
        let others: Vec<_> =
            (1..THREADS).filter_map(|_| thread::Builder::new().spawn_scoped(scope, share).ok()).collect();
        share();
        for other in others {
            other.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        }
    });
    all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// `None` for one that is gone.
fn one(machine: &dyn Machine, pid: u32, wanted: Wanted) -> Option<Seen> {
    let source = machine.processes();
    match source.examine(pid, wanted) {
        Examined::Gone => None,
        Examined::Unreadable => Some(Seen::Unreadable(source.users_of(pid))),
        Examined::Uses(uses) if uses.is_empty() => Some(Seen::Nothing),
        Examined::Uses(uses) => {
            let process = source.process(pid)?;
            Some(Seen::Holds(Box::new(process), sum_up(uses)))
        }
    }
}

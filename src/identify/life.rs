//! Whether a process that is known by its pid alone still lives: pids are
//! given again, and there are pid namespaces.

use crate::machine::process::{Process, Processes};
use crate::segment::Timestamp;
use std::cell::OnceCell;
use std::collections::HashSet;

/// A process that began so many seconds after a segment was last changed is
/// another one than its maker. System V keeps whole seconds, and the start of a
/// process is known to a hundredth.
const SLACK: f64 = 2.0;

/// What became of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// It lives, by this name.
    Lives(Box<Process>),
    /// There is none of that pid.
    Gone,
    /// The pid is that of a process that began later.
    PassedOn(Box<Process>),
    /// It cannot be told, and why.
    Unclear(&'static str),
}

impl Life {
    /// Whether it is known to be dead.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Gone | Self::PassedOn(_))
    }
}

/// Whose pid it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// As the kernel tells it to us: of this pid namespace.
    Here,
    /// As the process itself wrote it down: of the namespace that it was in.
    There,
}

/// The processes that live, asked as far as it is needed.
pub struct Living<'a> {
    processes: &'a dyn Processes,
    inner: OnceCell<HashSet<u32>>,
    outside: OnceCell<bool>,
}

impl<'a> Living<'a> {
    /// Of this machine, now.
    #[must_use]
    pub const fn new(processes: &'a dyn Processes) -> Self {
        Self { processes, inner: OnceCell::new(), outside: OnceCell::new() }
    }

    /// Whether the process that had that pid at `then` lives.
    #[must_use]
    pub fn of(&self, pid: u32, seen: Seen, then: Option<Timestamp>) -> Life {
        let found = self.processes.process(pid).filter(|process| !process.ended).map(Box::new);
        let life = match found {
            Some(process) if then.is_some_and(|then| process.began.seconds_since(then) > SLACK) => {
                Life::PassedOn(process)
            }
            Some(process) => return Life::Lives(process),
            None if self.is_hidden(pid) => return Life::Unclear("/proc hides processes of others"),
            None => Life::Gone,
        };
        if seen == Seen::There && self.is_inner(pid) {
            return Life::Unclear("a process in another pid namespace has that pid");
        }
        if seen == Seen::There && self.has_outside() {
            return Life::Unclear("processes outside of this pid namespace cannot be seen");
        }
        life
    }

    /// There, and not shown; one that has ended and waits for its parent is shown.
    fn is_hidden(&self, pid: u32) -> bool {
        self.processes.process(pid).is_none() && self.processes.exists(pid)
    }

    fn is_inner(&self, pid: u32) -> bool {
        self.inner.get_or_init(|| self.processes.inner_pids().into_iter().collect()).contains(&pid)
    }

    fn has_outside(&self) -> bool {
        *self.outside.get_or_init(|| self.processes.visibility().outside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine as _;
    use crate::machine::made::MadeMachine;

    #[test]
    fn a_pid_is_believed_only_as_far_as_it_goes() {
        let machine = MadeMachine::new();
        let now = machine.now();
        let then = |ago| Some(Timestamp::from_seconds(now.seconds - ago));
        machine.add_process(7, "writer");
        let of = |pid, seen, then| Living::new(machine.processes()).of(pid, seen, then);
        // It began an hour ago.
        assert!(matches!(of(7, Seen::Here, then(60)), Life::Lives(_)));
        assert!(matches!(of(7, Seen::Here, None), Life::Lives(_)));
        assert!(matches!(of(7, Seen::Here, then(3601)), Life::Lives(_)), "within the second that is kept");
        assert!(matches!(of(7, Seen::Here, then(4000)), Life::PassedOn(_)));
        assert_eq!(of(8, Seen::Here, then(60)), Life::Gone);
        assert_eq!(of(8, Seen::There, then(60)), Life::Gone);
        machine.edit(|facts| facts.inner_pids = vec![8, 7]);
        assert!(matches!(of(8, Seen::There, then(60)), Life::Unclear(_)));
        assert!(matches!(of(7, Seen::There, then(4000)), Life::Unclear(_)));
        assert_eq!(of(8, Seen::Here, then(60)), Life::Gone, "the kernel tells it in this namespace");
        machine.edit(|facts| {
            facts.inner_pids.clear();
            facts.visibility.outside = true;
        });
        assert!(matches!(of(8, Seen::There, None), Life::Unclear(_)));
    }
}

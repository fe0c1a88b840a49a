//! Whether a process that is known by its pid alone still lives: pids are
//! given again, and there are pid namespaces.

use crate::machine::process::{Clock, Process, Processes, Visibility};
use crate::segment::Timestamp;
use crate::survey::Holdings;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};

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
    /// There is none of that pid here, and one in a pid namespace below: it may
    /// be the one that wrote its pid down.
    Elsewhere,
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
    scan: Option<&'a Holdings>,
    /// Those that were asked for: many segments have the same creator.
    found: RefCell<HashMap<u32, Option<Process>>>,
    hidden: RefCell<HashMap<u32, bool>>,
    inner: OnceCell<HashSet<u32>>,
    visibility: OnceCell<Visibility>,
    clock: OnceCell<Clock>,
}

impl<'a> Living<'a> {
    /// Of this machine, now.
    #[must_use]
    pub fn new(processes: &'a dyn Processes) -> Self {
        let found = RefCell::new(HashMap::new());
        let hidden = RefCell::default();
        Self {
            processes,
            scan: None,
            found,
            hidden,
            inner: OnceCell::new(),
            visibility: OnceCell::new(),
            clock: OnceCell::new(),
        }
    }

    /// Takes from a scan what it found of processes that have not run since.
    #[must_use]
    pub fn after(self, scan: Option<&'a Holdings>) -> Self {
        Self { scan, ..self }
    }

    /// Whether the process that had that pid at `then` lives.
    #[must_use]
    pub fn of(&self, pid: u32, seen: Seen, then: Option<Timestamp>) -> Life {
        if self.visibility().foreign {
            return Life::Unclear("/proc is not mounted or shows another pid namespace");
        }
        let found = self.process(pid).filter(|process| !process.ended).map(Box::new);
        let life = match found {
            Some(process) if then.is_some_and(|then| self.began_later(&process, then)) => {
                Life::PassedOn(process)
            }
            Some(process) => return Life::Lives(process),
            None if self.is_hidden(pid) => return Life::Unclear("/proc hides processes of other users"),
            None => Life::Gone,
        };
        if seen == Seen::There && self.is_inner(pid) {
            return Life::Elsewhere;
        }
        let visibility = self.visibility();
        if seen == Seen::There && visibility.outside {
            return Life::Unclear("processes outside this pid namespace are not visible");
        }
        if seen == Seen::There && visibility.hides {
            return Life::Unclear(
                "/proc hides processes of other users, which may be in another pid namespace",
            );
        }
        life
    }

    /// Whether a process began after `then`, which the clock showed when a
    /// segment was changed. When a process began is told by the clock of today:
    /// where that was set forward since, what is older than that lies by so much
    /// further back.
    fn began_later(&self, process: &Process, then: Timestamp) -> bool {
        let later = process.began.seconds_since(then);
        let clock = self.clock.get_or_init(|| self.processes.clock());
        if later <= SLACK || clock.forward <= SLACK {
            return later > SLACK;
        }
        let before_it_was_set = clock.now.seconds_since(then) >= clock.forward - SLACK;
        match (clock.boot.seconds_since(then) > SLACK, before_it_was_set) {
            // The clock showed this at no time that is known: it was set more than once.
            (true, false) => false,
            (_, true) => later - clock.forward > SLACK,
            (false, false) => true,
        }
    }

    /// What cannot be seen of the processes.
    pub fn visibility(&self) -> Visibility {
        *self.visibility.get_or_init(|| self.processes.visibility())
    }

    /// There, and not shown; one that has ended and waits for its parent is shown.
    fn is_hidden(&self, pid: u32) -> bool {
        let ask = || self.process(pid).is_none() && self.processes.process_exists(pid);
        *self.hidden.borrow_mut().entry(pid).or_insert_with(ask)
    }

    fn process(&self, pid: u32) -> Option<Process> {
        let scanned = || self.scan.and_then(|scan| scan.unchanged(self.processes, pid)).cloned();
        let find = || scanned().or_else(|| self.processes.process(pid));
        self.found.borrow_mut().entry(pid).or_insert_with(find).clone()
    }

    fn is_inner(&self, pid: u32) -> bool {
        self.inner.get_or_init(|| self.processes.inner_pids().into_iter().collect()).contains(&pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine as _;
    use crate::machine::fake::FakeMachine;

    #[test]
    fn a_pid_of_another_namespace_than_that_of_proc_tells_nothing() {
        let machine = FakeMachine::new();
        machine.add_process(7, "another");
        machine.edit(|facts| facts.visibility.foreign = true);
        let then = Some(Timestamp::from_seconds(machine.now().seconds - 7200));
        for (pid, seen) in [(7, Seen::Here), (8, Seen::Here), (7, Seen::There), (8, Seen::There)] {
            let life = Living::new(&machine).of(pid, seen, then);
            assert!(matches!(life, Life::Unclear(why) if why.contains("another pid namespace")), "{life:?}");
        }
    }

    #[test]
    fn a_pid_is_believed_only_as_far_as_it_goes() {
        let machine = FakeMachine::new();
        let now = machine.now();
        let then = |ago| Some(Timestamp::from_seconds(now.seconds - ago));
        machine.add_process(7, "writer");
        let of = |pid, seen, then| Living::new(&machine).of(pid, seen, then);
        // It began an hour ago.
        assert!(matches!(of(7, Seen::Here, then(60)), Life::Lives(_)));
        assert!(matches!(of(7, Seen::Here, None), Life::Lives(_)));
        assert!(matches!(of(7, Seen::Here, then(3601)), Life::Lives(_)), "within the second that is kept");
        assert!(matches!(of(7, Seen::Here, then(4000)), Life::PassedOn(_)));
        assert_eq!(of(8, Seen::Here, then(60)), Life::Gone);
        assert_eq!(of(8, Seen::There, then(60)), Life::Gone);
        machine.edit(|facts| facts.inner_pids = vec![8, 7]);
        assert_eq!(of(8, Seen::There, then(60)), Life::Elsewhere);
        assert_eq!(of(7, Seen::There, then(4000)), Life::Elsewhere);
        assert_eq!(of(8, Seen::Here, then(60)), Life::Gone, "the kernel tells it in this namespace");
        machine.edit(|facts| {
            facts.inner_pids.clear();
            facts.visibility.outside = true;
        });
        assert!(matches!(of(8, Seen::There, None), Life::Unclear(_)));
        assert_eq!(of(8, Seen::Here, None), Life::Gone);
        machine.edit(|facts| {
            facts.visibility.outside = false;
            facts.visibility.hides = true;
        });
        assert!(matches!(of(8, Seen::There, None), Life::Unclear(_)), "its namespace may be hidden");
        assert_eq!(of(8, Seen::Here, None), Life::Gone, "kill(2) tells");
        machine.edit(|facts| facts.hidden = vec![8]);
        assert!(matches!(of(8, Seen::Here, None), Life::Unclear(_)));
    }

    #[test]
    fn who_has_ended_and_was_not_asked_for_yet_is_gone() {
        let machine = FakeMachine::new();
        machine.add_process(7, "writer");
        machine.edit(|facts| facts.processes.get_mut(&7).unwrap().ended = true);
        assert_eq!(Living::new(&machine).of(7, Seen::Here, None), Life::Gone);
    }

    #[test]
    fn a_clock_that_was_set_makes_no_process_younger() {
        let machine = FakeMachine::new();
        let now = machine.now().seconds;
        machine.add_process(7, "writer");
        // The machine runs for two hours; its clock was set on by that many seconds.
        let set = |forward: f64| {
            machine.edit(|facts| {
                facts.uptime = 7200;
                facts.clock_forward = forward;
            });
        };
        // The process began an hour ago.
        let of = |then: i64| {
            let then = Some(Timestamp::from_seconds(now - then));
            Living::new(&machine).of(7, Seen::Here, then)
        };
        set(0.0);
        assert!(matches!(of(4000), Life::PassedOn(_)));
        // By a day: a segment of before has a time from before the machine began.
        set(86_400.0);
        assert!(matches!(of(3600 + 86_400 - 60), Life::Lives(_)), "made a minute after the process began");
        assert!(matches!(of(3600 + 86_400 + 60), Life::PassedOn(_)), "a minute before");
        assert!(matches!(of(4000), Life::PassedOn(_)), "made by the new clock");
        assert!(matches!(of(3000), Life::Lives(_)));
        assert!(matches!(of(8000), Life::Lives(_)), "a time of neither clock says nothing");
        // By ten minutes: a time may be of either clock.
        set(600.0);
        assert!(matches!(of(4000), Life::Lives(_)));
        assert!(matches!(of(4300), Life::PassedOn(_)));
    }
}

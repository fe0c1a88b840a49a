//! The state of a process, given only its pid. Considers pid reuse and pid namespaces.

use crate::machine::process::{Clock, Process, Processes, Visibility};
use crate::segment::Timestamp;
use crate::survey::Holdings;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};

/// A process that started more than this many seconds after the last change of a segment did not
/// create it. System V times are whole seconds, start times are accurate to 10 ms.
const START_TOLERANCE_SECONDS: f64 = 2.0;

/// The state of a process with a known pid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessState {
    Running(Box<Process>),
    Exited,
    /// The pid now belongs to a process that started later.
    PidReused(Box<Process>),
    /// A process in a child namespace has the pid, and may be the one that recorded it.
    InChildNamespace,
    /// Undetermined, for this reason.
    Unknown(&'static str),
}

/// The pid namespace of a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidNamespace {
    /// Our own namespace: the kernel reported the pid.
    Ours,
    /// The namespace of the process that recorded its own pid.
    Writers,
}

/// Process states, filled on demand.
pub struct ProcessStates<'a> {
    processes: &'a dyn Processes,
    scan: Option<&'a Holdings>,
    found: RefCell<HashMap<u32, Option<Process>>>,
    hidden: RefCell<HashMap<u32, bool>>,
    inner: OnceCell<HashSet<u32>>,
    visibility: OnceCell<Visibility>,
    clock: OnceCell<Clock>,
}

impl<'a> ProcessStates<'a> {
    /// Reuses scan results of processes that have not run since.
    pub fn new(processes: &'a dyn Processes, scan: Option<&'a Holdings>) -> Self {
        let (found, hidden) = <(RefCell<HashMap<_, _>>, RefCell<HashMap<_, _>>)>::default();
        let (inner, visibility, clock) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { processes, scan, found, hidden, inner, visibility, clock }
    }

    /// Returns the state of the process that had the pid at `then`.
    pub fn of(&self, pid: u32, namespace: PidNamespace, then: Option<Timestamp>) -> ProcessState {
        if self.visibility().foreign {
            return ProcessState::Unknown("/proc is not mounted or shows another pid namespace");
        }
        let found = self.process(pid).filter(|process| !process.ended).map(Box::new);
        let state = match found {
            Some(process) if then.is_some_and(|then| self.started_later(&process, then)) => {
                ProcessState::PidReused(process)
            }
            Some(process) => return ProcessState::Running(process),
            None if self.is_hidden(pid) => {
                return ProcessState::Unknown("/proc hides processes of other users");
            }
            None => ProcessState::Exited,
        };
        let visibility = self.visibility();
        match namespace {
            PidNamespace::Writers if self.is_inner(pid) => ProcessState::InChildNamespace,
            PidNamespace::Writers if visibility.outside => {
                ProcessState::Unknown("processes outside this pid namespace are not visible")
            }
            PidNamespace::Writers if visibility.hides => ProcessState::Unknown(
                "/proc hides processes of other users, which may be in another pid namespace",
            ),
            PidNamespace::Ours | PidNamespace::Writers => state,
        }
    }

    /// Returns true if a process started after a segment changed at `then`. The kernel derives
    /// start times from the current clock: if it was set forward since, `then` is too old by that
    /// amount.
    fn started_later(&self, process: &Process, then: Timestamp) -> bool {
        let later = process.started.seconds_since(then);
        let clock = self.clock.get_or_init(|| self.processes.clock());
        if later <= START_TOLERANCE_SECONDS || clock.forward <= START_TOLERANCE_SECONDS {
            return later > START_TOLERANCE_SECONDS;
        }
        let predates_clock_change = clock.now.seconds_since(then) >= clock.forward - START_TOLERANCE_SECONDS;
        match (clock.boot.seconds_since(then) > START_TOLERANCE_SECONDS, predates_clock_change) {
            // The clock was set more than once and never showed this time.
            (true, false) => false,
            (_, true) => later - clock.forward > START_TOLERANCE_SECONDS,
            (false, false) => true,
        }
    }

    pub fn visibility(&self) -> Visibility {
        *self.visibility.get_or_init(|| self.processes.visibility())
    }

    /// Returns true if the process exists but /proc hides it. Zombies are not hidden.
    fn is_hidden(&self, pid: u32) -> bool {
        let is_hidden = || self.process(pid).is_none() && self.processes.process_exists(pid);
        *self.hidden.borrow_mut().entry(pid).or_insert_with(is_hidden)
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
    fn every_state_is_unknown_if_proc_shows_another_pid_namespace() {
        let machine = FakeMachine::new();
        machine.add_process(7, "another");
        machine.edit(|facts| facts.visibility.foreign = true);
        let then = Some(Timestamp::from_seconds(machine.now().seconds - 7200));
        for (pid, seen) in [
            (7, PidNamespace::Ours),
            (8, PidNamespace::Ours),
            (7, PidNamespace::Writers),
            (8, PidNamespace::Writers),
        ] {
            let life = ProcessStates::new(&machine, None).of(pid, seen, then);
            assert!(
                matches!(life, ProcessState::Unknown(why) if why.contains("another pid namespace")),
                "{life:?}"
            );
        }
    }

    #[test]
    fn state_follows_from_start_time_namespace_and_visibility() {
        let machine = FakeMachine::new();
        let now = machine.now();
        let then = |ago| Some(Timestamp::from_seconds(now.seconds - ago));
        machine.add_process(7, "writer");
        let state = |pid, seen, then| ProcessStates::new(&machine, None).of(pid, seen, then);
        // The process started an hour ago.
        assert!(matches!(state(7, PidNamespace::Ours, then(60)), ProcessState::Running(_)));
        assert!(matches!(state(7, PidNamespace::Ours, None), ProcessState::Running(_)));
        assert!(
            matches!(state(7, PidNamespace::Ours, then(3601)), ProcessState::Running(_)),
            "System V keeps whole seconds"
        );
        assert!(matches!(state(7, PidNamespace::Ours, then(4000)), ProcessState::PidReused(_)));
        assert_eq!(state(8, PidNamespace::Ours, then(60)), ProcessState::Exited);
        assert_eq!(state(8, PidNamespace::Writers, then(60)), ProcessState::Exited);
        machine.edit(|facts| facts.inner_pids = vec![8, 7]);
        assert_eq!(state(8, PidNamespace::Writers, then(60)), ProcessState::InChildNamespace);
        assert_eq!(state(7, PidNamespace::Writers, then(4000)), ProcessState::InChildNamespace);
        assert_eq!(
            state(8, PidNamespace::Ours, then(60)),
            ProcessState::Exited,
            "the pid belongs to our own namespace"
        );
        machine.edit(|facts| {
            facts.inner_pids.clear();
            facts.visibility.outside = true;
        });
        assert!(matches!(state(8, PidNamespace::Writers, None), ProcessState::Unknown(_)));
        assert_eq!(state(8, PidNamespace::Ours, None), ProcessState::Exited);
        machine.edit(|facts| {
            facts.visibility.outside = false;
            facts.visibility.hides = true;
        });
        assert!(
            matches!(state(8, PidNamespace::Writers, None), ProcessState::Unknown(_)),
            "the process may be in a hidden namespace"
        );
        assert_eq!(state(8, PidNamespace::Ours, None), ProcessState::Exited, "kill(2) tells");
        machine.edit(|facts| facts.hidden = vec![8]);
        assert!(matches!(state(8, PidNamespace::Ours, None), ProcessState::Unknown(_)));
    }

    #[test]
    fn zombie_has_exited() {
        let machine = FakeMachine::new();
        machine.add_process(7, "writer");
        machine.edit(|facts| facts.processes.get_mut(&7).unwrap().ended = true);
        assert_eq!(ProcessStates::new(&machine, None).of(7, PidNamespace::Ours, None), ProcessState::Exited);
    }

    #[test]
    fn clock_set_forward_does_not_make_processes_younger() {
        let machine = FakeMachine::new();
        let now = machine.now().seconds;
        machine.add_process(7, "writer");
        // The machine booted two hours ago; its clock was set forward by `forward` seconds.
        let set = |forward: f64| {
            machine.edit(|facts| {
                facts.uptime = 7200;
                facts.clock_forward = forward;
            });
        };
        // The process started an hour ago.
        let state = |then: i64| {
            let then = Some(Timestamp::from_seconds(now - then));
            ProcessStates::new(&machine, None).of(7, PidNamespace::Ours, then)
        };
        set(0.0);
        assert!(matches!(state(4000), ProcessState::PidReused(_)));
        // The clock was set forward by a day, so a segment from before that has a time before boot.
        set(86_400.0);
        assert!(
            matches!(state(3600 + 86_400 - 60), ProcessState::Running(_)),
            "the segment was created a minute after the process started"
        );
        assert!(
            matches!(state(3600 + 86_400 + 60), ProcessState::PidReused(_)),
            "the pid was reused within a minute"
        );
        assert!(
            matches!(state(4000), ProcessState::PidReused(_)),
            "the segment was created after the clock was set"
        );
        assert!(matches!(state(3000), ProcessState::Running(_)));
        assert!(matches!(state(8000), ProcessState::Running(_)), "the clock never showed this time");
        // The clock was set forward by ten minutes, so the time may be from before or after that.
        set(600.0);
        assert!(matches!(state(4000), ProcessState::Running(_)));
        assert!(matches!(state(4300), ProcessState::PidReused(_)));
    }
}

//! A watch of a value: its holders come and go, its threads write.

use super::process::{WatchedProcess, Watching};
use super::sampling::{Sampling, Successor};
use crate::engine::Clock;
use crate::engine::request::WatchedValue;
use crate::identify::source::SourceMap;
use crate::machine::Machine;
use crate::machine::process::{Object, ProcessId};
use crate::machine::watch::wait;
use crate::scope::Batch;
use crate::scope::writers::{Tally, WriterTable, parts};
use crate::segment::{Facts, Holder, Segment, SegmentId};
use crate::survey::{Depth, Holdings, Names};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// The interval at which records are taken: before the buffer of a thread at the limit is full.
const TICK: Duration = Duration::from_millis(20);
/// The interval at which holders are looked for, and the threads of each.
const HOLDERS: Duration = Duration::from_secs(1);
const THREADS: Duration = Duration::from_millis(500);
/// Holders that are watched.
const MAX_PROCESSES: usize = 256;
/// Problems that are listed.
const MAX_PROBLEMS: usize = 8;

pub struct Session {
    segment: Segment,
    object: Option<Object>,
    parts: Vec<Range<u64>>,
    holdings: Option<Holdings>,
    names: Names,
    processes: BTreeMap<u32, WatchedProcess>,
    source: SourceMap,
    tally: Tally,
    sampling: Option<Sampling>,
    /// Set once the cost was measured, or failed to be.
    is_measured: bool,
    cost: Option<Duration>,
    /// Problems of the search for holders.
    problems: Vec<String>,
    /// Processes of other users could not be examined.
    has_unexamined: bool,
    tick: Clock,
    next_holders: Clock,
    next_threads: Clock,
}

impl Session {
    pub fn new(watched: WatchedValue, now: Clock) -> Self {
        let WatchedValue { segment, range, limit, count, sample } = watched;
        let (parts, problems) = match parts(&range) {
            Ok(parts) => (parts, vec![]),
            Err(error) => (vec![], vec![error.to_string()]),
        };
        let sampling = sample.and_then(|sample| Sampling::new(sample, now));
        let mut session = Self {
            segment: segment.clone(),
            object: None,
            parts,
            holdings: None,
            names: Names::default(),
            processes: BTreeMap::new(),
            source: SourceMap::default(),
            tally: Tally::new(limit, count),
            sampling,
            is_measured: false,
            cost: None,
            problems,
            has_unexamined: false,
            tick: now,
            next_holders: now,
            next_threads: now,
        };
        // A sampled value is watched once its segment is open.
        if session.sampling.is_none() {
            session.set_segment(segment);
        }
        session
    }

    /// Watches the holders of a segment from the next step on.
    fn set_segment(&mut self, segment: Segment) {
        self.object = Object::of(&segment);
        self.segment = segment;
        // Processes may attach from now on.
        if let Facts::Sysv(facts) = &mut self.segment.facts {
            facts.nattch = facts.nattch.max(1);
        }
        self.holdings = None;
        self.next_holders = Clock::ZERO;
    }

    /// Goes on with the segment that was made again, or waits for it.
    fn follow(&mut self, machine: &dyn Machine, successor: Successor) {
        self.each(machine, WatchedProcess::end_all);
        self.processes.clear();
        self.object = None;
        match successor {
            Successor::Segment(segment) => self.set_segment(*segment),
            Successor::None => {}
        }
    }

    pub const fn segment(&self) -> &SegmentId {
        &self.segment.id
    }

    pub const fn deadline(&self) -> Clock {
        self.tick
    }

    /// Returns true once the requested number of writes was counted.
    pub fn is_complete(&self) -> bool {
        self.tally.is_complete()
    }

    /// Takes the records, and looks for new threads and holders if that is due. Returns true if the
    /// segment is gone, with all of its holders.
    pub fn step(&mut self, machine: &dyn Machine, now: Clock) -> bool {
        self.tick = if self.wait() { now } else { now + TICK };
        self.drain(machine);
        let successor = self.sampling.as_mut().and_then(|sampling| sampling.check(machine, now));
        if let Some(successor) = successor {
            self.follow(machine, successor);
        }
        let mut is_gone = false;
        if now >= self.next_holders && self.object.is_some() {
            is_gone = self.find_holders(machine) && self.sampling.is_none();
            self.next_holders = now + HOLDERS;
            self.next_threads = now;
        }
        let all = now >= self.next_threads;
        if all {
            self.next_threads = now + THREADS;
        }
        self.each(machine, |process, watching| {
            if all || process.has_new_threads {
                process.sync(watching);
            }
        });
        if !self.is_measured && !self.processes.is_empty() {
            self.is_measured = true;
            self.cost = machine.trap_cost().ok();
        }
        is_gone
    }

    /// Waits for a write if the value is sampled. Returns false if there is nothing to wait for.
    fn wait(&self) -> bool {
        self.sampling.is_some() && wait(self.processes.values().flat_map(WatchedProcess::watches), TICK)
    }

    /// Takes the records of all threads, and reads the value.
    pub fn drain(&mut self, machine: &dyn Machine) {
        // The sooner after the write the better: records are taken after it.
        let mut read = self.sampling.as_mut().map_or(Ok(()), |sampling| sampling.read(machine));
        let now = monotonic(machine);
        self.each(machine, WatchedProcess::drain);
        if let Some(sampling) = &mut self.sampling {
            if sampling.samples.needs_read() {
                read = sampling.read(machine);
            }
            sampling.samples.lost(self.tally.lost(), now);
            sampling.samples.settle(now);
        }
        if let Err(problem) = read
            && !self.problems.contains(&problem)
        {
            self.problems.push(problem);
        }
    }

    /// Takes the samples so far, with the number of their request.
    pub fn take_samples(&mut self) -> Option<(u64, Batch)> {
        let sampling = self.sampling.as_mut()?;
        Some((sampling.number, sampling.samples.take()?))
    }

    /// Takes the last samples: those of writes that were not read since too.
    pub fn last_samples(&mut self, machine: &dyn Machine) -> Option<(u64, Batch)> {
        self.drain(machine);
        self.sampling.as_mut()?.samples.end();
        self.take_samples()
    }

    /// Returns the table of writers with all problems.
    pub fn table(&mut self, machine: &dyn Machine) -> WriterTable {
        let mut table = self.tally.table(self.cost, monotonic(machine));
        table.refused = self.processes.values().filter(|process| process.is_refused).count();
        table.has_unexamined = self.has_unexamined;
        let problems = self.processes.values().flat_map(|process| &process.problems);
        for problem in self.problems.iter().chain(problems) {
            if !table.problems.contains(problem) && table.problems.len() < MAX_PROBLEMS {
                table.problems.push(problem.clone());
            }
        }
        table
    }

    fn each(&mut self, machine: &dyn Machine, mut visit: impl FnMut(&mut WatchedProcess, &mut Watching<'_>)) {
        let Some(object) = self.object else { return };
        let mut watching = Watching {
            machine,
            segment: &self.segment,
            object,
            parts: &self.parts,
            source: &mut self.source,
            tally: &mut self.tally,
            samples: self.sampling.as_mut().map(|sampling| &mut sampling.samples),
            now: monotonic(machine),
        };
        for process in self.processes.values_mut() {
            visit(process, &mut watching);
        }
    }

    /// Adds new holders, and removes those that have exited. Returns true if none is left of a segment
    /// that is gone.
    fn find_holders(&mut self, machine: &dyn Machine) -> bool {
        let holdings = match &self.holdings {
            Some(before) => before.refresh(machine, &[], &mut self.names),
            None => Holdings::scan(machine, Depth::Shared, &[], &mut self.names),
        };
        let holders = holdings.of(&self.segment);
        self.problems.truncate(usize::from(self.parts.is_empty()));
        self.has_unexamined = holdings.coverage.unreadable > 0 && machine.effective_uid() != 0;
        self.holdings = Some(holdings);
        let maps = |holder: &&Holder| !holder.ourselves && holder.mappings > 0;
        let found: Vec<&Holder> = holders.iter().flat_map(|all| all.iter()).filter(maps).collect();
        if found.len() > MAX_PROCESSES {
            self.problems
                .push(format!("{} processes map the segment: only {MAX_PROCESSES} are watched", found.len()));
        }
        let id = |holder: &Holder| ProcessId { pid: holder.pid, start: holder.start };
        let found = found.get(..MAX_PROCESSES).unwrap_or(&found);
        self.each(machine, |process, watching| {
            if !found.iter().any(|holder| id(holder) == process.id()) {
                process.end_all(watching);
            }
        });
        self.processes.retain(|_, process| found.iter().any(|holder| id(holder) == process.id()));
        for holder in found {
            self.processes.entry(holder.pid).or_insert_with(|| WatchedProcess::new((*holder).clone()));
        }
        found.is_empty() && is_gone(machine, &self.segment)
    }
}

/// Returns true if no program can find the segment anymore.
fn is_gone(machine: &dyn Machine, segment: &Segment) -> bool {
    match &segment.id {
        SegmentId::Sysv(shmid) => {
            machine.sysv_rows().is_ok_and(|table| table.rows.iter().all(|row| row.shmid != *shmid))
        }
        SegmentId::Posix(name) => match machine.stat_object(name) {
            Ok(stat) => !segment.identity().matches(&stat.identity()),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        },
        SegmentId::Deleted { .. } => true,
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub fn monotonic(machine: &dyn Machine) -> u64 {
    u64::try_from(machine.monotonic_time().as_nanos()).unwrap_or(u64::MAX)
}

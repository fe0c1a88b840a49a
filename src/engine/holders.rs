//! Scans processes for holders: all processes every few seconds, and some immediately after a
//! segment has changed.

use super::Clock;
use super::report::{Body, Report};
use super::request::{Request, ScanScope};
use super::worker::{Job, Worker};
use crate::machine::Machine;
use crate::survey::{Depth, Holdings, Names};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The scan interval. Rescanning processes that have not run since costs almost nothing.
const INTERVAL: Duration = Duration::from_secs(5);
/// The pause after a scan, as a multiple of its duration. A scan runs on two threads, so this keeps
/// scans below 2% of a core.
const PAUSE_FACTOR: u32 = 100;
/// The maximum pause: on a busy machine a scan spends much of its time waiting.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// The delay of the first scan, which leaves the processor to the first frame.
const FIRST_SCAN: Duration = Duration::from_millis(50);

/// The last scan, shared with the survey worker.
#[derive(Debug, Clone, Default)]
pub struct LatestScan(Arc<Mutex<Option<Arc<Holdings>>>>);

impl LatestScan {
    pub fn last(&self) -> Option<Arc<Holdings>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn store(&self, holdings: Arc<Holdings>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(holdings);
    }
}

/// The worker that scans processes.
pub struct Holders {
    latest: LatestScan,
    names: Names,
    every: Option<Duration>,
    /// The start of the last full scan.
    full: Option<Clock>,
    /// The start of the last scan, full or not.
    started: Clock,
    /// The end of the pause after the last scan.
    pause_end: Clock,
    requested: Option<ScanRequest>,
}

#[derive(Debug)]
enum ScanRequest {
    All,
    Some(BTreeSet<u32>),
}

impl Holders {
    /// Stores its scans in `latest`. Scans on request only until it gets an interval.
    pub fn new(latest: LatestScan) -> Self {
        let (started, pause_end) = (Clock::ZERO, Clock::ZERO);
        Self { latest, names: Names::default(), every: None, full: None, started, pause_end, requested: None }
    }

    fn is_due(&self, now: Clock) -> bool {
        self.every.is_some_and(|every| self.full.is_none_or(|started| now >= started + every))
    }
}

impl Worker for Holders {
    fn handle(&mut self, _: &dyn Machine, _: Clock, job: Job) -> Vec<Report> {
        match job.request {
            Request::SurveyEvery(every) => {
                self.every = every.map(|every| every.max(INTERVAL));
                // A paused worker must not act on earlier changes either.
                if every.is_none() {
                    self.requested = None;
                }
            }
            Request::Holders(ScanScope::All) => self.requested = Some(ScanRequest::All),
            Request::Holders(ScanScope::These(pids)) => match &mut self.requested {
                Some(ScanRequest::All) => {}
                Some(ScanRequest::Some(requested)) => requested.extend(pids),
                None => self.requested = Some(ScanRequest::Some(pids.into_iter().collect())),
            },
            _ => {}
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        let regular = self.every.map(|every| self.full.map_or(FIRST_SCAN, |started| started + every));
        let requested = self.requested.as_ref().map(|_| Clock::ZERO);
        let due = regular.into_iter().chain(requested).min()?;
        Some(due.max(self.pause_end))
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        self.started = now;
        let before = self.latest.last();
        let requested = self.requested.take();
        let holdings = match (&before, requested) {
            (Some(last), Some(ScanRequest::Some(pids))) if !self.is_due(now) => {
                let pids: Vec<u32> = pids.into_iter().collect();
                last.rescan(machine, &pids, &mut self.names)
            }
            (_, requested) => {
                let first = match requested {
                    Some(ScanRequest::Some(pids)) => pids.into_iter().collect(),
                    _ => vec![],
                };
                self.full = Some(now);
                match &before {
                    Some(last) => last.refresh(machine, &first, &mut self.names),
                    None => Holdings::scan(machine, Depth::Private, &first, &mut self.names),
                }
            }
        };
        let has_changes = before.is_none_or(|before| !before.has_same_results(&holdings));
        self.latest.store(Arc::new(holdings));
        if has_changes { vec![Report::new(now, Body::HoldersChanged)] } else { vec![] }
    }

    fn took(&mut self, time: Duration) {
        self.pause_end = self.started + (time * PAUSE_FACTOR).min(MAX_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine, OBJECT_DEVICE};
    use crate::machine::process::FileLock;
    use crate::segment::Access;

    fn worker() -> (Holders, LatestScan) {
        let latest = LatestScan::default();
        (Holders::new(latest.clone()), latest)
    }

    fn send(worker: &mut Holders, request: Request) {
        let job = Job::new(request);
        assert!(worker.handle(&FakeMachine::new(), Clock::ZERO, job).is_empty());
    }

    #[test]
    fn scan_without_changes_is_not_reported() {
        let machine = FakeMachine::new();
        machine.add_sysv(1, 0, FakeBytes::hole(1));
        machine.add_process(7, "writer");
        let (mut scanner, latest) = worker();
        assert_eq!(scanner.deadline(), None);
        send(&mut scanner, Request::SurveyEvery(Some(Duration::from_millis(100))));
        assert_eq!(scanner.deadline(), Some(FIRST_SCAN));
        assert_eq!(scanner.work(&machine, Clock::ZERO).len(), 1);
        assert_eq!(scanner.deadline(), Some(INTERVAL));
        scanner.took(Duration::from_millis(60));
        assert_eq!(
            scanner.deadline(),
            Some(Duration::from_secs(6)),
            "the pause is 100 times the duration of a scan"
        );
        scanner.took(Duration::ZERO);
        assert!(scanner.work(&machine, INTERVAL).is_empty(), "an unchanged scan is not reported");
        machine.attach_in(7, 1, Access::ReadWrite);
        send(&mut scanner, Request::Holders(ScanScope::These(vec![7])));
        assert!(scanner.deadline() < Some(2 * INTERVAL));
        assert!(matches!(
            scanner.work(&machine, INTERVAL + Duration::from_secs(1))[..],
            [Report { body: Body::HoldersChanged, .. }]
        ));
        assert_eq!(latest.last().unwrap().held_by(7).len(), 1);
        send(&mut scanner, Request::Holders(ScanScope::These(vec![7])));
        send(&mut scanner, Request::SurveyEvery(None));
        assert_eq!(scanner.deadline(), None, "a paused scanner has no deadline");
    }

    #[test]
    fn new_locks_and_unreadable_processes_are_reported() {
        let machine = FakeMachine::new();
        machine.add_process(7, "writer");
        let (mut scanner, _board) = worker();
        send(&mut scanner, Request::SurveyEvery(Some(INTERVAL)));
        let mut at = Clock::ZERO;
        let mut has_changes = || {
            at += INTERVAL;
            scanner.work(&machine, at).len()
        };
        assert_eq!((has_changes(), has_changes()), (1, 0));
        machine.edit(|facts| {
            facts.locks =
                vec![FileLock { device: OBJECT_DEVICE, inode: 2, pid: Some(7), write_lease: false }];
        });
        assert_eq!((has_changes(), has_changes()), (1, 0));
        machine.edit(|facts| facts.processes.get_mut(&7).unwrap().readable = false);
        assert_eq!((has_changes(), has_changes()), (1, 0));
    }

    #[test]
    fn partial_scan_does_not_delay_the_full_scan() {
        let machine = FakeMachine::new();
        machine.add_sysv(1, 0, FakeBytes::hole(1));
        for pid in [7, 8] {
            machine.add_process(pid, "writer");
        }
        let (mut scanner, latest) = worker();
        send(&mut scanner, Request::SurveyEvery(Some(Duration::from_millis(100))));
        scanner.work(&machine, Clock::ZERO);
        machine.attach_in(8, 1, Access::ReadWrite);
        send(&mut scanner, Request::Holders(ScanScope::These(vec![7])));
        scanner.work(&machine, Clock::ZERO);
        assert!(latest.last().unwrap().held_by(8).is_empty(), "only requested processes are scanned");
        send(&mut scanner, Request::Holders(ScanScope::These(vec![7])));
        scanner.work(&machine, INTERVAL);
        assert_eq!(latest.last().unwrap().held_by(8).len(), 1);
    }
}

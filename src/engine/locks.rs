//! Looks for locks that nobody will unlock, because their owners are dead or wait for each other.

use super::Clock;
use super::pace::Pace;
use super::report::{Body, Report};
use super::request::Request;
use super::worker::{Job, Worker};
use crate::identify::locks::LockScan;
use crate::machine::Machine;
use crate::segment::Segment;
use crate::survey::Alert;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(2);
/// The work takes at most this part of the time.
const SHARE: u32 = 500;

/// The worker that checks locks.
pub struct LockWorker {
    /// The held segments.
    segments: Vec<Segment>,
    pace: Pace,
    last: Vec<Alert>,
}

impl Default for LockWorker {
    fn default() -> Self {
        Self { segments: vec![], pace: Pace::new(None, SHARE), last: vec![] }
    }
}

impl Worker for LockWorker {
    fn handle(&mut self, _: &dyn Machine, _: Clock, job: Job) -> Vec<Report> {
        if let Request::CheckLocks(segments) = job.request {
            self.pace.every = (!segments.is_empty()).then_some(EVERY);
            self.segments = segments;
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        self.pace.due()
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        self.pace.start(now);
        let alerts = LockScan::new(machine, self.segments.iter().collect()).alerts();
        if alerts == self.last {
            return vec![];
        }
        self.last.clone_from(&alerts);
        vec![Report::new(now, Body::Locks(alerts))]
    }

    fn took(&mut self, time: Duration) {
        self.pace.add_duration(time);
    }
}

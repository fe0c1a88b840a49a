//! Follows the locks of the segment in Inspect: their owners and the threads that wait.

use super::Clock;
use super::contents::Readers;
use super::pace::Pace;
use super::report::{Body, Report};
use super::request::{Request, WatchedLocks};
use super::worker::{Job, Worker};
use crate::identify::locks::{Lock, LockSurvey, Threads};
use crate::machine::Machine;
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(500);
/// The work takes at most this part of the time.
const SHARE: u32 = 100;

/// The worker that follows the locks of an open segment.
pub struct LockWatch {
    readers: Readers,
    watched: Option<Box<WatchedLocks>>,
    pace: Pace,
    last: Vec<Lock>,
}

impl LockWatch {
    pub fn new(readers: Readers) -> Self {
        Self { readers, watched: None, pace: Pace::new(None, SHARE), last: vec![] }
    }

    /// Reads the locks through the subscription that has the segment open.
    fn locks(&self, machine: &dyn Machine, watched: &WatchedLocks) -> Vec<Lock> {
        let WatchedLocks { segment, locks } = watched;
        let Some(reader) = self.readers.of(&segment.id) else { return vec![] };
        let threads = Threads::of(machine, segment.holders.as_deref().unwrap_or_default());
        let read = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
        LockSurvey::new(machine, &threads).locks(segment, locks, &read)
    }
}

impl Worker for LockWatch {
    fn handle(&mut self, _: &dyn Machine, _: Clock, job: Job) -> Vec<Report> {
        if let Request::WatchLocks(watched) = job.request {
            self.pace.every = watched.as_ref().map(|_| EVERY);
            self.watched = watched;
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        self.pace.due()
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        self.pace.start(now);
        let Some(watched) = &self.watched else { return vec![] };
        let locks = self.locks(machine, watched);
        if locks == self.last {
            return vec![];
        }
        self.last.clone_from(&locks);
        vec![Report::new(now, Body::SegmentLocks(watched.segment.id.clone(), locks))]
    }

    fn took(&mut self, time: Duration) {
        self.pace.add_duration(time);
    }
}

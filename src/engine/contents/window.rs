//! The feed of the Inspect screen: a window of a segment, and a map of the whole segment.

use crate::engine::pace::Pace;
use crate::engine::report::{Body, Ended, is_gone, unreadable};
use crate::engine::{Clock, Watching};
use crate::machine::Machine;
use crate::memory::{Reader, Snapshot, SnapshotRequest, Tracker};
use crate::segment::ShownError;
use std::time::Duration;

/// The time limit for scanning the rest of the segment in a snapshot.
const MAX_SCAN: Duration = Duration::from_millis(10);
/// Scanning takes at most 1/`SCAN_SHARE` of the time.
const SCAN_SHARE: u32 = 20;

pub struct Window {
    pub tracker: Tracker,
    watching: Option<Watching>,
    /// The last report.
    reported: Option<Result<Box<Snapshot>, ShownError>>,
}

impl Window {
    pub fn new(reader: Reader) -> Self {
        Self { tracker: Tracker::new(reader), watching: None, reported: None }
    }

    /// Moves the window, or changes its interval.
    pub fn watch(&mut self, watching: Watching, pace: &mut Pace) {
        pace.every = watching.every;
        // Another part is read immediately, even while frozen.
        let same = |was: &Watching| Watching { every: was.every, ..watching.clone() } == *was;
        if !self.watching.as_ref().is_some_and(same) {
            pace.request(Clock::ZERO);
        }
        self.watching = Some(watching);
    }

    /// Reads the window, and reports it if it was requested or has changed. `hurry` limits the
    /// scan.
    pub fn read(&mut self, machine: &dyn Machine, requested: bool, hurry: bool) -> Option<Body> {
        let Watching { window, rows, cells, every } = self.watching.clone()?;
        let share = every.map_or(MAX_SCAN, |every| (every / SCAN_SHARE).min(MAX_SCAN));
        let budget = if hurry { share } else { Duration::MAX };
        let request = SnapshotRequest { window, rows, cells, budget };
        let snapshot = match self.tracker.snapshot(machine, &request) {
            Err(error) if is_gone(&error) => return Some(Body::Ended(Ended::Unreadable(error))),
            Err(error) => Err(unreadable(self.tracker.reader().id(), &error)),
            Ok(snapshot) => Ok(Box::new(snapshot)),
        };
        let quiet = snapshot.as_ref().map_or(true, |snapshot| snapshot.changes == 0);
        if quiet && !requested && self.reported.as_ref() == Some(&snapshot) {
            return None;
        }
        self.reported = Some(snapshot.clone());
        Some(snapshot.map_or_else(Body::WindowFailed, Body::Window))
    }
}

//! The feed of the Inspect screen: a window of a segment, and a map of the whole segment.

use super::structure::Structure;
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
    /// The type that is built from the contents.
    structure: Option<Structure>,
    /// The last report.
    reported: Option<Result<Box<Snapshot>, ShownError>>,
}

impl Window {
    pub fn new(reader: Reader) -> Self {
        Self { tracker: Tracker::new(reader), watching: None, structure: None, reported: None }
    }

    /// Moves the window, or changes its interval.
    pub fn watch(&mut self, watching: Watching, pace: &mut Pace) {
        pace.every = watching.every;
        // Another part is read immediately, even while frozen.
        let same = |was: &Watching| Watching { every: was.every, ..watching.clone() } == *was;
        if !self.watching.as_ref().is_some_and(same) {
            pace.request(Clock::ZERO);
        }
        if self.structure.as_ref().map(Structure::layout) != watching.layout {
            self.structure = watching.layout.map(Structure::new);
        }
        self.watching = Some(watching);
    }

    /// Reads the window, and reports the type of the contents before it if that has changed. Checked
    /// after the read, so that all bytes that are reported later have the type.
    pub fn read(&mut self, machine: &dyn Machine, requested: bool, hurry: bool) -> Vec<Body> {
        let window = self.snapshot(machine, requested, hurry);
        if matches!(window, Some(Body::Ended(_))) {
            return window.into_iter().collect();
        }
        let Some(structure) = &mut self.structure else { return window.into_iter().collect() };
        // Reading the window reports a segment that can no longer be examined.
        let Ok(Some(built)) = structure.check(self.tracker.reader()) else {
            return window.into_iter().collect();
        };
        let built = Body::Built(structure.layout(), built.map_err(ShownError::of));
        // The bytes may be those of the previous type.
        let again = self.snapshot(machine, true, hurry);
        [Some(built), window, again].into_iter().flatten().collect()
    }

    /// Reads the window, and reports it if it was requested or has changed. `hurry` limits the
    /// scan.
    fn snapshot(&mut self, machine: &dyn Machine, requested: bool, hurry: bool) -> Option<Body> {
        let Watching { window, rows, cells, every, layout: _ } = self.watching.clone()?;
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

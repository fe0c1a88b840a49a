//! Feeds of subscriptions: samples of ranges, and changes in a range.

use super::lifetime::Lifetime;
use crate::engine::Clock;
use crate::engine::pace::Pace;
use crate::engine::report::{Body, Changes, Ended};
use crate::machine::Machine;
use crate::memory::{PageBuffer, Reader, Tracker};
use crate::segment::Segment;
use std::io;
use std::ops::Range;
use std::time::Duration;

const DEFAULT_INTERVAL: Duration = Duration::from_millis(100);
/// An interval of 0 would be a busy loop.
const MIN_INTERVAL: Duration = Duration::from_millis(1);
/// Without an interval, change detection takes at most 1/`SHARE` of the time.
const SHARE: u32 = 5;

/// Samples of ranges at an interval.
pub struct Samples {
    pub reader: Reader,
    lifetime: Lifetime,
    ranges: Vec<Range<u64>>,
}

/// Change reports for a range.
pub struct Watch {
    pub tracker: Tracker,
    lifetime: Lifetime,
    /// The size in the last report; `None` until the first pass is complete.
    size: Option<u64>,
}

impl Samples {
    /// Starts a feed and returns its pace.
    pub fn new(
        reader: Reader,
        segment: Box<Segment>,
        ranges: Vec<Range<u64>>,
        every: Duration,
        now: Clock,
    ) -> (Self, Pace) {
        let lifetime = Lifetime::new(segment, now);
        (Self { reader, lifetime, ranges }, Pace::new(Some(every.max(MIN_INTERVAL)), 2))
    }

    /// Reads all ranges.
    pub fn read(&mut self, machine: &dyn Machine, now: Clock) -> Body {
        if let Err(ended) = self.lifetime.check(machine, now, &self.reader) {
            return Body::Ended(ended);
        }
        let samples = self.ranges.iter().map(|range| sample(&self.reader, range));
        samples
            .collect::<io::Result<_>>()
            .map_or_else(|error| Body::Ended(Ended::Unreadable(error)), Body::Ranges)
    }
}

/// Returns the pace of a feed of changes. Without an interval, it is limited by its cost.
pub fn pace_of_changes(every: Option<Duration>) -> Pace {
    match every {
        Some(every) => Pace::new(Some(every.max(MIN_INTERVAL)), 1),
        None => Pace::new(Some(DEFAULT_INTERVAL), SHARE),
    }
}

/// Returns the bytes of a range, fewer at the end of the segment.
fn sample(reader: &Reader, range: &Range<u64>) -> io::Result<Vec<u8>> {
    let length = range.end.min(reader.size()?).saturating_sub(range.start);
    let mut buffer = PageBuffer::default();
    reader.fill(&mut buffer, range.start, usize::try_from(length).map_err(io::Error::other)?)?;
    Ok(buffer.to_vec())
}

impl Watch {
    /// Starts a feed and returns its pace.
    pub fn new(
        reader: Reader,
        segment: Box<Segment>,
        range: Range<u64>,
        value: u64,
        every: Option<Duration>,
        now: Clock,
    ) -> (Self, Pace) {
        let (tracker, lifetime) = (Tracker::of_values(reader, range, value), Lifetime::new(segment, now));
        (Self { tracker, lifetime, size: None }, pace_of_changes(every))
    }

    /// Continues reading, and reports changes, the end of the first pass, and size changes.
    pub fn read(&mut self, machine: &dyn Machine, now: Clock, pace: &mut Pace) -> Vec<Body> {
        let changes = match self.tracker.step() {
            Ok(changes) => changes,
            Err(error) => return vec![Body::Ended(Ended::Unreadable(error))],
        };
        let complete = self.tracker.is_complete();
        let (size, ended) = if complete {
            match self.lifetime.check(machine, now, self.tracker.reader()) {
                Ok(size) => (Some(size), None),
                Err(ended) => (self.size, Some(Body::Ended(ended))),
            }
        } else {
            pace.request(now);
            (self.size, None)
        };
        let resized = std::mem::replace(&mut self.size, size) != size;
        let size = size.unwrap_or(0);
        let report =
            (resized || !changes.is_empty()).then(|| Body::Changes(Changes { size, changes, complete }));
        report.into_iter().chain(ended).collect()
    }
}

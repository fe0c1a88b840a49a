//! Feeds that end with their segment: samples of ranges, and change reports.

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

/// The default interval of changes.
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
    pub reader: Reader,
    lifetime: Lifetime,
    tracker: Tracker,
    end: u64,
    /// The last reported size; `None` before the first pass is complete.
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

/// Returns the bytes of a range; fewer at the end of the segment.
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
        range: &Range<u64>,
        value: u64,
        every: Option<Duration>,
        now: Clock,
    ) -> (Self, Pace) {
        let (lifetime, tracker) = (Lifetime::new(segment, now), Tracker::new(range.start, value));
        let pace = match every {
            Some(every) => Pace::new(Some(every.max(MIN_INTERVAL)), 1),
            None => Pace::new(Some(DEFAULT_INTERVAL), SHARE),
        };
        (Self { reader, lifetime, tracker, end: range.end, size: None }, pace)
    }

    /// Continues reading, and reports changes, the end of the first pass, and size changes.
    pub fn read(&mut self, machine: &dyn Machine, now: Clock, pace: &mut Pace) -> Vec<Body> {
        if self.tracker.is_complete() {
            pace.begin(now);
        } else {
            pace.resume();
        }
        let changes = match self.tracker.step(&self.reader, self.end) {
            Ok(changes) => changes,
            Err(error) => return vec![Body::Ended(Ended::Unreadable(error))],
        };
        let complete = self.tracker.is_complete();
        let mut bodies = vec![];
        let mut report = |size, changes| bodies.push(Body::Changes(Changes { size, changes, complete }));
        if !complete {
            pace.ask(now);
            if !changes.is_empty() {
                report(self.size.unwrap_or(0), changes);
            }
            return bodies;
        }
        match self.lifetime.check(machine, now, &self.reader) {
            Ok(size) if !changes.is_empty() || self.size != Some(size) => {
                self.size = Some(size);
                report(size, changes);
            }
            Ok(_) => {}
            Err(ended) => {
                if !changes.is_empty() {
                    report(self.size.unwrap_or(0), changes);
                }
                bodies.push(Body::Ended(ended));
            }
        }
        bodies
    }
}

//! The feed of a value whose type depends on the contents: all of it, whenever it changes.

use super::lifetime::Lifetime;
use super::samples::pace_of_changes;
use crate::decode::layouts::Layout;
use crate::decode::{StableError, StableValue};
use crate::engine::Clock;
use crate::engine::pace::Pace;
use crate::engine::report::{Body, Ended};
use crate::machine::Machine;
use crate::memory::Reader;
use crate::segment::{Segment, ShownError};
use std::time::Duration;

pub struct ValueFeed {
    pub reader: Reader,
    lifetime: Lifetime,
    layout: Layout,
    /// The last report.
    last: Option<Result<StableValue, ShownError>>,
}

impl ValueFeed {
    /// Starts a feed and returns its pace.
    pub fn new(
        reader: Reader,
        segment: Box<Segment>,
        layout: Layout,
        every: Option<Duration>,
        now: Clock,
    ) -> (Self, Pace) {
        let lifetime = Lifetime::new(segment, now);
        (Self { reader, lifetime, layout, last: None }, pace_of_changes(every))
    }

    /// Reads the value, and reports it if it has changed.
    pub fn read(&mut self, machine: &dyn Machine, now: Clock) -> Option<Body> {
        if let Err(ended) = self.lifetime.check(machine, now, &self.reader) {
            return Some(Body::Ended(ended));
        }
        let value = match StableValue::of_layout(&self.reader, self.layout) {
            Ok(value) => Ok(value),
            Err(StableError::Read { source, .. }) => return Some(Body::Ended(Ended::Unreadable(source))),
            Err(error) => Err(ShownError::of(error)),
        };
        if self.last.as_ref() == Some(&value) {
            return None;
        }
        self.last = Some(value.clone());
        Some(Body::Value(value.map(Box::new)))
    }
}

//! The types that fit the segment on screen, and when to rank them again.

use crate::engine::{Clock, SegmentTypes, SubscriptionId};
use crate::segment::{Identity, Segment, SegmentId};
use std::time::Duration;

/// A segment without a certain type is typed again when its contents have changed, at most this
/// often.
const AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Default)]
pub struct Typing {
    /// The last answer.
    pub types: Option<SegmentTypes>,
    /// The time of the last request.
    asked: Clock,
    /// Counts the requests for a segment.
    round: u64,
}

/// A request to type a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypesKey {
    id: SegmentId,
    identity: Identity,
    /// Set in Inspect, where the segment is open anyway.
    inspect: Option<SubscriptionId>,
    round: u64,
}

impl Typing {
    pub fn key(&self, segment: &Segment, inspect: Option<SubscriptionId>) -> TypesKey {
        TypesKey { id: segment.id.clone(), identity: segment.identity(), inspect, round: self.round }
    }

    pub const fn requested(&mut self, now: Clock) {
        self.asked = now;
    }

    /// Types the segment again, since its contents have changed or no longer have their type.
    pub fn outdated(&mut self, now: Clock) {
        if now.saturating_sub(self.asked) >= AGAIN {
            self.round += 1;
        }
    }

    /// The answer for a segment.
    pub fn of(&self, segment: &Segment) -> Option<&SegmentTypes> {
        let is_same =
            |types: &&SegmentTypes| types.id == segment.id && types.identity.matches(&segment.identity());
        self.types.as_ref().filter(is_same)
    }
}

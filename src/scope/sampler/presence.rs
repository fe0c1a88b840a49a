//! The changes of the segments of channels.

use super::plan::SourcePlan;
use crate::scope::EventKind;
use crate::segment::{Identity, SegmentId};

/// The state of a segment that is sampled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    Open {
        id: SegmentId,
        identity: Identity,
        size: u64,
    },
    Gone,
    /// It exists but cannot be read, for this reason.
    Failed(String),
}

/// The state of the channels of a segment.
#[derive(Debug)]
pub struct Reach(Vec<Value>);

#[derive(Debug)]
struct Value {
    channel: usize,
    end: u64,
    state: State,
    /// The segment that it was last read from.
    last: (SegmentId, Identity),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// The segment reaches to the value.
    There,
    Gone,
    Short,
    Failed(String),
}

impl Reach {
    /// Expects the segment as it was found.
    #[must_use]
    pub fn new(plan: &SourcePlan) -> Self {
        let last = (plan.segment.id.clone(), plan.segment.identity());
        let value =
            |&(channel, end): &(usize, u64)| Value { channel, end, state: State::There, last: last.clone() };
        Self(plan.values.iter().map(value).collect())
    }

    /// Returns true if the segment reaches to all values.
    #[must_use]
    pub fn has_all(&self) -> bool {
        self.0.iter().all(|value| value.state == State::There)
    }

    /// Returns the changes since the last call, each with its channel.
    pub fn changes(&mut self, now: &Presence) -> Vec<(usize, EventKind)> {
        let change = |value: &mut Value| value.change(now).map(|kind| (value.channel, kind));
        self.0.iter_mut().filter_map(change).collect()
    }
}

impl Value {
    fn change(&mut self, now: &Presence) -> Option<EventKind> {
        let next = match now {
            Presence::Open { size, .. } if self.end <= *size => State::There,
            // A new one is short before its maker gives it a size.
            Presence::Open { .. } if self.state == State::Gone => State::Gone,
            Presence::Open { .. } => State::Short,
            Presence::Gone => State::Gone,
            Presence::Failed(reason) => State::Failed(reason.clone()),
        };
        let mut replaced = false;
        if let (Presence::Open { id, identity, .. }, State::There) = (now, &next) {
            replaced = self.last.0 != *id || !self.last.1.matches(identity);
            if replaced {
                self.last = (id.clone(), *identity);
            }
        }
        let before = std::mem::replace(&mut self.state, next);
        match (&before, &self.state) {
            (_, State::There) if replaced => Some(EventKind::Replaced),
            (before, now) if before == now => None,
            (_, State::There) => Some(EventKind::Back),
            (_, State::Gone) => Some(EventKind::Gone),
            (_, State::Short) => Some(EventKind::Short),
            (_, State::Failed(reason)) => Some(EventKind::Failed(reason.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{ShmId, example};

    fn open(segment: &crate::segment::Segment, size: u64) -> Presence {
        Presence::Open { id: segment.id.clone(), identity: segment.identity(), size }
    }

    #[test]
    fn each_change_is_reported_once() {
        let segment = Box::new(example::posix());
        let mut other = example::posix();
        if let crate::segment::Facts::Posix(facts) = &mut other.facts {
            facts.inode += 1;
        }
        let values = vec![(3, 8), (5, 64)];
        let plan = SourcePlan { segment: segment.clone(), values, parts: vec![], locks: vec![] };
        let mut reach = Reach::new(&plan);
        let mut changes = |now: &Presence| reach.changes(now);
        let none: [(usize, EventKind); 0] = [];
        assert_eq!(changes(&open(&segment, 64)), none);
        assert_eq!(changes(&open(&segment, 63)), [(5, EventKind::Short)]);
        assert_eq!(changes(&open(&segment, 63)), none);
        assert_eq!(changes(&open(&segment, 64)), [(5, EventKind::Back)]);
        assert_eq!(changes(&Presence::Gone), [(3, EventKind::Gone), (5, EventKind::Gone)]);
        // A new object starts empty.
        assert_eq!(changes(&open(&other, 0)), none);
        assert_eq!(changes(&open(&other, 8)), [(3, EventKind::Replaced)]);
        assert_eq!(changes(&open(&other, 64)), [(5, EventKind::Replaced)]);
        let denied = Presence::Failed("denied".to_owned());
        let failed = || EventKind::Failed("denied".to_owned());
        assert_eq!(changes(&denied), [(3, failed()), (5, failed())]);
        assert_eq!(changes(&denied), none);
        assert_eq!(changes(&open(&other, 64)), [(3, EventKind::Back), (5, EventKind::Back)]);
    }

    #[test]
    fn same_process_can_replace_a_segment_by_its_equal() {
        let segment = Box::new(example::sysv());
        let mut other = segment.clone();
        other.id = SegmentId::Sysv(ShmId(65538));
        let plan =
            SourcePlan { segment: segment.clone(), values: vec![(0, 8)], parts: vec![], locks: vec![] };
        let mut reach = Reach::new(&plan);
        assert!(reach.changes(&open(&segment, 64)).is_empty());
        assert_eq!(reach.changes(&open(&other, 64)), [(0, EventKind::Replaced)]);
    }
}

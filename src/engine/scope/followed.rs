//! A segment that stays open while it exists, and its successor after that.

use crate::engine::Clock;
use crate::engine::contents::Lifetime;
use crate::engine::report::{Ended, is_gone, unreadable};
use crate::machine::Machine;
use crate::memory::{OpenError, Reader};
use crate::scope::sampler::Presence;
use crate::segment::{Segment, plain_error};
use crate::survey::current;
use std::io;
use std::time::Duration;

/// The interval of attempts to open a segment that exists but cannot be read: looking for a holder
/// to read it through is expensive.
const RETRY: Duration = Duration::from_secs(1);

/// A segment, or its successor.
pub struct Followed {
    /// The last one that was found.
    segment: Box<Segment>,
    open: Option<(Reader, Lifetime)>,
    /// Set until the first attempt.
    is_new: bool,
    /// The time of the next attempt after a failed one, and its reason.
    failed: Option<(Clock, String)>,
}

impl Followed {
    pub const fn new(segment: Box<Segment>) -> Self {
        Self { segment, open: None, is_new: true, failed: None }
    }

    /// The segment that was found last.
    pub const fn segment(&self) -> &Segment {
        &self.segment
    }

    /// `None` while the segment is not open.
    pub fn reader(&self) -> Option<&Reader> {
        self.open.as_ref().map(|(reader, _)| reader)
    }

    /// Checks the segment, and opens it or its successor if it is not open.
    pub fn check(&mut self, machine: &dyn Machine, now: Clock) -> Presence {
        let presence = self.presence(machine, now);
        if !matches!(presence, Presence::Open { .. }) {
            self.open = None;
        }
        if self.open.is_none() && presence == Presence::Gone {
            return self.find(machine, now);
        }
        presence
    }

    fn presence(&mut self, machine: &dyn Machine, now: Clock) -> Presence {
        let Some((reader, lifetime)) = &mut self.open else { return Presence::Gone };
        match lifetime.check(machine, now, reader) {
            Ok(size) => Presence::Open { id: reader.id().clone(), identity: *reader.identity(), size },
            Err(Ended::Unreadable(error)) if !is_gone(&error) => {
                Presence::Failed(unreadable(reader.id(), &error).to_string())
            }
            Err(_) => Presence::Gone,
        }
    }

    /// Opens the segment or its successor.
    fn find(&mut self, machine: &dyn Machine, now: Clock) -> Presence {
        if let Some((_, reason)) = self.failed.as_ref().filter(|(due, _)| now < *due) {
            return Presence::Failed(reason.clone());
        }
        self.failed = None;
        if std::mem::take(&mut self.is_new)
            && let Ok(reader) = Reader::open(machine, &self.segment)
        {
            return self.set_reader(reader, now);
        }
        match current(machine, &self.segment) {
            Ok(segment) => *self.segment = segment,
            Err(error) if is_gone(&error) || error.kind() == io::ErrorKind::NotFound => {
                return Presence::Gone;
            }
            Err(error) => {
                let reason = format!("failed to look for {}: {}", self.segment.id, plain_error(&error));
                return self.fail(now, reason);
            }
        }
        match Reader::open(machine, &self.segment) {
            Ok(reader) => self.set_reader(reader, now),
            Err(OpenError::Gone { .. } | OpenError::Replaced { .. }) => Presence::Gone,
            Err(error) => self.fail(now, error.to_string()),
        }
    }

    fn set_reader(&mut self, reader: Reader, now: Clock) -> Presence {
        let (id, identity) = (reader.id().clone(), *reader.identity());
        let size = reader.size().unwrap_or(self.segment.size.0);
        self.open = Some((reader, Lifetime::new(self.segment.clone(), now)));
        Presence::Open { id, identity, size }
    }

    fn fail(&mut self, now: Clock, reason: String) -> Presence {
        self.failed = Some((now + RETRY, reason.clone()));
        Presence::Failed(reason)
    }
}

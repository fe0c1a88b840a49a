//! Reads a value right after its writes, and finds its segment again when it is made again.

use super::session::monotonic;
use crate::engine::Clock;
use crate::engine::request::AtEveryWrite;
use crate::engine::scope::Followed;
use crate::machine::Machine;
use crate::scope::sampler::{Presence, Reach, plan};
use crate::scope::writers::WriteSamples;
use crate::segment::Segment;
use std::time::Duration;

/// The interval at which the segment is checked.
const EVERY: Duration = Duration::from_millis(100);

/// A value that is sampled at every write.
pub struct Sampling {
    pub samples: WriteSamples,
    /// The number that the caller gave to the request.
    pub number: u64,
    followed: Followed,
    reach: Reach,
    is_reached: bool,
    due: Clock,
}

/// The segment of a value has changed.
pub enum Successor {
    /// It is gone, or no longer reaches to the value.
    None,
    /// It was opened, for the first time or again.
    Segment(Box<Segment>),
}

impl Sampling {
    /// `None` for a value that is no number.
    pub fn new(request: AtEveryWrite, now: Clock) -> Option<Self> {
        let AtEveryWrite { number, value } = request;
        let samples = WriteSamples::new(&value)?;
        let plan = plan(std::slice::from_ref(&value)).0.pop()?;
        let (followed, reach) = (Followed::new(value.segment), Reach::new(&plan));
        Some(Self { samples, number, followed, reach, is_reached: false, due: now })
    }

    /// Checks the segment if that is due, and reports when it has changed.
    pub fn check(&mut self, machine: &dyn Machine, now: Clock) -> Option<Successor> {
        if now < self.due {
            return None;
        }
        self.due = now + EVERY;
        let presence = self.followed.check(machine, now);
        let changes = self.reach.changes(&presence);
        let was_reached = self.is_reached;
        self.is_reached = self.reach.has_all();
        if changes.is_empty() && was_reached == self.is_reached {
            return None;
        }
        // The writes before the change come before its gap.
        self.samples.end();
        let time = monotonic(machine);
        for (_, kind) in changes {
            self.samples.event(time, kind);
        }
        let is_open = self.is_reached && matches!(presence, Presence::Open { .. });
        Some(if is_open {
            Successor::Segment(Box::new(self.followed.segment().clone()))
        } else {
            Successor::None
        })
    }

    /// Reads the value. Returns a problem if that fails.
    pub fn read(&mut self, machine: &dyn Machine) -> Result<(), String> {
        let Some(reader) = self.followed.reader() else {
            return Ok(());
        };
        let span = self.samples.span();
        let mut bytes = [0; 16];
        let length = usize::try_from(span.end - span.start).unwrap_or(0).min(bytes.len());
        let began = monotonic(machine);
        if reader.fill_all(span.start, &mut bytes[..length]) {
            self.samples.read(began..monotonic(machine), &bytes[..length]);
            return Ok(());
        }
        Err(format!("failed to read {} at {:#x}", self.followed.segment().id.short(), span.start))
    }
}

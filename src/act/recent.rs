//! Who holds what at the moment of acting. A plan may have stood on the screen
//! for an hour: just before a name is taken away, its holders are looked for
//! again. One look does for what is removed within a moment of it, so that a
//! thousand removals do not look a thousand times.

use super::{ActError, Refusal};
use crate::machine::Machine;
use crate::segment::{Segment, SegmentId, State};
use crate::survey::{Depth, Holdings, Names};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A look is believed so long, or four times what it took, up to a second.
const MOMENT: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);

/// The last look at who holds what.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Option<Look>>);

#[derive(Debug)]
struct Look {
    ended: Instant,
    took: Duration,
    holdings: Holdings,
}

impl Recent {
    /// Refuses a segment that somebody holds now, when it was shown as one
    /// that nobody holds.
    pub(super) fn check(&self, machine: &dyn Machine, segment: &Segment) -> Result<(), ActError> {
        if !matches!(segment.verdict.state, State::Idle | State::Leaked(_) | State::Protected) {
            return Ok(());
        }
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = last.take().filter(|look| look.ended.elapsed() < MOMENT.max(look.took * 4).min(LONGEST));
        let look = last.insert(fresh.unwrap_or_else(|| Look::now(machine)));
        let refuse = |reason: String| {
            let remedy = "Look at it again: it may be in use".to_owned();
            let refusal = Refusal { reason, remedy, forceable: true };
            Err(ActError::Refused { subject: segment.id.to_string(), refusal })
        };
        let Some(holders) = look.holdings.of(segment) else {
            return refuse("who holds it now is not known".to_owned());
        };
        if let Some(holder) = holders.iter().find(|holder| !holder.looks_on()) {
            return refuse(format!("{} (pid {}) holds it now", holder.command_text(), holder.pid));
        }
        if !look.holdings.locks(segment).is_empty() {
            return refuse("a lock is on it now".to_owned());
        }
        // The kernel knows those too whom we cannot see. What we have open
        // ourselves says nothing.
        let open = match &segment.id {
            SegmentId::Posix(name) if holders.is_empty() => {
                machine.is_open_elsewhere(name, &segment.identity()).ok()
            }
            _ => None,
        };
        let settled = look.holdings.coverage.settles(segment);
        match open {
            Some(true) => refuse("a process that cannot be seen here holds it now".to_owned()),
            None if !settled => refuse("that nobody holds it now is not settled".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Look {
    fn now(machine: &dyn Machine) -> Self {
        let began = Instant::now();
        let holdings = Holdings::look(machine, Depth::Private, &[], &mut Names::default());
        Self { ended: Instant::now(), took: began.elapsed(), holdings }
    }
}

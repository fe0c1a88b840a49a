//! Who holds what at the moment of acting. A plan may have stood on the screen
//! for an hour: just before a name is taken away, its holders are looked for
//! again. One look does for what is removed within a moment of it, so that a
//! thousand removals do not look a thousand times.

use super::{ActError, Refusal};
use crate::machine::Machine;
use crate::segment::{Holder, Segment, SegmentId, State};
use crate::survey::{Depth, Holdings, Names};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A look is believed so long, or four times what it took.
const MOMENT: Duration = Duration::from_millis(100);

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
        let fresh = last.take().filter(|look| look.ended.elapsed() < MOMENT.max(look.took * 4));
        let look = last.insert(fresh.unwrap_or_else(|| Look::now(machine)));
        // The kernel knows those too whom we cannot see, but not by name.
        let hidden = match (&segment.id, look.holdings.of(segment)) {
            (SegmentId::Posix(name), Some(seen)) if seen.is_empty() => {
                machine.is_open_elsewhere(name, &segment.identity()).unwrap_or(false)
            }
            _ => false,
        };
        let holders = look.holdings.of(segment);
        let others: Vec<&Holder> =
            holders.iter().flat_map(|all| all.iter()).filter(|holder| !holder.looks_on()).collect();
        let who = match (others.first(), look.holdings.locks(segment).first()) {
            (Some(holder), _) => format!("{} (pid {}) holds it", holder.command_text(), holder.pid),
            (None, Some(_)) => "a lock is on it".to_owned(),
            (None, None) if hidden => "a process that cannot be seen here holds it".to_owned(),
            (None, None) => return Ok(()),
        };
        let refusal = Refusal {
            reason: format!("{who} now"),
            remedy: "Look at it again: it is in use".to_owned(),
            forceable: true,
        };
        Err(ActError::Refused { subject: segment.id.to_string(), refusal })
    }
}

impl Look {
    fn now(machine: &dyn Machine) -> Self {
        let began = Instant::now();
        let holdings = Holdings::look(machine, Depth::Private, &[], &mut Names::default());
        Self { ended: Instant::now(), took: began.elapsed(), holdings }
    }
}

//! Who holds what at the moment of acting. A plan may have stood on the screen
//! for an hour: just before a name is taken away, its holders are looked for
//! again. One look does for what is removed within a moment of it, so that a
//! thousand removals do not look a thousand times.

use super::{ActError, Options};
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
    /// that nobody holds. Returns whether the kernel granted a write lease on it.
    pub(super) fn check(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        options: Options,
    ) -> Result<bool, ActError> {
        // What was shown as in use is only removed with force.
        if options.force || matches!(segment.verdict.state, State::InUse | State::Removed) {
            return Ok(false);
        }
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let look = Look::last(&mut last, machine);
        let refuse =
            |reason| Err(ActError::InUseNow { id: segment.id.clone(), reason, remedy: options.again() });
        if let Some(holder) = look.holder(segment) {
            return refuse(format!("in use now: held by {holder}"));
        }
        let holders = look.holdings.of(segment);
        let held = holders.as_deref().unwrap_or_default();
        if !look.holdings.locks(segment).is_empty() {
            return refuse("in use now: a process has a file lock on it".to_owned());
        }
        // The kernel knows holders that we cannot see. What we have open ourselves proves nothing.
        let open = if held.is_empty() { lease(machine, segment) } else { None };
        let settled = look.holdings.coverage.settles(segment);
        match (open, holders) {
            (Some(true), _) => refuse(format!("in use now: {UNSEEN}")),
            (None, None) => refuse("may be in use now: holders unknown".to_owned()),
            (None, Some(_)) if !settled => {
                refuse("may be in use now: some processes cannot be inspected".to_owned())
            }
            (open, _) => Ok(open.is_some()),
        }
    }

    /// Returns the error for a segment that turns out to be in use, which names the holder where a scan finds it.
    pub(super) fn in_use(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        reason: &str,
        options: Options,
    ) -> ActError {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = Look::last(&mut last, machine).holder(segment);
        // The last look may be older than the holder.
        let holder = seen.or_else(|| last.insert(Look::now(machine)).holder(segment));
        let by = holder.map(|holder| format!(", held by {holder}")).unwrap_or_default();
        let reason = format!("in use now: {reason}{by}");
        ActError::InUseNow { id: segment.id.clone(), reason, remedy: options.again() }
    }
}

/// The reason when the kernel knows a holder that no process shows.
pub(super) const UNSEEN: &str =
    "held by a process that you cannot see, a loop device or a descriptor in transit";

/// Returns whether the kernel refuses a write lease on an object, so that somebody else has it open or mapped.
/// `None` when this user may not ask.
pub(super) fn lease(machine: &dyn Machine, segment: &Segment) -> Option<bool> {
    match &segment.id {
        SegmentId::Posix(name) => machine.is_open_elsewhere(name, &segment.identity()).ok(),
        _ => None,
    }
}

impl Look {
    /// The last look while it is believed, or a new one.
    fn last<'a>(last: &'a mut Option<Self>, machine: &dyn Machine) -> &'a Self {
        let fresh = last.take().filter(|look| look.ended.elapsed() < MOMENT.max(look.took * 4).min(LONGEST));
        last.insert(fresh.unwrap_or_else(|| Self::now(machine)))
    }

    /// A holder of the segment, as `writer (4121)`.
    fn holder(&self, segment: &Segment) -> Option<String> {
        let holders = self.holdings.of(segment);
        let holder = holders.as_deref()?.iter().find(|holder| !holder.looks_on())?;
        Some(format!("{} ({})", holder.command_text(), holder.pid))
    }

    fn now(machine: &dyn Machine) -> Self {
        let began = Instant::now();
        let holdings = Holdings::look(machine, Depth::Private, &[], &mut Names::default());
        Self { ended: Instant::now(), took: began.elapsed(), holdings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::machine::process::Processes as _;
    use crate::segment::{Access, Verdict};
    use crate::survey::Survey;

    /// A machine with one object of ann's, and the object as one that nobody was
    /// found to hold.
    fn unheld() -> (FakeMachine, Segment) {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        machine.add_process(7, "writer");
        let mut segment = Survey::take(&machine, &mut Names::default()).segments.remove(0);
        segment.verdict = Verdict::new(State::Idle, "nobody holds it");
        (machine, segment)
    }

    /// Why it is not removed.
    fn refused(recent: &Recent, machine: &FakeMachine, segment: &Segment) -> Option<String> {
        recent.check(machine, segment, Options::default()).err().map(|error| error.to_string())
    }

    #[track_caller]
    fn assert_refused(machine: &FakeMachine, segment: &Segment, why: &str) {
        let refused = refused(&Recent::default(), machine, segment).unwrap_or_default();
        assert!(refused.contains(why), "{refused:?}");
    }

    #[test]
    fn what_is_not_settled_any_more_is_left() {
        let (machine, mut segment) = unheld();
        assert_eq!(refused(&Recent::default(), &machine, &segment), None);
        // Bob cannot ask the kernel of ann's, nor examine root's process.
        machine.edit(|facts| {
            facts.effective_uid = 1001;
            let process = facts.processes.get_mut(&7).unwrap();
            (process.uid, process.readable) = (0, false);
        });
        assert_refused(&machine, &segment, "may be in use now: some processes cannot be inspected");
        if let crate::segment::Facts::Posix(facts) = &mut segment.facts {
            facts.device += 1;
        }
        assert_refused(&machine, &segment, "may be in use now: holders unknown");
    }

    #[test]
    fn a_look_is_believed_for_a_moment_only() {
        let (machine, segment) = unheld();
        machine.edit(|facts| facts.effective_uid = 1001);
        let recent = Recent::default();
        assert_eq!(refused(&recent, &machine, &segment), None);
        machine.map_in(7, "a", Access::Read);
        let began = Instant::now();
        while refused(&recent, &machine, &segment).is_none() {
            assert!(began.elapsed() < 20 * LONGEST, "the cached scan never expires");
        }
        assert!(refused(&recent, &machine, &segment).unwrap().contains("in use now: held by writer (7)"));
    }

    #[test]
    fn what_we_have_open_ourselves_is_no_hold() {
        let (machine, segment) = unheld();
        let own = machine.own_pid();
        machine.add_process(own, "shmlens");
        machine.open_in(own, "a", Access::Read);
        assert_eq!(refused(&Recent::default(), &machine, &segment), None);
    }
}

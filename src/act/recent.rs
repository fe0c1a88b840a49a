//! Checks for holders right before a removal. A plan may have been on screen for an hour, so the
//! processes are scanned again. Removals in quick succession share a scan.

use super::{ActError, Options, Target};
use crate::machine::Machine;
use crate::segment::{Segment, State};
use crate::survey::{Depth, Holdings, Names};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time for which a scan is considered current. A slow scan counts as current for four times
/// its duration, up to a second.
const MIN_CURRENT: Duration = Duration::from_millis(100);
const MAX_CURRENT: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub struct Recent(Mutex<Option<Scan>>);

#[derive(Debug)]
struct Scan {
    ended: Instant,
    took: Duration,
    holdings: Holdings,
}

impl Recent {
    /// Refuses a segment that has a holder now but had none when it was listed. Returns true if the
    /// kernel granted a write lease on the segment.
    pub(super) fn check(&self, target: Target<'_>, options: Options) -> Result<bool, ActError> {
        let Target { machine, segment } = target;
        // A segment that was listed as in use is only removed with `--force`.
        if options.force || matches!(segment.verdict.state, State::InUse | State::Removed) {
            return Ok(false);
        }
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let scan = Scan::last(&mut last, machine);
        let refuse = |reason| {
            Err(ActError::InUseNow { id: target.id(), reason, remedy: options.remedy_for_new_holder() })
        };
        if let Some(holder) = scan.holder(segment) {
            return refuse(format!("in use now: held by {holder}"));
        }
        let holders = scan.holdings.of(segment);
        let held = holders.as_deref().unwrap_or_default();
        if !scan.holdings.locks(segment).is_empty() {
            return refuse("in use now: a process has a file lock on it".to_owned());
        }
        // The kernel knows holders that we cannot see. Our own open descriptors would make the
        // lease fail.
        let open = if held.is_empty() { target.lease() } else { None };
        let settled = scan.holdings.coverage.proves_unheld(segment);
        match (open, holders) {
            (Some(true), _) => refuse(format!("in use now: {UNSEEN_HOLDER}")),
            (None, None) => refuse("may be in use now: holders unknown".to_owned()),
            (None, Some(_)) if !settled => {
                refuse("may be in use now: some processes cannot be inspected".to_owned())
            }
            (open, _) => Ok(open.is_some()),
        }
    }

    /// Returns the error for a segment that is in use now, naming the holder if a scan finds it.
    pub(super) fn in_use(&self, target: Target<'_>, reason: &str, options: Options) -> ActError {
        let Target { machine, segment } = target;
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = Scan::last(&mut last, machine).holder(segment);
        // The holder may be newer than the last scan.
        let holder = seen.or_else(|| last.insert(Scan::now(machine)).holder(segment));
        let by = holder.map(|holder| format!(", held by {holder}")).unwrap_or_default();
        let reason = format!("in use now: {reason}{by}");
        ActError::InUseNow { id: target.id(), reason, remedy: options.remedy_for_new_holder() }
    }
}

/// The kernel reports a holder, but no visible process holds the segment.
pub(super) const UNSEEN_HOLDER: &str =
    "held by a process that you cannot see, a loop device or a descriptor in transit";

impl Scan {
    /// Returns the last scan if it is current, or a new one.
    fn last<'a>(last: &'a mut Option<Self>, machine: &dyn Machine) -> &'a Self {
        let current =
            last.take().filter(|scan| scan.ended.elapsed() < MIN_CURRENT.max(scan.took * 4).min(MAX_CURRENT));
        last.insert(current.unwrap_or_else(|| Self::now(machine)))
    }

    /// Returns a holder of the segment, as in `writer (4121)`.
    fn holder(&self, segment: &Segment) -> Option<String> {
        let holders = self.holdings.of(segment);
        let holder = holders.as_deref()?.iter().find(|holder| !holder.is_observer())?;
        Some(format!("{} ({})", holder.command_text(), holder.pid))
    }

    fn now(machine: &dyn Machine) -> Self {
        let started = Instant::now();
        let holdings = Holdings::scan(machine, Depth::Private, &[], &mut Names::default());
        Self { ended: Instant::now(), took: started.elapsed(), holdings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::machine::process::Processes as _;
    use crate::segment::{Access, Verdict};
    use crate::survey::Survey;

    /// Returns a machine with an object of ann, and the object as listed without holders.
    fn unheld() -> (FakeMachine, Segment) {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        machine.add_process(7, "writer");
        let mut segment = Survey::take(&machine, &mut Names::default()).segments.remove(0);
        segment.verdict = Verdict::new(State::Idle, "the object has no holders");
        (machine, segment)
    }

    fn check(recent: &Recent, machine: &FakeMachine, segment: &Segment) -> Option<String> {
        recent.check(Target::new(machine, segment), Options::default()).err().map(|error| error.to_string())
    }

    #[track_caller]
    fn assert_refused(machine: &FakeMachine, segment: &Segment, why: &str) {
        let refused = check(&Recent::default(), machine, segment).unwrap_or_default();
        assert!(refused.contains(why), "{refused:?}");
    }

    #[test]
    fn refuses_a_segment_with_a_new_holder() {
        let (machine, mut segment) = unheld();
        assert_eq!(check(&Recent::default(), &machine, &segment), None);
        // Bob can neither request a lease on ann's object nor examine root's process.
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
    fn scan_expires() {
        let (machine, segment) = unheld();
        machine.edit(|facts| facts.effective_uid = 1001);
        let recent = Recent::default();
        assert_eq!(check(&recent, &machine, &segment), None);
        machine.map_in(7, "a", Access::Read);
        let started = Instant::now();
        while check(&recent, &machine, &segment).is_none() {
            assert!(started.elapsed() < 20 * MAX_CURRENT, "the cached scan never expires");
        }
        assert!(check(&recent, &machine, &segment).unwrap().contains("in use now: held by writer (7)"));
    }

    #[test]
    fn own_descriptors_are_not_holders() {
        let (machine, segment) = unheld();
        let own = machine.own_pid();
        machine.add_process(own, "shmlens");
        machine.open_in(own, "a", Access::Read);
        assert_eq!(check(&Recent::default(), &machine, &segment), None);
    }
}

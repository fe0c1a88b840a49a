//! Carries out removals in sequence.

use super::report::Reporter;
use super::{MissingSegment, Session};
use crate::act::{ActError, Actor, Plan, Task};
use crate::cli::progress::{Interrupt, with_meter};
use crate::cli::{Failure, Status};
use crate::memory::Progress;
use std::process;
use std::thread;
use std::time::Duration;

/// Limits the retries of `clean` on a segment that a process has just opened: it may be another
/// `shmlens`, which reads it only briefly.
const RETRIES: u32 = 4;

/// Removes the segments in sequence, and reports names without a segment at their position. Shows
/// the progress of copies. Ctrl-C stops before the segment whose copy is incomplete.
pub fn remove<'a>(
    session: &Session,
    plans: impl ExactSizeIterator<Item = Result<Plan, MissingSegment<'a>>>,
    reporter: &mut Reporter,
) -> Result<Status, Failure> {
    let (all, log) = (plans.len(), &session.log);
    let (progress, interrupt) = (Progress::new(), Interrupt::listen());
    let mut plans: Box<dyn Iterator<Item = Result<Plan, MissingSegment<'a>>> + '_> = Box::new(plans);
    let mut done = 0;
    with_meter("saving a copy", true, &progress, &interrupt, |meter| {
        for round in 0..=RETRIES {
            let actor = Actor::new(session.machine, &progress);
            let mut held = vec![];
            for plan in plans {
                if interrupt.is_set() {
                    reporter.status();
                    return Err(Failure::Stopped(format!("interrupted: processed {done} of {all} segments")));
                }
                let plan = match plan {
                    Ok(plan) => plan,
                    Err(missing) => {
                        done += 1;
                        meter.suspend(|| missing.report(reporter))?;
                        continue;
                    }
                };
                reporter.set_subject(&plan);
                if plan.refusal.is_none() {
                    log.open()?;
                }
                let outcome = actor.apply(&plan);
                let clean = plan.options.clean;
                if clean && round < RETRIES && matches!(outcome.result, Err(ActError::InUseNow { .. })) {
                    held.push(plan);
                    continue;
                }
                done += 1;
                match (&outcome.result, &plan.task) {
                    (Err(ActError::Gone { .. }), _) if clean => {
                        meter.suspend(|| reporter.already_gone(&outcome.subject))?;
                        continue;
                    }
                    (_, Task::Change { segment, .. }) if clean => {
                        log.add_with(&outcome, &segment.verdict.reasons);
                    }
                    _ if plan.options.bulk => log.add_buffered(&outcome),
                    _ => log.add(&outcome),
                }
                meter.suspend(|| reporter.outcome(&outcome))?;
            }
            if held.is_empty() {
                break;
            }
            thread::sleep(retry_delay());
            plans = Box::new(held.into_iter().map(Ok));
        }
        log.finish();
        Ok(reporter.status())
    })
}

/// The delay between retries. It depends on the pid, so that two processes do not collide again.
fn retry_delay() -> Duration {
    Duration::from_millis(100 + u64::from(process::id() % 16) * 20)
}

//! Carries out removals, one after the other.

use super::Missing;
use super::log::Log;
use super::tell::Teller;
use crate::act::{self, Plan, Recent};
use crate::cli::progress::{Interrupt, attended};
use crate::cli::{Failure, Status};
use crate::machine::Machine;
use crate::memory::Progress;

/// Removes one after the other, and reports names without a segment in their place. Making copies takes its time: it shows how far
/// it is, and Ctrl-C stops it before the segment whose copy is not whole yet.
pub fn remove<'a>(
    machine: &dyn Machine,
    plans: impl ExactSizeIterator<Item = Result<Plan, Missing<'a>>>,
    log: &Log,
    teller: &mut Teller,
) -> Result<Status, Failure> {
    let all = plans.len();
    let (progress, interrupt, recent) = (Progress::new(), Interrupt::listen(), Recent::default());
    attended("saving a copy", true, &progress, &interrupt, |meter| {
        for (at, plan) in plans.enumerate() {
            if interrupt.came() {
                return Err(Failure::Stopped(format!("interrupted: processed {at} of {all} segments")));
            }
            let plan = match plan {
                Ok(plan) => plan,
                Err(missing) => {
                    meter.aside(|| missing.tell(teller))?;
                    continue;
                }
            };
            teller.is_about(&plan);
            if plan.refusal.is_none() {
                log.open()?;
            }
            let outcome = act::apply_with(machine, &plan, &progress, &recent);
            if plan.options.many {
                log.add_soon(&outcome);
            } else {
                log.add(&outcome);
            }
            meter.aside(|| teller.came_of(&outcome))?;
        }
        log.finish();
        Ok(teller.status())
    })
}

//! Changes a segment: plan, check again, apply, verify.
//!
//! [`plan`] predicts the effects of an action and whether it would be refused, without changing
//! anything. [`apply`] checks that the segment is still the same, carries out the action, and
//! verifies the result with the kernel. Plans are independent: in a batch, one failure does not
//! stop the others.

pub mod access;
mod action;
mod actor;
pub mod archive;
mod ask;
pub mod copies;
mod copy_forecast;
mod create;
mod created;
mod destination;
mod detach;
mod end;
mod error;
mod lock;
pub mod log;
mod mode_change;
mod outcome;
mod permissions;
mod permitted;
mod plan;
mod principal;
mod recent;
pub mod recover;
mod remove;
mod restore;
mod save;
mod saved_file;
mod state;
mod target;
#[cfg(test)]
mod tests;
mod undo;
pub mod unfinished;
mod uses;

pub use action::{Action, Copying, OwnerChange, ParseOwnerError};
pub use actor::Actor;
pub use ask::{Answer, LookupError, Question};
pub use copies::Copies;
pub use create::{NewSegment, Source};
pub use created::LoggedSegments;
pub use destination::{Destination, directory_of, is_in_dev_shm};
pub use detach::{OwnAttachment, Released, detach};
pub use end::{TerminateError, TerminateResult, Termination, terminate};
pub use error::{ActError, Step};
pub use log::ChangeLog;
pub use mode_change::{ModeChange, ParseModeError};
pub use outcome::{ChangeReport, Outcome};
pub use plan::{Options, Plan, Refusal, Task, Undo};
pub use principal::{ParsePrincipalError, Principal};
pub use restore::{RestoreError, RestoreResult, read_metadata, unrestorable};
pub use save::{SaveError, SaveResult};
pub use saved_file::SavedFile;
pub use state::{StateDirectory, StateError};
pub use undo::{Revert, SavedCopy, UndoError, UndoResult};
pub use uses::UseRecorder;

use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::{Kind, Segment};
use recent::Recent;
use target::Target;

/// Plans an action on a segment from a survey, without changing anything. Refuses removals that
/// save a copy among [`Copies`]; use [`plan_with`] for those.
#[must_use]
pub fn plan(machine: &dyn Machine, segment: &Segment, action: &Action, options: &Options) -> Plan {
    plan_with(machine, segment, action, options, None)
}

/// Plans an action like [`plan`]. A removal saves its copy in `copies`; `None` for a user without a
/// home directory.
#[must_use]
pub fn plan_with(
    machine: &dyn Machine,
    segment: &Segment,
    action: &Action,
    options: &Options,
    copies: Option<&Copies>,
) -> Plan {
    let mut plan =
        Plan::new(Task::Change { segment: Box::new(segment.clone()), action: action.clone() }, *options);
    if options.read_only {
        plan.refuse(Refusal::read_only());
        return plan;
    }
    if segment.kind() == Kind::Deleted {
        plan.refuse(Refusal::no_name(segment));
        return plan;
    }
    let target = Target::new(machine, segment);
    match action {
        Action::SetMode(mode) => permissions::plan(target, Some(mode), None, &mut plan),
        Action::SetOwner(owner) => permissions::plan(target, None, Some(*owner), &mut plan),
        Action::SetModeAndOwner(mode, owner) => {
            permissions::plan(target, Some(mode), Some(*owner), &mut plan);
        }
        Action::Lock => lock::plan(target, true, &mut plan),
        Action::Unlock => lock::plan(target, false, &mut plan),
        // Restoring a copy would create a second segment next to this one.
        Action::Remove(_) if segment.sysv().is_some_and(|facts| facts.marked) => {
            plan.refuse(Refusal::no_name(segment));
        }
        Action::Remove(copying) => remove::plan(target, copying, copies, &mut plan),
    }
    plan
}

#[must_use]
pub fn plan_create(machine: &dyn Machine, new: &NewSegment, options: &Options) -> Plan {
    let mut plan = Plan::new(Task::Create(new.clone()), *options);
    if options.read_only {
        plan.refuse(Refusal::read_only());
        return plan;
    }
    create::plan(machine, new, &mut plan);
    plan
}

/// Applies a single plan, see [`Actor::apply`].
pub fn apply(machine: &dyn Machine, plan: &Plan) -> Outcome {
    Actor::new(machine, &Progress::new()).apply(plan)
}

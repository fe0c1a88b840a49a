//! Changes a segment: plan, check again, apply, verify.
//!
//! [`plan`] describes the effects of an action and whether it is refused, without changing
//! anything. [`apply`] checks that the segment is still the one that was planned for, carries out
//! the action, verifies the result with the kernel, and reports it. Plans are independent: in a
//! batch, one failure does not stop the others.

pub mod access;
mod action;
mod again;
pub mod archive;
mod ask;
pub mod copies;
mod create;
mod created;
mod detach;
mod end;
mod error;
mod lock;
pub mod log;
mod mode_and_owner;
mod mode_change;
mod outcome;
mod outlook;
mod permissions;
mod permitted;
mod plan;
mod recent;
pub mod recover;
mod remove;
mod restore;
mod save;
mod saved_file;
mod state;
#[cfg(test)]
mod tests;
mod undo;
pub mod unfinished;
mod uses;
mod who;

pub use action::{Action, Copying, OwnerChange, ParseOwnerError};
pub use ask::{Answer, Question};
pub use copies::Copies;
pub use create::{NewSegment, Source, create};
pub use created::LoggedSegments;
pub use detach::{Hold, Released, detach};
pub use end::{EndError, Ended, Ending, end};
pub use error::{ActError, Step};
pub use log::ChangeLog;
pub use mode_change::{ModeChange, ParseModeError};
pub use outcome::{Done, Outcome};
pub use plan::{Options, Plan, Refusal, Task, Undo};
pub use recent::Recent;
pub use restore::{RestoreError, Restored, cannot_come_back, look_into, restore, restore_marked};
pub use save::{SaveError, Stored, is_in_dev_shm, save, save_outcome, save_over, save_to};
pub use saved_file::SavedFile;
pub use state::{StateDirectory, StateError};
pub use undo::{NotUndone, Revert, SavedCopy, Undone};
pub use uses::NotedUses;
pub use who::{ParseWhoError, Somebody};

use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::{Kind, Segment};

/// Plans an action on a segment from a survey, without changing anything.
#[must_use]
pub fn plan(machine: &dyn Machine, segment: &Segment, action: &Action, options: &Options) -> Plan {
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
    match action {
        Action::SetMode(change) => {
            permissions::plan_mode(machine, segment, change, segment.owner.gid, &mut plan);
        }
        Action::SetOwner(change) => permissions::plan_owner(machine, segment, *change, &mut plan),
        Action::SetModeAndOwner(mode, owner) => {
            mode_and_owner::plan(machine, segment, mode, *owner, &mut plan);
        }
        Action::Lock => lock::plan(machine, segment, true, &mut plan),
        Action::Unlock => lock::plan(machine, segment, false, &mut plan),
        // A restored copy would be a second segment next to this one.
        Action::Remove(_) if segment.sysv().is_some_and(|facts| facts.marked) => {
            plan.refuse(Refusal::no_name(segment));
        }
        Action::Remove(copying) => remove::plan(machine, segment, copying, &mut plan),
    }
    plan
}

/// Plans the creation of a segment, without changing anything.
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

/// Carries out a plan, only on the segment that was planned for. A plan with a refusal is not
/// carried out.
///
/// A System V segment is attached while it is removed, so that its shmid cannot be reused between
/// the check and the removal. With [`Options::many`] it is not attached, and the two calls follow
/// each other within microseconds: the kernel reuses a shmid only after a million other segments
/// were created (`ipc_idr_alloc` in ipc/util.c includes a sequence number in it), or when root
/// requests that shmid (`kernel.shm_next_id`, for checkpoints).
pub fn apply(machine: &dyn Machine, plan: &Plan) -> Outcome {
    apply_with(machine, plan, &Progress::new(), &Recent::default())
}

/// Does the same as [`apply`], with progress and cancellation: a copy of a large segment takes a
/// while. A batch shares one `recent`.
pub fn apply_with(machine: &dyn Machine, plan: &Plan, progress: &Progress, recent: &Recent) -> Outcome {
    let mut result = match (&plan.refusal, &plan.task) {
        (Some(_), Task::Change { segment, .. }) if plan.gone => {
            Err(ActError::Gone { id: segment.id.clone() })
        }
        (Some(refusal), _) => Err(ActError::Refused { subject: plan.subject(), refusal: refusal.clone() }),
        (None, _) if progress.is_cancelled() => Err(ActError::Stopped { subject: plan.subject() }),
        (None, Task::Create(new)) => create::apply(machine, new, None, progress),
        (None, Task::Change { segment, action }) => match action {
            Action::SetMode(change) => permissions::apply_mode(machine, segment, change),
            Action::SetOwner(change) => permissions::apply_owner(machine, segment, *change),
            Action::SetModeAndOwner(mode, owner) => mode_and_owner::apply(machine, segment, mode, *owner),
            Action::Lock => lock::apply(machine, segment, true),
            Action::Unlock => lock::apply(machine, segment, false),
            Action::Remove(copying) => {
                let now = remove::Now { options: plan.options, progress, recent };
                remove::apply(machine, segment, copying, &now)
            }
        },
    };
    if let (Ok(done), Task::Change { segment, .. }) = (&mut result, &plan.task) {
        done.identity = Some(segment.identity());
    }
    let action = if plan.options.clean { "clean" } else { plan.task.word() };
    Outcome { subject: plan.subject(), action, result }
}

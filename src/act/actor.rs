//! Applies plans.

use super::remove::Removal;
use super::{ActError, Action, ChangeReport, Outcome, Plan, Recent, StateDirectory, Target, Task};
use super::{create, lock, permissions};
use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::Segment;

/// The context of a batch of changes: the machine, the progress and the recovery marks.
pub struct Actor<'a> {
    pub machine: &'a dyn Machine,
    /// The directory with the marks that identify incomplete segments, see
    /// [`unfinished`](super::unfinished::unfinished). `None` for a user without a state directory,
    /// who gets no marks.
    pub state: Option<&'a StateDirectory>,
    /// Progress and cancellation: copying a large segment takes a while.
    pub progress: &'a Progress,
    pub(super) recent: Recent,
}

impl<'a> Actor<'a> {
    #[must_use]
    pub fn new(machine: &'a dyn Machine, progress: &'a Progress) -> Self {
        Self { machine, state: None, progress, recent: Recent::default() }
    }

    /// Writes recovery marks to that state directory.
    #[must_use]
    pub fn with_state(self, state: Option<&'a StateDirectory>) -> Self {
        Self { state, ..self }
    }

    pub(super) const fn on<'b>(&'b self, segment: &'b Segment) -> Target<'b> {
        Target { machine: self.machine, segment }
    }

    /// Applies a plan, unless the plan was refused or the segment was replaced.
    /// A System V segment is attached while it is removed, so that its shmid cannot be reused
    /// between the check and the removal. With [`Options::bulk`](super::Options::bulk) it is not
    /// attached, and the two calls follow each other within microseconds. The kernel reuses a shmid
    /// only after a million other segments were created (`ipc_idr_alloc` in ipc/util.c includes a
    /// sequence number in it), or when root requests that shmid (`kernel.shm_next_id`, for
    /// checkpoints).
    pub fn apply(&self, plan: &Plan) -> Outcome {
        let result = match (&plan.refusal, &plan.task) {
            (Some(_), Task::Change { segment, .. }) if plan.gone => Err(self.on(segment).gone_error()),
            (Some(refusal), _) => {
                Err(ActError::Refused { subject: plan.subject(), refusal: refusal.clone() })
            }
            (None, Task::Create(new)) => create::apply(self, new),
            (None, Task::Change { .. }) if self.progress.is_cancelled() => {
                Err(ActError::Stopped { subject: plan.subject() })
            }
            (None, Task::Change { segment, action }) => self
                .change(segment, action, plan)
                .map(|done| ChangeReport { identity: Some(segment.identity()), ..done }),
        };
        let action = if plan.options.clean { "clean" } else { plan.task.name() };
        Outcome { subject: plan.subject(), action, result }
    }

    fn change(&self, segment: &Segment, action: &Action, plan: &Plan) -> Result<ChangeReport, ActError> {
        let target = self.on(segment);
        match action {
            Action::SetMode(change) => permissions::apply(target, Some(change), None),
            Action::SetOwner(change) => permissions::apply(target, None, Some(*change)),
            Action::SetModeAndOwner(mode, owner) => permissions::apply(target, Some(mode), Some(*owner)),
            Action::Lock => lock::apply(target, true),
            Action::Unlock => lock::apply(target, false),
            Action::Remove(copying) => {
                let removal = Removal { actor: self, target, options: plan.options };
                removal.apply(copying, plan.copies.as_ref())
            }
        }
    }
}

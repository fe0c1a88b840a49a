//! Plans, applies and undoes actions, one at a time.

use super::Clock;
use super::report::{Body, Report};
use super::request::{PlanRequest, Request, SaveRequest, Undo};
use super::worker::{Job, Worker};
use crate::act::access::Rules;
use crate::act::log::{Entry, LogError};
use crate::act::{
    self, ActError, Actor, ChangeLog, Copies, Options, Outcome, Plan, Revert, SavedCopy, StateDirectory,
    StateError, Task, Termination, UndoError, UndoResult,
};
use crate::identify::Identifier;
use crate::machine::Machine;
use crate::segment::{Bytes, Segment, SegmentId};
use crate::survey::Names;

/// The worker that carries out actions.
pub struct Act {
    /// The directory of copies and the log; `None` for a user without a home directory.
    state: Option<StateDirectory>,
    /// The maximum total size of copies.
    limit: Bytes,
}

/// The context of one request.
struct Handler<'a> {
    actor: Actor<'a>,
    /// The maximum total size of copies.
    limit: Bytes,
}

impl Act {
    /// Returns a worker that keeps copies and the log in `state`.
    pub fn new(state: Option<StateDirectory>, limit: Bytes) -> Self {
        Self { state, limit }
    }
}

impl Worker for Act {
    fn handle(&mut self, machine: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        let actor = Actor::new(machine, &job.progress).with_state(self.state.as_ref());
        let handler = Handler { actor, limit: self.limit };
        let body = match job.request {
            Request::Rules(segment) => Body::Rules(segment.id.clone(), Rules::of(machine, &segment)),
            Request::Terminate(ending) => handler.terminate(ending),
            Request::Plan(requests) => Body::Planned(handler.plan_all(&requests)),
            Request::Apply(plans) => Body::Acted(handler.apply_all(&plans)),
            Request::Save(requests) => Body::Saved(handler.save_all(&requests)),
            Request::Undo(undo) => Body::Undone(handler.undo(undo)),
            _ => return vec![],
        };
        vec![Report::new(now, body)]
    }
}

impl Handler<'_> {
    fn apply_all(&self, plans: &[Plan]) -> Vec<Outcome> {
        self.remove_unfinished();
        let apply = |(at, plan): (usize, &Plan)| {
            let doing = match plan.task {
                Task::Create(_) => "creating",
                Task::Change { .. } => "copying",
            };
            self.actor.progress.next_item(at + 1, plans.len(), format!("{doing} {}", plan.subject()));
            self.apply(plan)
        };
        plans.iter().enumerate().map(apply).collect()
    }

    /// Saves each segment to its file. Stops before the next segment after a cancellation.
    fn save_all(&self, requests: &[SaveRequest]) -> Vec<Outcome> {
        let save = |(at, request): (usize, &SaveRequest)| {
            let SaveRequest { segment, path, replace } = request;
            self.actor.progress.next_item(at + 1, requests.len(), format!("saving {}", segment.id.short()));
            self.actor.save_outcome(segment, path, *replace)
        };
        requests.iter().enumerate().map(save).collect()
    }

    fn plan_all(&self, requests: &[PlanRequest]) -> Vec<Plan> {
        // Shared, so that each plan accounts for the disk space of the previous ones.
        let copies = self.actor.state.cloned().map(|state| Copies::new(state, self.limit));
        let plan = |request: &PlanRequest| {
            let PlanRequest { segment, action, force } = request;
            let options = Options { force: *force, ..Options::default() };
            act::plan_with(self.actor.machine, segment, action, &options, copies.as_ref())
        };
        requests.iter().map(plan).collect()
    }

    fn apply(&self, plan: &Plan) -> Outcome {
        let log = match self.log() {
            Err(source) if !source.is_homeless() && plan.refusal.is_none() => {
                let subject = plan.subject();
                let result = Err(ActError::NotLogged { subject: subject.clone(), source });
                return Outcome { subject, action: plan.task.name(), result };
            }
            log => log,
        };
        let mut outcome = self.actor.apply(plan);
        let (segment, done, messages) = match &outcome.result {
            Ok(done) => (done.id.to_string(), true, done.text()),
            // Refused and canceled actions changed nothing, so they are not logged.
            Err(
                ActError::Refused { .. }
                | ActError::InUseNow { .. }
                | ActError::Stopped { .. }
                | ActError::NotCreated { .. },
            ) => {
                return outcome;
            }
            Err(error) => (outcome.subject.clone(), false, error.to_string()),
        };
        let entry = Entry::new(self.actor.machine, outcome.action, &segment, done, &messages);
        let logged = log.and_then(|log| log.add(&entry));
        if let (Err(error), Ok(done)) = (logged, &mut outcome.result) {
            done.messages.push(format!("not logged: {error}"));
        }
        outcome
    }

    fn terminate(&self, ending: Box<Termination>) -> Body {
        let result = act::terminate(self.actor.machine, &ending);
        let messages = match &result {
            Ok(ended) => ending.text(*ended),
            Err(error) => error.to_string(),
        };
        // If the log file cannot be written, the log on screen still has the entry.
        if let Ok(log) = self.log() {
            let segment = ending.segment.to_string();
            let _ =
                log.add(&Entry::new(self.actor.machine, "terminate", &segment, result.is_ok(), &messages));
        }
        Body::Terminated(ending, result)
    }

    /// Opens the log. Called before each action: an action that cannot be logged is not performed.
    fn log(&self) -> Result<ChangeLog, LogError> {
        let state = self.actor.state.cloned().ok_or(StateError::Homeless)?;
        let log = ChangeLog::new(state);
        log.open()?;
        Ok(log)
    }

    /// Removes the unfinished files of killed commands before changing anything.
    fn remove_unfinished(&self) {
        if let Some(state) = self.actor.state {
            let _ = state.remove_unfinished();
        }
    }

    fn undo(&self, undo: Undo) -> Vec<UndoResult> {
        match undo {
            Undo::Copies(copies) => {
                let mut results = vec![];
                for (index, copy) in copies.iter().enumerate() {
                    self.actor.progress.next_item(index + 1, copies.len(), format!("restoring {}", copy.id));
                    results.push(self.restore(copy));
                    if self.actor.progress.is_cancelled() {
                        break;
                    }
                }
                results
            }
            Undo::Acts(acts) => {
                let survey = Identifier::default().survey(self.actor.machine, None, &mut Names::default());
                acts.iter().map(|act| self.revert(act, &survey.segments)).collect()
            }
        }
    }

    fn revert(&self, revert: &Revert, segments: &[Segment]) -> UndoResult {
        let apply = |segment: &Segment| {
            let plan = act::plan(self.actor.machine, segment, &revert.action, &Options::default());
            let done = self.apply(&plan).result.map_err(|error| UndoError::temporary(&error))?;
            Ok(done.messages.join("; "))
        };
        UndoResult { id: revert.id.clone(), result: revert.segment(segments).and_then(apply) }
    }

    fn restore(&self, copy: &SavedCopy) -> UndoResult {
        let restored = self.restore_logged(copy);
        let id = restored.as_ref().map_or_else(|_| copy.id.clone(), |(id, _)| id.clone());
        UndoResult { id, result: restored.map(|(_, messages)| messages) }
    }

    fn restore_logged(&self, copy: &SavedCopy) -> Result<(SegmentId, String), UndoError> {
        if self.actor.state.is_none() {
            return Err(UndoError::temporary(&StateError::Homeless));
        }
        let log =
            self.log().map_err(|error| UndoError::temporary(&format!("nothing was restored: {error}")))?;
        let restored = copy.restore(&self.actor)?;
        let id = restored.id.to_string();
        let entry = Entry::new(self.actor.machine, "restore", &id, true, "restored from the saved copy");
        let log_error =
            log.add(&entry).map_or_else(|error| format!("; not logged: {error}"), |()| String::new());
        let messages = restored.text() + &log_error;
        Ok((restored.id, messages))
    }
}

#[cfg(test)]
mod tests;

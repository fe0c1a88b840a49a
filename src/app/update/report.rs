//! The report of an action: a log line per segment, and a status line that mentions undo.

use crate::act::{ActError, Outcome, Refusal};
use crate::app::action::Action;
use crate::app::sentence::{result, with_name};
use crate::app::state::State;

/// Collects the outcomes of one action.
#[derive(Debug)]
pub struct ActionReport {
    /// The verb of the status line: `Removed`.
    verb: &'static str,
    /// One message per changed segment.
    done: Vec<String>,
    failures: Vec<String>,
    /// Segments that were refused, with the refusal on screen when the user confirmed.
    skipped: usize,
    stopped: usize,
}

impl ActionReport {
    /// Collects the outcomes and logs each of them.
    pub fn new(state: &mut State, outcomes: &[Outcome]) -> Self {
        let verb = match outcomes.first().map(|outcome| outcome.action) {
            Some("rm") => "Removed",
            Some("lock") => "Locked",
            Some("unlock") => "Unlocked",
            Some("create") => "Created",
            _ => "Changed",
        };
        let mut report = Self { verb, done: vec![], failures: vec![], skipped: 0, stopped: 0 };
        for outcome in outcomes {
            let text = report.add(state, outcome, outcomes.len() > 1);
            let name = outcome.result.as_ref().map_or(outcome.subject.clone(), |done| done.id.to_string());
            super::acting::log(state, outcome.action, &name, &text);
        }
        report
    }

    /// Adds an outcome. Returns its text for the log.
    fn add(&mut self, state: &State, outcome: &Outcome, batch: bool) -> String {
        match &outcome.result {
            Ok(done) => {
                let name = done.id.to_string();
                // The undo command is for the command line; here undo is a key.
                self.done.push(result(&name, &done.messages.join("; ")));
                done.text()
            }
            Err(ActError::Stopped { .. }) => {
                self.stopped += 1;
                "stopped; nothing was changed".to_owned()
            }
            Err(ActError::Refused { subject, refusal }) => {
                let text = with_name(subject, &refusal_text(state, refusal));
                if batch {
                    self.skipped += 1;
                } else {
                    self.failures.push(text);
                }
                format!("not done: {}. {}", refusal.reason, refusal.remedy)
            }
            Err(error) => {
                self.failures.push(with_name(&outcome.subject, &error_text(state, outcome.action, error)));
                error.to_string()
            }
        }
    }

    /// Shows the status line.
    pub fn show(self, state: &mut State, changed: bool) {
        let mut steps = vec![];
        let nothing = self.done.is_empty();
        if !nothing && changed && state.undo.is_some() {
            steps.push(format!("{}: undo", state.key_of(Action::Undo)));
        }
        match self.stopped {
            0 => {}
            _ if nothing => steps.push("Stopped; nothing was changed".to_owned()),
            stopped => steps.push(format!("Stopped; {stopped} not changed")),
        }
        let skipped = if self.skipped > 0 { format!(" ({} skipped)", self.skipped) } else { String::new() };
        let done = summarize(self.done, self.verb).map(|done| done + &skipped);
        show(state, done.into_iter().chain(steps).collect(), self.failures, None);
    }
}

/// Formats the results: `Removed /a`, `Removed 3 segments`.
pub fn summarize(done: Vec<String>, verb: &str) -> Option<String> {
    let count = done.len();
    done.into_iter().next().map(|one| if count > 1 { format!("{verb} {count} segments") } else { one })
}

/// Shows a status line: the results, the first failure, and the next step.
pub fn show(state: &mut State, done: Vec<String>, failures: Vec<String>, next: Option<String>) {
    let failed = !failures.is_empty();
    let parts: Vec<String> = done.into_iter().chain(first_of(state, failures)).chain(next).collect();
    let text = parts.join(". ");
    if failed {
        state.fail(text);
    } else {
        state.show_message(text);
    }
}

/// Formats the first failure as a message, with the number of further failures and where to find
/// them.
fn first_of(state: &State, failures: Vec<String>) -> Option<String> {
    let more = failures.len().saturating_sub(1);
    let first = crate::app::sentence::sentence(&failures.into_iter().next()?);
    Some(match more {
        0 => first,
        more => format!("{first} ({more} more in {})", state.key_of(Action::Log)),
    })
}

/// Formats the error, with a key in place of the command-line option in its advice.
fn error_text(state: &State, action: &str, error: &ActError) -> String {
    match error {
        ActError::Gone { id } if action == "rm" => format!("{id} is gone; nothing was removed"),
        ActError::NotTheSame { id, how } if action == "rm" => {
            format!("{id} has changed since it was listed: {how}. Nothing was removed")
        }
        ActError::NotKept { source, .. } => {
            let (remove, copy) = (state.key_of(Action::Remove), state.key_of(Action::SaveCopy));
            format!("{source}. Not removed. Press {remove}, then {copy} to remove it without a copy")
        }
        error => error.to_string(),
    }
}

/// Formats the refusal, with a key in place of `--force` in its advice.
fn refusal_text(state: &State, refusal: &Refusal) -> String {
    let remedy = if refusal.forceable {
        format!("Press {}, then {} to force", state.key_of(Action::Remove), state.key_of(Action::Force))
    } else {
        refusal.remedy.clone()
    };
    format!("{}. {remedy}", refusal.reason)
}

//! What an action did: a line for each segment in the log, and one line at the
//! foot with how to undo it.

use crate::act::{ActError, Outcome, Refusal};
use crate::app::action::Action;
use crate::app::sentence::{naming, result};
use crate::app::state::State;

/// Collects the outcomes of one action.
#[derive(Debug)]
pub struct Report {
    /// Past participle of the action: `Removed`.
    verb: &'static str,
    /// A sentence for each segment that was changed.
    done: Vec<String>,
    failures: Vec<String>,
    /// Refusals that were on screen when the others were confirmed.
    skipped: usize,
    stopped: usize,
}

impl Report {
    /// Reads the outcomes and writes a line for each to the log.
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
            super::acting::log(state, format!("{} {text}", outcome.action));
        }
        report
    }

    /// Adds one outcome. Returns its text for the log.
    fn add(&mut self, state: &State, outcome: &Outcome, batch: bool) -> String {
        match &outcome.result {
            Ok(done) => {
                let name = done.id.to_string();
                // On screen, undo is a key.
                self.done.push(result(&name, &done.said.join("; ")));
                naming(&name, &done.text())
            }
            Err(ActError::Stopped { subject }) => {
                self.stopped += 1;
                naming(subject, "stopped; nothing was changed")
            }
            Err(ActError::Refused { subject, refusal }) => {
                let text = naming(subject, &refused(state, refusal));
                if batch {
                    self.skipped += 1;
                } else {
                    self.failures.push(text);
                }
                naming(subject, &format!("not done: {}. {}", refusal.reason, refusal.remedy))
            }
            Err(error) => {
                let text = naming(&outcome.subject, &error.to_string());
                self.failures.push(text.clone());
                text
            }
        }
    }

    /// Shows the line at the foot.
    pub fn show(self, state: &mut State) {
        let mut parts = vec![];
        let done = self.done();
        if !done.is_empty() {
            parts.push(done);
            if state.undo.is_some() {
                parts.push(format!("{}: undo", state.key_of(Action::Undo)));
            }
        }
        match (self.stopped, parts.is_empty()) {
            (0, _) => {}
            (_, true) => parts.push("Stopped; nothing was changed".to_owned()),
            (stopped, false) => parts.push(format!("Stopped; {stopped} not changed")),
        }
        let failed = !self.failures.is_empty();
        parts.extend(first_of(state, self.failures));
        let text = parts.join(". ");
        if failed {
            state.fail(text);
        } else {
            state.say(text);
        }
    }

    /// `Removed /a`, `Removed 3 segments (2 skipped)`.
    fn done(&self) -> String {
        let done = match self.done.as_slice() {
            [] => return String::new(),
            [one] => one.clone(),
            many => format!("{} {} segments", self.verb, many.len()),
        };
        match self.skipped {
            0 => done,
            skipped => format!("{done} ({skipped} skipped)"),
        }
    }
}

/// The first failure as a sentence, and where the others are.
pub fn first_of(state: &State, failures: Vec<String>) -> Option<String> {
    let more = failures.len().saturating_sub(1);
    let first = crate::app::sentence::sentence(&failures.into_iter().next()?);
    Some(match more {
        0 => first,
        more => format!("{first} ({more} more in {})", state.key_of(Action::Log)),
    })
}

/// A refusal with its remedy on screen: force is a key, not an option.
fn refused(state: &State, refusal: &Refusal) -> String {
    let remedy = if refusal.forceable {
        format!("Press {}, then f to force", state.key_of(Action::Remove))
    } else {
        refusal.remedy.clone()
    };
    format!("{}. {remedy}", refusal.reason)
}

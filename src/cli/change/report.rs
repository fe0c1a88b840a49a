//! Reports plans and results: results on standard output, failures on standard error; with
//! `--json`, one object per line.

use crate::act::{ActError, Outcome, Plan, Refusal, Task, Undo};
use crate::cli::args::ReportArgs;
use crate::cli::out::{Out, warn};
use crate::cli::{Failure, Status};
use crate::segment::resolve::listed;
use crate::segment::{Certainty, Segment, escape};
use serde::Serialize;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;

/// Reports the results for the segments of a command, and records failures.
pub struct Reporter<'a> {
    action: &'static str,
    args: ReportArgs,
    out: &'a mut Out,
    failed: bool,
    /// Refused segments by message, so that each message is printed once.
    refused: Vec<(String, Vec<String>)>,
    /// The evidence of a leak, if the command reports it.
    evidence: Option<Evidence>,
    with_evidence: bool,
}

#[derive(Debug, Serialize)]
struct Evidence {
    state: &'static str,
    certainty: Option<&'static str>,
    reasons: Vec<String>,
    size: u64,
    resident: Option<u64>,
}

impl Evidence {
    fn of(segment: &Segment) -> Self {
        Self {
            state: segment.verdict.state.keyword(),
            certainty: segment.verdict.state.certainty().map(Certainty::keyword),
            reasons: segment.verdict.reasons.clone(),
            size: segment.size.0,
            resident: segment.resident.map(|size| size.0),
        }
    }
}

/// A line of JSON. The format is stable: fields may be added, but existing fields do not change.
#[derive(Debug, Default, Serialize)]
struct Line<'a> {
    action: &'a str,
    /// The segment id, or the name as given if there is no such segment.
    segment: &'a str,
    /// `done`, `planned`, `refused` (nothing was done), `failed`, or `left`.
    status: &'a str,
    /// Messages about the effects, actual or planned.
    #[serde(rename = "said")]
    messages: &'a [String],
    /// The command that undoes the change.
    undo: Option<&'a str>,
    error: Option<String>,
    /// `clean`: the evidence that the segment is leaked.
    #[serde(flatten)]
    evidence: Option<&'a Evidence>,
}

impl<'a> Reporter<'a> {
    pub const fn new(action: &'static str, args: ReportArgs, out: &'a mut Out) -> Self {
        Self { action, args, out, failed: false, refused: vec![], evidence: None, with_evidence: false }
    }

    /// Creates a reporter that includes the evidence for each leak.
    pub fn with_evidence(action: &'static str, args: ReportArgs, out: &'a mut Out) -> Self {
        Self { with_evidence: true, ..Self::new(action, args, out) }
    }

    /// Sets the segment that the following reports refer to.
    pub fn set_subject(&mut self, plan: &Plan) {
        self.evidence = match &plan.task {
            Task::Change { segment, .. } if self.with_evidence => Some(Evidence::of(segment)),
            _ => None,
        };
    }

    /// Drops refused plans that [`refusals_of`] has already reported.
    pub fn drop_refused(&mut self, plans: &mut Vec<Plan>) {
        let before = plans.len();
        plans.retain(|plan| plan.refusal.is_none());
        self.failed |= plans.len() < before;
    }

    /// Reports a leak that the user did not agree to remove.
    pub fn not_confirmed(&mut self, plan: &Plan) -> Result<(), Failure> {
        self.failed = true;
        self.skipped(plan, "not confirmed; use --yes")
    }

    /// Reports a leak that is not removed. This is not a failure.
    pub fn skipped(&mut self, plan: &Plan, reason: &str) -> Result<(), Failure> {
        match &plan.task {
            Task::Change { segment, .. } => self.report_skipped(segment, reason),
            Task::Create(_) => Ok(()),
        }
    }

    /// Reports a segment that may be leaked or in use.
    pub fn unknown(&mut self, segment: &Segment) -> Result<(), Failure> {
        let reason = segment.verdict.reasons.first().cloned().unwrap_or_default();
        self.report_skipped(segment, &format!("may be in use: {reason}"))
    }

    fn report_skipped(&mut self, segment: &Segment, reason: &str) -> Result<(), Failure> {
        if !self.args.json {
            return Ok(());
        }
        self.evidence = self.with_evidence.then(|| Evidence::of(segment));
        let subject = segment.id.to_string();
        self.line(&Line {
            segment: &subject,
            status: "left",
            error: Some(reason.to_owned()),
            ..Line::default()
        })
    }

    pub const fn json(&self) -> bool {
        self.args.json
    }

    pub const fn dry_run(&self) -> bool {
        self.args.dry_run
    }

    /// Reports the refusals, once for all segments with the same refusal. Returns the exit status.
    pub fn status(&mut self) -> Status {
        for (text, subjects) in std::mem::take(&mut self.refused) {
            // Keep the order of results and messages on a terminal.
            let _ = self.out.flush();
            warn(&self.out.style().fit(&format!("{}: {text}", listed(&subjects))));
        }
        if self.failed { Status::Failed } else { Status::Success }
    }

    /// Reports the plans for `--dry-run`.
    pub fn planned(&mut self, plans: &[Plan]) -> Result<(), Failure> {
        self.failed |= plans.iter().any(|plan| plan.refusal.is_some());
        if !self.args.json {
            let text = text_of(&plans.iter().collect::<Vec<_>>());
            return Ok(self.out.write_all(self.out.style().fit(&text).as_bytes())?);
        }
        for plan in plans {
            self.set_subject(plan);
            let error = plan.refusal.as_ref().map(Refusal::message);
            let status = if error.is_some() { "refused" } else { "planned" };
            let undo = match &plan.undo {
                Undo::Yes(how) => Some(how.as_str()),
                Undo::Nothing | Undo::No(_) => None,
            };
            let subject = plan.subject();
            self.line(&Line {
                segment: &subject,
                status,
                messages: &plan.effects,
                undo,
                error,
                ..Line::default()
            })?;
        }
        Ok(())
    }

    /// Reports a planned effect that has no full plan.
    pub fn planned_effect(&mut self, subject: &str, effect: String) -> Result<(), Failure> {
        if self.args.json {
            let messages = &[effect];
            return self.line(&Line { segment: subject, status: "planned", messages, ..Line::default() });
        }
        let text = format!("{subject}: {effect}\n");
        self.out.write_all(self.out.style().fit(&text).as_bytes())?;
        Ok(())
    }

    /// Reports that there was nothing to do. JSON output is empty in that case.
    pub fn nothing_to_do(&mut self, text: &str) -> Result<(), Failure> {
        if !self.args.json && !self.failed {
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }

    /// Reports a segment that another process removed first.
    pub fn already_gone(&mut self, subject: &str) -> Result<(), Failure> {
        let message = "already gone: another process removed it".to_owned();
        if self.args.json {
            return self.line(&Line {
                segment: subject,
                status: "done",
                messages: &[message],
                ..Line::default()
            });
        }
        Ok(writeln!(self.out, "{}: {message}", self.out.style().fit(subject))?)
    }

    /// Reports the outcome of a plan.
    pub fn outcome(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        match &outcome.result {
            Ok(done) => {
                if self.args.json {
                    let id = done.id.to_string();
                    return self.line(&Line {
                        segment: &id,
                        status: "done",
                        messages: &done.messages,
                        undo: done.undo_command().or_else(|| done.undo_text()).as_deref(),
                        ..Line::default()
                    });
                }
                let text = format!("{}: {}\n", done.id, done.text());
                self.out.write_all(self.out.style().fit(&text).as_bytes())?;
                Ok(())
            }
            Err(error) => self.failure(&outcome.subject, error),
        }
    }

    fn failure(&mut self, subject: &str, error: &ActError) -> Result<(), Failure> {
        if let ActError::Refused { refusal, .. } = error
            && !self.args.json
        {
            self.failed = true;
            group(&mut self.refused, refusal.message(), subject.to_owned());
            return Ok(());
        }
        let status = if error.changed_nothing() { "refused" } else { "failed" };
        self.not_changed(subject, status, error.to_string())
    }

    /// Reports a name that matches no segment.
    pub fn not_found(&mut self, named: &OsStr, failure: &Failure) -> Result<(), Failure> {
        self.not_changed(&escape(named.as_bytes()), "refused", failure.to_string())
    }

    /// Reports a change that was not made.
    pub fn not_changed(&mut self, subject: &str, status: &str, error: String) -> Result<(), Failure> {
        self.failed = true;
        if !self.args.json {
            // Keep the order of results and messages on a terminal.
            self.out.flush()?;
            warn(&self.out.style().fit(&error));
            return Ok(());
        }
        self.line(&Line { segment: subject, status, error: Some(error), ..Line::default() })
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), Failure> {
        let (action, evidence) = (self.action, self.evidence.as_ref());
        let line = Line { action, evidence, error: line.error.clone(), ..*line };
        serde_json::to_writer(&mut *self.out, &line).map_err(io::Error::from)?;
        writeln!(self.out)?;
        Ok(())
    }
}

/// Formats plans: the effects and the undo command, or the refusal. A refusal hides the effects
/// unless `--force` can override it. Text that several plans share is printed once, at the end.
pub fn text_of(plans: &[&Plan]) -> String {
    let mut after = vec![];
    for plan in plans.iter().filter(|plan| plan.refusal.is_none()) {
        group(&mut after, rest_of(plan), plan.subject());
    }
    after.retain(|(rest, subjects)| subjects.len() > 1 && !rest.is_empty());
    let (mut lines, mut refused) = (vec![], vec![]);
    for plan in plans {
        let subject = plan.subject();
        match &plan.refusal {
            Some(refusal) if refusal.forceable => {
                lines.push(format!(
                    "{subject}: {}\n  {}\n",
                    plan.effects.join("; "),
                    not_changed(plan, refusal)
                ));
            }
            Some(refusal) => group(&mut refused, not_changed(plan, refusal), subject),
            None => {
                let rest = rest_of(plan);
                let shared = after.iter().any(|(text, _)| *text == rest);
                let gap = if rest.is_empty() || rest.starts_with('\n') { "" } else { "; " };
                let rest = if shared { String::new() } else { format!("{gap}{rest}") };
                lines.push(format!("{subject}: {}{rest}\n", plan.split_effects().0.join("; ")));
            }
        }
    }
    for (refusal, subjects) in refused {
        lines.push(format!("{}: {refusal}\n", listed(&subjects)));
    }
    for (rest, subjects) in after {
        let subjects = if subjects.len() == plans.len() { "all".to_owned() } else { listed(&subjects) };
        lines.push(format!("{subjects}: {}\n", rest.trim_start()));
    }
    lines.concat()
}

/// Formats the end of a plan, which plans often share: the copy and the undo command.
fn rest_of(plan: &Plan) -> String {
    let undo = match &plan.undo {
        Undo::Nothing => String::new(),
        Undo::Yes(how) => format!("\n  undo: {how}"),
        Undo::No(reason) => format!("\n  cannot be undone: {reason}"),
    };
    plan.split_effects().1.join("; ") + &undo
}

/// Formats the refusals, once for all segments with the same refusal.
pub fn refusals_of(plans: &[Plan]) -> String {
    let mut refused = vec![];
    for plan in plans {
        if let Some(refusal) = &plan.refusal {
            group(&mut refused, not_changed(plan, refusal), plan.subject());
        }
    }
    let lines = refused.iter().map(|(text, subjects)| format!("{}: {text}\n", listed(subjects)));
    lines.collect::<Vec<_>>().concat()
}

fn not_changed(plan: &Plan, refusal: &Refusal) -> String {
    let not_changed = match plan.task.name() {
        "rm" => "not removed",
        "create" => "not created",
        _ => "not changed",
    };
    format!("{not_changed}: {}", refusal.message())
}

fn group(groups: &mut Vec<(String, Vec<String>)>, text: String, subject: String) {
    match groups.iter_mut().find(|(same, _)| *same == text) {
        Some((_, subjects)) => subjects.push(subject),
        None => groups.push((text, vec![subject])),
    }
}

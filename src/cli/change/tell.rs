//! Telling plans and results: results to standard output, what failed to
//! standard error; with `--json` all of it as an object a line.

use crate::act::{ActError, Outcome, Plan, Refusal, Task, Undo};
use crate::cli::args::TellArgs;
use crate::cli::out::{Out, warn};
use crate::cli::{Failure, Status};
use crate::segment::resolve::listed;
use crate::segment::{Certainty, Segment, escape};
use serde::Serialize;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;

/// Tells what becomes of one command's segments, and remembers whether all is done.
pub struct Teller<'a> {
    action: &'static str,
    args: TellArgs,
    out: &'a mut Out,
    failed: bool,
    /// Refused segments by what is said of them, which is said once.
    refused: Vec<(String, Vec<String>)>,
    /// Why the segment that is being told of is leaked, where that is told.
    evidence: Option<Evidence>,
    with_evidence: bool,
}

/// Why a segment is leaked, and what it takes.
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
            state: segment.verdict.state.word(),
            certainty: segment.verdict.state.certainty().map(Certainty::word),
            reasons: segment.verdict.reasons.clone(),
            size: segment.size.0,
            resident: segment.resident.map(|size| size.0),
        }
    }
}

/// One line of JSON. Its shape is a promise: a field may be added, none changes.
#[derive(Debug, Serialize)]
struct Line<'a> {
    action: &'a str,
    /// The segment's id; that which was named, when there is no such segment.
    segment: &'a str,
    /// `done`, `planned`, `refused` (nothing was done), or `failed`.
    status: &'a str,
    /// What was done, or what would be.
    said: &'a [String],
    /// The command that takes it back.
    undo: Option<&'a str>,
    /// Why it was not done.
    error: Option<String>,
    /// `clean`: why it is leaked.
    #[serde(flatten)]
    evidence: Option<&'a Evidence>,
}

impl<'a> Teller<'a> {
    pub const fn new(action: &'static str, args: TellArgs, out: &'a mut Out) -> Self {
        Self { action, args, out, failed: false, refused: vec![], evidence: None, with_evidence: false }
    }

    /// One that tells with each segment why it is leaked.
    pub fn with_evidence(action: &'static str, args: TellArgs, out: &'a mut Out) -> Self {
        Self { with_evidence: true, ..Self::new(action, args, out) }
    }

    /// What is told next is about the segment of this plan.
    pub fn is_about(&mut self, plan: &Plan) {
        self.evidence = match &plan.task {
            Task::Change { segment, .. } if self.with_evidence => Some(Evidence::of(segment)),
            _ => None,
        };
    }

    /// Drops the refused plans, which [`refusals_of`] has told of.
    pub fn drop_refused(&mut self, plans: &mut Vec<Plan>) {
        let before = plans.len();
        plans.retain(|plan| plan.refusal.is_none());
        self.failed |= plans.len() < before;
    }

    /// A leaked segment that nobody confirmed.
    pub fn not_confirmed(&mut self, plan: &Plan) -> Result<(), Failure> {
        self.failed = true;
        self.left(plan, "not confirmed; use --yes")
    }

    /// A leaked segment that is left as it is, which is no failure.
    pub fn left(&mut self, plan: &Plan, why: &str) -> Result<(), Failure> {
        match &plan.task {
            Task::Change { segment, .. } => self.left_alone(segment, why),
            Task::Create(_) => Ok(()),
        }
    }

    /// A segment that may be leaked or in use.
    pub fn unknown(&mut self, segment: &Segment) -> Result<(), Failure> {
        let why = segment.verdict.reasons.first().cloned().unwrap_or_default();
        self.left_alone(segment, &format!("may be in use: {why}"))
    }

    fn left_alone(&mut self, segment: &Segment, why: &str) -> Result<(), Failure> {
        if !self.args.json {
            return Ok(());
        }
        self.evidence = self.with_evidence.then(|| Evidence::of(segment));
        let subject = segment.id.to_string();
        self.line(&Line {
            action: self.action,
            segment: &subject,
            status: "left",
            said: &[],
            undo: None,
            error: Some(why.to_owned()),
            evidence: None,
        })
    }

    /// Whether it is told as JSON.
    pub const fn json(&self) -> bool {
        self.args.json
    }

    /// Whether nothing is to be done.
    pub const fn dry_run(&self) -> bool {
        self.args.dry_run
    }

    /// Says what was refused, once for all segments with the same refusal. Returns how the program ends.
    pub fn status(&mut self) -> Status {
        for (text, subjects) in std::mem::take(&mut self.refused) {
            // In order with the results, when both go to one terminal.
            let _ = self.out.flush();
            warn(&self.out.style().fit(&format!("{}: {text}", listed(&subjects))));
        }
        if self.failed { Status::Failed } else { Status::Done }
    }

    /// What plans say, for `--dry-run`.
    pub fn planned(&mut self, plans: &[Plan]) -> Result<(), Failure> {
        self.failed |= plans.iter().any(|plan| plan.refusal.is_some());
        if !self.args.json {
            let text = text_of(&plans.iter().collect::<Vec<_>>());
            return Ok(self.out.write_all(self.out.style().fit(&text).as_bytes())?);
        }
        for plan in plans {
            self.is_about(plan);
            let error = plan.refusal.as_ref().map(Refusal::text);
            let status = if error.is_some() { "refused" } else { "planned" };
            let undo = match &plan.undo {
                Undo::Yes(how) => Some(how.as_str()),
                Undo::Nothing | Undo::No(_) => None,
            };
            let subject = plan.subject();
            self.line(&Line {
                action: self.action,
                segment: &subject,
                status,
                said: &plan.will,
                undo,
                error,
                evidence: None,
            })?;
        }
        Ok(())
    }

    /// What would be done, where there is no more of a plan.
    pub fn would(&mut self, subject: &str, what: String) -> Result<(), Failure> {
        if self.args.json {
            let said = &[what];
            return self.line(&Line {
                action: self.action,
                segment: subject,
                status: "planned",
                said,
                undo: None,
                error: None,
                evidence: None,
            });
        }
        let text = format!("{subject}: {what}\n");
        self.out.write_all(self.out.style().fit(&text).as_bytes())?;
        Ok(())
    }

    /// There was nothing to do. A program sees it by the missing lines.
    pub fn nothing(&mut self, text: &str) -> Result<(), Failure> {
        if !self.args.json && !self.failed {
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }

    /// Another process has removed a segment that was to be removed.
    pub fn gone(&mut self, subject: &str) -> Result<(), Failure> {
        let said = "already gone: another process removed it".to_owned();
        if self.args.json {
            return self.line(&Line {
                action: self.action,
                segment: subject,
                status: "done",
                said: &[said],
                undo: None,
                error: None,
                evidence: None,
            });
        }
        Ok(writeln!(self.out, "{}: {said}", self.out.style().fit(subject))?)
    }

    /// What came of a plan.
    pub fn came_of(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        match &outcome.result {
            Ok(done) => {
                if self.args.json {
                    let id = done.id.to_string();
                    return self.line(&Line {
                        action: self.action,
                        segment: &id,
                        status: "done",
                        said: &done.said,
                        undo: done.undo_command().or_else(|| done.undo_text()).as_deref(),
                        error: None,
                        evidence: None,
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
            group(&mut self.refused, refusal.text(), subject.to_owned());
            return Ok(());
        }
        let status = if error.nothing_done() { "refused" } else { "failed" };
        self.not_done(subject, status, error.to_string())
    }

    /// A segment that was named and is not there.
    pub fn not_found(&mut self, named: &OsStr, failure: &Failure) -> Result<(), Failure> {
        self.not_done(&escape(named.as_bytes()), "refused", failure.to_string())
    }

    /// What was not done, and why.
    pub fn not_done(&mut self, subject: &str, status: &str, error: String) -> Result<(), Failure> {
        self.failed = true;
        if !self.args.json {
            // In order with the results, when both go to one terminal.
            self.out.flush()?;
            warn(&self.out.style().fit(&error));
            return Ok(());
        }
        self.line(&Line {
            action: self.action,
            segment: subject,
            status,
            said: &[],
            undo: None,
            error: Some(error),
            evidence: None,
        })
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), Failure> {
        let line = Line { evidence: self.evidence.as_ref(), error: line.error.clone(), ..*line };
        serde_json::to_writer(&mut *self.out, &line).map_err(io::Error::from)?;
        writeln!(self.out)?;
        Ok(())
    }
}

/// Plans as people read them: what will happen and how to undo it, or why it will not happen. What would happen is
/// shown with a refusal only if `--force` can override that. What is the same for several plans comes once, at the
/// end.
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
                lines.push(format!("{subject}: {}\n  {}\n", plan.will.join("; "), not_done(plan, refusal)));
            }
            Some(refusal) => group(&mut refused, not_done(plan, refusal), subject),
            None => {
                let rest = rest_of(plan);
                let shared = after.iter().any(|(text, _)| *text == rest);
                let gap = if rest.is_empty() || rest.starts_with('\n') { "" } else { "; " };
                let rest = if shared { String::new() } else { format!("{gap}{rest}") };
                lines.push(format!("{subject}: {}{rest}\n", plan.effects().0.join("; ")));
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

/// The end of a plan that is often the same for several: the copy, and how to undo it.
fn rest_of(plan: &Plan) -> String {
    let undo = match &plan.undo {
        Undo::Nothing => String::new(),
        Undo::Yes(how) => format!("\n  undo: {how}"),
        Undo::No(why) => format!("\n  cannot be undone: {why}"),
    };
    plan.effects().1.join("; ") + &undo
}

/// The refusals of plans, once for all segments with the same one.
pub fn refusals_of(plans: &[Plan]) -> String {
    let mut refused = vec![];
    for plan in plans {
        if let Some(refusal) = &plan.refusal {
            group(&mut refused, not_done(plan, refusal), plan.subject());
        }
    }
    let lines = refused.iter().map(|(text, subjects)| format!("{}: {text}\n", listed(subjects)));
    lines.collect::<Vec<_>>().concat()
}

fn not_done(plan: &Plan, refusal: &Refusal) -> String {
    let not_done = match plan.task.word() {
        "rm" => "not removed",
        "create" => "not created",
        _ => "not changed",
    };
    format!("{not_done}: {}", refusal.text())
}

fn group(groups: &mut Vec<(String, Vec<String>)>, text: String, subject: String) {
    match groups.iter_mut().find(|(same, _)| *same == text) {
        Some((_, subjects)) => subjects.push(subject),
        None => groups.push((text, vec![subject])),
    }
}

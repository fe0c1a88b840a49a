//! The commands that change something: `chmod`, `chown`, `lock`, `unlock`, `rm`, `clean`, `create`,
//! `save`, `restore`.
//!
//! Segments are named by their exact names only. Each segment has its own plan and result. A
//! failure does not stop the others, and the exit status is 0 only if all succeeded.

mod ask;
mod clean;
mod copying;
mod create;
mod leftovers;
mod log;
mod recovery;
mod removing;
mod report;
mod rm;
mod save;

use super::args::{BatchArgs, Change, KindArgs};
use super::choose::choose_exact;
use super::out::{Out, warn};
use super::{Failure, Status, survey_named};
use crate::act::{self, Action, Options, OwnerChange, Plan, StateDirectory, recover, unfinished};
use crate::identify::Rules;
use crate::machine::Machine;
use crate::segment::resolve::ExactNames;
use crate::segment::{Bytes, Segment, SegmentId};
use crate::survey::Survey;
use log::Log;
use report::Reporter;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;

/// The settings and global options of these commands.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub read_only: bool,
    /// The rules for judging segments.
    pub rules: Rules,
    /// The maximum total size of copies.
    pub copies: Bytes,
}

impl Terms {
    fn options(self) -> Options {
        Options { read_only: self.read_only, ..Options::default() }
    }
}

/// Runs a command that changes something and reports the results.
///
/// Returns an error for contradictory arguments or failed output. A failure for one segment is
/// reported, and is not an error here.
pub fn run(machine: &dyn Machine, change: &Change, terms: Terms, out: &mut Out) -> Result<Status, Failure> {
    let state = StateDirectory::find().ok();
    let session = Session { machine, terms, log: Log::new(machine, state.clone()), state };
    leftovers::remove(change, &session);
    let status = match change {
        Change::Chmod(args) => session.each(&args.batch, &Action::SetMode(args.mode.clone()), out)?,
        Change::Chown(args) => {
            let owner = OwnerChange::parse(machine, &args.owner)
                .map_err(|error| Failure::Usage(error.to_string()))?;
            session.each(&args.batch, &Action::SetOwner(owner), out)?
        }
        Change::Lock(args) => session.each(&args.batch, &Action::Lock, out)?,
        Change::Unlock(args) => session.each(&args.batch, &Action::Unlock, out)?,
        Change::Rm(args) => rm::run(&session, args, out)?,
        Change::Clean(args) => clean::run(&session, args, out)?,
        Change::Create(args) => create::run(&session, args, out)?,
        Change::Save(args) => save::save(&session, args, out)?,
        Change::Restore(args) => save::restore(&session, args, out)?,
    };
    out.flush()?;
    Ok(status)
}

/// The context of a command.
struct Session<'a> {
    machine: &'a dyn Machine,
    terms: Terms,
    /// `None` for a user without a home directory.
    state: Option<StateDirectory>,
    log: Log<'a>,
}

impl Session<'_> {
    /// Warns of the incomplete segments of killed commands. Changes nothing in a dry run.
    fn warn_of_unfinished(&self, survey: &Survey, dry_run: bool) {
        let Some(state) = &self.state else { return };
        if !self.terms.read_only && !dry_run {
            unfinished::remove_stale_marks(self.machine, state, &survey.segments);
        }
        for unfinished in unfinished::find_unfinished(self.machine, state, &survey.segments) {
            warn(&unfinished.notice());
        }
    }

    /// Removes the empty directories that killed removals left behind. Directories that cannot be
    /// removed are left for `rm --recover` to report.
    fn remove_empty_directories(&self, survey: &Survey) {
        for directory in recover::empty_directories(self.machine, survey) {
            let _ = recover::remove_empty(self.machine, &directory);
        }
    }

    /// Warns users without a state directory, which stores the marks that identify incomplete
    /// segments.
    fn warn_of_no_mark(&self) {
        if let Some(error) = unfinished::reason_without_mark(self.state.as_ref()) {
            warn(&format!(
                "if this command is killed, `shmlens rm --recover` will not find the incomplete segment: {error}"
            ));
        }
    }

    /// Applies the same action to each segment.
    fn each(&self, batch: &BatchArgs, action: &Action, out: &mut Out) -> Result<Status, Failure> {
        let machine = self.machine;
        let survey = survey_named(machine, batch.segments.iter().map(OsString::as_os_str), batch.kind.kind);
        let mut reporter = Reporter::new(action.name(), batch.report, out);
        for segment in find_segments(machine, &survey, &batch.segments, batch.kind) {
            match segment {
                Ok(segment) => {
                    let plan = act::plan(machine, segment, action, &self.terms.options());
                    self.carry_out(&plan, &mut reporter)?;
                }
                Err(missing) => missing.report(&mut reporter)?,
            }
        }
        Ok(reporter.status())
    }

    /// Carries out a plan, or only reports it in a dry run.
    fn carry_out(&self, plan: &Plan, reporter: &mut Reporter) -> Result<(), Failure> {
        if reporter.dry_run() {
            return reporter.planned(std::slice::from_ref(plan));
        }
        if plan.refusal.is_none() {
            self.log.open()?;
        }
        let outcome = act::apply(self.machine, plan);
        self.log.add(&outcome);
        reporter.outcome(&outcome)
    }
}

/// A name on the command line that matches no segment.
struct MissingSegment<'a> {
    text: &'a OsStr,
    failure: Failure,
}

impl MissingSegment<'_> {
    fn report(&self, reporter: &mut Reporter) -> Result<(), Failure> {
        reporter.not_found(self.text, &self.failure)
    }
}

/// Finds the segments with these names, without duplicates, in the order of the names.
fn find_segments<'a>(
    machine: &dyn Machine,
    survey: &'a Survey,
    names: &'a [OsString],
    kind: KindArgs,
) -> Vec<Result<&'a Segment, MissingSegment<'a>>> {
    let exact = ExactNames::new(&survey.segments);
    let mut seen: HashSet<&SegmentId> = HashSet::new();
    let find = |text: &'a OsString| match choose_exact(machine, survey, &exact, text, kind.kind) {
        Ok(segment) => seen.insert(&segment.id).then_some(Ok(segment)),
        Err(failure) => Some(Err(MissingSegment { text, failure })),
    };
    names.iter().filter_map(find).collect()
}

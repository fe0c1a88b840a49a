//! The commands that change something: `chmod`, `chown`, `lock`, `unlock`, `rm`, `clean`, `create`, `save`,
//! `restore`.
//!
//! Segments are named by their exact names only. Each segment has its own plan and result. A failure does not
//! stop the others, and the exit status is 0 only if all succeeded.

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
use super::{Failure, Status, look_for};
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
    /// The maximum total size of the copies of removed segments.
    pub copies: Bytes,
}

impl Terms {
    fn options(self) -> Options {
        Options { read_only: self.read_only, ..Options::default() }
    }
}

/// Runs a command that changes something and reports the results.
///
/// Returns an error for contradictory arguments or failed output. A failure for one segment is reported, and
/// is not an error here.
pub fn run(machine: &dyn Machine, change: &Change, terms: Terms, out: &mut Out) -> Result<Status, Failure> {
    let options = terms.options();
    let log = &Log::new(machine);
    leftovers::remove(change, terms.read_only);
    let status = match change {
        Change::Chmod(args) => {
            each(machine, &args.batch, &Action::SetMode(args.mode.clone()), options, log, out)?
        }
        Change::Chown(args) => {
            let owner = OwnerChange::parse(machine, &args.owner)
                .map_err(|error| Failure::Usage(error.to_string()))?;
            each(machine, &args.batch, &Action::SetOwner(owner), options, log, out)?
        }
        Change::Lock(args) => each(machine, &args.batch, &Action::Lock, options, log, out)?,
        Change::Unlock(args) => each(machine, &args.batch, &Action::Unlock, options, log, out)?,
        Change::Rm(args) => rm::run(machine, args, terms, log, out)?,
        Change::Clean(args) => clean::run(machine, args, terms, log, out)?,
        Change::Create(args) => create::run(machine, args, options, log, out)?,
        Change::Save(args) => save::save(machine, args, options, out)?,
        Change::Restore(args) => save::restore(machine, args, options, log, out)?,
    };
    out.flush()?;
    Ok(status)
}

fn warn_of_unfinished(machine: &dyn Machine, state: &StateDirectory, survey: &Survey, options: Options) {
    if !options.read_only {
        unfinished::remove_stale_marks(machine, state, &survey.segments);
    }
    for unfinished in unfinished::unfinished(machine, state, &survey.segments) {
        warn(&unfinished.told());
    }
}

/// Removes empty directories that killed removals left behind. `rm --recover` reports those that
/// remain.
fn remove_empty_directories(machine: &dyn Machine, survey: &Survey) {
    for directory in recover::empty_directories(machine, survey) {
        let _ = recover::remove_empty(machine, &directory);
    }
}

/// Warns a user without a state directory: incomplete segments could not be recognized after a
/// kill.
fn warn_of_no_mark(state: Option<&StateDirectory>) {
    if let Some(error) = unfinished::unprotected(state) {
        warn(&format!(
            "if this command is killed, `shmlens rm --recover` will not find the incomplete segment: {error}"
        ));
    }
}

/// Applies the same action to each segment.
fn each(
    machine: &dyn Machine,
    batch: &BatchArgs,
    action: &Action,
    options: Options,
    log: &Log,
    out: &mut Out,
) -> Result<Status, Failure> {
    let survey = look_for(machine, batch.segments.iter().map(OsString::as_os_str), batch.kind.kind);
    let mut reporter = Reporter::new(action.word(), batch.output, out);
    for segment in find_segments(machine, &survey, &batch.segments, batch.kind) {
        match segment {
            Ok(segment) => {
                let plan = act::plan(machine, segment, action, &options);
                carry_out(machine, &plan, log, &mut reporter)?;
            }
            Err(missing) => missing.report(&mut reporter)?,
        }
    }
    Ok(reporter.status())
}

/// Carries out a plan, or only reports it in a dry run.
fn carry_out(machine: &dyn Machine, plan: &Plan, log: &Log, reporter: &mut Reporter) -> Result<(), Failure> {
    if reporter.dry_run() {
        reporter.planned(std::slice::from_ref(plan))
    } else {
        if plan.refusal.is_none() {
            log.open()?;
        }
        let outcome = act::apply(machine, plan);
        log.add(&outcome);
        reporter.outcome(&outcome)
    }
}

/// A name on the command line that matches no segment.
struct Missing<'a> {
    text: &'a OsStr,
    failure: Failure,
}

impl Missing<'_> {
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
) -> Vec<Result<&'a Segment, Missing<'a>>> {
    let exact = ExactNames::new(&survey.segments);
    let mut seen: HashSet<&SegmentId> = HashSet::new();
    let find = |text: &'a OsString| match choose_exact(machine, survey, &exact, text, kind.kind) {
        Ok(segment) => seen.insert(&segment.id).then_some(Ok(segment)),
        Err(failure) => Some(Err(Missing { text, failure })),
    };
    names.iter().filter_map(find).collect()
}

//! `rm`: shows the effects of the removals, asks for confirmation, and removes exactly the segments
//! that were shown.
//!
//! On a terminal, each segment that is or may be in use gets its own question, and "yes" counts as
//! `--force` for that segment. Without a terminal, the options `--yes` and `--force` are required
//! instead.

use super::copying::CopyDestination;
use super::removing::remove;
use super::report::{Reporter, text_of};
use super::{Session, ask, find_segments, recovery};
use crate::act::{Options, Plan, Task, recover};
use crate::cli::args::{KindArgs, RmArgs};
use crate::cli::out::{Out, warn};
use crate::cli::{
    Failure, Status, Style, survey_all, survey_all_without_resident, survey_segments_without_resident,
};
use crate::identify::Rules;
use crate::machine::Machine;
use crate::segment::name::SegmentName;
use crate::segment::{Segment, SegmentId};
use crate::survey::Survey;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

/// Removals of more segments than this are optimized for speed.
const BULK_THRESHOLD: usize = 256;

pub fn run(session: &Session, args: &RmArgs, out: &mut Out) -> Result<Status, Failure> {
    if args.recover {
        return recovery::run(session, args, out);
    }
    let Session { machine, terms, .. } = *session;
    let dry = args.report.dry_run;
    let needs_confirmation = !dry && !args.yes && !terms.read_only;
    if needs_confirmation && !ask::is_possible() {
        return Err(Failure::Usage(
            "cannot ask for confirmation without a terminal. Use --yes to remove without asking, or --dry-run to see what would happen"
                .to_owned(),
        ));
    }
    let bulk = args.no_copy && args.segments.len() > BULK_THRESHOLD;
    let options = Options { force: args.force, bulk, ..terms.options() };
    let style = out.style();
    let survey = if bulk {
        survey_for_batch(machine, terms.rules, &args.segments, args.kind)
    } else {
        survey_all(machine, terms.rules)
    };
    let copies = CopyDestination::new(args.no_copy, args.save.as_deref(), args.segments.len(), terms.copies)?;
    let mut reporter = Reporter::new("rm", args.report, out);
    let segments = find_segments(machine, &survey, &args.segments, args.kind);
    for renamed in recover::find_renamed(machine, &survey.segments, survey.at) {
        warn(&renamed.notice());
    }
    if !dry && !terms.read_only {
        session.remove_empty_directories(&survey);
    }
    session.warn_of_unfinished(&survey, dry);
    if dry {
        let mut planner = Planner::new(machine, &copies, options);
        let mut plans = vec![];
        for segment in segments {
            match segment {
                Ok(segment) => {
                    let plan = planner.plan(segment, false);
                    planner.note(&plan);
                    plans.push(plan);
                }
                Err(missing) => {
                    reporter.planned(&std::mem::take(&mut plans))?;
                    missing.report(&mut reporter)?;
                }
            }
        }
        reporter.planned(&plans)?;
        return Ok(reporter.status());
    }
    if !needs_confirmation {
        // Each plan is created just before it is carried out: thousands of plans would take too
        // much memory and time.
        let plan = |segment| copies.plan(machine, segment, options);
        return remove(session, segments.into_iter().map(|segment| segment.map(plan)), &mut reporter);
    }
    let mut found = vec![];
    for segment in segments {
        match segment {
            Ok(segment) => found.push(segment),
            Err(missing) => missing.report(&mut reporter)?,
        }
    }
    let plans = confirm(&found, Planner::new(machine, &copies, options), style)?;
    remove(session, plans.into_iter().map(Ok), &mut reporter)
}

/// Plans several removals before the first one is carried out.
struct Planner<'a> {
    machine: &'a dyn Machine,
    copies: &'a CopyDestination,
    options: Options,
    /// Names that the plans so far remove from each object, by device and inode.
    unlinked: HashMap<(u64, u64), u32>,
}

impl<'a> Planner<'a> {
    fn new(machine: &'a dyn Machine, copies: &'a CopyDestination, options: Options) -> Self {
        Self { machine, copies, options, unlinked: HashMap::new() }
    }

    /// Plans the next removal; `force` applies to this segment only.
    fn plan(&self, segment: &Segment, force: bool) -> Plan {
        let before = object(segment).and_then(|object| self.unlinked.get(&object));
        let (force, links_removed) = (self.options.force || force, before.copied().unwrap_or(0));
        self.copies.plan(self.machine, segment, Options { force, links_removed, ..self.options })
    }

    /// Records a plan, so that later ones take its effect into account.
    fn note(&mut self, plan: &Plan) {
        if let (None, Task::Change { segment, .. }) = (&plan.refusal, &plan.task)
            && let Some(object) = object(segment)
        {
            *self.unlinked.entry(object).or_default() += 1;
        }
    }
}

fn object(segment: &Segment) -> Option<(u64, u64)> {
    segment.posix().map(|facts| (facts.device, facts.inode))
}

/// Surveys the machine for many removals. `nattch` shows whether a System V segment is in use, so
/// no process is scanned.
fn survey_for_batch(machine: &dyn Machine, rules: Rules, names: &[OsString], kind: KindArgs) -> Survey {
    let is_sysv = |name: &OsString| {
        let name = SegmentName::read(name.as_bytes(), kind.kind);
        name.key().is_some() || matches!(name.id(), Some(SegmentId::Sysv(_)))
    };
    if names.iter().all(is_sysv) {
        survey_segments_without_resident(machine)
    } else {
        survey_all_without_resident(machine, rules)
    }
}

/// Shows the plans and asks for confirmation: first individually for each segment that requires
/// `--force`, then once for all others.
fn confirm(segments: &[&Segment], mut planner: Planner, style: Style) -> Result<Vec<Plan>, Failure> {
    let show = |plan: &Plan| style.fit(&text_of(&[plan])).into_owned();
    let force = planner.options.force;
    let mut plans = vec![];
    for segment in segments {
        let mut plan = planner.plan(segment, false);
        ask_for_force(&planner, segment, &mut plan, &show)?;
        planner.note(&plan);
        plans.push(plan);
    }
    let all = plans.len();
    let free = plans.iter().filter(|plan| plan.refusal.is_none() && !plan.options.force);
    let given = plans.iter().filter(|plan| plan.refusal.is_none() && plan.options.force && force);
    let shown: Vec<&Plan> = free.chain(given).collect();
    let text = style.fit(&text_of(&shown)).into_owned();
    let question = if shown.len() == 1 {
        "Remove it?".to_owned()
    } else {
        format!("Remove these {} segments?", shown.len())
    };
    if !shown.is_empty() && !ask::confirm(&text, &question)? {
        let left = shown.len();
        return Err(Failure::Stopped(format!(
            "not confirmed: nothing was removed ({left} of {all} segments selected)"
        )));
    }
    Ok(plans)
}

/// Asks about a segment that requires `--force`, and replaces its plan if the user agrees.
fn ask_for_force(
    planner: &Planner,
    segment: &Segment,
    plan: &mut Plan,
    show: &dyn Fn(&Plan) -> String,
) -> Result<(), Failure> {
    if !plan.refusal.as_ref().is_some_and(|refusal| refusal.forceable) {
        return Ok(());
    }
    let forced = planner.plan(segment, true);
    if forced.refusal.is_none() && ask::confirm(&show(plan), "Remove it anyway?")? {
        *plan = forced;
    }
    Ok(())
}

//! `rm --recover`: completes or undoes the work of killed commands.

use super::report::Reporter;
use super::{Session, find_segments};
use crate::act::recover::{self, Leftovers};
use crate::act::{self, ActError, Action, ChangeReport, Copying, Outcome, Refusal, unfinished};
use crate::cli::args::RmArgs;
use crate::cli::out::Out;
use crate::cli::{Failure, Status, survey_segments};
use crate::segment::SegmentId;

/// Restores the names of segments that killed removals had renamed, and removes empty directories
/// of removals and incomplete segments of restores. With names, processes only the named segments.
pub fn run(session: &Session, args: &RmArgs, out: &mut Out) -> Result<Status, Failure> {
    let (machine, options) = (session.machine, session.terms.options());
    let survey = survey_segments(machine);
    let mut reporter = Reporter::new("recover", args.report, out);
    let mut named = vec![];
    for segment in find_segments(machine, &survey, &args.segments, args.kind) {
        match segment {
            Ok(segment) => named.push(&segment.id),
            Err(missing) => missing.report(&mut reporter)?,
        }
    }
    let is_selected = |id: &SegmentId| args.segments.is_empty() || named.contains(&id);
    let mut nothing = true;
    let mut all = Leftovers::find(machine, &survey.segments, survey.at);
    if args.segments.is_empty() {
        let not_recovered = all.in_progress.iter().map(|renamed| (renamed, renamed.too_early()));
        for (renamed, notice) in
            not_recovered.chain(all.untrusted.iter().map(|renamed| (renamed, renamed.untrusted_notice())))
        {
            nothing = false;
            reporter.not_changed(&renamed.segment.id.to_string(), "refused", notice)?;
        }
    } else {
        all.renamed.extend(all.in_progress.into_iter().chain(all.untrusted));
    }
    let mut recovery = Recovery { session, reporter: &mut reporter, nothing };
    for renamed in all.renamed.iter().filter(|renamed| is_selected(&renamed.segment.id)) {
        let effect = format!("renames it back to {}", SegmentId::Posix(renamed.before.clone()));
        let refusal = || recover::predict(machine, renamed).err();
        recovery.step(&renamed.segment.id, effect, refusal, || recover::recover(machine, renamed))?;
    }
    for directory in recover::empty_directories(machine, &survey) {
        let id = SegmentId::Posix(directory.clone());
        if args.segments.is_empty() {
            let effect = "removes this empty directory, left over from an interrupted removal".to_owned();
            recovery.step(&id, effect, || None, || recover::remove_empty(machine, &directory))?;
        }
    }
    if let Some(state) = &session.state {
        if !args.report.dry_run && !options.read_only {
            unfinished::remove_stale_marks(machine, state, &survey.segments);
        }
        let left = unfinished::find_unfinished(machine, state, &survey.segments);
        for unfinished in left.iter().filter(|unfinished| is_selected(&unfinished.segment.id)) {
            let id = &unfinished.segment.id;
            let refusal = || {
                let remove = Action::Remove(Copying::Without);
                let refusal = act::plan(machine, &unfinished.segment, &remove, &options).refusal?;
                Some(ActError::Refused { subject: id.to_string(), refusal })
            };
            recovery.step(id, unfinished.effect(), refusal, || unfinished::remove(machine, unfinished))?;
        }
    }
    if recovery.nothing {
        reporter.nothing_to_do("nothing to recover")?;
    }
    Ok(reporter.status())
}

struct Recovery<'a, 'b> {
    session: &'a Session<'a>,
    reporter: &'a mut Reporter<'b>,
    /// Set if nothing has been found so far.
    nothing: bool,
}

impl Recovery<'_, '_> {
    /// Carries out and logs a step, or reports its effect or refusal in a dry run.
    fn step(
        &mut self,
        id: &SegmentId,
        effect: String,
        refusal: impl FnOnce() -> Option<ActError>,
        act: impl FnOnce() -> Result<ChangeReport, ActError>,
    ) -> Result<(), Failure> {
        self.nothing = false;
        let subject = id.to_string();
        let read_only = self.session.terms.read_only;
        let read_only =
            read_only.then(|| ActError::Refused { subject: subject.clone(), refusal: Refusal::read_only() });
        if self.reporter.dry_run() {
            return match read_only.or_else(refusal) {
                Some(error) => self.reporter.not_changed(&subject, "refused", error.to_string()),
                None => self.reporter.planned_effect(&subject, effect),
            };
        }
        let result = if let Some(error) = read_only {
            Err(error)
        } else {
            self.session.log.open()?;
            act()
        };
        let outcome = Outcome { subject, action: "recover", result };
        self.session.log.add(&outcome);
        self.reporter.outcome(&outcome)
    }
}

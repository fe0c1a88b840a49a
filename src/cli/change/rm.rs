//! `rm`: shows what removing means, asks, and removes exactly what was shown.
//!
//! On a terminal a segment that is held, or of which that is not settled, has a
//! question of its own, and a yes to it counts as `--force` for that segment.
//! Without a terminal `--yes` and `--force` have to say it.

use super::copying::Where;
use super::log::Log;
use super::tell::{Teller, text_of};
use super::{ask, chosen};
use crate::act::{self, ActError, Action, Options, Outcome, Plan, Refusal, mend};
use crate::cli::args::RmArgs;
use crate::cli::out::{Out, warn};
use crate::cli::progress::{Interrupt, attended};
use crate::cli::{Failure, Status, look};
use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::{Segment, SegmentId};

pub fn run(
    machine: &dyn Machine,
    args: &RmArgs,
    options: Options,
    log: &Log,
    out: &mut Out,
) -> Result<Status, Failure> {
    if args.mend {
        return mend(machine, args, options, log, out);
    }
    let dry = args.tell.dry_run;
    let asks = !dry && !args.yes && !options.read_only;
    if asks && !ask::possible() {
        return Err(Failure::Usage(
            "rm asks before it removes, and there is no terminal to ask on: say --yes, or --dry-run to see \
             what it would do"
                .to_owned(),
        ));
    }
    let options = Options { force: args.force, ..options };
    let style = out.style();
    let survey = look(machine);
    let copies = Where::new(args)?;
    let mut teller = Teller::new("rm", args.tell, out);
    let segments = chosen(machine, &survey, &args.segments, &mut teller)?;
    for astray in mend::astray(machine, &survey.segments, survey.at) {
        warn(&format!(
            "{} was {} before a removal that was stopped; shmscope rm --mend gives it its name back",
            astray.segment.id,
            SegmentId::Posix(astray.before)
        ));
    }
    let mut plans: Vec<Plan> = segments
        .iter()
        .map(|segment| act::plan(machine, segment, &Action::Remove(copies.of(segment)), &options))
        .collect();
    if asks {
        let show = |plan: &Plan| style.fit(&text_of(plan)).into_owned();
        for (plan, segment) in plans.iter_mut().zip(&segments) {
            ask_for_force(machine, segment, &Action::Remove(copies.of(segment)), plan, &show)?;
        }
        let (free, all): (Vec<&Plan>, usize) = (
            plans.iter().filter(|plan| plan.refusal.is_none() && !plan.options.force).collect(),
            plans.len(),
        );
        let given = plans.iter().filter(|plan| plan.refusal.is_none() && plan.options.force && args.force);
        let shown: Vec<&Plan> = free.into_iter().chain(given).collect();
        let text: String = shown.iter().map(|plan| show(plan)).collect();
        let question =
            if shown.len() == 1 { "Remove it?".to_owned() } else { format!("Remove these {}?", shown.len()) };
        if !shown.is_empty() && !ask::yes(&text, &question)? {
            let left = shown.len();
            return Err(Failure::Stopped(format!(
                "{left} of {all} segments were to be removed, and none was"
            )));
        }
    }
    if dry {
        for plan in &plans {
            teller.planned(plan)?;
        }
        return Ok(teller.status());
    }
    remove(machine, &plans, log, &mut teller)
}

/// Removes one after the other. Making copies takes its time: it shows how far
/// it is, and Ctrl-C stops it before the segment whose copy is not whole yet.
fn remove(machine: &dyn Machine, plans: &[Plan], log: &Log, teller: &mut Teller) -> Result<Status, Failure> {
    let (progress, interrupt) = (Progress::new(), Interrupt::listen());
    attended("keeping a copy", true, &progress, &interrupt, |meter| {
        for (at, plan) in plans.iter().enumerate() {
            if interrupt.came() {
                let all = plans.len();
                return Err(Failure::Stopped(format!("{at} of {all} segments were taken in hand")));
            }
            let outcome = act::apply_with(machine, plan, &progress);
            log.add(&outcome);
            meter.aside(|| teller.came_of(&outcome))?;
        }
        Ok(teller.status())
    })
}

/// Gives everything its name back that removals left under another one.
fn mend(
    machine: &dyn Machine,
    args: &RmArgs,
    options: Options,
    log: &Log,
    out: &mut Out,
) -> Result<Status, Failure> {
    let survey = look(machine);
    let mut teller = Teller::new("mend", args.tell, out);
    for astray in mend::astray(machine, &survey.segments, survey.at) {
        let subject = astray.segment.id.to_string();
        if args.tell.dry_run {
            teller.would(&subject, format!("it is called {} again", SegmentId::Posix(astray.before)))?;
            continue;
        }
        let result = if options.read_only {
            Err(ActError::Refused { subject: subject.clone(), refusal: Refusal::read_only() })
        } else {
            mend::mend(machine, &astray)
        };
        let outcome = Outcome { subject, action: "mend", result };
        log.add(&outcome);
        teller.came_of(&outcome)?;
    }
    Ok(teller.status())
}

/// Asks about a segment that only a word for it removes, and plans anew.
fn ask_for_force(
    machine: &dyn Machine,
    segment: &Segment,
    action: &Action,
    plan: &mut Plan,
    show: &dyn Fn(&Plan) -> String,
) -> Result<(), Failure> {
    if !plan.refusal.as_ref().is_some_and(|refusal| refusal.forceable) {
        return Ok(());
    }
    let forced = act::plan(machine, segment, action, &Options { force: true, ..plan.options });
    if forced.refusal.is_none() && ask::yes(&show(plan), "Remove it all the same?")? {
        *plan = forced;
    }
    Ok(())
}

//! `rm`: shows what removing means, asks, and removes exactly what was shown.
//!
//! On a terminal a segment that is held, or of which that is not settled, has a
//! question of its own, and a yes to it counts as `--force` for that segment.
//! Without a terminal `--yes` and `--force` have to say it.

use super::copying::Where;
use super::log::Log;
use super::removing::remove;
use super::tell::{Teller, text_of};
use super::{Terms, ask, chosen, warn_of_unfinished};
use crate::act::recover::{Astray, Leftovers};
use crate::act::unfinished::Unfinished;
use crate::act::{
    self, ActError, Action, Copying, Options, Outcome, Plan, Refusal, StateDirectory, recover, unfinished,
};
use crate::cli::args::{KindArgs, RmArgs};
use crate::cli::out::{Out, warn};
use crate::cli::{Failure, Status, Style, look, look_at_no_memory, look_whole, look_without_memory};
use crate::identify::Rules;
use crate::machine::Machine;
use crate::segment::name::SegmentName;
use crate::segment::{Segment, SegmentId};
use crate::survey::Survey;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

/// From so many segments on their removal is to be as fast as it can be.
const MANY: usize = 256;

pub fn run(
    machine: &dyn Machine,
    args: &RmArgs,
    terms: Terms,
    log: &Log,
    out: &mut Out,
) -> Result<Status, Failure> {
    if args.recover {
        return recover(machine, args, terms.options(), log, out);
    }
    let dry = args.tell.dry_run;
    let asks = !dry && !args.yes && !terms.read_only;
    if asks && !ask::possible() {
        return Err(Failure::Usage(
            "cannot ask for confirmation without a terminal. Use --yes to remove without asking, or --dry-run to see what would happen"
                .to_owned(),
        ));
    }
    let many = args.no_copy && args.segments.len() > MANY;
    let options = Options { force: args.force, many, ..terms.options() };
    let style = out.style();
    let survey = if many {
        look_for_many(machine, terms.rules, &args.segments, args.kind)
    } else {
        look_whole(machine, terms.rules)
    };
    let copies = Where::new(args.no_copy, args.save.as_deref(), args.segments.len(), terms.copies)?;
    let mut teller = Teller::new("rm", args.tell, out);
    let segments = chosen(machine, &survey, &args.segments, args.kind, &mut teller)?;
    for astray in recover::astray(machine, &survey.segments, survey.at) {
        warn(&astray.told());
    }
    if let Ok(state) = StateDirectory::find() {
        warn_of_unfinished(
            machine,
            &state,
            &survey,
            Options { read_only: terms.read_only || dry, ..options },
        );
    }
    let plan =
        |segment: &&Segment| act::plan(machine, segment, &Action::Remove(copies.of(segment)), &options);
    if dry {
        teller.planned(&segments.iter().map(plan).collect::<Vec<_>>())?;
        return Ok(teller.status());
    }
    if !asks {
        // Each just before it is carried out: thousands of plans take their room and time.
        return remove(machine, segments.iter().map(plan), log, &mut teller);
    }
    let plans = confirmed(machine, &segments, &copies, options, style)?;
    remove(machine, plans.into_iter(), log, &mut teller)
}

/// A look that does for many: of System V segments nattch tells whether they are
/// held, so that nobody has to be looked for.
fn look_for_many(machine: &dyn Machine, rules: Rules, names: &[OsString], kind: KindArgs) -> Survey {
    let is_sysv = |name: &OsString| {
        let name = SegmentName::read(name.as_bytes(), kind.kind);
        name.key().is_some() || matches!(name.id(), Some(SegmentId::Sysv(_)))
    };
    if names.iter().all(is_sysv) { look_at_no_memory(machine) } else { look_without_memory(machine, rules) }
}

/// Shows the plans and asks: first about each that only a word for it removes,
/// then about the others together.
fn confirmed(
    machine: &dyn Machine,
    segments: &[&Segment],
    copies: &Where,
    options: Options,
    style: Style,
) -> Result<Vec<Plan>, Failure> {
    let show = |plan: &Plan| style.fit(&text_of(&[plan])).into_owned();
    let mut plans = vec![];
    for segment in segments {
        let action = Action::Remove(copies.of(segment));
        let mut plan = act::plan(machine, segment, &action, &options);
        ask_for_force(machine, segment, &action, &mut plan, &show)?;
        plans.push(plan);
    }
    let all = plans.len();
    let free = plans.iter().filter(|plan| plan.refusal.is_none() && !plan.options.force);
    let given = plans.iter().filter(|plan| plan.refusal.is_none() && plan.options.force && options.force);
    let shown: Vec<&Plan> = free.chain(given).collect();
    let text = style.fit(&text_of(&shown)).into_owned();
    let question = if shown.len() == 1 {
        "Remove it?".to_owned()
    } else {
        format!("Remove these {} segments?", shown.len())
    };
    if !shown.is_empty() && !ask::yes(&text, &question)? {
        let left = shown.len();
        return Err(Failure::Stopped(format!(
            "not confirmed: nothing was removed ({left} of {all} segments selected)"
        )));
    }
    Ok(plans)
}

/// Gives everything its name back that removals left under another one, and
/// removes what restores left incomplete.
fn recover(
    machine: &dyn Machine,
    args: &RmArgs,
    options: Options,
    log: &Log,
    out: &mut Out,
) -> Result<Status, Failure> {
    let survey = look(machine);
    let mut teller = Teller::new("recover", args.tell, out);
    let named = chosen(machine, &survey, &args.segments, args.kind, &mut teller)?;
    let is_named = |astray: &Astray| named.iter().any(|segment| segment.id == astray.segment.id);
    let found = Leftovers::find(machine, &survey.segments, survey.at);
    let (mut all, mut nothing) = (found.astray, true);
    if args.segments.is_empty() {
        for (astray, told) in found.under_way.iter().map(|astray| (astray, astray.wait())) {
            nothing = false;
            teller.not_done(&astray.segment.id.to_string(), "refused", told)?;
        }
        for (astray, told) in found.untrusted.iter().map(|astray| (astray, astray.doubt())) {
            nothing = false;
            teller.not_done(&astray.segment.id.to_string(), "refused", told)?;
        }
    } else {
        all.extend(found.under_way.into_iter().chain(found.untrusted));
        all.retain(is_named);
    }
    for astray in all {
        nothing = false;
        let subject = astray.segment.id.to_string();
        if args.tell.dry_run {
            let what = format!("renames it back to {}", SegmentId::Posix(astray.before.clone()));
            let refused = if options.read_only {
                Some(ActError::Refused { subject: subject.clone(), refusal: Refusal::read_only() })
            } else {
                recover::foresee(machine, &astray).err()
            };
            would(&mut teller, &subject, what, refused)?;
            continue;
        }
        let result = if options.read_only {
            Err(ActError::Refused { subject: subject.clone(), refusal: Refusal::read_only() })
        } else {
            log.open()?;
            recover::recover(machine, &astray)
        };
        let outcome = Outcome { subject, action: "recover", result };
        log.add(&outcome);
        teller.came_of(&outcome)?;
    }
    let state = StateDirectory::find().ok();
    let left = |state| unfinished::unfinished(machine, state, &survey.segments);
    if let Some(state) = state.as_ref().filter(|_| !args.tell.dry_run && !options.read_only) {
        unfinished::remove_stale_marks(machine, state, &survey.segments);
    }
    let left = state.as_ref().map(left).unwrap_or_default().into_iter();
    let wanted = |one: &Unfinished| {
        args.segments.is_empty() || named.iter().any(|segment| segment.id == one.segment.id)
    };
    for unfinished in left.filter(wanted) {
        nothing = false;
        let subject = unfinished.segment.id.to_string();
        if args.tell.dry_run {
            let remove = Action::Remove(Copying::Without);
            let refusal = act::plan(machine, &unfinished.segment, &remove, &options).refusal;
            let refused = refusal.map(|refusal| ActError::Refused { subject: subject.clone(), refusal });
            would(&mut teller, &subject, unfinished.will(), refused)?;
            continue;
        }
        let result = if options.read_only {
            Err(ActError::Refused { subject: subject.clone(), refusal: Refusal::read_only() })
        } else {
            log.open()?;
            unfinished::take_away(machine, &unfinished)
        };
        let outcome = Outcome { subject, action: "recover", result };
        log.add(&outcome);
        teller.came_of(&outcome)?;
    }
    if nothing {
        teller.nothing("nothing to recover")?;
    }
    Ok(teller.status())
}

/// Reports what recovering would do, or why it would be refused.
fn would(teller: &mut Teller, subject: &str, what: String, refused: Option<ActError>) -> Result<(), Failure> {
    match refused {
        Some(error) => teller.not_done(subject, "refused", error.to_string()),
        None => teller.would(subject, what),
    }
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
    if forced.refusal.is_none() && ask::yes(&show(plan), "Remove it anyway?")? {
        *plan = forced;
    }
    Ok(())
}

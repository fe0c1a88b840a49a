//! `rm`: shows what removing means, asks, and removes exactly what was shown.
//!
//! On a terminal a segment that is held, or of which that is not settled, has a
//! question of its own, and a yes to it counts as `--force` for that segment.
//! Without a terminal `--yes` and `--force` have to say it.

use super::tell::{Teller, text_of};
use super::{ask, chosen};
use crate::act::{self, Action, Copying, Options, Plan};
use crate::cli::args::RmArgs;
use crate::cli::out::Out;
use crate::cli::{Failure, Status, look};
use crate::machine::Machine;
use crate::segment::Segment;

pub fn run(machine: &dyn Machine, args: &RmArgs, options: Options, out: &mut Out) -> Result<Status, Failure> {
    let dry = args.batch.tell.dry_run;
    let asks = !dry && !args.yes && !options.read_only;
    if asks && !ask::possible() {
        return Err(Failure::Usage(
            "rm asks before it removes, and there is no terminal to ask on: say --yes, or --dry-run to see \
             what it would do"
                .to_owned(),
        ));
    }
    let action = Action::Remove(if args.no_copy { Copying::Without } else { Copying::Keep });
    let options = Options { force: args.force, ..options };
    let style = out.style();
    let survey = look(machine);
    let mut teller = Teller::new(action.word(), args.batch.tell, out);
    let segments = chosen(machine, &survey, &args.batch, &mut teller)?;
    let mut plans: Vec<Plan> =
        segments.iter().map(|segment| act::plan(machine, segment, &action, &options)).collect();
    if asks {
        let show = |plan: &Plan| style.fit(&text_of(plan)).into_owned();
        for (plan, segment) in plans.iter_mut().zip(&segments) {
            ask_for_force(machine, segment, &action, plan, &show)?;
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
    for plan in &plans {
        super::carry_out(machine, plan, &mut teller)?;
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

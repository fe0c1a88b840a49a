//! `create`: creates a segment.

use super::Session;
use super::report::Reporter;
use crate::act::{self, Actor, NewSegment, Source};
use crate::cli::args::{CreateArgs, CreateKind, NewArgs};
use crate::cli::out::{Out, warn};
use crate::cli::progress::{Interrupt, with_meter};
use crate::cli::{Failure, Status, survey_segments};
use crate::machine::control::NewSysv;
use crate::memory::Progress;
use crate::segment::{Key, ObjectName, quote};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

pub fn run(session: &Session, args: &CreateArgs, out: &mut Out) -> Result<Status, Failure> {
    let machine = session.machine;
    let (mut new, args) = match &args.kind {
        CreateKind::Sysv(args) => {
            let sysv = NewSysv {
                key: args.key.unwrap_or(Key(0)),
                size: args.new.size.unwrap_or_default(),
                mode: args.new.mode,
                huge: args.huge,
                no_reserve: args.no_reserve,
            };
            (NewSegment::Sysv(sysv, source(&args.new)), &args.new)
        }
        CreateKind::Posix(args) => {
            let new = NewSegment::Posix {
                name: name(&args.name)?,
                size: args.new.size.unwrap_or_default(),
                mode: args.new.mode,
                source: source(&args.new),
            };
            (new, &args.new)
        }
    };
    let mut reporter = Reporter::new("create", args.report, out);
    match (args.size, &args.from) {
        (None, None) => return Err(Failure::Usage("--size or --from is required".to_owned())),
        (None, Some(_)) => {
            if let Err(error) = new.take_size_of_file() {
                reporter.not_changed(&new.subject(), "refused", error.to_string())?;
                return Ok(reporter.status());
            }
        }
        (Some(_), _) => {}
    }
    let plan = act::plan_create(machine, &new, &session.terms.options());
    if reporter.dry_run() {
        reporter.planned(std::slice::from_ref(&plan))?;
        return Ok(reporter.status());
    }
    if plan.refusal.is_none() {
        session.log.open()?;
        if matches!(new, NewSegment::Sysv(_, Source::File(_))) {
            session.warn_of_no_mark();
        }
    } else if session.state.is_some() {
        // The segment that has the key may be left over from a killed `create` or `restore`.
        session.warn_of_unfinished(&survey_segments(machine), false);
    }
    let (progress, interrupt) = (Progress::new(), Interrupt::listen());
    let outcome = with_meter("creating", args.from.is_some(), &progress, &interrupt, |_| {
        Actor::new(machine, &progress).with_state(session.state.as_ref()).apply(&plan)
    });
    session.log.add(&outcome);
    if outcome.result.is_ok()
        && let Some(warning) = new.warning(machine)
    {
        warn(&format!("{}: {warning}", new.subject()));
    }
    reporter.outcome(&outcome)?;
    Ok(reporter.status())
}

fn source(new: &NewArgs) -> Source {
    new.from.clone().map_or(Source::Nothing, Source::File)
}

fn name(text: &OsStr) -> Result<ObjectName, Failure> {
    ObjectName::from_text(text.as_bytes()).ok_or_else(|| {
        Failure::Usage(format!("invalid name '{}' for a POSIX segment", quote(text.as_bytes())))
    })
}

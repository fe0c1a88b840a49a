//! The command line: the arguments, and a module for each command.

pub mod args;
mod change;
mod choose;
mod completions;
mod decoded;
mod dump;
mod failure;
mod find;
mod info;
pub mod json;
mod limits;
mod list;
mod man;
pub mod out;
mod parse;
mod part;
mod progress;
mod scope;
mod style;
mod table;
mod text;
mod type_name;
mod types;
mod watch;
mod writers;

pub use args::{Args, Change, Command, Report};
pub use change::{Terms, run as change};
pub use failure::{Failure, Status};
pub use parse::parse;
pub use scope::{ScopeTerms, run as scope, signals as scope_signals, written_channel};
pub use style::{Style, locale_is_utf8};

use crate::config::{Config, ConfigError};
use crate::decode::declaration::read_header;
use crate::decode::{ParseTypeError, TypeSource};
use crate::identify::typing::Knowledge;
use crate::identify::{Identifier, Rules};
use crate::machine::Machine;
use crate::machine::process::{Examination, ScanOptions};
use crate::segment::filter::Filter;
use crate::segment::name::SegmentName;
use crate::segment::resolve::ExactNames;
use crate::segment::{Kind, quote};
use crate::survey::{Depth, Holdings, Names, Survey};
use out::Out;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// Runs a command that prints a report about `machine`. [`Failure::status`] returns the exit status
/// of an error.
pub fn run(
    machine: &dyn Machine,
    rules: Rules,
    knowledge: &Knowledge,
    report: &Report,
    out: &mut Out,
) -> Result<Status, Failure> {
    match report {
        Report::List(args) => list::run(machine, rules, args, out),
        Report::Info(args) => info::run(machine, rules, knowledge, args, out),
        Report::Types(args) => types::run(machine, knowledge, args, out),
        Report::Dump(args) => dump::run(machine, args, out),
        Report::Watch(args) => watch::run(machine, args, out),
        Report::Writers(args) => writers::run(machine, knowledge, args, out),
        Report::Find(args) => find::run(machine, args, out),
        Report::Limits(args) => limits::run(machine, rules, args, out),
        Report::Completions(args) => completions::run(args, out),
        Report::Man => man::run(out),
    }
}

/// Checks the types of the layouts in the config.
pub fn check_layouts(config: &Config) -> Result<(), ConfigError> {
    for (index, layout) in config.layouts.iter().enumerate() {
        match TypeSource::parse(&layout.ty, &read_header) {
            // A header that is missing concerns only the segments of that layout.
            Ok(_) | Err(ParseTypeError::Header { .. }) => {}
            Err(error) => return Err(config.wrong_layout(index, &error.expected())),
        }
    }
    Ok(())
}

/// Surveys segments and holders, including private mappings. Warns about problems.
fn survey_all(machine: &dyn Machine, rules: Rules) -> Survey {
    warn_of_problems(survey_and_judge(machine, Depth::Private, Survey::take, || Identifier::new(rules)).0)
}

/// Like [`survey_all`], but without the resident sizes of System V segments.
fn survey_all_without_resident(machine: &dyn Machine, rules: Rules) -> Survey {
    warn_of_problems(
        survey_and_judge(machine, Depth::Private, Survey::take_without_memory, || Identifier::new(rules)).0,
    )
}

/// Like [`survey_all`], but scans private mappings, which take three quarters of the time, only
/// where they decide whether a segment is held. For other segments, processes with only a private
/// mapping may be missing.
fn survey_quickly(machine: &dyn Machine, rules: Rules) -> Survey {
    let (survey, identifier) =
        survey_and_judge(machine, Depth::Shared, Survey::take, || Identifier::new(rules));
    warn_of_problems(if identifier.needs_private() || survey.misses_objects() {
        survey_and_judge(machine, Depth::Private, Survey::take, || identifier).0
    } else {
        survey
    })
}

/// Limits the rescans when segments were attached between the scan of the processes and the scan of
/// the segments.
const RESCANS: usize = 3;

/// Surveys and judges. The identifier reports whether a verdict needs the private mappings that
/// were skipped.
fn survey_and_judge(
    machine: &dyn Machine,
    depth: Depth,
    take: TakeSurvey,
    identifier: impl FnOnce() -> Identifier,
) -> (Survey, Identifier) {
    let mut names = Names::default();
    // Reads the segments after the processes: a segment listed without holders had none by then.
    let (mut holdings, (mut survey, mut identifier)) =
        Holdings::scan_and(machine, depth, &mut names, |names| (take(machine, names), identifier()));
    for _ in 0..RESCANS {
        if !survey.segments.iter().any(|segment| holdings.misses_attachments(segment)) {
            break;
        }
        holdings = holdings.refresh(machine, &[], &mut names);
        survey = take(machine, &mut names);
    }
    let survey = identifier.judge(machine, survey, Some(&holdings), &mut names);
    (survey, identifier)
}

/// A function that lists the segments.
type TakeSurvey = fn(&dyn Machine, &mut Names) -> Survey;

/// Surveys only the segments, for commands that need neither holders nor makers.
fn survey_segments(machine: &dyn Machine) -> Survey {
    warn_of_problems(Survey::take(machine, &mut Names::default()))
}

/// Like [`survey_segments`], but also scans the holders if one of `texts` may name an unlinked
/// object: a `deleted:` id, or a name that is not in `/dev/shm`.
fn survey_named<'a>(
    machine: &dyn Machine,
    texts: impl IntoIterator<Item = &'a OsStr>,
    kind: Option<Kind>,
) -> Survey {
    let survey = Survey::take(machine, &mut Names::default());
    let exact = ExactNames::new(&survey.segments);
    let may_be_unlinked = |text: &OsStr| exact.may_be_unlinked(&SegmentName::read(text.as_bytes(), kind));
    if texts.into_iter().any(may_be_unlinked) {
        survey_with_unlinked(machine)
    } else {
        warn_of_problems(survey)
    }
}

/// Like [`survey_segments`], but includes unlinked objects, which only a scan of the holders finds.
fn survey_with_unlinked(machine: &dyn Machine) -> Survey {
    let mut names = Names::default();
    let (holdings, mut survey) =
        Holdings::scan_and(machine, Depth::Private, &mut names, |names| Survey::take(machine, names));
    survey.join(&holdings, machine, &mut names);
    warn_of_problems(survey)
}

/// Like [`survey_segments`], but without the resident sizes of System V segments, which take the
/// kernel as long as everything else.
fn survey_segments_without_resident(machine: &dyn Machine) -> Survey {
    warn_of_problems(Survey::take_without_memory(machine, &mut Names::default()))
}

/// Explains why a filter matches nothing: the user does not exist, or the process has exited or
/// cannot be inspected.
fn note_unknown(machine: &dyn Machine, filter: &Filter) {
    for owner in filter.owners().filter(|owner| owner.parse::<u32>().is_err()) {
        if machine.user_by_name(owner).is_none() {
            out::warn(&format!("no user named '{}'", quote(owner.as_bytes())));
        }
    }
    let processes = machine;
    for pid in filter.pids() {
        let wanted = || {
            Some(ScanOptions { segment_devices: processes.segment_devices().ok()?, ..ScanOptions::default() })
        };
        if processes.process(pid).is_none() {
            out::warn(&format!("no process {pid}"));
        } else if wanted()
            .is_none_or(|wanted| matches!(processes.examine(pid, &wanted), Examination::Unreadable(_)))
        {
            out::warn(&format!("process {pid} cannot be inspected{}", as_root(machine, "")));
        }
    }
}

/// Advises ordinary users to run as root.
fn as_root(machine: &dyn Machine, purpose: &str) -> String {
    if machine.effective_uid() == 0 { String::new() } else { format!(". Run as root{purpose}") }
}

/// Prints problems of the survey on standard error.
fn warn_of_problems(survey: Survey) -> Survey {
    for problem in &survey.problems {
        out::warn(problem);
    }
    survey
}

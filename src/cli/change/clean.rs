//! `clean`: lists leaked segments with the evidence, and removes them.
//!
//! Certain leaks are removed after confirmation or with `--yes`. Likely leaks are only listed,
//! unless `--likely` includes them. Removals work as in `rm`: each segment is checked again just
//! before, and a copy is saved.

use super::copying::CopyDestination;
use super::removing::remove;
use super::report::{Reporter, refusals_of};
use super::{Session, ask};
use crate::act::{Options, Plan, Task};
use crate::cli::args::CleanArgs;
use crate::cli::out::{Out, warn};
use crate::cli::{Failure, Status, note_unknown, survey_all};
use crate::machine::Machine;
use crate::segment::filter::Filter;
use crate::segment::{Certainty, Segment, State, Timestamp, age_text, escape};
use crate::survey::{Survey, freed};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// The lock held while `clean` removes segments: two concurrent runs would mistake each other for
/// holders.
const LOCK_FILE: &str = "clean.lock";
/// The reason why likely leaks are not removed.
const ONLY_LIKELY: &str = "only likely leaked; use --likely to include it";

pub fn run(session: &Session, args: &CleanArgs, out: &mut Out) -> Result<Status, Failure> {
    let Session { machine, terms, ref state, .. } = *session;
    let options = Options { clean: true, ..terms.options() };
    let filter = Filter::from_words(&args.filter)?;
    let user = args.user.as_deref().map(|user| find_uid(machine, user)).transpose()?;
    let lock = || {
        let wait = || warn("waiting for another `shmlens clean` to finish");
        state.as_ref().and_then(|state| state.lock(LOCK_FILE, wait))
    };
    let locked = if args.yes && !args.report.dry_run && !terms.read_only { lock() } else { None };
    let survey = survey_all(machine, args.settle.over(terms.rules));
    let selected = survey
        .segments
        .iter()
        .filter(|segment| filter.matches(segment, survey.at) && matches(segment, args, user, survey.at));
    let recent: Vec<&Segment> =
        selected.clone().filter(|segment| segment.verdict.leaked_in.is_some()).collect();
    let leaked: Vec<&Segment> =
        selected.clone().filter(|segment| segment.verdict.state.is_leaked()).collect();
    let unknown: Vec<&Segment> = selected.filter(|segment| segment.verdict.state == State::Unknown).collect();
    if leaked.is_empty() && unknown.is_empty() {
        note_unknown(machine, &filter);
    }
    let own = unknown.iter().filter(|segment| segment.owner.uid == machine.effective_uid()).count();
    let incomplete = own > 0 || !survey.unlisted.is_empty();
    let ended = |status| if incomplete { Status::Failed } else { status };
    let copies = CopyDestination::new(args.no_copy, None, leaked.len(), terms.copies)?;
    let plan = |segment: &&Segment| copies.plan(machine, segment, options);
    let (wanted, left): (Vec<&Segment>, Vec<&Segment>) =
        leaked.iter().partition(|segment| is_wanted(segment, args));
    // Plan in the order of execution: each plan accounts for the resources that the earlier plans
    // use.
    let [mut wanted, left] = [wanted, left].map(|segments| segments.iter().map(plan).collect::<Vec<Plan>>());
    let applicable = wanted.iter().filter(|plan| plan.refusal.is_none()).count();
    let needs_confirmation = !args.report.dry_run && !args.yes && applicable > 0;
    if !args.report.json {
        let hides_some = !unknown.is_empty() || !recent.is_empty();
        let mut text = text_of(&wanted, &left, hides_some, args, &survey) + &unknown_text(&unknown);
        text += &recent_text(&recent);
        if !args.yes && !args.report.dry_run {
            // The user has to see the refusals before the question; otherwise they are part of the
            // results.
            text += &refusals_of(&wanted);
        }
        let text = out.style().fit(&text).into_owned();
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    if !args.report.dry_run && !terms.read_only {
        session.remove_empty_directories(&survey);
    }
    let mut reporter = Reporter::with_evidence("clean", args.report, out);
    for plan in &left {
        reporter.skipped(plan, ONLY_LIKELY)?;
    }
    for segment in &unknown {
        reporter.unknown(segment)?;
    }
    if args.report.dry_run {
        return report_dry_run(&wanted, &mut reporter).map(ended);
    }
    if needs_confirmation && !ask_to_confirm(&wanted, applicable, &mut reporter)? {
        return Ok(Status::Failed);
    }
    if !args.yes && !args.report.json {
        reporter.drop_refused(&mut wanted);
    }
    if wanted.is_empty() {
        Ok(ended(reporter.status()))
    } else {
        let _locked = locked.or_else(lock);
        remove(session, wanted.into_iter().map(Ok), &mut reporter).map(ended)
    }
}

/// Resolves a user name. An unknown name is an error: "nothing is leaked" would be misleading for a
/// typo.
fn find_uid(machine: &dyn Machine, user: &str) -> Result<u32, Failure> {
    let uid = user.parse().ok().or_else(|| Some(machine.user_by_name(user)?.0));
    uid.ok_or_else(|| {
        Failure::Usage(format!("no user named '{}'; a numeric id works too", escape(user.as_bytes())))
    })
}

fn matches(segment: &Segment, args: &CleanArgs, user: Option<u32>, now: Timestamp) -> bool {
    let old = args.older_than.is_none_or(|least| {
        // A segment without a time, or with one in the future, does not count as older.
        let last = segment.last_used().filter(|then| !then.is_future(now));
        last.is_some_and(|then| now.seconds_since(then).max(0.0) >= least.as_secs_f64())
    });
    let user_matches = user.is_none_or(|uid| segment.owner.uid == uid);
    old && user_matches && args.min_size.is_none_or(|least| segment.size >= least)
}

fn is_wanted(segment: &Segment, args: &CleanArgs) -> bool {
    args.likely || segment.verdict.state == State::Leaked(Certainty::Certain)
}

/// Lists the older copies that the removal would delete.
fn deleted_copies(plan: &Plan, now: Timestamp) -> Vec<String> {
    let copies = plan.copies.as_ref().filter(|_| plan.refusal.is_none());
    copies.map_or_else(Vec::new, |copies| copies.forecast().sentences(now))
}

fn segment(plan: &Plan) -> Option<&Segment> {
    match &plan.task {
        Task::Change { segment, .. } => Some(segment),
        Task::Create(_) => None,
    }
}

/// Reports the plans of a dry run. The status is a failure if there are leaks, because they remain.
fn report_dry_run(wanted: &[Plan], reporter: &mut Reporter) -> Result<Status, Failure> {
    reporter.planned(wanted)?;
    Ok(if wanted.is_empty() { reporter.status() } else { Status::Failed })
}

/// Asks for confirmation. Without a terminal, the answer is no.
fn ask_to_confirm(wanted: &[Plan], applicable: usize, reporter: &mut Reporter) -> Result<bool, Failure> {
    let question = match (applicable, wanted.len()) {
        (1, 1) => "Remove it?".to_owned(),
        (_, all) if all == applicable => format!("Remove these {all} segments?"),
        (_, all) => format!("Remove {applicable} of these {all} segments?"),
    };
    if ask::is_possible() && ask::confirm("", &question)? {
        return Ok(true);
    }
    for plan in wanted {
        reporter.not_confirmed(plan)?;
    }
    if !ask::is_possible() && !reporter.json() {
        warn("nothing was removed: cannot ask for confirmation without a terminal; use --yes");
    }
    Ok(false)
}

/// Formats all leaked segments with the evidence and totals.
fn text_of(wanted: &[Plan], left: &[Plan], hides_some: bool, args: &CleanArgs, survey: &Survey) -> String {
    let now = survey.at;
    let mut text = String::new();
    if wanted.is_empty() && left.is_empty() && hides_some {
        return "No leaked segments found.\n".to_owned();
    }
    if wanted.is_empty() && left.is_empty() {
        return match (args.narrows(), survey.problems.is_empty()) {
            (false, true) => "Nothing is leaked.\n",
            (true, true) => "No leaked segment matches.\n",
            (_, false) => "Nothing is leaked among the segments that could be listed.\n",
        }
        .to_owned();
    }
    let all: Vec<&Segment> = wanted.iter().chain(left).filter_map(segment).collect();
    for (index, plan) in wanted.iter().chain(left).enumerate() {
        let Some(segment) = segment(plan) else { continue };
        let age = segment.age(now).map_or_else(String::new, |age| format!(", {} old", age_text(age)));
        let _ = writeln!(
            text,
            "{}  {}  {}, {}{age}",
            segment.id,
            segment.verdict.state.label(),
            segment.size,
            segment.owner.user_text(),
        );
        if let Some(names) = other_names(segment, &all) {
            let _ = writeln!(text, "  {names}");
        }
        for reason in &segment.verdict.reasons {
            let _ = writeln!(text, "  {reason}");
        }
        if index < wanted.len() {
            for sentence in deleted_copies(plan, now) {
                let _ = writeln!(text, "  {sentence}");
            }
        }
    }
    // A refused segment stays and frees nothing.
    let frees =
        |plans: &[Plan]| freed(plans.iter().filter(|plan| plan.refusal.is_none()).filter_map(segment));
    if !wanted.is_empty() {
        let _ = writeln!(text, "{}; removal frees {}", leaked_text(wanted), frees(wanted));
    }
    if !left.is_empty() {
        let it = if left.len() == 1 { "it" } else { "them" };
        let _ = writeln!(
            text,
            "{} ({} in memory); use --likely to include {it}",
            leaked_text(left),
            freed(left.iter().filter_map(segment))
        );
    }
    text
}

/// Segments that are named in one line.
const MAX_NAMED: usize = 3;

/// Names the segments without holders that may count as leaked later, the soonest first.
fn recent_text(recent: &[&Segment]) -> String {
    let mut recent: Vec<(Duration, &Segment)> =
        recent.iter().filter_map(|segment| Some((segment.verdict.leaked_in?, *segment))).collect();
    if recent.is_empty() {
        return String::new();
    }
    recent.sort_by_key(|(after, _)| *after);
    let (first, others) = recent.split_at(recent.len().min(MAX_NAMED));
    let names: Vec<String> = first
        .iter()
        .map(|(after, segment)| format!("{} (in {})", segment.id, age_text(after.as_secs_f64())))
        .collect();
    let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    let segments = match recent.len() {
        1 => "1 segment without holders was".to_owned(),
        count => format!("{count} segments without holders were"),
    };
    format!(
        "{segments} used recently and may count as leaked later: {}{more}. --settle 0s does not wait.\n",
        names.join(", ")
    )
}

/// Formats the number of leaks: `2 segments leaked, 3 segments likely leaked`. An object with two
/// names counts once.
fn leaked_text(plans: &[Plan]) -> String {
    let mut seen = HashSet::new();
    let is_first = |segment: &&Segment| match segment.posix() {
        Some(facts) => seen.insert((facts.device, facts.inode)),
        None => true,
    };
    let (certain, likely): (Vec<&Segment>, Vec<&Segment>) = plans
        .iter()
        .filter_map(segment)
        .filter(is_first)
        .partition(|segment| segment.verdict.state == State::Leaked(Certainty::Certain));
    let kinds = [(certain.len(), "leaked"), (likely.len(), "likely leaked")];
    let texts = kinds.into_iter().filter(|(segments, _)| *segments > 0);
    texts.map(|(segments, kind)| format!("{} {kind}", count(segments))).collect::<Vec<_>>().join(", ")
}

/// Lists the other names (hard links) of an object: its memory is not freed while they exist.
fn other_names(segment: &Segment, all: &[&Segment]) -> Option<String> {
    let links = segment.posix()?.links;
    if links < 2 {
        return None;
    }
    let others: Vec<String> = all
        .iter()
        .filter(|other| other.is_same_object(segment) && other.id != segment.id)
        .map(|other| other.id.short())
        .collect();
    let more = (links as usize - 1).saturating_sub(others.len());
    let more = (more > 0).then(|| if more == 1 { "1 more".to_owned() } else { format!("{more} more") });
    let names: Vec<String> = others.into_iter().chain(more).collect();
    Some(format!("other names of the same object (hard links): {}", names.join(", ")))
}

/// Formats the number of segments that may be leaked or in use, by reason: `3 segments unknown: no
/// holders found, but …`.
fn unknown_text(unknown: &[&Segment]) -> String {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for segment in unknown {
        let mut reasons_of = segment.verdict.reasons.iter();
        let first = reasons_of.next().cloned().unwrap_or_default();
        let remedy = reasons_of.next_back().map(|last| format!("; {last}")).unwrap_or_default();
        *reasons.entry(first + &remedy).or_default() += 1;
    }
    let mut text = String::new();
    for (reason, segments) in reasons {
        let _ = writeln!(text, "{} unknown: {reason}", count(segments));
    }
    text
}

fn count(segments: usize) -> String {
    if segments == 1 { "1 segment".to_owned() } else { format!("{segments} segments") }
}

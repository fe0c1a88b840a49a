//! Judges a segment without holders: protected, idle, or leaked.

use super::catalog::{Finding, MakerMatch};
use super::evidence::Evidence;
use super::origin;
use crate::segment::{Certainty, Kind, Segment, State, Verdict, age_text};
use std::time::Duration;

/// The minimum time that a segment must be unused before it counts as leaked.
pub const SETTLE: Duration = Duration::from_secs(60);
/// The minimum time for a segment whose maker is unknown.
const SETTLE_LIKELY: Duration = Duration::from_secs(600);

/// Returns the verdict. `proof` lists the evidence that no process holds the segment.
pub fn judge(
    segment: &Segment,
    maker_match: Option<&MakerMatch<'_>>,
    evidence: &Evidence<'_>,
    proof: &[String],
) -> Verdict {
    let origin = origin::of(segment, maker_match, evidence);
    let used = segment.last_used();
    // A last use in the future has an unknown age: the segment never counts as leaked.
    let in_future = used.is_some_and(|then| then.is_future(evidence.now));
    let quiet = used.map_or(f64::INFINITY, |then| evidence.now.seconds_since(then).max(0.0));
    let wait = |usual: Duration| evidence.settle.unwrap_or(usual).as_secs_f64();
    // The first reason may only change with the state, so it must not contain a number that changes
    // with every survey.
    let verdict = |state, summary: String| {
        // If the message already says "creator 78 exited", shorten the step "creator 78 exited: no
        // process 78" to "no process 78".
        let rest = |step: &String| match step.split_once(": ") {
            Some((claim, proof)) if summary.contains(claim) => proof.to_owned(),
            _ => step.clone(),
        };
        let steps: Vec<String> = proof.iter().chain(&origin.steps).map(rest).collect();
        let mut new = Verdict::new(state, summary);
        new.reasons.extend(steps);
        new
    };
    let unused = |wait: f64| match (used, segment.kind()) {
        (None, _) => "no use recorded".to_owned(),
        (_, Kind::Sysv) => format!("last used more than {} ago", age_text(wait)),
        _ => format!("not read or written through files for {}; mappings leave no time", age_text(wait)),
    };
    let recent = |wait: f64| {
        let rest = (wait - quiet).ceil();
        let (ago, after, until) = (age_text(quiet), age_text(wait), age_text(rest));
        let verdict = verdict(State::Idle, format!("no holders; used within the last {after}"))
            .with_reason(format!("last used {ago} ago; counts as leaked after {after} (in {until})"));
        Verdict { leaked_in: Duration::try_from_secs_f64(rest).ok(), ..verdict }
    };
    let reason = &origin.reason;
    match origin.finding {
        Finding::Protected => verdict(State::Protected, format!("no holders; protected: {reason}")),
        Finding::CreatorRuns => verdict(State::Idle, format!("no holders; creator is running: {reason}")),
        Finding::LastUserRuns => {
            verdict(State::Idle, format!("no holders; its last user is running: {reason}"))
        }
        Finding::Needed => verdict(State::Idle, format!("no holders; may still be needed: {reason}")),
        Finding::Normal => verdict(State::Idle, format!("no holders, which is normal: {reason}")),
        Finding::Example => verdict(State::Leaked(Certainty::Certain), format!("no holders; {reason}")),
        Finding::Leaked | Finding::Unknown if in_future => verdict(
            State::Idle,
            "no holders; last used in the future (clock set back?), so it may have been used recently"
                .to_owned(),
        ),
        Finding::Leaked if quiet >= wait(SETTLE) => {
            verdict(State::Leaked(Certainty::Certain), format!("no holders; {reason}"))
                .with_reason(unused(wait(SETTLE)))
        }
        Finding::Leaked => recent(wait(SETTLE)),
        Finding::Unknown if quiet >= wait(SETTLE_LIKELY) => {
            verdict(State::Leaked(Certainty::Likely), format!("no holders; {reason}"))
                .with_reason(unused(wait(SETTLE_LIKELY)))
        }
        Finding::Unknown => recent(wait(SETTLE_LIKELY)),
    }
}

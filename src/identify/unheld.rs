//! What to think of a segment that nobody holds: protected, idle, or leaked.

use super::{Grounds, Origin, Word};
use crate::segment::{Certainty, Kind, Segment, State, Verdict, age_text};
use std::time::Duration;

/// How long a segment has to be left alone before it may be called leaked.
pub const SETTLE: Duration = Duration::from_secs(60);
/// The same where nothing tells who made it.
const SETTLE_LIKELY: Duration = Duration::from_secs(600);

/// The verdict; `settled` are the steps by which nobody holds it.
pub fn judge(segment: &Segment, origin: &Origin, grounds: &Grounds<'_>, settled: &[String]) -> Verdict {
    let touched = segment.last_used();
    // Nothing tells how long ago a future time was, so such a segment never settles.
    let in_future = touched.is_some_and(|then| then.is_future(grounds.now));
    let quiet = touched.map_or(f64::INFINITY, |then| grounds.now.seconds_since(then).max(0.0));
    let wait = |usual: Duration| grounds.settle.unwrap_or(usual).as_secs_f64();
    // The first reason has no figure that changes with every survey: it changes only with the state.
    let with = |state, said: String| {
        // "creator 78 exited: no process 78" under a headline that says the first part needs only the rest.
        let rest = |step: &String| match step.split_once(": ") {
            Some((claim, proof)) if said.contains(claim) => proof.to_owned(),
            _ => step.clone(),
        };
        let steps: Vec<String> = settled.iter().chain(&origin.steps).map(rest).collect();
        let mut verdict = Verdict::new(state, said);
        verdict.reasons.extend(steps);
        verdict
    };
    let long = |wait: f64| match (touched, segment.kind()) {
        (None, _) => "no use recorded".to_owned(),
        (_, Kind::Sysv) => format!("last used more than {} ago", age_text(wait)),
        _ => format!("not read or written through files for {}; mappings leave no time", age_text(wait)),
    };
    let recent = |wait: f64| {
        let (ago, after, rest) = (age_text(quiet), age_text(wait), age_text((wait - quiet).ceil()));
        with(State::Idle, format!("no holders; used within the last {after}"))
            .because(format!("last used {ago} ago; counts as leaked after {after} (in {rest})"))
    };
    match &origin.word {
        Word::Protected(why) => with(State::Protected, format!("no holders; protected: {why}")),
        Word::Lives(who) => with(State::Idle, format!("no holders; creator is running: {who}")),
        Word::Used(who) => with(State::Idle, format!("no holders; its last user is running: {who}")),
        Word::Wanted(why) => with(State::Idle, format!("no holders; still needed: {why}")),
        Word::Normal(why) => with(State::Idle, format!("no holders, which is normal: {why}")),
        Word::Dead(_) | Word::Nothing(_) if in_future => with(
            State::Idle,
            "no holders; last used in the future (clock set back?), so it may have been used recently"
                .to_owned(),
        ),
        Word::Dead(why) if quiet >= wait(SETTLE) => {
            with(State::Leaked(Certainty::Certain), format!("no holders; {why}")).because(long(wait(SETTLE)))
        }
        Word::Dead(_) => recent(wait(SETTLE)),
        Word::Nothing(why) if quiet >= wait(SETTLE_LIKELY) => {
            with(State::Leaked(Certainty::Likely), format!("no holders; {why}"))
                .because(long(wait(SETTLE_LIKELY)))
        }
        Word::Nothing(_) => recent(wait(SETTLE_LIKELY)),
    }
}

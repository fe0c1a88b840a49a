//! What to think of a segment that nobody holds: protected, idle, or leaked.

use super::{Grounds, Origin, Word};
use crate::segment::{Certainty, Segment, State, Verdict, age_text};
use std::time::Duration;

/// How long a segment has to be left alone before it may be called leaked.
pub const SETTLE: Duration = Duration::from_secs(60);
/// The same where nothing tells who made it.
const SETTLE_LIKELY: Duration = Duration::from_secs(600);

/// The verdict; `settled` are the steps by which nobody holds it.
pub fn judge(segment: &Segment, origin: &Origin, grounds: &Grounds<'_>, settled: &[String]) -> Verdict {
    let touched = segment.times.touched();
    let quiet = touched.map_or(f64::INFINITY, |then| grounds.now.seconds_since(then));
    let wait = |usual: Duration| grounds.settle.unwrap_or(usual).as_secs_f64();
    // No figure that changes with every look: what is said changes when the state does.
    let with = |state, said: String| {
        let mut verdict = Verdict::new(state, said);
        verdict.reasons.extend(settled.iter().cloned());
        verdict.reasons.extend(origin.steps.iter().cloned());
        verdict
    };
    let long = |wait: f64| match touched {
        Some(_) => format!("not touched for {} (its times)", age_text(wait)),
        None => "never touched (its times)".to_owned(),
    };
    let recent = |verdict_after: &str, wait: f64| {
        let wait = age_text(wait);
        with(State::Idle, format!("unheld, and touched too lately to tell: {verdict_after} after {wait}"))
    };
    match &origin.word {
        Word::Protected(why) => with(State::Protected, format!("unheld, and must not be removed: {why}")),
        Word::Lives(who) => with(State::Idle, format!("unheld, and its maker lives: {who}")),
        Word::Wanted(why) => with(State::Idle, format!("unheld, and still wanted: {why}")),
        Word::Normal(why) => with(State::Idle, format!("unheld, which is normal for it: {why}")),
        Word::Dead(why) if quiet >= wait(SETTLE) => {
            with(State::Leaked(Certainty::Certain), format!("unheld, and {why}")).because(long(wait(SETTLE)))
        }
        Word::Dead(_) => recent("leaked", wait(SETTLE)),
        Word::Nothing(why) if quiet >= wait(SETTLE_LIKELY) => {
            with(State::Leaked(Certainty::Likely), format!("unheld, and {why}"))
                .because(long(wait(SETTLE_LIKELY)))
        }
        Word::Nothing(_) => recent("likely leaked", wait(SETTLE_LIKELY)),
    }
}

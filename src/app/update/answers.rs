//! What comes back from the outside.

use super::new_segment;
use crate::app::action::Action;
use crate::app::effect::{Effect, Request, Target, Who};
use crate::app::event::{Found, Opened, Preview};
use crate::app::inspect::{CHANGES, DATA, Inspect, Pending, Status};
use crate::app::sentence::label_of;
use crate::app::state::State;
use crate::memory::{Direction, Look};
use crate::segment::{Bytes, Kind, State as SegmentState};
use crate::survey::{Difference, Survey, alerts, difference};

pub fn surveyed(state: &mut State, survey: Survey, effects: &mut Vec<Effect>) {
    // At the start nothing is new: everything was there before we came.
    let difference = match &state.survey {
        Some(before) => difference(before, &survey),
        None => Difference::default(),
    };
    // In Inspect the key of holders has another meaning.
    let hint = match &state.inspect {
        Some(_) => String::new(),
        None => format!(" ({}: holders)", state.key_of(Action::Holders)),
    };
    if state.notice.is_none()
        && let Some(text) = state
            .survey
            .as_ref()
            .and_then(|before| lost_name(before, &survey, &difference, state.inspect.as_ref()))
    {
        state.say(text + &hint);
    }
    // Paused, nothing is looked at unasked.
    if state.interval.duration().is_some() {
        effects.extend(to_ask(&survey, &difference).map(Effect::Holders));
    }
    let now = state.now;
    state.table.survey(&survey, &difference, now);
    if let Some(inspect) = &mut state.inspect
        && let Some(segment) = survey.segments.iter().find(|segment| segment.id == *inspect.id())
        && inspect.segment.identity().fits(&segment.identity())
    {
        inspect.segment = segment.clone();
    }
    let first = state.survey.is_none();
    if let Some(problem) = survey.problems.first()
        && (first || state.survey.as_ref().is_some_and(|before| before.problems != survey.problems))
    {
        let more = match survey.problems.len() {
            1 => String::new(),
            count => format!(" ({} more in `shmlens list`)", count - 1),
        };
        state.fail(format!("{problem}{more}"));
    }
    state.alerts = alerts(&survey).into_iter().filter(|alert| alert.urgent).collect();
    state.survey = Some(survey);
    new_segment::found_hidden(state);
}

/// A segment that was removed while somebody holds it: its memory stays, and
/// no directory lists it any more.
fn lost_name(
    before: &Survey,
    after: &Survey,
    difference: &Difference,
    open: Option<&Inspect>,
) -> Option<String> {
    let changed = difference.appeared.iter().chain(&difference.changed);
    let segment = changed
        .filter_map(|id| after.segments.iter().find(|segment| segment.id == *id))
        .filter(|segment| segment.verdict.state == SegmentState::Removed)
        .find(|segment| {
            // A System V segment keeps its number, an object gets another id.
            before.segments.iter().any(|was| {
                was.verdict.state != SegmentState::Removed
                    && was.identity().fits(&segment.identity())
                    && (was.kind() == Kind::Posix || was.id == segment.id)
            })
        })?;
    let last = open
        .is_some_and(|open| open.segment.identity().fits(&segment.identity()) && open.is_last(Some(after)));
    let memory = segment.resident.unwrap_or(segment.size);
    let until = if last { "freed when you leave" } else { "stays in memory until its holders detach" };
    Some(format!("{} was removed; {memory} {until}", label_of(segment)))
}

/// Whose holdings may have changed with these segments: a System V segment
/// tells who attached or detached last, a new POSIX object may be anybody's.
fn to_ask(survey: &Survey, difference: &Difference) -> Option<Who> {
    let mut pids = vec![];
    for id in difference.appeared.iter().chain(&difference.changed) {
        let segment = survey.segments.iter().find(|segment| segment.id == *id)?;
        match segment.sysv() {
            Some(facts) => {
                let found = segment.holders.iter().flat_map(|holders| holders.iter());
                let found: u64 = found.clone().map(|holder| u64::from(holder.mappings)).sum();
                // What is known already needs no look.
                if found != facts.nattch || segment.holders.is_none() {
                    pids.extend([facts.creator_pid, facts.last_pid]);
                    pids.extend(segment.holders.iter().flat_map(|all| all.iter().map(|holder| holder.pid)));
                }
            }
            None if segment.holders.is_none() && segment.kind() == Kind::Posix => return Some(Who::All),
            None => {}
        }
    }
    (!pids.is_empty()).then_some(Who::These(pids))
}

pub fn previewed(state: &mut State, preview: Preview) {
    if state.table.selected.as_ref() == Some(&preview.id) {
        state.table.preview = Some(preview);
    }
}

pub fn opened(state: &mut State, opened: Opened, effects: &mut Vec<Effect>) {
    let Some(segment) = state.opening.take_if(|segment| segment.id == opened.id) else { return };
    match opened.result {
        Ok(()) => {
            let keep = state.kept.contains(&segment.id);
            state.inspect = Some(Inspect::new(segment, state.live_interval, keep));
        }
        Err(error) => {
            state.fail(error.to_string());
            // What is gone or was replaced is to be seen as it is now.
            effects.push(Effect::Survey);
        }
    }
}

pub fn looked(state: &mut State, look: Look) {
    let (now, size) = (state.now, state.size);
    let Some(inspect) = &mut state.inspect else { return };
    let before = inspect.size();
    inspect.looked(look, now);
    let after = inspect.size();
    if after < before {
        // The cursor may stand behind its end.
        let cursor = inspect.cursor;
        inspect.go_to(cursor, size);
        let text = format!("Shrunk from {} to {}", Bytes(before), Bytes(after));
        inspect.shrunk = Some(text.clone());
        state.say(text);
    } else if after > before
        && let Some(text) = inspect.shrunk.take()
    {
        // It is not true any more.
        state.notice.take_if(|notice| notice.text == text);
    }
}

pub fn look_failed(state: &mut State, reason: String) {
    if let Some(inspect) = &mut state.inspect {
        inspect.status = Status::Failed(reason);
    }
}

pub fn found(state: &mut State, found: Found, effects: &mut Vec<Effect>) {
    let size = state.size;
    let Some(inspect) = &mut state.inspect else { return };
    let Some(pending) = inspect.pending.take_if(|pending| pending.number == found.request) else { return };
    match found.result {
        // Whether there are changes anywhere else.
        Ok(None) if pending.what == CHANGES && !pending.anywhere => {
            let number = inspect.next_request();
            inspect.pending = Some(Pending { number, anywhere: true, progress: None, ..pending });
            let (from, direction) = (0, Direction::Forward);
            effects.push(Effect::Find(Request { number, from, direction, what: Target::Change }));
        }
        Ok(Some(_)) if pending.anywhere => {
            let baseline = state.key_of(Action::Baseline);
            state.say(format!("No more changes in that direction ({baseline}: new baseline)"));
        }
        Ok(Some(offset)) => {
            inspect.jump(offset, size);
            if found.wrapped {
                state.say(format!("Found at {offset:#x} (wrapped)"));
            }
        }
        Ok(None) => state.fail(not_found(&pending.what)),
        Err(reason) => state.fail(format!("Search failed: {reason}")),
    }
}

fn not_found(what: &str) -> String {
    match what {
        CHANGES => "No changes since the baseline".to_owned(),
        DATA => "No more data in that direction".to_owned(),
        pattern => format!("No match for \"{pattern}\""),
    }
}

pub fn searching(state: &mut State, done: u64, total: u64) {
    if let Some(pending) = state.inspect.as_mut().and_then(|inspect| inspect.pending.as_mut()) {
        pending.progress = Some((done, total));
    }
}

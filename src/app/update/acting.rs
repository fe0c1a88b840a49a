//! Acting on segments: wish, plan, confirm, act, report, undo.

use super::new_segment;
use crate::act::{self, ActError, Outcome, Plan};
use crate::app::action::Action;
use crate::app::confirm::{Confirm, DEAF, Wanted, Wish};
use crate::app::effect::{Effect, Undo};
use crate::app::key::{Code, Key};
use crate::app::new_segment::Step;
use crate::app::overlay::Overlay;
use crate::app::state::State;
use crate::app::work::{Work, Working};
use crate::segment::Segment;

/// How many lines the log of this run keeps.
const LOG: usize = 1000;

/// Begins an act on the marked segments, or on the selected one.
pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    let wanted = match action {
        Action::Lock => Wanted::Lock,
        Action::Unlock => Wanted::Unlock,
        Action::Remove => Wanted::Remove { copy: true },
        Action::Undo => return undo(state, effects),
        Action::Log => {
            state.overlay = Some(Overlay::Log { top: state.log.len() });
            return;
        }
        _ => return,
    };
    let segments: Vec<Segment> = targets(state).into_iter().cloned().collect();
    begin(state, &segments, &wanted, effects);
}

/// Asks for plans, and shows them.
pub fn begin(state: &mut State, segments: &[Segment], wanted: &Wanted, effects: &mut Vec<Effect>) {
    let wish =
        |segment: &Segment| Wish { segment: Box::new(segment.clone()), wanted: wanted.clone(), force: false };
    let wishes: Vec<Wish> = segments.iter().map(wish).collect();
    if wishes.is_empty() {
        return;
    }
    effects.push(Effect::Plan(wishes.clone()));
    state.overlay = Some(Overlay::Confirm(Confirm::new(wishes, state.now)));
}

/// The marked segments that are there, or the selected one.
pub fn targets(state: &State) -> Vec<&Segment> {
    let marks = &state.table.marks;
    let survey = state.survey.iter().flat_map(|survey| &survey.segments);
    let marked: Vec<&Segment> = survey.filter(|segment| marks.contains(&segment.id)).collect();
    if marked.is_empty() { state.selected().into_iter().collect() } else { marked }
}

/// Plans have been made.
pub fn planned(state: &mut State, plans: Vec<Plan>) {
    if let Some(Overlay::Confirm(confirm)) = &mut state.overlay
        && !confirm.acting
        && confirm.fits(&plans)
    {
        confirm.plans = plans;
        confirm.stale = false;
        // What is shown now was not there to be answered before.
        confirm.since = state.now;
    }
}

/// A key while a confirmation is shown. Esc was taken before.
pub fn key(state: &mut State, mut confirm: Confirm, key: Key, effects: &mut Vec<Effect>) {
    let last = confirm.wishes.len().saturating_sub(1);
    let deaf = state.now.saturating_sub(confirm.since) < DEAF;
    match key.code {
        Code::Up | Code::Char('k') => confirm.selected = confirm.selected.saturating_sub(1),
        Code::Down | Code::Char('j') => confirm.selected = (confirm.selected + 1).min(last),
        // While it acts, Esc stops it.
        Code::Char('n' | 'q') if !confirm.acting => return,
        _ if deaf || confirm.acting || confirm.stale || confirm.plans.is_empty() => {}
        Code::Char('f') if confirm.can_force() => {
            if let Some(wish) = confirm.wishes.get_mut(confirm.selected) {
                wish.force = !wish.force;
            }
            confirm.stale = true;
            effects.push(Effect::Plan(confirm.wishes.clone()));
        }
        Code::Char('c') if confirm.copies().is_some() => {
            for wish in &mut confirm.wishes {
                if let Wanted::Remove { copy } = &mut wish.wanted {
                    *copy = !*copy;
                }
            }
            confirm.stale = true;
            effects.push(Effect::Plan(confirm.wishes.clone()));
        }
        Code::Char('y') if confirm.doable() > 0 => {
            confirm.acting = true;
            state.work = Some(Work::default());
            effects.push(Effect::Apply(confirm.plans.clone()));
        }
        _ => {}
    }
    state.overlay = Some(Overlay::Confirm(confirm));
}

/// How far it is.
pub fn working(state: &mut State, at: Working) {
    if let Some(work) = &mut state.work {
        work.at = Some(at);
    }
}

/// Stops an act that takes long and says so. Tells whether there is one; a second
/// time the key is what it is otherwise.
pub fn stop(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let acting = match &state.overlay {
        Some(Overlay::Confirm(confirm)) => confirm.acting,
        Some(Overlay::New(form)) => form.step == Step::Making,
        _ => false,
    };
    let free = state.overlay.is_none() && state.inspect.is_none();
    match &mut state.work {
        Some(work) if !work.stopping && (acting || (free && work.at.is_some())) => {
            work.stopping = true;
            effects.push(Effect::StopAct);
            true
        }
        _ => false,
    }
}

/// What came of it: told at the foot, whole in the log.
pub fn acted(state: &mut State, outcomes: &[Outcome], effects: &mut Vec<Effect>) {
    state.work = None;
    if new_segment::made(state, outcomes) {
        effects.push(Effect::Survey);
        return;
    }
    if matches!(&state.overlay, Some(Overlay::Confirm(confirm)) if confirm.acting) {
        state.overlay = None;
    }
    let mut stopped = 0;
    let mut failures = vec![];
    let mut done = vec![];
    let mut undo = vec![];
    let mut removed = 0;
    for outcome in outcomes {
        match &outcome.result {
            Ok(result) => {
                log(state, format!("{} {}: {}", outcome.action, result.id, result.said.join("; ")));
                done.push(format!("{}: {}", result.id, result.said.join("; ")));
                undo.extend(result.undo.clone().map(|action| (result.id.clone(), action)));
                // Only what has a copy can be brought back by one.
                removed += usize::from(result.copy.is_some());
                state.table.marks.remove(&result.id);
            }
            Err(ActError::Stopped { .. }) => {
                log(state, format!("{} {}: stopped, nothing was done", outcome.action, outcome.subject));
                stopped += 1;
            }
            Err(error) => {
                log(state, format!("{} {}: not done: {error}", outcome.action, outcome.subject));
                // What was refused was shown as such, and nobody said to do it.
                if !matches!(error, ActError::Refused { .. }) || outcomes.len() == 1 {
                    failures.push(error.to_string());
                }
            }
        }
    }
    state.undo =
        if undo.is_empty() { (removed > 0).then_some(Undo::Copies(removed)) } else { Some(Undo::Acts(undo)) };
    let how = if state.undo.is_some() { ". u takes it back" } else { "" };
    let told = match done.as_slice() {
        [] => String::new(),
        [one] => format!("{one}{how}"),
        many => format!("{} done{how}", many.len()),
    };
    let told = match (stopped, told.as_str()) {
        (0, _) => told,
        (_, "") => "Stopped: nothing was done".to_owned(),
        (_, told) => format!("{told}. Stopped: {stopped} left as they were"),
    };
    if failures.is_empty() {
        state.say(told);
    } else {
        let first = failures.swap_remove(0);
        let more =
            if failures.is_empty() { String::new() } else { format!(" ({} more in :log)", failures.len()) };
        let before = if told.is_empty() { String::new() } else { format!("{told}. ") };
        state.fail(format!("{before}{first}{more}"));
    }
    effects.push(Effect::Survey);
}

fn undo(state: &mut State, effects: &mut Vec<Effect>) {
    // What was made may be in use by now: it goes as anything else does.
    if let Some(Undo::Acts(acts)) = &state.undo
        && let [(id, act::Action::Remove(_))] = acts.as_slice()
    {
        let segments = state.survey.iter().flat_map(|survey| &survey.segments);
        let found: Vec<Segment> = segments.filter(|segment| segment.id == *id).cloned().collect();
        if found.is_empty() {
            let gone = format!("{id} is gone: there is nothing to take back");
            state.undo = None;
            return state.fail(gone);
        }
        return begin(state, &found, &Wanted::Remove { copy: true }, effects);
    }
    match state.undo.take() {
        Some(undo) => {
            state.work = Some(Work { undo: Some(undo.clone()), ..Work::default() });
            effects.push(Effect::Undo(undo));
        }
        None => state
            .fail("There is nothing to take back in this run; `shmlens restore` brings saved segments back"),
    }
}

/// What was taken back, a line each.
pub fn undone(state: &mut State, results: Vec<Result<String, String>>, effects: &mut Vec<Effect>) {
    for result in &results {
        let (Ok(text) | Err(text)) = result;
        log(state, format!("undo: {text}"));
    }
    let failed = results.iter().any(Result::is_err);
    // What did not come back can be tried again.
    let undo = state.work.take().and_then(|work| work.undo);
    state.undo = undo.and_then(|undo| undo.left(&results)).or(state.undo.take());
    let texts: Vec<String> = results.into_iter().map(|result| result.unwrap_or_else(|error| error)).collect();
    let text = texts.join("; ");
    if failed {
        state.fail(text);
    } else {
        state.say(text);
    }
    effects.push(Effect::Survey);
}

/// Adds a line to what was done in this run.
pub fn log(state: &mut State, line: String) {
    if state.log.len() >= LOG {
        state.log.remove(0);
    }
    state.log.push(line);
}

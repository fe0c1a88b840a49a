//! Actions on segments: plan, confirm, apply, report, undo.

use super::new_segment;
use super::report::{ActionReport, show, summarize};
use crate::act::{self, ChangeReport, Copying, Outcome, Plan, Revert, SavedCopy, UndoResult};
use crate::app::action::Action;
use crate::app::confirm::Confirm;
use crate::app::effect::Effect;
use crate::app::overlay::{Next, Overlay};
use crate::app::sentence::{result, short_names, with_name};
use crate::app::state::State;
use crate::app::work::RunningAction;
use crate::engine::{PlanRequest, Request, Undo, WorkProgress};
use crate::segment::{Segment, SegmentId};
use std::collections::HashSet;

/// A removal, which saves a copy unless the user turns that off.
pub const REMOVE: act::Action = act::Action::Remove(Copying::Keep);

/// Starts an action on the marked segments, or else on the selected segment.
pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    let change = match action {
        Action::Lock => act::Action::Lock,
        Action::Unlock => act::Action::Unlock,
        Action::Remove => REMOVE,
        Action::Undo => return undo(state, effects),
        _ => return,
    };
    let segments: Vec<Segment> = targets(state).into_iter().cloned().collect();
    if !segments.is_empty() {
        state.overlay = Some(Overlay::Confirm(begin(state, &segments, &change, effects)));
    }
}

/// Requests plans. Returns the dialog for them.
pub fn begin(
    state: &State,
    segments: &[Segment],
    action: &act::Action,
    effects: &mut Vec<Effect>,
) -> Confirm {
    let request = |segment: &Segment| PlanRequest {
        segment: Box::new(segment.clone()),
        action: action.clone(),
        force: false,
    };
    let requests: Vec<PlanRequest> = segments.iter().map(request).collect();
    effects.push(Request::Plan(requests.clone()).into());
    Confirm { hidden: count_hidden(state, segments), ..Confirm::new(requests, state.now) }
}

/// Counts the segments that the filter hides.
fn count_hidden(state: &State, segments: &[Segment]) -> usize {
    let Some(survey) = &state.survey else { return 0 };
    let shown = state.table.shown.iter().filter_map(|&index| survey.segments.get(index));
    let shown: HashSet<&SegmentId> = shown.map(|segment| &segment.id).collect();
    let listed: HashSet<&SegmentId> = survey.segments.iter().map(|segment| &segment.id).collect();
    segments.iter().filter(|segment| listed.contains(&segment.id) && !shown.contains(&segment.id)).count()
}

/// The marked segments, or else the selected segment.
pub fn targets(state: &State) -> Vec<&Segment> {
    let marks = &state.table.marks;
    let survey = state.survey.iter().flat_map(|survey| &survey.segments);
    let marked: Vec<&Segment> = survey.filter(|segment| marks.contains(&segment.id)).collect();
    if marked.is_empty() { state.selected().into_iter().collect() } else { marked }
}

pub fn show_plans(state: &mut State, plans: Vec<Plan>) {
    if let Some(Overlay::Confirm(confirm)) = &mut state.overlay
        && !confirm.acting
        && confirm.matches_requests(&plans)
    {
        confirm.plans = plans;
        confirm.stale = false;
        // New content restarts the type-ahead guard.
        confirm.since = state.now;
    }
}

/// Handles an action of the confirmation dialog.
pub fn confirm(state: &mut State, confirm: &mut Confirm, action: Action, effects: &mut Vec<Effect>) -> Next {
    let place = confirm.selected();
    match action {
        _ if confirm.stale || confirm.plans.is_empty() => {}
        Action::Force if confirm.can_force() => {
            if let Some(request) = confirm.requests.get_mut(place) {
                request.force = !request.force;
            }
            replan(confirm, effects);
        }
        Action::SaveCopy if confirm.can_toggle_copies() => {
            let saves_copy = confirm.copying() == Some(&Copying::Keep);
            let copying = if saves_copy { Copying::Without } else { Copying::Keep };
            for request in &mut confirm.requests {
                request.action = act::Action::Remove(copying.clone());
            }
            replan(confirm, effects);
        }
        Action::Confirm if confirm.applicable() > 0 => {
            confirm.acting = true;
            state.work = Some(RunningAction::default());
            effects.push(Request::Apply(confirm.plans.clone()).into());
        }
        _ => {}
    }
    Next::Stay
}

/// Requests plans for changed requests.
fn replan(confirm: &mut Confirm, effects: &mut Vec<Effect>) {
    confirm.stale = true;
    effects.push(Request::Plan(confirm.requests.clone()).into());
}

pub fn show_progress(state: &mut State, at: WorkProgress) {
    if let Some(work) = &mut state.work {
        work.at = Some(at);
    }
}

/// Stops the action in progress. Returns false if there is none or a stop was already requested;
/// the key then has its usual meaning.
pub fn stop(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let acting = state.overlay.as_ref().is_some_and(Overlay::is_busy);
    let is_on_screen = state.overlay.is_none() && state.inspect.is_none();
    match &mut state.work {
        Some(work) if !work.stopping && (acting || (is_on_screen && work.at.is_some())) => {
            work.stopping = true;
            effects.push(Request::StopAct.into());
            true
        }
        _ => false,
    }
}

/// Reports the outcomes of an action and stores its undo.
pub fn finish(state: &mut State, outcomes: &[Outcome], effects: &mut Vec<Effect>) {
    state.work = None;
    if new_segment::report_created(state, outcomes) {
        effects.push(Request::Survey.into());
        return;
    }
    if matches!(&state.overlay, Some(Overlay::Confirm(confirm)) if confirm.acting) {
        state.overlay = None;
    }
    let done: Vec<&ChangeReport> =
        outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok()).collect();
    for done in &done {
        state.table.marks.remove(&done.id);
    }
    // If nothing changed, the previous action can still be undone.
    if !done.is_empty() {
        state.undo = undo_of(&done);
    }
    let report = ActionReport::new(state, outcomes);
    report.show(state, !done.is_empty());
    effects.push(Request::Survey.into());
}

fn undo_of(done: &[&ChangeReport]) -> Option<Undo> {
    let revert = |done: &&ChangeReport| {
        let (action, identity) = done.undo.clone().zip(done.identity)?;
        Some(Revert { id: done.id.clone(), identity, action })
    };
    let acts: Vec<Revert> = done.iter().filter_map(revert).collect();
    if !acts.is_empty() {
        return Some(Undo::Acts(acts));
    }
    let copy = |done: &&ChangeReport| Some(SavedCopy { id: done.id.clone(), path: done.copy.clone()? });
    let copies: Vec<SavedCopy> = done.iter().filter_map(copy).collect();
    (!copies.is_empty()).then_some(Undo::Copies(copies))
}

fn undo(state: &mut State, effects: &mut Vec<Effect>) {
    // The created segment may be in use by now, so its removal needs the usual confirmation.
    if let Some(Undo::Acts(acts)) = &state.undo
        && let [revert @ Revert { action: act::Action::Remove(_), .. }] = acts.as_slice()
    {
        let segments = state.survey.as_ref().map_or(&[][..], |survey| &survey.segments);
        match revert.segment(segments).cloned() {
            Ok(found) => {
                let confirm = begin(state, &[found], &REMOVE, effects);
                state.overlay = Some(Overlay::Confirm(confirm));
            }
            Err(failure) => {
                state.undo = None;
                state.fail(failure.reason);
            }
        }
        return;
    }
    match state.undo.take() {
        Some(undo) => {
            state.work = Some(RunningAction { undo: Some(undo.clone()), ..RunningAction::default() });
            effects.push(Request::Undo(undo).into());
        }
        None => state.fail("Nothing to undo. `shmlens restore FILE` restores a saved copy"),
    }
}

/// Reports an undo: a log line for each segment and a status line.
pub fn finish_undo(state: &mut State, results: Vec<UndoResult>, effects: &mut Vec<Effect>) {
    let undo = state.work.take().and_then(|work| work.undo);
    let verb = if matches!(undo, Some(Undo::Copies(_))) { "Restored" } else { "Reverted" };
    let remaining = undo.and_then(|undo| undo.remaining(&results));
    let can_retry = remaining.is_some();
    state.undo = remaining.or(state.undo.take());
    let (mut done, mut failures) = (vec![], vec![]);
    for undone in results {
        let name = undone.id.to_string();
        match undone.result {
            Ok(text) => {
                log(state, "undo", &name, &text);
                done.push(result(&name, &text));
            }
            Err(failure) => {
                log(state, "undo", &name, &failure.reason);
                failures.push(with_name(&name, &failure.reason));
            }
        }
    }
    let done = summarize(done, verb).into_iter().collect();
    let next_step = can_retry.then(|| format!("{}: try again", state.key_of(Action::Undo)));
    show(state, done, failures, next_step);
    effects.push(Request::Survey.into());
}

/// Adds a line to the session log.
pub fn log(state: &mut State, action: &str, segment: &str, result: &str) {
    let (segment, result) = (short_names(segment), short_names(result));
    // Do not name the segment twice.
    let result = result.strip_prefix(&format!("{segment}: ")).unwrap_or(&result);
    state.log_line(format!("{action} {segment}: {result}"));
}

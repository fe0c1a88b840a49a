//! Acting on segments: wish, plan, confirm, act, report, undo.

use super::report::{Report, first_of};
use super::{clean, new_segment};
use crate::act::{self, Done, Outcome, Plan, Revert, SavedCopy, Undone};
use crate::app::action::Action;
use crate::app::confirm::{Confirm, DEAF};
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::layout::overlay::{text_width, visible_rows};
use crate::app::new_segment::Step;
use crate::app::overlay::Overlay;
use crate::app::sentence::{naming, result, short_names};
use crate::app::state::State;
use crate::app::work::Work;
use crate::engine::{Request, Undo, Wanted, Wish, Working};
use crate::segment::{Segment, SegmentId, wrap};
use std::collections::HashSet;

/// How many lines the log of this run keeps.
const LOG: usize = 1000;
/// How many rows a page of a dialog has, about.
const PAGE: isize = 5;

/// Begins an act on the marked segments, or on the selected one.
pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    let wanted = match action {
        Action::Lock => Wanted::Lock,
        Action::Unlock => Wanted::Unlock,
        Action::Remove => Wanted::Remove { copy: true },
        Action::Undo => return undo(state, effects),
        Action::Log => {
            state.overlay = Some(Overlay::Log { top: usize::MAX });
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
    effects.push(Request::Plan(wishes.clone()).into());
    let mut confirm = Confirm::new(wishes, state.now);
    confirm.hidden = hidden(state, segments);
    state.overlay = Some(Overlay::Confirm(confirm));
}

/// How many of these the filter hides.
fn hidden(state: &State, segments: &[Segment]) -> usize {
    let Some(survey) = &state.survey else { return 0 };
    let shown = state.table.shown.iter().filter_map(|&at| survey.segments.get(at));
    let shown: HashSet<&SegmentId> = shown.map(|segment| &segment.id).collect();
    let listed: HashSet<&SegmentId> = survey.segments.iter().map(|segment| &segment.id).collect();
    segments.iter().filter(|segment| listed.contains(&segment.id) && !shown.contains(&segment.id)).count()
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
    let deaf = state.now.saturating_sub(confirm.since) < DEAF;
    match key.code {
        Code::Up | Code::Char('k') => scroll(state, &mut confirm, -1),
        Code::Down | Code::Char('j') => scroll(state, &mut confirm, 1),
        Code::PageUp => scroll(state, &mut confirm, -PAGE),
        Code::PageDown => scroll(state, &mut confirm, PAGE),
        Code::Home | Code::Char('g') => scroll(state, &mut confirm, isize::MIN),
        Code::End | Code::Char('G') => scroll(state, &mut confirm, isize::MAX),
        // While it acts, Esc stops it.
        Code::Char('n' | 'q') if !confirm.acting => return clean::back(state, confirm),
        _ if deaf || confirm.acting || confirm.stale || confirm.plans.is_empty() => {}
        Code::Char('f') if confirm.can_force() => {
            if let Some(wish) = confirm.wishes.get_mut(confirm.selected) {
                wish.force = !wish.force;
            }
            confirm.stale = true;
            effects.push(Request::Plan(confirm.wishes.clone()).into());
        }
        Code::Char('c') if confirm.can_toggle_copies() => {
            for wish in &mut confirm.wishes {
                if let Wanted::Remove { copy } = &mut wish.wanted {
                    *copy = !*copy;
                }
            }
            confirm.stale = true;
            effects.push(Request::Plan(confirm.wishes.clone()).into());
        }
        Code::Char('y') if confirm.doable() > 0 => {
            confirm.acting = true;
            state.work = Some(Work::default());
            effects.push(Request::Apply(confirm.plans.clone()).into());
        }
        _ => {}
    }
    state.overlay = Some(Overlay::Confirm(confirm));
}

/// Selects another segment of a batch, or scrolls the text about a single one.
fn scroll(state: &State, confirm: &mut Confirm, by: isize) {
    if confirm.wishes.len() > 1 {
        confirm.selected = confirm.selected.saturating_add_signed(by).min(confirm.wishes.len() - 1);
        return;
    }
    let width = usize::from(text_width(state.size)).saturating_sub(4);
    let undo = state.key_of(Action::Undo);
    let sentences = confirm.sentences(0, &undo);
    let rows = 1 + sentences.iter().map(|(text, _)| wrap(text, width).len()).sum::<usize>();
    let last = rows - visible_rows(state.size, rows, 2);
    confirm.top = confirm.top.saturating_add_signed(by).min(last);
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
        Some(Overlay::Save(form)) => form.saving,
        _ => false,
    };
    let free = state.overlay.is_none() && state.inspect.is_none();
    match &mut state.work {
        Some(work) if !work.stopping && (acting || (free && work.at.is_some())) => {
            work.stopping = true;
            effects.push(Request::StopAct.into());
            true
        }
        _ => false,
    }
}

/// Reports the outcomes of an action, and remembers how to undo it.
pub fn acted(state: &mut State, outcomes: &[Outcome], effects: &mut Vec<Effect>) {
    state.work = None;
    if new_segment::made(state, outcomes) {
        effects.push(Request::Survey.into());
        return;
    }
    if matches!(&state.overlay, Some(Overlay::Confirm(confirm)) if confirm.acting) {
        state.overlay = None;
    }
    let done: Vec<&Done> = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok()).collect();
    for done in &done {
        state.table.marks.remove(&done.id);
    }
    // An action that changed nothing leaves the one before as it can be undone.
    if !done.is_empty() {
        state.undo = undo_of(&done);
    }
    let report = Report::new(state, outcomes);
    report.show(state, !done.is_empty());
    effects.push(Request::Survey.into());
}

fn undo_of(done: &[&Done]) -> Option<Undo> {
    let revert = |done: &&Done| {
        let (action, identity) = done.undo.clone().zip(done.identity)?;
        Some(Revert { id: done.id.clone(), identity, action })
    };
    let acts: Vec<Revert> = done.iter().filter_map(revert).collect();
    if !acts.is_empty() {
        return Some(Undo::Acts(acts));
    }
    let copy = |done: &&Done| Some(SavedCopy { id: done.id.clone(), path: done.copy.clone()? });
    let copies: Vec<SavedCopy> = done.iter().filter_map(copy).collect();
    (!copies.is_empty()).then_some(Undo::Copies(copies))
}

fn undo(state: &mut State, effects: &mut Vec<Effect>) {
    // A created segment may be in use by now: removing it is confirmed as ever.
    if let Some(Undo::Acts(acts)) = &state.undo
        && let [revert @ Revert { action: act::Action::Remove(_), .. }] = acts.as_slice()
    {
        let segments = state.survey.as_ref().map_or(&[][..], |survey| &survey.segments);
        match revert.segment(segments).cloned() {
            Ok(found) => begin(state, &[found], &Wanted::Remove { copy: true }, effects),
            Err(failure) => {
                state.undo = None;
                state.fail(failure.reason);
            }
        }
        return;
    }
    match state.undo.take() {
        Some(undo) => {
            state.work = Some(Work { undo: Some(undo.clone()), ..Work::default() });
            effects.push(Request::Undo(undo).into());
        }
        None => state.fail("Nothing to undo. `shmlens restore FILE` restores a saved copy"),
    }
}

/// Reports an undo: a line for each segment in the log, one line at the foot.
pub fn undone(state: &mut State, results: Vec<Undone>, effects: &mut Vec<Effect>) {
    let undo = state.work.take().and_then(|work| work.undo);
    let verb = if matches!(undo, Some(Undo::Copies(_))) { "Restored" } else { "Reverted" };
    let left = undo.and_then(|undo| undo.left(&results));
    let again = left.is_some();
    state.undo = left.or(state.undo.take());
    let (mut done, mut failures) = (vec![], vec![]);
    for undone in results {
        let name = undone.id.to_string();
        match undone.result {
            Ok(said) => {
                log(state, "undo", &name, &said);
                done.push(result(&name, &said));
            }
            Err(failure) => {
                log(state, "undo", &name, &failure.reason);
                failures.push(naming(&name, &failure.reason));
            }
        }
    }
    let failed = !failures.is_empty();
    let mut parts = match done.len() {
        0 | 1 => done,
        many => vec![format!("{verb} {many} segments")],
    };
    parts.extend(first_of(state, failures));
    if again {
        parts.push(format!("{}: try again", state.key_of(Action::Undo)));
    }
    let text = parts.join(". ");
    if failed {
        state.fail(text);
    } else {
        state.say(text);
    }
    effects.push(Request::Survey.into());
}

/// Adds a line to the log of this session: the action, the segment, the result.
pub fn log(state: &mut State, action: &str, segment: &str, result: &str) {
    if state.log.len() >= LOG {
        state.log.remove(0);
    }
    let (segment, result) = (short_names(segment), short_names(result));
    // The segment stands in front already.
    let result = result.strip_prefix(&format!("{segment}: ")).unwrap_or(&result);
    state.log.push(format!("{action} {segment}: {result}"));
}

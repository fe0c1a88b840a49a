//! The form for a new segment: requests a plan, applies it, and shows errors.

use super::acting;
use super::overlay::with;
use crate::act::{Answer, Outcome, Plan, Question};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::new_segment::{NewSegmentForm, Step};
use crate::app::overlay::{Next, Overlay};
use crate::app::sentence::{name_of, with_name};
use crate::app::state::State;
use crate::app::work::RunningAction;
use crate::engine::Request;
use crate::segment::SegmentId;

/// Requests a fresh plan, since the state of the machine may have changed.
pub fn submit(form: &mut NewSegmentForm, effects: &mut Vec<Effect>) -> Next {
    match form.question() {
        Ok(question) => {
            form.step = Step::Planning;
            effects.push(Request::Ask(question).into());
        }
        Err(error) => form.error = Some(error.to_string()),
    }
    Next::Stay
}

/// Applies the plan, or shows its refusal.
fn apply_plan(state: &mut State, form: &mut NewSegmentForm, effects: &mut Vec<Effect>) -> Next {
    let segments = state.survey.as_ref().map_or(&[][..], |survey| &survey.segments);
    let existing = form.existing(segments).map(|segment| segment.id.clone());
    match (&form.plan, existing) {
        (None, _) => {}
        (Some(Err(reason)), _) => form.error = Some(reason.to_string()),
        (Some(Ok(plan)), Some(id)) if plan.refusal.is_some() && !form.exclusive => {
            state.show_message(format!("{id} already exists; nothing was changed"));
            select_when_listed(state, id);
            return Next::Close;
        }
        (Some(Ok(plan)), _) => {
            if let Some(refusal) = &plan.refusal {
                form.error = Some(refusal_text(plan, refusal));
            } else {
                form.step = Step::Applying;
                state.work = Some(RunningAction::default());
                effects.push(Request::Apply(vec![(**plan).clone()]).into());
            }
        }
    }
    Next::Stay
}

fn refusal_text(plan: &Plan, refusal: &crate::act::Refusal) -> String {
    with_name(&plan.subject(), &format!("{}. {}", refusal.reason, refusal.remedy))
}

pub fn handle_answer(state: &mut State, question: &Question, answer: Answer, effects: &mut Vec<Effect>) {
    let (Some(Overlay::New(form)), Answer::New(plan)) = (&mut state.overlay, answer) else { return };
    // This answers an earlier version of the form.
    if form.step == Step::Applying || form.question().as_ref() != Ok(question) {
        return;
    }
    form.plan = Some(plan);
    if std::mem::replace(&mut form.step, Step::Editing) == Step::Planning {
        with(state, |state, overlay| match overlay {
            Overlay::New(form) => apply_plan(state, form, effects),
            _ => Next::Stay,
        });
    }
}

/// Reports the new segment. Returns true if there is nothing else to report.
pub fn report_created(state: &mut State, outcomes: &[Outcome]) -> bool {
    let [Outcome { action: "create", result, subject }] = outcomes else { return false };
    let form = match &mut state.overlay {
        Some(Overlay::New(form)) if form.step == Step::Applying => Some(form),
        _ => None,
    };
    match (result, form) {
        (Ok(done), form) => {
            if form.is_some() {
                state.overlay = None;
            }
            select_when_listed(state, done.id.clone());
            false
        }
        (Err(error), Some(form)) => {
            form.step = Step::Editing;
            form.error = Some(error.to_string());
            acting::log(state, "create", subject, &error.to_string());
            true
        }
        (Err(_), None) => false,
    }
}

/// Selects a segment once the table contains it.
fn select_when_listed(state: &mut State, id: SegmentId) {
    state.table.pending_selection = Some(id);
    if let Some(survey) = &state.survey {
        state.table.arrange(survey);
    }
    report_hidden_selection(state);
}

/// Reports that the filter hides the new segment.
pub fn report_hidden_selection(state: &mut State) {
    let Some(survey) = &state.survey else { return };
    let Some(id) =
        state.table.pending_selection.take_if(|id| survey.segments.iter().any(|segment| segment.id == *id))
    else {
        return;
    };
    let before = state
        .notice
        .take()
        .filter(|notice| !notice.failed)
        .map_or(String::new(), |notice| notice.text + ". ");
    let id = name_of(&id);
    let clear = state.key_of(Action::ClearFilter);
    state.show_message(format!("{before}{id} is hidden by the filter ({clear}: clear)"));
}

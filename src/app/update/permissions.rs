//! The permissions form: resolves names, then requests the plans.

use super::acting;
use super::overlay::with;
use crate::act::access::Rules;
use crate::act::{Answer, Question};
use crate::app::effect::Effect;
use crate::app::overlay::{Next, Overlay};
use crate::app::permissions::Permissions;
use crate::app::state::State;
use crate::engine::Request;
use crate::segment::SegmentId;

/// Opens the form for the marked segments, or else for the selected segment.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let segments = acting::targets(state).into_iter().cloned().collect();
    if let Some(form) = Permissions::new(segments) {
        effects.extend(form.segments.first().map(|segment| Request::Rules(Box::new(segment.clone())).into()));
        state.overlay = Some(Overlay::Permissions(Box::new(form)));
    }
}

pub fn set_rules(state: &mut State, id: &SegmentId, rules: Rules) {
    if let Some(Overlay::Permissions(form)) = &mut state.overlay
        && form.segments.first().is_some_and(|segment| segment.id == *id)
    {
        form.rules = Some(rules);
    }
}

/// Stores a resolved name. Answers to earlier inputs are dropped.
pub fn handle_answer(state: &mut State, question: &Question, answer: Answer, effects: &mut Vec<Effect>) {
    let Some(Overlay::Permissions(form)) = &mut state.overlay else { return };
    match (question, answer) {
        (Question::User(text), Answer::Number(found)) if form.owner.text() == text => {
            form.owner_found = Some(found);
        }
        (Question::Group(text), Answer::Number(found)) if form.group.text() == text => {
            form.group_found = Some(found);
        }
        (Question::Principal(text), Answer::Principal(found)) if form.query.text() == text => {
            form.query_result = Some(found);
        }
        _ => return,
    }
    if form.submitted {
        with(state, |state, overlay| match overlay {
            Overlay::Permissions(form) => submit(state, form, effects),
            _ => Next::Stay,
        });
    }
}

/// Opens the confirmation, or shows the error.
pub fn submit(state: &State, form: &mut Permissions, effects: &mut Vec<Effect>) -> Next {
    form.submitted = false;
    match form.action() {
        Ok(Some(action)) => {
            let confirm = acting::begin(state, &form.segments, &action, effects);
            return Next::Replace(Overlay::Confirm(confirm));
        }
        Ok(None) => form.submitted = true,
        Err(error) => form.error = Some(error.to_string()),
    }
    Next::Stay
}

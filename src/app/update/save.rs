//! The form for saving segments to files.

use super::acting;
use super::report::{show, summarize};
use crate::act::{ActError, Outcome, SaveError};
use crate::app::effect::Effect;
use crate::app::overlay::{Next, Overlay};
use crate::app::save::Save;
use crate::app::sentence::{result, with_name};
use crate::app::state::State;
use crate::app::work::RunningAction;
use crate::engine::Request;
use std::path::PathBuf;

/// Opens the form for the marked segments, or else for the selected segment.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let segments: Vec<_> = acting::targets(state).into_iter().cloned().collect();
    if !segments.is_empty() {
        let form = Save::new(segments);
        effects.extend(form.question().map(|question| Request::Ask(question).into()));
        state.overlay = Some(Overlay::Save(Box::new(form)));
    }
}

/// Stores whether the typed file exists.
pub fn handle_answer(state: &mut State, path: PathBuf, exists: bool) {
    if let Some(Overlay::Save(form)) = &mut state.overlay {
        form.existing = exists.then_some(path);
    }
}

/// Starts the save, or shows the error.
pub fn submit(state: &mut State, form: &mut Save, effects: &mut Vec<Effect>) -> Next {
    match form.requests() {
        Ok(requests) => {
            form.saving = true;
            form.error = None;
            state.work = Some(RunningAction::default());
            effects.push(Request::Save(requests).into());
        }
        Err(error) => form.error = Some(error.to_string()),
    }
    Next::Stay
}

/// Reports the saved segments. If none were saved, the form stays open with the error.
pub fn finish(state: &mut State, outcomes: &[Outcome]) {
    state.work = None;
    let (mut done, mut failures, mut stopped) = (vec![], vec![], false);
    for outcome in outcomes {
        let subject = &outcome.subject;
        let line = match &outcome.result {
            Ok(finish) => {
                done.push(result(subject, &finish.messages.join("; ")));
                finish.text()
            }
            Err(ActError::NotSaved(SaveError::Stopped { .. })) => {
                stopped = true;
                "stopped; not saved".to_owned()
            }
            Err(error) => {
                let mut text = error.to_string();
                if matches!(error, ActError::NotSaved(SaveError::Exists { .. })) {
                    text.push_str(", or enable replace");
                }
                failures.push(with_name(subject, &text));
                error.to_string()
            }
        };
        acting::log(state, "save", subject, &line);
    }
    if done.is_empty()
        && !stopped
        && let Some(Overlay::Save(form)) = &mut state.overlay
    {
        form.saving = false;
        form.error = failures.into_iter().next();
        return;
    }
    if matches!(state.overlay, Some(Overlay::Save(_))) {
        state.overlay = None;
    }
    let mut parts: Vec<String> = summarize(done, "Saved").into_iter().collect();
    if stopped {
        let nothing = parts.is_empty();
        parts.push(if nothing { "Stopped; nothing was saved" } else { "Stopped" }.to_owned());
    }
    show(state, parts, failures, None);
}

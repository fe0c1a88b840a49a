//! Detaching from the segments that shmlens has attached.

use super::acting;
use super::report::{self, summarize};
use crate::act::{ActError, OwnAttachment, Released};
use crate::app::action::Action;
use crate::app::attachments::Attachments;
use crate::app::effect::Effect;
use crate::app::overlay::{Next, Overlay};
use crate::app::sentence::{result, with_name};
use crate::app::state::State;
use crate::engine::Request;
use crate::segment::SegmentId;

/// Opens the list.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    state.overlay = Some(Overlay::Attachments(Attachments::default()));
    effects.push(Request::ListAttachments.into());
}

/// Shows the attachments and keeps the selected segment selected.
pub fn show(state: &mut State, found: Vec<OwnAttachment>) {
    let now = state.now;
    let first = state.inspect.as_ref().map(|inspect| inspect.id().clone());
    let first = first.or_else(|| state.table.selected.clone());
    let Some(Overlay::Attachments(attachments)) = &mut state.overlay else { return };
    let chosen = attachments.shown().get(attachments.list.selected).map(|hold| hold.id.clone()).or(first);
    attachments.list.selected = found.iter().position(|hold| Some(&hold.id) == chosen.as_ref()).unwrap_or(0);
    // New content restarts the type-ahead guard.
    if attachments.found.as_ref() != Some(&found) {
        attachments.since = now;
    }
    attachments.found = Some(found);
}

pub fn act(attachments: &mut Attachments, action: Action, effects: &mut Vec<Effect>) -> Next {
    let released = match action {
        Action::Confirm => attachments.shown().get(attachments.list.selected).cloned().into_iter().collect(),
        Action::DetachAll => attachments.shown().to_vec(),
        _ => vec![],
    };
    if !released.is_empty() {
        attachments.acting = true;
        effects.push(Request::Release(released).into());
    }
    Next::Stay
}

/// Reports detached segments. Detaching by leaving Inspect is only reported if it freed the
/// segment.
pub fn finish_detach(
    state: &mut State,
    results: &[(SegmentId, Result<Released, ActError>)],
    effects: &mut Vec<Effect>,
) {
    let requested = matches!(&state.overlay, Some(Overlay::Attachments(attachments)) if attachments.acting);
    if requested {
        state.overlay = None;
    }
    let (mut done, mut failed) = (vec![], vec![]);
    for (id, outcome) in results {
        match outcome {
            Ok(released) => {
                state.kept.remove(id);
                if state.inspect.as_ref().is_some_and(|inspect| inspect.id() == id) {
                    state.inspect = None;
                }
                if requested || released.is_gone() {
                    acting::log(state, "detach", &id.to_string(), &released.text());
                    done.push((result(&id.to_string(), &released.text()), released.is_gone()));
                }
            }
            Err(error) => {
                acting::log(state, "detach", &id.to_string(), &error.to_string());
                failed.push(with_name(&id.to_string(), &error.to_string()));
            }
        }
    }
    let freed = done.iter().filter(|(_, gone)| *gone).count();
    let freed = if done.len() > 1 && freed > 0 { format!("; {freed} of them freed") } else { String::new() };
    let done = summarize(done.into_iter().map(|(text, _)| text).collect(), "Detached from");
    if done.is_some() || !failed.is_empty() {
        report::show(state, done.map(|done| done + &freed).into_iter().collect(), failed, None);
    }
    effects.push(Request::Survey.into());
}

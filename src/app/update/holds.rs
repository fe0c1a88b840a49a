//! Letting go of what we hold ourselves: ask the kernel, show, let go, tell.

use super::acting;
use super::report::{show, sum_up};
use crate::act::{ActError, Hold, Released};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::holds::Holds;
use crate::app::overlay::{Next, Overlay};
use crate::app::sentence::{naming, result};
use crate::app::state::State;
use crate::engine::Request;
use crate::segment::SegmentId;

/// Shows them, the selected segment first of all.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    state.overlay = Some(Overlay::Holds(Holds::default()));
    effects.push(Request::ListHolds.into());
}

/// The kernel was asked.
pub fn told(state: &mut State, told: Vec<Hold>) {
    let now = state.now;
    let first = state.inspect.as_ref().map(|inspect| inspect.id().clone());
    let first = first.or_else(|| state.table.selected.clone());
    let Some(Overlay::Holds(holds)) = &mut state.overlay else { return };
    let chosen = holds.shown().get(holds.list.selected).map(|hold| hold.id.clone()).or(first);
    holds.list.selected = told.iter().position(|hold| Some(&hold.id) == chosen.as_ref()).unwrap_or(0);
    // What is shown now was not there to be answered before.
    if holds.holds.as_ref() != Some(&told) {
        holds.since = now;
    }
    holds.holds = Some(told);
}

/// Detaches from the selected one, or from all.
pub fn act(holds: &mut Holds, action: Action, effects: &mut Vec<Effect>) -> Next {
    let which = match action {
        Action::Confirm => holds.shown().get(holds.list.selected).cloned().into_iter().collect(),
        Action::DetachAll => holds.shown().to_vec(),
        _ => vec![],
    };
    if !which.is_empty() {
        holds.acting = true;
        effects.push(Request::Release(which).into());
    }
    Next::Stay
}

/// What came of it. Leaving a segment lets go too, of which only is told that
/// it took the segment with it.
pub fn let_go(
    state: &mut State,
    results: &[(SegmentId, Result<Released, ActError>)],
    effects: &mut Vec<Effect>,
) {
    let asked = matches!(&state.overlay, Some(Overlay::Holds(holds)) if holds.acting);
    if asked {
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
                if asked || released.is_gone() {
                    acting::log(state, "detach", &id.to_string(), &released.said());
                    done.push((result(&id.to_string(), &released.said()), released.is_gone()));
                }
            }
            Err(error) => {
                acting::log(state, "detach", &id.to_string(), &error.to_string());
                failed.push(naming(&id.to_string(), &error.to_string()));
            }
        }
    }
    let freed = done.iter().filter(|(_, gone)| *gone).count();
    let freed = if done.len() > 1 && freed > 0 { format!("; {freed} of them freed") } else { String::new() };
    let done = sum_up(done.into_iter().map(|(text, _)| text).collect(), "Detached from");
    if done.is_some() || !failed.is_empty() {
        show(state, done.map(|done| done + &freed).into_iter().collect(), failed, None);
    }
    effects.push(Request::Survey.into());
}

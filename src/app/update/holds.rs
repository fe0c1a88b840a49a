//! Letting go of what we hold ourselves: ask the kernel, show, let go, tell.

use super::acting;
use super::report::first_of;
use crate::act::{ActError, Hold, Released};
use crate::app::confirm::DEAF;
use crate::app::effect::Effect;
use crate::app::holds::Holds;
use crate::app::key::{Code, Key};
use crate::app::overlay::Overlay;
use crate::app::sentence::{naming, result};
use crate::app::state::State;
use crate::engine::Request;
use crate::segment::SegmentId;

/// Shows them, the selected segment first of all.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    state.overlay = Some(Overlay::Holds(Holds::default()));
    effects.push(Request::Holds.into());
}

/// The kernel was asked.
pub fn told(state: &mut State, told: Vec<Hold>) {
    let now = state.now;
    let first = state.inspect.as_ref().map(|inspect| inspect.id().clone());
    let first = first.or_else(|| state.table.selected.clone());
    let Some(Overlay::Holds(holds)) = &mut state.overlay else { return };
    let chosen = holds.shown().get(holds.selected).map(|hold| hold.id.clone()).or(first);
    holds.selected = told.iter().position(|hold| Some(&hold.id) == chosen.as_ref()).unwrap_or(0);
    // What is shown now was not there to be answered before.
    if holds.holds.as_ref() != Some(&told) {
        holds.since = now;
    }
    holds.holds = Some(told);
}

/// A key while they are shown. Esc was taken before.
pub fn key(state: &mut State, mut holds: Holds, key: Key, effects: &mut Vec<Effect>) {
    let last = holds.shown().len().saturating_sub(1);
    let deaf = state.now.saturating_sub(holds.since) < DEAF;
    let mut let_go = |holds: &mut Holds, which: Vec<Hold>| {
        if !which.is_empty() {
            holds.acting = true;
            effects.push(Request::LetGo(which).into());
        }
    };
    match key.code {
        Code::Up | Code::Char('k') => holds.selected = holds.selected.saturating_sub(1),
        Code::Down | Code::Char('j') => holds.selected = (holds.selected + 1).min(last),
        Code::Char('n' | 'q') => return,
        _ if deaf || holds.acting => {}
        Code::Char('y') => {
            let which = holds.shown().get(holds.selected).cloned().into_iter().collect();
            let_go(&mut holds, which);
        }
        Code::Char('a') => {
            let which = holds.shown().to_vec();
            let_go(&mut holds, which);
        }
        _ => {}
    }
    state.overlay = Some(Overlay::Holds(holds));
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
    let gone = done.iter().filter(|(_, gone)| *gone).count();
    let text = match (done.as_slice(), gone) {
        ([], _) => String::new(),
        ([(one, _)], _) => one.clone(),
        (many, 0) => format!("Detached from {} segments", many.len()),
        (many, gone) => format!("Detached from {} segments; {gone} of them freed", many.len()),
    };
    if let Some(first) = first_of(state, failed) {
        let before = if text.is_empty() { String::new() } else { format!("{text}. ") };
        state.fail(format!("{before}{first}"));
    } else if !text.is_empty() {
        state.say(text);
    }
    effects.push(Request::Survey.into());
}

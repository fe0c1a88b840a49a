//! Actions in the list of holders.

use super::acting;
use super::overlay::with;
use crate::act::{TerminateError, TerminateResult, Termination};
use crate::app::effect::Effect;
use crate::app::holders::{Holders, Terminate};
use crate::app::overlay::{Next, Overlay};
use crate::app::state::State;
use crate::engine::{Request, ScanScope};

/// Lists the holders of the selected segment and rescans them.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let (Some(survey), Some(segment)) = (&state.survey, state.selected()) else { return };
    let holders = Holders::new(segment, survey);
    let pids: Vec<u32> = holders.rows.iter().map(|row| row.holder.pid).collect();
    if !pids.is_empty() {
        effects.push(Request::Holders(ScanScope::These(pids)).into());
    }
    state.overlay = Some(Overlay::Holders(holders));
}

pub fn refresh(state: &mut State) {
    let Some(survey) = &state.survey else { return };
    match &mut state.overlay {
        Some(Overlay::Holders(holders)) => holders.refresh(survey),
        Some(Overlay::Terminate(terminate)) => terminate.back.refresh(survey),
        _ => {}
    }
}

/// Opens the confirmation for terminating the selected holder, or explains why that is not
/// possible.
pub fn confirm(state: &mut State, holders: &Holders) -> Next {
    let Some(row) = holders.rows.get(holders.list.selected) else {
        state.fail("No holder selected");
        return Next::Stay;
    };
    if state.work.is_some() {
        state.fail(state.in_progress());
        return Next::Stay;
    }
    match Termination::of(&row.holder, &holders.segment.id, state.read_only) {
        Ok(termination) => Next::Replace(Overlay::Terminate(Box::new(Terminate {
            termination,
            row: row.clone(),
            since: state.now,
            acting: false,
            back: holders.clone(),
        }))),
        Err(refusal) => {
            state.fail(format!("{}. {}", refusal.reason, refusal.remedy));
            Next::Stay
        }
    }
}

pub fn terminate(terminate: &mut Terminate, effects: &mut Vec<Effect>) -> Next {
    terminate.acting = true;
    effects.push(Request::Terminate(Box::new(terminate.termination.clone())).into());
    Next::Stay
}

/// Reports the result of terminating a process.
pub fn finish_termination(
    state: &mut State,
    termination: &Termination,
    result: Result<TerminateResult, TerminateError>,
    effects: &mut Vec<Effect>,
) {
    with(state, |_, overlay| match overlay {
        Overlay::Terminate(terminate) if terminate.termination == *termination => {
            Next::Replace(Overlay::Holders(terminate.back.clone()))
        }
        _ => Next::Stay,
    });
    match result {
        Ok(finish_termination) => {
            let text = termination.text(finish_termination);
            acting::log(state, "terminate", &termination.segment.to_string(), &text);
            state.show_message(text);
        }
        Err(error) => {
            acting::log(state, "terminate", &termination.segment.to_string(), &error.to_string());
            state.fail(error.to_string());
        }
    }
    effects.push(Request::Holders(ScanScope::These(vec![termination.process.pid])).into());
    effects.push(Request::Survey.into());
}

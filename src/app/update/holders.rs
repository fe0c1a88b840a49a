//! Keys among the holders of a segment, and asking one of them to end.

use super::acting;
use crate::act::{EndError, Ended, Ending};
use crate::app::confirm::DEAF;
use crate::app::effect::{Effect, Who};
use crate::app::holders::{Ask, Holders};
use crate::app::key::{Code, Key};
use crate::app::overlay::Overlay;
use crate::app::state::State;

/// How many rows a page has, about.
const PAGE: usize = 5;

/// Shows the holders of the selected segment, and looks at them again.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let (Some(survey), Some(segment)) = (&state.survey, state.selected()) else { return };
    let holders = Holders::new(segment, survey);
    let pids: Vec<u32> = holders.rows.iter().map(|row| row.holder.pid).collect();
    if !pids.is_empty() {
        effects.push(Effect::Holders(Who::These(pids)));
    }
    state.overlay = Some(Overlay::Holders(holders));
}

/// The machine was looked at.
pub fn surveyed(state: &mut State) {
    if let (Some(Overlay::Holders(holders)), Some(survey)) = (&mut state.overlay, &state.survey) {
        holders.look(survey);
    }
}

/// A key while they are shown. Esc was taken before.
pub fn key(state: &mut State, mut holders: Holders, key: Key, effects: &mut Vec<Effect>) {
    if let Some(ask) = holders.ask.take() {
        holders.ask = answer(state, ask, key, effects);
        state.overlay = Some(Overlay::Holders(holders));
        return;
    }
    let last = holders.rows.len().saturating_sub(1);
    let at = holders.selected;
    holders.selected = match key.code {
        Code::Up | Code::Char('k') => at.saturating_sub(1),
        Code::Down | Code::Char('j') => at + 1,
        Code::PageUp => at.saturating_sub(PAGE),
        Code::PageDown | Code::Char(' ') => at + PAGE,
        Code::Home | Code::Char('g') => 0,
        Code::End | Code::Char('G') => last,
        Code::Char('K') => {
            ask(state, &mut holders);
            at
        }
        Code::Char('q' | 'h') => return,
        _ => at,
    }
    .min(last);
    state.overlay = Some(Overlay::Holders(holders));
}

/// Asks whether the selected one is to end, or says why it is not asked.
fn ask(state: &mut State, holders: &mut Holders) {
    let Some(row) = holders.rows.get(holders.selected) else {
        return state.fail("No holder selected");
    };
    if state.work.is_some() {
        return state.fail("Another action is in progress (esc cancels it)");
    }
    match Ending::of(&row.holder, &holders.segment.id, state.read_only) {
        Ok(ending) => {
            holders.ask = Some(Ask { ending, row: Box::new(row.clone()), since: state.now, acting: false });
        }
        Err(refusal) => state.fail(format!("{}. {}", refusal.reason, refusal.remedy)),
    }
}

/// A key while that is asked; `None` goes back to the list.
fn answer(state: &State, mut ask: Ask, key: Key, effects: &mut Vec<Effect>) -> Option<Ask> {
    let deaf = state.now.saturating_sub(ask.since) < DEAF;
    match key.code {
        Code::Char('n' | 'q') if !ask.acting => return None,
        Code::Char('y') if !deaf && !ask.acting => {
            ask.acting = true;
            effects.push(Effect::End(Box::new(ask.ending.clone())));
        }
        _ => {}
    }
    Some(ask)
}

/// It was asked to end, or could not be.
pub fn ended(state: &mut State, ending: &Ending, result: Result<Ended, EndError>, effects: &mut Vec<Effect>) {
    if let Some(Overlay::Holders(holders)) = &mut state.overlay {
        holders.ask = holders.ask.take().filter(|ask| ask.ending != *ending);
    }
    match result {
        Ok(ended) => {
            let said = ending.said(ended);
            acting::log(state, "terminate", &ending.segment.to_string(), &said);
            state.say(said);
        }
        Err(error) => {
            acting::log(state, "terminate", &ending.segment.to_string(), &error.to_string());
            state.fail(error.to_string());
        }
    }
    effects.push(Effect::Holders(Who::These(vec![ending.process.pid])));
    effects.push(Effect::Survey);
}

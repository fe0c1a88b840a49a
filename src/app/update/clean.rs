//! Keys in the list of what is leaked. Removal goes the way of every act.

use super::acting;
use crate::app::clean::Clean;
use crate::app::confirm::Confirm;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::overlay::Overlay;
use crate::app::state::State;
use crate::engine::Wanted;
use crate::segment::Segment;

/// How many entries a page has, about.
const PAGE: usize = 4;

/// Shows what is leaked of the rows of the table.
pub fn open(state: &mut State) {
    if let Some(survey) = &state.survey {
        state.overlay = Some(Overlay::Clean(Clean::new(survey, &state.table.shown)));
    }
}

/// The machine was looked at.
pub fn surveyed(state: &mut State) {
    if let (Some(Overlay::Clean(clean)), Some(survey)) = (&mut state.overlay, &state.survey) {
        clean.look(survey, &state.table.shown);
    }
}

/// Leaves a dialog. The list of leaks that led to it is there again, up to date.
pub fn back(state: &mut State, confirm: Confirm) {
    if let Some(mut clean) = confirm.back.filter(|_| !confirm.acting) {
        if let Some(survey) = &state.survey {
            clean.look(survey, &state.table.shown);
        }
        state.overlay = Some(Overlay::Clean(*clean));
    }
}

/// A key while they are shown. Esc was taken before.
pub fn key(state: &mut State, mut clean: Clean, key: Key, effects: &mut Vec<Effect>) {
    let last = clean.items.len().saturating_sub(1);
    let at = clean.selected;
    clean.selected = match key.code {
        Code::Up | Code::Char('k') => at.saturating_sub(1),
        Code::Down | Code::Char('j') => at + 1,
        Code::PageUp => at.saturating_sub(PAGE),
        Code::PageDown => at + PAGE,
        Code::Home | Code::Char('g') => 0,
        Code::End | Code::Char('G') => last,
        Code::Char(' ') => {
            clean.tick();
            at + 1
        }
        Code::Char('a') => {
            clean.tick_all(true);
            at
        }
        Code::Char('A') => {
            clean.tick_all(false);
            at
        }
        Code::Enter | Code::Char('x') => return go(state, clean, effects),
        Code::Char('q' | 'c' | 'n') => return,
        _ => at,
    }
    .min(last);
    state.overlay = Some(Overlay::Clean(clean));
}

/// On to the plans for those that are ticked, or what stands in the way.
fn go(state: &mut State, clean: Clean, effects: &mut Vec<Effect>) {
    use crate::app::action::Action;
    let segments: Vec<Segment> = clean.ticked().map(|item| (*item.segment).clone()).collect();
    if state.read_only || state.work.is_some() {
        if let Some(reason) = state.refusal(Action::Remove) {
            state.fail(reason);
        }
    } else if segments.is_empty() {
        if !clean.items.is_empty() {
            state.fail("Nothing selected: space selects one, a selects all");
        }
    } else {
        acting::begin(state, &segments, &Wanted::Remove { copy: true }, effects);
        if let Some(Overlay::Confirm(confirm)) = &mut state.overlay {
            confirm.back = Some(Box::new(clean));
        }
        return;
    }
    state.overlay = Some(Overlay::Clean(clean));
}

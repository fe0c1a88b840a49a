//! Keys that wait until a segment is open, or until the cursor has arrived at the target of a jump.

use super::press;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::inspect::PendingSearch;
use crate::app::key::Key;
use crate::app::state::State;
use std::time::Duration;

/// The longest time that keys wait for the answer of a jump. A longer search shows its progress.
const JUMP: Duration = Duration::from_millis(500);
/// Limited in case the engine never answers.
const MAX_KEYS: usize = 1000;

/// Stores a key that has to wait. Returns true if it does.
pub fn keep(state: &mut State, key: Key, action: Option<Action>) -> bool {
    let leaves = match action {
        Some(Action::Interrupt) => true,
        Some(Action::Back | Action::Leave | Action::Close) => state.opening.is_none(),
        _ => false,
    };
    if leaves || state.opening.is_none() && left(state).is_none() {
        return false;
    }
    if state.typed_ahead.len() < MAX_KEYS {
        state.typed_ahead.push(key);
    }
    true
}

/// Handles the stored keys once they need not wait any more, and drops those that have waited too
/// long for a jump.
pub fn resume(state: &mut State, effects: &mut Vec<Effect>) {
    if state.typed_ahead.is_empty() || state.opening.is_some() || left(state).is_some() {
        return;
    }
    let keys = std::mem::take(&mut state.typed_ahead);
    if let Some(pending) = pending(state) {
        let text = format!("Still searching for {}", pending.subject.text());
        state.show_message(format!("{text} ({}: stop)", state.key_of(Action::Back)));
        return;
    }
    for key in keys {
        press(state, key, effects);
    }
}

/// Returns the time that keys still wait for a jump; `None` if there is no jump, or it takes long.
fn left(state: &State) -> Option<Duration> {
    JUMP.checked_sub(state.now.saturating_sub(pending(state)?.since)).filter(|left| !left.is_zero())
}

/// Returns the time until stored keys are dropped.
pub fn next_drop(state: &State) -> Option<Duration> {
    if state.typed_ahead.is_empty() { None } else { left(state) }
}

fn pending(state: &State) -> Option<&PendingSearch> {
    state.inspect.as_ref().and_then(|inspect| inspect.pending.as_ref())
}

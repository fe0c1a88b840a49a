//! Sampling the selected channel at every write.

use super::is_wanted;
use crate::app::action::Action;
use crate::app::state::State;
use crate::engine::WatchedValue;
use crate::scope::Source;
use crate::scope::writers::parts;

/// Samples the selected channel at every write, or all by time if it is.
pub fn toggle(state: &mut State) {
    let Some(channel) = state.scope.selected().map(|selected| selected.channel.clone()) else {
        state.show_message("No channel selected");
        return;
    };
    if state.scope.at_writes.as_ref().is_some_and(|at_writes| at_writes.is_of(&channel)) {
        state.scope.set_at_writes(None);
        state.show_message("Sampling by time");
        return;
    }
    let Source::Value(value) = &channel.source else {
        state.fail("Only a value in a segment is written");
        return;
    };
    if let Err(error) = parts(&value.place().range()) {
        state.fail(error.to_string());
        return;
    }
    state.scope.set_at_writes(Some(&channel));
    let values = state.scope.channels.iter();
    let values = values.filter(|one| matches!(one.channel.source, Source::Value(_))).count();
    let others = if values > 1 { "; the other values are not sampled meanwhile" } else { "" };
    let key = state.key_of(Action::EveryWrite);
    state.show_message(format!("Sampling {} at every write ({key}: by time){others}", channel.name));
}

/// The watch that samples at every write while samples are wanted.
pub fn watched(state: &State) -> Option<WatchedValue> {
    state.scope.watched().filter(|_| is_wanted(state))
}

//! Actions in the Scope screen, and its samples.

mod array;
mod at_writes;
mod lookup;
mod mouse;
mod pins;
mod recorder;
mod trigger;
mod types;
mod view;
mod waveforms;

pub use at_writes::watched;
pub use lookup::{complete, completed, find, found};
pub use mouse::act as mouse;
pub use pins::{channel, offer_late, pinned, toggle_waveform, typed};
pub use recorder::{record, recorded, save_view, saved};
pub use trigger::set_trigger;
pub use waveforms::{is_read_by, read, surveyed};

use super::writers;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::overlay::{Overlay, Prompt, PromptKind};
use crate::app::scope::Taken;
use crate::app::state::State;
use crate::engine::{Delivery, Request};
use crate::scope::Source;
use crate::scope::trigger::{Fired, Reason};
use std::sync::Arc;

/// Opens the screen. Without channels, the moving values of the segment on screen become some.
pub fn open(state: &mut State) {
    let shown = state.inspect.as_ref().map(|inspect| &inspect.segment).or(state.selected());
    let shown = shown.map(|segment| segment.id.clone());
    let is_busy = state.scope.recorder.is_some() || state.scope.trigger.is_some();
    if !is_busy && state.scope.offered.is_some() && state.scope.offered != shown {
        state.scope.clear();
    }
    if state.scope.is_empty() {
        pins::offer(state);
    }
    state.overlay = None;
    if !state.requested.samples {
        state.scope.reopen();
    }
    state.scope_open = true;
}

pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    let newest = state.scope.history.newest().unwrap_or(0);
    if array::act(state, action, effects) {
        return;
    }
    if view::act_on_move(&mut state.scope, action, newest) {
        return;
    }
    let is_replay = state.scope.recording.is_some();
    match action {
        Action::Back => (state.scope_open, state.starts_in_scope) = (false, false),
        Action::Scope => {}
        Action::ResetStatistics if is_replay => {
            state.show_message("The statistics are those of the recording, and stay");
        }
        Action::EveryWrite if is_replay => {
            state.show_message("A recording has only the samples that it was made with");
        }
        Action::Freeze if is_replay => state.show_message("Nothing is sampled: the view stays as it is"),
        Action::AddChannel | Action::DropChannel | Action::EveryWrite if state.scope.recorder.is_some() => {
            let key = state.key_of(Action::Record);
            state.fail(format!("the channels are being recorded ({key} stops)"));
        }
        Action::AddChannel => prompt(state, PromptKind::Channel, ""),
        Action::DropChannel => drop_channel(state),
        Action::Trigger => {
            let text = state.scope.trigger.as_ref().map(trigger::text).unwrap_or_default();
            prompt(state, PromptKind::Trigger, &text);
        }
        Action::NextTrigger => trigger::go(state, true),
        Action::PreviousTrigger => trigger::go(state, false),
        Action::Rearm => trigger::rearm(state),
        Action::Record => recorder::toggle(state, effects),
        Action::CopyChannel => copy(state, effects),
        Action::Writers => watch_writers(state),
        Action::EveryWrite => at_writes::toggle(state),
        Action::Freeze => {
            state.scope.view.toggle_frozen(newest);
            if state.scope.view.is_frozen {
                state.show_message("View frozen; sampling goes on");
            }
        }
        Action::Cursors if newest == 0 => state.show_message("No samples yet"),
        Action::MoreSamples | Action::FewerSamples if is_replay => {
            state.show_message("A recording has the rate that it was made with");
        }
        Action::MoreSamples | Action::FewerSamples if state.scope.at_writes.is_some() => {
            let key = state.key_of(Action::EveryWrite);
            state.show_message(format!("Sampled at every write ({key}: by time)"));
        }
        Action::MoreSamples => state.scope.step_rate(true),
        Action::FewerSamples => state.scope.step_rate(false),
        Action::PlotKind => view::next_kind(state),
        _ => view::act(&mut state.scope, action, newest),
    }
}

fn prompt(state: &mut State, kind: PromptKind, text: &str) {
    let mut prompt = Prompt::new(kind);
    prompt.input.input = text.into();
    state.overlay = Some(Overlay::Prompt(prompt));
}

fn drop_channel(state: &mut State) {
    if state.scope.channels.is_empty() {
        state.show_message("No channel selected");
        return;
    }
    match state.scope.remove(state.scope.cursor) {
        Ok(channel) => state.show_message(format!("Dropped {}", channel.name)),
        Err(error) => state.fail(format!("cannot drop the channel: {error}")),
    }
}

fn copy(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(selected) = state.scope.selected() else {
        state.show_message("No channel selected");
        return;
    };
    let bits = selected.statistics.last_bits();
    let value = bits.map(|bits| selected.channel.text(bits)).unwrap_or_default();
    let text = format!("{}\t{value}", selected.channel.name);
    effects.push(Effect::Copy(text));
    let message = format!("Copied {}", selected.channel.name);
    state.show_message(message);
}

/// Shows who writes to the selected value.
fn watch_writers(state: &mut State) {
    match state.scope.selected().map(|selected| selected.channel.source.clone()) {
        Some(Source::Value(value)) => writers::open(state, &value.segment, value.place().range()),
        Some(_) => state.fail("Only a value in a segment has writers"),
        None => state.show_message("No channel selected"),
    }
}

/// Takes a delivery of samples.
pub fn take(state: &mut State, delivery: Delivery, effects: &mut Vec<Effect>) {
    let number = delivery.number;
    let Some(Taken { fired, batch }) = state.scope.take(number, delivery.into_batch()) else { return };
    if let Some(recorder) = &mut state.scope.recorder {
        match recorder.queue.request(&Arc::new(batch)) {
            Some(request) => effects.push(request.into()),
            None => recorder.lost += 1,
        }
    }
    // A timeout only moves the plot on.
    let is_met = |fired: &&Fired| matches!(fired.reason, Reason::Met { .. });
    if let Some(last) = fired.iter().rfind(is_met) {
        trigger::triggered(state, last, effects);
    }
    trigger::save(state, effects);
}

/// Asks for the samples of the channels, and for the arrays, while the screen is open. A recording and a
/// trigger go on behind other screens.
pub fn sync(state: &mut State, effects: &mut Vec<Effect>) {
    waveforms::sync(state, effects);
    if is_wanted(state) && state.scope.at_writes.is_none() {
        if let Some(request) = state.scope.request() {
            effects.push(Request::Scope(Some(Box::new(request))).into());
            state.requested.samples = true;
        }
    } else if std::mem::take(&mut state.requested.samples) {
        effects.push(Request::Scope(None).into());
        if is_shown(state) {
            state.scope.reopen();
        } else {
            state.scope.pause();
        }
    }
}

/// Returns true while samples are shown, recorded, or waited for by a trigger.
fn is_wanted(state: &State) -> bool {
    is_shown(state) && !state.scope.channels.is_empty()
}

fn is_shown(state: &State) -> bool {
    state.scope_open || state.scope.is_sampled_behind()
}

//! Channels that the user types: looking them up, and completing them.

use super::types;
use crate::app::effect::Effect;
use crate::app::overlay::{Overlay, Prompt, PromptKind};
use crate::app::state::State;
use crate::engine::{FindChannels, Request};
use crate::scope::text::{Completion, ResolvedSignal, Signal, complete_recorded, resolve_recorded};
use crate::segment::{Segment, ShownError};
use std::sync::Arc;

/// Looks up the channel that the user typed. `None` if the answer closes the prompt, or shows the error in
/// it.
pub fn find(state: &mut State, text: &str, effects: &mut Vec<Effect>) -> Option<Result<(), ShownError>> {
    if state.scope.recording.is_some() {
        let found = resolve_recorded(text).map_err(ShownError::of);
        return Some(found.and_then(|channel| add(state, Signal::Channel(channel))));
    }
    state.scope.lookups += 1;
    let (number, texts) = (state.scope.lookups, vec![text.to_owned()]);
    let (segments, types) = (segments(state), types::chosen(state).map(|(chosen, _)| chosen).collect());
    effects.push(Request::FindChannels(Box::new(FindChannels { number, texts, segments, types })).into());
    None
}

/// Continues what the user typed, or asks for its continuations.
pub fn complete(state: &State, prompt: &mut Prompt, effects: &mut Vec<Effect>) {
    let text = prompt.input.input.value().to_owned();
    if state.scope.recording.is_some() {
        let names = state.scope.channels.iter().map(|one| one.channel.name.as_str());
        let found = complete_recorded(&text, names);
        show_completions(prompt, &text, &found, "No channel continues this");
        return;
    }
    let types = types::chosen(state).map(|(chosen, _)| chosen).collect();
    effects.push(Request::CompleteChannel(text, segments(state), types).into());
}

fn segments(state: &State) -> Arc<[Segment]> {
    state.survey.as_ref().map(|survey| survey.segments.as_slice().into()).unwrap_or_default()
}

/// Adds the channels and arrays that were found.
pub fn found(state: &mut State, number: u64, found: Vec<Result<ResolvedSignal, ShownError>>) {
    if number != state.scope.lookups {
        return;
    }
    let mut outcome = Ok(());
    for found in found {
        outcome = outcome.and(found.and_then(|found| add(state, found.signal)));
    }
    match (outcome, channel_prompt(&mut state.overlay)) {
        (Ok(()), Some(_)) => state.overlay = None,
        (Ok(()), None) => {}
        (Err(error), Some(prompt)) => prompt.error = Some(error.to_string()),
        (Err(error), None) => state.fail(error.to_string()),
    }
}

fn add(state: &mut State, signal: Signal) -> Result<(), ShownError> {
    match signal {
        Signal::Channel(channel) => {
            state.scope.add(channel).map_err(ShownError::of)?;
            state.scope.cursor = state.scope.channels.len() - 1;
        }
        Signal::Waveform(waveform) => {
            state.scope.add_waveform(waveform).map_err(ShownError::of)?;
            state.scope.cursor = state.scope.rows() - 1;
        }
    }
    Ok(())
}

/// Shows the continuations that were asked for.
pub fn completed(state: &mut State, text: &str, found: &[Completion]) {
    let Some(prompt) = channel_prompt(&mut state.overlay) else { return };
    if prompt.input.input.value() == text {
        show_completions(prompt, text, found, "No segment or field continues this");
    }
}

/// Continues what the user typed as far as it is unique, and shows the ways to go on.
fn show_completions(prompt: &mut Prompt, text: &str, found: &[Completion], nothing: &str) {
    let Some(first) = found.first() else {
        prompt.note = Some(nothing.to_owned());
        return;
    };
    let common = found.iter().skip(1).fold(first.text.as_str(), |common, next| {
        let length = common.char_indices().zip(next.text.chars()).take_while(|((_, a), b)| a == b);
        let end = length.last().map_or(0, |((at, c), _)| at + c.len_utf8());
        &common[..end]
    });
    prompt.input.input = common.to_owned().into();
    if found.len() > 1 {
        let start = text.rfind(['.', ':', '+']).map_or(0, |at| at + 1);
        let names = found.iter().map(|one| one.text.get(start..).unwrap_or(&one.text));
        prompt.note = Some(names.collect::<Vec<_>>().join("  "));
    }
}

fn channel_prompt(overlay: &mut Option<Overlay>) -> Option<&mut Prompt> {
    match overlay {
        Some(Overlay::Prompt(prompt)) if prompt.kind == PromptKind::Channel => Some(prompt),
        _ => None,
    }
}

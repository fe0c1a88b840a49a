//! Recording the samples of the Scope screen.

use super::prompt;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::overlay::{Overlay, PromptKind};
use crate::app::scope::{MAX_SAVES, Recorder};
use crate::app::state::State;
use crate::engine::{RecordRequest, RecordingState, Request};
use crate::scope::plot::relative;
use crate::scope::recording::RecordingFormat;
use crate::scope::units;
use crate::segment::ShownError;
use std::path::PathBuf;

/// Asks for the file of a recording, or ends the running one.
pub fn toggle(state: &mut State, effects: &mut Vec<Effect>) {
    if state.scope.recorder.is_some() {
        effects.push(Request::Record(None).into());
    } else if state.scope.channels.is_empty() {
        let key = state.key_of(Action::AddChannel);
        let what = if state.scope.waveforms.is_empty() {
            "No channels to record"
        } else {
            "Waveforms are not recorded"
        };
        state.show_message(format!("{what} ({key}: add a value)"));
    } else if state.scope.view.is_frozen || state.scope.recording.is_some() {
        ask_for_view(state);
    } else {
        prompt(state, PromptKind::Record, "");
    }
}

/// Asks for the file of the samples on screen.
fn ask_for_view(state: &mut State) {
    let range = state.scope.visible().and_then(|[from, to]| {
        let ticks = state.scope.history.ticks(from, to);
        let last = ticks.end.checked_sub(1)?;
        Some((state.scope.history.time(ticks.start)?, state.scope.history.time(last)?))
    });
    let Some((from, to)) = range else {
        state.show_message("No samples on screen");
        return;
    };
    let length = units::duration(relative(to, from));
    let live = if state.scope.recording.is_some() {
        String::new()
    } else {
        let key = state.key_of(Action::Freeze);
        format!(". To record from now on, leave the frozen view with {key} first")
    };
    prompt(state, PromptKind::SaveView, "");
    if let Some(Overlay::Prompt(prompt)) = &mut state.overlay {
        prompt.note = Some(format!("Saves the samples on screen, {length}{live}"));
    }
}

/// Saves the samples on screen to the file that the user typed. An existing one is not replaced.
pub fn save_view(state: &State, path: &str, effects: &mut Vec<Effect>) -> Result<(), ShownError> {
    let path = PathBuf::from(path);
    RecordingFormat::of(&path).map_err(ShownError::of)?;
    let request = state.scope.visible().and_then(|visible| state.scope.save(path, visible, false));
    let request = request.ok_or_else(|| ShownError::new("no samples on screen".to_owned()))?;
    effects.push(request.into());
    Ok(())
}

/// Tells about samples that were saved.
pub fn saved(state: &mut State, saved: Result<RecordingState, ShownError>) {
    let files = state.scope.trigger.as_ref().and_then(|armed| armed.saves.as_ref());
    let is_last = files.is_some_and(|files| files.is_full() && !files.is_waiting());
    match saved {
        Err(error) => state.fail(error.to_string()),
        Ok(now) if is_last => {
            let (text, key) = (now.text(), state.key_of(Action::Rearm));
            state.show_message(format!("Saved {text}, the last of {MAX_SAVES} files ({key}: arm again)"));
        }
        Ok(now) => state.show_message(format!("Saved {}", now.text())),
    }
}

/// Starts a recording to the file that the user typed. An existing one is not replaced.
pub fn record(state: &mut State, path: &str, effects: &mut Vec<Effect>) -> Result<(), ShownError> {
    let path = PathBuf::from(path);
    RecordingFormat::of(&path).map_err(ShownError::of)?;
    let channels = state.scope.all_channels();
    let writers = state.scope.at_writes.is_some();
    state.scope.recorder = Some(Recorder::default());
    let request = RecordRequest { writers, ..RecordRequest::new(path, channels) };
    effects.push(Request::Record(Some(Box::new(request))).into());
    Ok(())
}

/// Takes the state of the recording.
pub fn recorded(state: &mut State, recorded: Result<RecordingState, ShownError>) {
    match recorded {
        Err(error) => {
            state.scope.recorder = None;
            state.fail(error.to_string());
        }
        Ok(now) if now.is_finished => {
            let lost = state.scope.recorder.take().map_or(0, |recorder| recorder.lost);
            let lost = if lost > 0 { ", some lost: the disk was too slow" } else { "" };
            state.show_message(format!("Recorded {}{lost}", now.text()));
        }
        Ok(now) => {
            if let Some(recorder) = &mut state.scope.recorder {
                recorder.state = Some(now);
            }
        }
    }
}

//! Recording the samples of the Scope screen.

use super::prompt;
use crate::app::effect::Effect;
use crate::app::overlay::PromptKind;
use crate::app::scope::Recorder;
use crate::app::state::State;
use crate::engine::{RecordRequest, RecordingState, Request};
use crate::scope::recording::RecordingFormat;
use crate::segment::ShownError;
use std::path::PathBuf;

/// Asks for the file of a recording, or ends the running one.
pub fn toggle(state: &mut State, effects: &mut Vec<Effect>) {
    if state.scope.recorder.is_some() {
        effects.push(Request::Record(None).into());
    } else if state.scope.channels.is_empty() {
        state.show_message("No channels to record");
    } else {
        prompt(state, PromptKind::Record, "");
    }
}

/// Starts a recording to the file that the user typed. An existing one is not replaced.
pub fn record(state: &mut State, path: &str, effects: &mut Vec<Effect>) -> Result<(), ShownError> {
    let path = PathBuf::from(path);
    RecordingFormat::of(&path).map_err(ShownError::of)?;
    let channels = state.scope.channels.iter().map(|one| one.channel.clone()).collect();
    state.scope.recorder = Some(Recorder::default());
    let request = RecordRequest { path, channels, replace: false, max_size: None, writers: false };
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

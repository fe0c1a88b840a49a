//! Starts the interactive program with the user's settings.

use super::draw;
use super::run::{self, ExitReason, Program, RunError, RunOptions};
use super::theme::{Depth, Theme};
use crate::act::LoggedSegments;
use crate::app::scope::{AddError, MAX_CHANNELS, Scope};
use crate::app::{Effect, Event, Keymap, KeymapError, Settings, State, next_tick, update};
use crate::config::{Config, ConfigError, When};
use crate::engine::{Clock, Request};
use crate::identify::Rules;
use crate::machine::Machine;
use crate::scope::recording::{self, ReplayError};
use crate::segment::{Bytes, SegmentId, escape};
use ratatui::buffer::Buffer;
use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Command-line options for the UI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UiOptions {
    /// `Auto` uses the setting in the config.
    pub color: When,
    /// Overrides the config.
    pub ascii: bool,
    pub read_only: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum UiError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Channel(#[from] AddError),
    /// The terminal is missing or failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The screen that the program starts with.
#[derive(Debug)]
pub enum Start {
    /// The table. The rows of these segments come before the others.
    Segments(Vec<SegmentId>),
    /// Channels, or a recording.
    Scope(Box<Scope>),
}

/// Reads a recording. Its oldest samples are dropped if it takes more than `memory`.
///
/// # Errors
/// Fails if the file is no recording.
pub fn read_recording(path: &Path, memory: Bytes) -> Result<Scope, UiError> {
    let mut replay = recording::open(path)?;
    let name = escape(path.file_name().unwrap_or(path.as_os_str()).as_encoded_bytes());
    let mut scope = Scope::of_recording(name, replay.tracks(), memory)?;
    let mut problems = vec![];
    let tracks = replay.tracks().len();
    if tracks > MAX_CHANNELS {
        problems.push(format!("showing the first {MAX_CHANNELS} of {tracks} channels"));
    }
    loop {
        match replay.next_batch() {
            Ok(Some(batch)) => _ = scope.feed(batch),
            Ok(None) => break,
            // The samples before the damage are shown.
            Err(error @ ReplayError::Damaged { .. }) if !scope.history.is_empty() => {
                problems.push(format!("{error}. The samples before that are shown"));
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if replay.is_cut_off() {
        problems.push("the end of the recording is missing".to_owned());
    }
    if let Some(recording) = &mut scope.recording {
        (recording.start, recording.figures) = (replay.start(), replay.figures());
        recording.problems = problems;
    }
    scope.show_all();
    Ok(scope)
}

/// Runs the interactive program until it ends. Must run on the main thread.
pub fn open(
    machine: &Arc<dyn Machine>,
    config: &Config,
    options: UiOptions,
    start: Start,
) -> Result<ExitReason, UiError> {
    let keymap = Keymap::with_overrides(&config.keys)
        .map_err(|error| config.wrong_keys(Some(action_of(&error)), &error))?;
    let uid = machine.effective_uid();
    let user = machine.user_name(uid).map_or_else(|| uid.to_string(), |name| escape(name.as_bytes()));
    let settings = Settings {
        interval: config.interval,
        live_interval: config.live_interval,
        mouse: config.mouse,
        keymap,
        user,
        read_only: options.read_only,
        history: config.scope.history,
    };
    let mut state = State::new(settings);
    match start {
        Start::Segments(first) => state.table.first = first,
        Start::Scope(scope) => state.start_in_scope(*scope),
    }
    let ui = Ui { state, theme: theme_for(config, options) };
    let rules = Rules::with_makers(&config.makers, config.settle).with_created(LoggedSegments::shared());
    let options = RunOptions {
        mouse: config.mouse,
        copies: config.copies,
        rates_share: f64::from(config.rates_cpu) / 100.0,
        layouts: config.layouts.clone(),
    };
    Ok(run::run(machine, ui, options, rules)?)
}

/// The action with the invalid line in the config.
fn action_of(error: &KeymapError) -> &str {
    match error {
        KeymapError::Action(name) => name,
        KeymapError::Key { action, .. } => action,
        KeymapError::Twice { second, .. } => second,
    }
}

fn theme_for(config: &Config, options: UiOptions) -> Theme {
    let color = if options.color == When::Auto { config.color } else { options.color };
    let variable = |name: &str| env::var(name).ok();
    let depth = match color {
        When::Auto => Depth::detect(variable),
        When::Never => Depth::Mono,
        // Overrides NO_COLOR and monochrome terminals.
        When::Always => {
            Depth::detect(|name| variable(name).filter(|_| name != "NO_COLOR")).max(Depth::Sixteen)
        }
    };
    Theme::new(config.theme, depth, options.ascii || config.ascii)
}

/// State and theme, as the event loop needs them.
struct Ui {
    state: State,
    theme: Theme,
}

impl Program for Ui {
    fn update(&mut self, now: Clock, event: Event) -> Vec<Effect> {
        update(&mut self.state, now, event)
    }

    fn next_tick(&self, now: Clock) -> Option<Duration> {
        next_tick(&self.state, now)
    }

    fn end(&mut self) -> Vec<Request> {
        self.state.last_requests()
    }

    fn draw(&self, buffer: &mut Buffer) {
        draw::draw(&self.state, &self.theme, buffer);
    }
}

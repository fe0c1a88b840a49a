//! The trigger of the Scope screen: its text, and its actions when it fires.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::scope::{Armed, TriggerAction, TriggerSaves};
use crate::app::state::State;
use crate::scope::recording::RecordingFormat;
use crate::scope::trigger::{Condition, Fired, Mode, Trigger};
use crate::scope::units;
use crate::segment::ShownError;
use std::path::PathBuf;
use std::time::Duration;

pub fn rearm(state: &mut State) {
    if state.scope.recording.is_some() {
        state.show_message("A recording is searched as a whole, and nothing is armed");
    } else if let Some(trigger) = &mut state.scope.trigger {
        trigger.rearm();
        state.scope.view.follow();
        state.show_message("Trigger armed");
    } else {
        let key = state.key_of(Action::Trigger);
        state.show_message(format!("No trigger set ({key} sets one)"));
    }
}

pub fn triggered(state: &mut State, fired: &Fired, effects: &mut Vec<Effect>) {
    let Some(trigger) = &state.scope.trigger else { return };
    let actions = trigger.actions.clone();
    let text = trigger.trigger.condition.to_string();
    let status = trigger.status();
    let is_single = trigger.trigger.mode == Mode::Single;
    let freezes = is_single || actions.contains(&TriggerAction::Freeze);
    // The user looks at the one before.
    if freezes && !state.scope.view.is_frozen {
        let pre = trigger.pre();
        state.scope.view.show_trigger(fired.time, pre);
        let newest = state.scope.history.newest().unwrap_or(0);
        let since = units::duration(crate::scope::plot::relative(newest, fired.time));
        let (action, does) = if is_single { (Action::Rearm, "arm again") } else { (Action::Freeze, "go on") };
        let key = state.key_of(action);
        state.show_message(format!("Triggered {since} ago: {text} ({key}: {does})"));
    }
    if !state.scope_open && state.notice.as_ref().is_none_or(|notice| !notice.failed) {
        let key = state.key_of(Action::Scope);
        state.show_message(format!("Trigger {status}: {text} ({key} shows it)"));
    }
    if actions.contains(&TriggerAction::Bell) {
        effects.push(Effect::Bell);
    }
    if actions.contains(&TriggerAction::Notify) {
        effects.push(Effect::Notify(format!("shmlens: {text}")));
    }
}

/// Saves the samples around triggers, once they are complete.
pub fn save(state: &mut State, effects: &mut Vec<Effect>) {
    effects.extend(state.scope.due_saves(false).into_iter().map(Effect::from));
}

/// Sets the trigger that the user typed; an empty text removes it. The samples around the last one are saved
/// as far as they are there.
pub fn set_trigger(state: &mut State, typed: &str, effects: &mut Vec<Effect>) -> Result<(), ShownError> {
    if typed.trim().is_empty() {
        effects.extend(state.scope.due_saves(true).into_iter().map(Effect::from));
        state.scope.clear_trigger();
        return Ok(());
    }
    let Typed { trigger, actions, save } = parse_trigger(typed)?;
    let is_replay = state.scope.recording.is_some();
    let action = save.as_ref().map(|_| "save").or(actions.first().map(|action| action.word()));
    if let Some(action) = action.filter(|_| is_replay) {
        return Err(ShownError::new(format!(
            "{action} is for live samples: in a recording, a trigger only finds"
        )));
    }
    let mut armed = Armed::new(trigger, actions, &state.scope.all_channels()).map_err(ShownError::of)?;
    armed.saves = save.map(TriggerSaves::new);
    effects.extend(state.scope.due_saves(true).into_iter().map(Effect::from));
    state.scope.set_trigger(armed);
    if is_replay {
        let found = state.scope.trigger_status().unwrap_or_default();
        let [next, previous] = [Action::NextTrigger, Action::PreviousTrigger].map(|key| state.key_of(key));
        state.show_message(format!("Trigger: {found} ({next}: next, {previous}: previous)"));
    }
    Ok(())
}

/// Shows the next or the previous time at which the trigger fired.
pub fn go(state: &mut State, is_next: bool) {
    if state.scope.show_trigger(is_next) {
        return;
    }
    let key = state.key_of(Action::Trigger);
    state.show_message(match &state.scope.trigger {
        None => format!("No trigger set ({key} sets one)"),
        Some(armed) if armed.count == 0 && state.scope.recording.is_some() => {
            "The recording never meets the condition".to_owned()
        }
        Some(armed) if armed.count == 0 => "The trigger has not fired yet".to_owned(),
        Some(_) if is_next => "That was the last one".to_owned(),
        Some(_) => "That was the first one".to_owned(),
    });
}

/// A trigger with its actions, as it was typed.
struct Typed {
    trigger: Trigger,
    actions: Vec<TriggerAction>,
    /// The file for the samples around it.
    save: Option<PathBuf>,
}

/// Parses a condition and, behind semicolons, the mode, the holdoff, the part before it, and actions:
/// `tick > 1000 rising; single; pre 20%; holdoff 1s; bell`.
fn parse_trigger(typed: &str) -> Result<Typed, ShownError> {
    let mut parts = typed.split(';').map(str::trim);
    let condition: Condition = parts.next().unwrap_or_default().parse().map_err(ShownError::of)?;
    let mut trigger = Trigger::new(condition);
    let (mut actions, mut save) = (vec![], None);
    for part in parts.filter(|part| !part.is_empty()) {
        let (word, rest) = part.split_once(' ').map_or((part, ""), |(word, rest)| (word, rest.trim()));
        let action = TriggerAction::ALL.into_iter().find(|action| action.word() == word);
        match (word, action) {
            (_, Some(action)) if rest.is_empty() => actions.push(action),
            ("pre", _) => trigger.pre = percent(rest)?,
            ("save", _) if rest.is_empty() => {
                return Err(ShownError::new("save takes a file, such as run.mcap".to_owned()));
            }
            ("save", _) => {
                let path = PathBuf::from(rest);
                RecordingFormat::of(&path).map_err(ShownError::of)?;
                save = Some(path);
            }
            ("holdoff", _) => trigger.holdoff = time(rest)?,
            _ => trigger.mode = part.parse().map_err(|_| unknown(part))?,
        }
    }
    Ok(Typed { trigger, actions, save })
}

fn unknown(part: &str) -> ShownError {
    let part = crate::segment::quote(part.as_bytes());
    ShownError::new(format!(
        "unknown option '{part}': use auto, normal, single, pre 20%, holdoff 100ms, freeze, bell, notify or save run.mcap"
    ))
}

fn percent(text: &str) -> Result<u8, ShownError> {
    let number = text.trim_end_matches('%').trim().parse().ok().filter(|percent: &u8| *percent <= 100);
    number.ok_or_else(|| ShownError::new("pre takes 0% to 100%".to_owned()))
}

fn time(text: &str) -> Result<Duration, ShownError> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        _ => f64::NAN,
    };
    let seconds = number.trim().parse::<f64>().unwrap_or(f64::NAN) * unit;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| ShownError::new("holdoff takes a time such as 100ms or 2s".to_owned()))
}

/// The text that the trigger was typed as.
pub fn text(armed: &Armed) -> String {
    let Trigger { condition, mode, holdoff, pre } = &armed.trigger;
    let options = [
        (*mode != Mode::Normal).then(|| mode.to_string()),
        (*pre != 50).then(|| format!("pre {pre}%")),
        (!holdoff.is_zero()).then(|| format!("holdoff {}ms", holdoff.as_millis())),
    ];
    let save = armed.saves.as_ref().map(|saves| format!("save {}", saves.path.display()));
    let actions = armed.actions.iter().map(|action| action.word().to_owned()).chain(save);
    let parts: Vec<String> =
        [condition.to_string()].into_iter().chain(options.into_iter().flatten()).chain(actions).collect();
    parts.join("; ")
}

//! The trigger of the Scope screen: its text, and its actions when it fires.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::scope::{Armed, TriggerAction};
use crate::app::state::State;
use crate::scope::trigger::{Condition, Fired, Mode, Trigger};
use crate::scope::{Channel, units};
use crate::segment::ShownError;
use std::time::Duration;

pub fn rearm(state: &mut State) {
    if let Some(trigger) = &mut state.scope.trigger {
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
    let is_single = trigger.trigger.mode == Mode::Single;
    if is_single || actions.contains(&TriggerAction::Freeze) {
        let after = state.scope.view.span / 100 * u64::from(100 - trigger.pre().min(100));
        state.scope.view.end = Some(fired.time.saturating_add(after));
        state.scope.view.is_frozen = true;
        let newest = state.scope.history.newest().unwrap_or(0);
        let since = units::duration(crate::scope::plot::relative(newest, fired.time));
        let key = state.key_of(Action::Rearm);
        state.show_message(format!("Triggered {since} ago: {text} ({key}: arm again)"));
    }
    if actions.contains(&TriggerAction::Bell) {
        effects.push(Effect::Bell);
    }
    if actions.contains(&TriggerAction::Notify) {
        effects.push(Effect::Notify(format!("shmlens: {text}")));
    }
}

/// Sets the trigger that the user typed; an empty text removes it.
pub fn set_trigger(state: &mut State, typed: &str) -> Result<(), ShownError> {
    if typed.trim().is_empty() {
        state.scope.trigger = None;
        state.scope.view.follow();
        return Ok(());
    }
    let (trigger, actions) = parse_trigger(typed)?;
    let channels: Vec<Channel> = state.scope.channels.iter().map(|one| one.channel.clone()).collect();
    state.scope.trigger = Some(Armed::new(trigger, actions, &channels).map_err(ShownError::of)?);
    state.scope.view.follow();
    Ok(())
}

/// Parses a condition and, behind semicolons, the mode, the holdoff, the part before it, and actions:
/// `tick > 1000 rising; single; pre 20%; holdoff 1s; bell`.
fn parse_trigger(typed: &str) -> Result<(Trigger, Vec<TriggerAction>), ShownError> {
    let mut parts = typed.split(';').map(str::trim);
    let condition: Condition = parts.next().unwrap_or_default().parse().map_err(ShownError::of)?;
    let mut trigger = Trigger::new(condition);
    let mut actions = vec![];
    for part in parts.filter(|part| !part.is_empty()) {
        let (word, rest) = part.split_once(' ').map_or((part, ""), |(word, rest)| (word, rest.trim()));
        let action = TriggerAction::ALL.into_iter().find(|action| action.word() == word);
        match (word, action) {
            (_, Some(action)) if rest.is_empty() => actions.push(action),
            ("pre", _) => trigger.pre = percent(rest)?,
            ("holdoff", _) => trigger.holdoff = time(rest)?,
            _ => trigger.mode = part.parse().map_err(|_| unknown(part))?,
        }
    }
    Ok((trigger, actions))
}

fn unknown(part: &str) -> ShownError {
    let part = crate::segment::quote(part.as_bytes());
    ShownError::new(format!(
        "unknown option '{part}': use auto, normal, single, pre 20%, holdoff 100ms, freeze, bell or notify"
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
    let actions = armed.actions.iter().map(|action| action.word().to_owned());
    let parts: Vec<String> =
        [condition.to_string()].into_iter().chain(options.into_iter().flatten()).chain(actions).collect();
    parts.join("; ")
}

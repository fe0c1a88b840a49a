//! Actions in the Scope screen, and its samples.

use super::writers;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::list::step;
use crate::app::overlay::{Overlay, Prompt, PromptKind};
use crate::app::scope::{Armed, PlotKind, Recorder, Scope, Taken, TriggerAction};
use crate::app::state::State;
use crate::decode::{Bits, ByteOrder, Scalar, Type};
use crate::engine::{Delivery, FindChannels, Moving, RecordRequest, RecordingState, Request};
use crate::identify::typing::Candidate;
use crate::scope::recording::RecordingFormat;
use crate::scope::text::{Completion, Resolved};
use crate::scope::trigger::{Condition, Fired, Mode, Trigger};
use crate::scope::{Channel, NumberKind, SampledValue, Source, text, units};
use crate::segment::{Segment, ShownError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Moving values that become channels when there are none.
const MAX_OFFERED: usize = 6;
/// Tenths of the visible time that a key moves it by.
const PAN: i64 = 1;
const PAGE: i64 = 10;
/// Tenths of a column that a cursor moves by, of a plot of 100.
const CURSOR_STEPS: u64 = 100;

/// Opens the screen. Without channels, the moving values of the segment on screen become some.
pub fn open(state: &mut State) {
    let shown = state.inspect.as_ref().map(|inspect| &inspect.segment).or(state.selected());
    let shown = shown.map(|segment| segment.id.clone());
    if state.scope.recorder.is_none() && state.scope.offered.is_some() && state.scope.offered != shown {
        state.scope.clear();
    }
    if state.scope.channels.is_empty() {
        offer(state);
    }
    state.overlay = None;
    if !state.requested.samples {
        state.scope.reopen();
    }
    state.scope_open = true;
}

pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    let newest = state.scope.history.newest().unwrap_or(0);
    if act_on_move(&mut state.scope, action, newest) {
        return;
    }
    let is_replay = state.scope.recording.is_some();
    match action {
        Action::Back => close(state, effects),
        Action::Scope => {}
        Action::AddChannel | Action::Trigger | Action::Record if is_replay => {
            state.show_message("A recording has only the channels and samples that it was made with");
        }
        Action::AddChannel if state.scope.recorder.is_some() => {
            let key = state.key_of(Action::Record);
            state.fail(format!("the channels are being recorded ({key} stops)"));
        }
        Action::AddChannel => prompt(state, PromptKind::Channel, ""),
        Action::DropChannel => drop_channel(state),
        Action::Trigger => {
            let text = state.scope.trigger.as_ref().map(trigger_text).unwrap_or_default();
            prompt(state, PromptKind::Trigger, &text);
        }
        Action::Rearm => rearm(state),
        Action::Record => toggle_recording(state, effects),
        Action::CopyChannel => copy(state, effects),
        Action::Writers => watch_writers(state),
        Action::Freeze => {
            state.scope.view.toggle_frozen(newest);
            if state.scope.view.is_frozen {
                state.show_message("View frozen; sampling goes on");
            }
        }
        Action::Cursors if newest == 0 => state.show_message("No samples yet"),
        Action::Shorter | Action::Longer if state.scope.recording.is_some() => {
            state.show_message("A recording has the rate that it was made with");
        }
        Action::Shorter => state.scope.step_rate(true),
        Action::Longer => state.scope.step_rate(false),
        Action::PlotKind => next_kind(state),
        _ => act_on_view(&mut state.scope, action, newest),
    }
}

fn act_on_view(scope: &mut Scope, action: Action, newest: u64) {
    match action {
        Action::Plot => {
            if let Some(channel) = scope.channels.get_mut(scope.cursor) {
                channel.is_plotted = !channel.is_plotted;
            }
        }
        Action::Cursors => scope.view.toggle_cursors(newest),
        Action::NextCursor => scope.view.active = 1 - scope.view.active,
        Action::ZoomIn => scope.view.zoom(true, newest),
        Action::ZoomOut => scope.view.zoom(false, newest),
        Action::Axes => scope.view.own_axes = !scope.view.own_axes,
        Action::ResetStatistics => {
            scope.channels.iter_mut().for_each(|channel| channel.statistics.reset());
        }
        _ => {}
    }
}

/// Selects a channel, or moves a cursor or the view.
fn act_on_move(scope: &mut Scope, action: Action, newest: u64) -> bool {
    let last = scope.channels.len().saturating_sub(1);
    match action {
        Action::Up | Action::Down => {
            let by = step(action, 1).unwrap_or(0);
            scope.cursor = scope.cursor.saturating_add_signed(by).min(last);
        }
        Action::Left => sideways(scope, -1, newest),
        Action::Right => sideways(scope, 1, newest),
        Action::PageUp => scope.view.pan(-PAGE, newest),
        Action::PageDown => scope.view.pan(PAGE, newest),
        Action::HalfUp => scope.view.pan(-PAGE / 2, newest),
        Action::HalfDown => scope.view.pan(PAGE / 2, newest),
        Action::First => {
            if let Some(oldest) = scope.history.oldest() {
                scope.view.is_frozen = true;
                scope.view.end = Some(oldest.saturating_add(scope.view.span).min(newest));
            }
        }
        Action::Last => scope.view.follow(),
        _ => return false,
    }
    true
}

/// Moves the active cursor if cursors are shown, otherwise the view.
fn sideways(scope: &mut Scope, by: i64, newest: u64) {
    let [from, to] = scope.view.range(newest);
    let step = (scope.view.span / CURSOR_STEPS).max(1).cast_signed();
    match &mut scope.view.cursors[scope.view.active] {
        Some(at) => *at = at.saturating_add_signed(step * by).clamp(from, to),
        None => scope.view.pan(PAN * by, newest),
    }
}

/// Moves the view with the wheel, and with Ctrl zooms it.
pub fn wheel(state: &mut State, notch: i16) {
    let newest = state.scope.history.newest().unwrap_or(0);
    state.scope.view.zoom(notch < 0, newest);
}

fn close(state: &mut State, effects: &mut Vec<Effect>) {
    state.scope_open = false;
    if state.scope.recording.is_some() {
        // The screen is all that `replay` shows.
        effects.push(Effect::Quit);
    }
}

fn prompt(state: &mut State, kind: PromptKind, text: &str) {
    let mut prompt = Prompt::new(kind);
    prompt.input.input = text.into();
    state.overlay = Some(Overlay::Prompt(prompt));
}

fn next_kind(state: &mut State) {
    state.scope.view.next_kind();
    if state.scope.view.kind == PlotKind::Xy && state.scope.plotted().len() < 2 {
        state.scope.view.next_kind();
    }
}

fn drop_channel(state: &mut State) {
    if state.scope.channels.is_empty() {
        state.show_message("No channel selected");
        return;
    }
    if state.scope.recorder.is_some() {
        let key = state.key_of(Action::Record);
        state.fail(format!("the channels are being recorded ({key} stops)"));
        return;
    }
    match state.scope.remove(state.scope.cursor) {
        Ok(channel) => state.show_message(format!("Dropped {}", channel.name)),
        Err(error) => state.fail(format!("cannot drop the channel: {error}")),
    }
}

fn rearm(state: &mut State) {
    if let Some(trigger) = &mut state.scope.trigger {
        trigger.rearm();
        state.scope.view.follow();
        state.show_message("Trigger armed");
    } else {
        let key = state.key_of(Action::Trigger);
        state.show_message(format!("No trigger set ({key} sets one)"));
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
    if let Some(last) = fired.last() {
        triggered(state, last, effects);
    }
}

/// Asks for the file of a recording, or ends the running one.
fn toggle_recording(state: &mut State, effects: &mut Vec<Effect>) {
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
    let request = RecordRequest { path, channels, replace: false, max_size: None };
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

fn triggered(state: &mut State, fired: &Fired, effects: &mut Vec<Effect>) {
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
fn trigger_text(armed: &Armed) -> String {
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

/// Looks up the channel that the user typed. The answer closes the prompt, or shows the error in it.
pub fn find(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    state.scope.lookups += 1;
    let (number, texts) = (state.scope.lookups, vec![text.to_owned()]);
    let segments = segments(state);
    effects.push(Request::FindChannels(Box::new(FindChannels { number, texts, segments })).into());
}

/// Asks for continuations of what the user typed.
pub fn complete(state: &State, text: &str, effects: &mut Vec<Effect>) {
    effects.push(Request::CompleteChannel(text.to_owned(), segments(state)).into());
}

fn segments(state: &State) -> Arc<[Segment]> {
    state.survey.as_ref().map(|survey| survey.segments.as_slice().into()).unwrap_or_default()
}

/// Adds the channels that were found.
pub fn found(state: &mut State, number: u64, found: Vec<Result<Resolved, ShownError>>) {
    if number != state.scope.lookups {
        return;
    }
    let mut outcome = Ok(());
    for channel in found {
        outcome = outcome.and(channel.and_then(|found| add(state, found.channel)));
    }
    match (outcome, channel_prompt(&mut state.overlay)) {
        (Ok(()), Some(_)) => state.overlay = None,
        (Ok(()), None) => {}
        (Err(error), Some(prompt)) => prompt.error = Some(error.to_string()),
        (Err(error), None) => state.fail(error.to_string()),
    }
}

fn add(state: &mut State, channel: Channel) -> Result<(), ShownError> {
    state.scope.add(channel).map_err(ShownError::of)?;
    state.scope.cursor = state.scope.channels.len() - 1;
    Ok(())
}

/// Continues what the user typed as far as it is unique, and shows the ways to go on.
pub fn completed(state: &mut State, text: &str, found: &[Completion]) {
    let Some(prompt) = channel_prompt(&mut state.overlay) else { return };
    if prompt.input.input.value() != text {
        return;
    }
    let Some(first) = found.first() else {
        prompt.note = Some("No segment or field continues this".to_owned());
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

/// Adds the moving values of the segment on screen.
fn offer(state: &mut State) {
    let (segment, moving) = if let Some(inspect) = &state.inspect {
        (inspect.segment.clone(), inspect.moving.clone())
    } else {
        let Some(segment) = state.selected() else { return };
        let moving = state.table.strip.look().map(|look| look.moving.clone()).unwrap_or_default();
        (segment.clone(), moving)
    };
    let found = state.typing.of(&segment).and_then(|types| types.found.first());
    let typed = found.filter(|best| best.certain && best.layout.is_none());
    let channels = moving.iter().filter_map(|value| {
        typed
            .and_then(|typed| field_of(&segment, typed, value.offset))
            .or_else(|| channel_of(&segment, value))
    });
    let channels: Vec<Channel> = channels.take(MAX_OFFERED).collect();
    // Two guesses may be in the same field.
    let added = channels.into_iter().filter_map(|channel| state.scope.add(channel).ok()).count();
    state.scope.cursor = 0;
    state.scope.offered = Some(segment.id.clone());
    if added > 0 {
        let values = if added == 1 { "value" } else { "values" };
        let (drop, add) = (state.key_of(Action::DropChannel), state.key_of(Action::AddChannel));
        state.show_message(format!(
            "Added {added} moving {values} of {} ({drop}: drop one, {add}: add another)",
            segment.id.short()
        ));
    }
}

/// The field of the certain type at an offset.
fn field_of(segment: &Segment, typed: &Candidate, offset: u64) -> Option<Channel> {
    let path = typed.ty.path_at(offset.checked_sub(typed.offset)?)?;
    let place = typed.ty.place(&path)?;
    let name = text::field_text(segment, &typed.ty, &path);
    channel(segment, Some(name), (typed.offset + place.offset, place.ty, place.bits))
}

fn channel_of(segment: &Segment, value: &Moving) -> Option<Channel> {
    // The first of `u32/u64`.
    let word = value.kind.split('/').next()?;
    let scalar = Scalar::BASIC.into_iter().find(|scalar| scalar.word() == word)?;
    channel(segment, None, (value.offset, &Type::scalar(scalar, ByteOrder::native()), None))
}

/// A channel for a number in a segment. Without a name, it is called by its offset and type.
pub fn channel(
    segment: &Segment,
    name: Option<String>,
    (offset, ty, bits): (u64, &Type, Option<Bits>),
) -> Option<Channel> {
    let kind = NumberKind::of(ty.at(offset))?;
    let name = name.or_else(|| text::number_text(segment, offset, ty))?;
    let value =
        SampledValue { segment: Box::new(segment.clone()), offset, ty: ty.clone(), bits, sequence: None };
    Some(Channel { name, kind, source: Source::Value(value) })
}

/// Adds a value that was pinned in Inspect, or removes those that were unpinned: pins and channels are
/// the same values.
pub fn pinned(state: &mut State, is_pinned: bool, channel: Option<Channel>) {
    let Some(Channel { source: Source::Value(value), .. }) = &channel else { return };
    if is_pinned {
        if let Some(channel) = channel {
            // Its name may be there already.
            let _ = state.scope.add(channel);
        }
        return;
    }
    let is_same = |other: &Channel| match &other.source {
        Source::Value(other) => {
            other.segment.id == value.segment.id && other.place().range().contains(&value.offset)
        }
        Source::Expression(_) | Source::Recorded => false,
    };
    while let Some(index) = state.scope.channels.iter().position(|one| is_same(&one.channel)) {
        if state.scope.remove(index).is_err() {
            return;
        }
    }
}

/// Asks for the samples of the channels while the screen is open.
pub fn sync(state: &mut State, effects: &mut Vec<Effect>) {
    // A recording goes on behind other screens.
    let is_shown = state.scope_open || state.scope.recorder.is_some();
    let is_wanted = is_shown && !state.scope.channels.is_empty();
    if is_wanted {
        if let Some(request) = state.scope.request() {
            effects.push(Request::Scope(Some(Box::new(request))).into());
            state.requested.samples = true;
        }
    } else if std::mem::take(&mut state.requested.samples) {
        effects.push(Request::Scope(None).into());
        state.scope.reopen();
    }
}

//! Channels that Inspect and the table know: pinned values, and the moving values of a segment.

use super::{types, waveforms};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::scope::AddError;
use crate::app::state::State;
use crate::decode::{Bits, ByteOrder, PlacedType, Scalar, Type};
use crate::engine::Moving;
use crate::scope::{Channel, NumberKind, SampledArray, SampledValue, Source, Waveform, text};
use crate::segment::{Segment, SegmentId};

/// Moving values that become channels when there are none.
const MAX_OFFERED: usize = 6;

/// The segment on screen, with its moving values.
fn on_screen(state: &State) -> Option<(Segment, Vec<Moving>)> {
    if let Some(inspect) = &state.inspect {
        return Some((inspect.segment.clone(), inspect.moving.clone()));
    }
    let moving = state.table.strip.look().map(|look| look.moving.clone()).unwrap_or_default();
    Some((state.selected()?.clone(), moving))
}

/// Adds the moving values of the segment on screen.
pub fn offer(state: &mut State) {
    let Some((segment, moving)) = on_screen(state) else { return };
    let typed = types::fixed(state, &segment);
    let channels = moving.iter().filter_map(|value| {
        let field = typed.as_ref().and_then(|typed| field_of(&segment, typed, value.offset));
        field.or_else(|| channel_of(&segment, value))
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

/// Adds the moving values once they are known, if there were none when the screen was opened and the user
/// has added nothing.
pub fn offer_late(state: &mut State, segment: &SegmentId) {
    let is_waiting = state.scope_open && state.scope.is_empty() && state.scope.recording.is_none();
    if is_waiting && state.scope.offered.as_ref() == Some(segment) {
        offer(state);
    }
}

/// Replaces the guesses that the program chose by the fields of a type that is known by now.
pub fn typed(state: &mut State) {
    let is_busy = state.scope.recorder.is_some() || state.scope.trigger.is_some();
    let Some((segment, _)) = on_screen(state).filter(|_| state.scope_open && !is_busy) else { return };
    let Some(typed) = types::fixed(state, &segment) else { return };
    let is_guess = |channel: &Channel| match &channel.source {
        Source::Value(value) => {
            field_of(&segment, &typed, value.offset).is_some_and(|field| field.name != channel.name)
        }
        Source::Expression(_) | Source::Recorded => false,
    };
    let has_guesses = state.scope.channels.iter().any(|one| is_guess(&one.channel));
    if has_guesses && state.scope.offered.as_ref() == Some(&segment.id) {
        state.scope.clear();
        offer(state);
    }
}

/// The field of the type at an offset.
fn field_of(segment: &Segment, typed: &PlacedType, offset: u64) -> Option<Channel> {
    let start = typed.offset.unwrap_or(0);
    let path = typed.ty.path_at(offset.checked_sub(start)?)?;
    let place = typed.ty.place(&path)?;
    let name = text::field_text(segment, &typed.ty, &path);
    channel(segment, Some(name), (start + place.offset, place.ty, place.bits))
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

/// Adds an array of numbers, or removes the waveform of it. Returns true if it was added.
///
/// # Errors
/// Fails if there are too many.
pub fn toggle_waveform(
    state: &mut State,
    waveform: Waveform,
    effects: &mut Vec<Effect>,
) -> Result<bool, AddError> {
    let is_same = |other: &SampledArray| {
        other.segment.id == waveform.array.segment.id && other.elements == waveform.array.elements
    };
    let found = state.scope.waveforms.iter().position(|one| is_same(&one.waveform.array));
    let Some(index) = found else { return state.scope.add_waveform(waveform).map(|()| true) };
    waveforms::remove(state, index, effects);
    Ok(false)
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

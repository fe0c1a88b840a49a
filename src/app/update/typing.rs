//! The types that fit a segment, and the one that the user chose or typed.

use super::inspect::cancel_search;
use crate::app::effect::Effect;
use crate::app::inspect::{ChosenBy, Inspect};
use crate::app::overlay::{Overlay, Prompt, PromptKind};
use crate::app::state::State;
use crate::app::strip::StripFields;
use crate::decode::layouts::{Built, Layout};
use crate::decode::{PlacedType, TypeSource};
use crate::engine::SegmentTypes;
use crate::identify::typing::Candidate;
use crate::segment::ShownError;

/// Takes the types that fit, for Inspect or for the strip.
pub fn set_types(state: &mut State, types: SegmentTypes) {
    let size = state.size;
    state.typing.types = Some(types);
    if let Some(open) = &mut state.inspect {
        if let Some(types) = state.typing.of(&open.segment) {
            open.set_types(types.found.clone(), size);
        }
        super::scope::typed(state);
        return;
    }
    state.table.strip.fields = state.selected().and_then(|segment| {
        let best = state.typing.of(segment)?.found.first().filter(|best| best.certain)?;
        StripFields::new(best, segment.size.0)
    });
    super::scope::typed(state);
}

/// Shows a type of the list.
pub fn show_candidate(state: &mut State, candidate: &Candidate) {
    let size = state.size;
    let Some(open) = &mut state.inspect else { return };
    open.show_candidate(candidate, size);
    open.chosen = ChosenBy::User;
}

/// Shows the segment as the typed type, or the error in the prompt. Answers to earlier inputs are
/// dropped.
pub fn show_typed(
    state: &mut State,
    text: &str,
    found: Result<TypeSource, ShownError>,
    effects: &mut Vec<Effect>,
) {
    let size = state.size;
    let (Some(prompt), Some(open)) = (type_prompt(&mut state.overlay), &mut state.inspect) else {
        return;
    };
    if prompt.input.input.value() != text {
        return;
    }
    match found.and_then(|found| checked(found, open)) {
        // The next look tells if the contents have it.
        Ok(TypeSource::Layout(layout)) => open.trial = Some(layout),
        Ok(TypeSource::Fixed(found)) => {
            open.show_type(found, size);
            open.chosen = ChosenBy::User;
            text.clone_into(&mut state.last_type);
            state.overlay = None;
            cancel_search(state, effects);
        }
        Err(error) => prompt.error = Some(error.to_string()),
    }
}

fn checked(found: TypeSource, open: &Inspect) -> Result<TypeSource, ShownError> {
    let TypeSource::Fixed(PlacedType { ty, offset }) = &found else { return Ok(found) };
    let offset = offset.unwrap_or(0);
    if offset.saturating_add(ty.smallest()) <= open.size() {
        Ok(found)
    } else {
        Err(ShownError::new(format!("{ty} at {offset:#x} is past the end")))
    }
}

fn type_prompt(overlay: &mut Option<Overlay>) -> Option<&mut Prompt> {
    match overlay {
        Some(Overlay::Prompt(prompt)) if prompt.kind == PromptKind::Type => Some(prompt),
        _ => None,
    }
}

/// Takes the type that the contents have. If the user has just asked for this layout, shows it or
/// the reason why the contents do not have it.
pub fn set_built(state: &mut State, layout: Layout, built: Result<Built, ShownError>) {
    let size = state.size;
    let Some(open) = &mut state.inspect else { return };
    if open.trial.take_if(|trial| *trial == layout).is_none() {
        open.set_built(layout, built, size);
        return;
    }
    // The user may have closed the prompt.
    let Some(prompt) = type_prompt(&mut state.overlay) else { return };
    match built {
        Ok(built) => {
            open.show_layout(layout, built, size);
            open.chosen = ChosenBy::User;
            layout.word().clone_into(&mut state.last_type);
            state.overlay = None;
        }
        Err(error) => prompt.error = Some(error.to_string()),
    }
}

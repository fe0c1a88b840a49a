//! The footer prompts: filter, searches and offsets.

use super::{inspect, scope, segments};
use crate::act::Question;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::inspect::{LastSearch, OffsetError, parse_offset};
use crate::app::list::step;
use crate::app::overlay::{Next, Prompt, PromptKind};
use crate::app::state::State;
use crate::decode::pattern_of_value;
use crate::engine::Request;
use crate::memory::{Direction, Pattern};
use crate::segment::ShownError;

/// Accepts the input, or shows its error in the prompt.
pub fn act(state: &mut State, prompt: &mut Prompt, action: Action, effects: &mut Vec<Effect>) -> Next {
    if let (PromptKind::Filter, Some(rows)) = (prompt.kind, step(action, 1)) {
        // The selection can move while the user types a filter.
        segments::step(state, rows);
    }
    if (action, prompt.kind) == (Action::Complete, PromptKind::Channel) {
        scope::complete(state, prompt, effects);
    }
    if action != Action::Accept {
        return Next::Stay;
    }
    let text = prompt.input.input.value();
    let taken = match prompt.kind {
        PromptKind::Filter => {
            state.table.filter_error.as_ref().map_or(Ok(()), |error| Err(ShownError::of(error)))
        }
        PromptKind::Offset => go_to(state, text, effects),
        // The answer closes the prompt.
        PromptKind::Type => {
            effects.push(Request::Ask(Question::Type(text.to_owned())).into());
            return Next::Stay;
        }
        PromptKind::Channel => match scope::find(state, text, effects) {
            Some(found) => found,
            // The answer closes the prompt.
            None => return Next::Stay,
        },
        PromptKind::Record => scope::record(state, text, effects),
        PromptKind::SaveView => scope::save_view(state, text, effects),
        PromptKind::Trigger => scope::set_trigger(state, text, effects),
        PromptKind::Text | PromptKind::Hex | PromptKind::Value => search(state, prompt.kind, text, effects),
    };
    prompt.error = taken.err().map(|error| error.to_string());
    if prompt.error.is_some() { Next::Stay } else { Next::Close }
}

/// Handles a change of the input. Filters are applied while typing.
pub fn handle_edit(state: &mut State, prompt: &mut Prompt) {
    (prompt.error, prompt.note) = (None, None);
    if prompt.kind == PromptKind::Filter {
        segments::set_filter(state, prompt.input.input.value());
        prompt.error = state.table.filter_error.as_ref().map(ToString::to_string);
    }
}

fn go_to(state: &mut State, text: &str, effects: &mut Vec<Effect>) -> Result<(), ShownError> {
    let size = state.size;
    let Some(inspect) = &mut state.inspect else { return Ok(()) };
    if text.trim().is_empty() {
        return Ok(());
    }
    if let Some((path, offset)) = inspect.field_named(text) {
        let last = inspect.size().saturating_sub(1);
        if offset > last {
            return Err(ShownError::of(OffsetError::Beyond { offset, last }));
        }
        inspect.show_field(&path, size);
    } else {
        let has_fields = inspect.tree.is_some();
        let offset = parse_offset(text, inspect.cursor, inspect.size()).map_err(|error| match error {
            OffsetError::NoNumber(text) if has_fields => ShownError::of(OffsetError::NoField(text)),
            error => ShownError::of(error),
        })?;
        inspect.jump(offset, size);
    }
    inspect::cancel_search(state, effects);
    Ok(())
}

fn search(
    state: &mut State,
    kind: PromptKind,
    text: &str,
    effects: &mut Vec<Effect>,
) -> Result<(), ShownError> {
    let Some(open) = &mut state.inspect else { return Ok(()) };
    // An empty prompt repeats the last search.
    if !text.is_empty() {
        let pattern = match kind {
            PromptKind::Hex => Pattern::hex(text).map_err(ShownError::of)?,
            PromptKind::Value => {
                let bytes = pattern_of_value(text).map_err(ShownError::of)?;
                Pattern::bytes(bytes).map_err(ShownError::of)?
            }
            _ => Pattern::text(text).map_err(ShownError::of)?,
        };
        open.search =
            Some(LastSearch { pattern, text: crate::segment::escape(text.as_bytes()), hits: None, count: 0 });
        open.find_matches();
    }
    inspect::search(open, Direction::Forward, effects);
    Ok(())
}

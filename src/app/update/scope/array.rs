//! Keys while a waveform is selected.

use super::waveforms;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::scope::{PlotKind, ScopeWaveform};
use crate::app::state::State;
use std::fmt::Write as _;

/// Tenths of the visible elements that a key moves the view by.
const PAGE: isize = 10;
/// Bytes that are copied at most. Most terminals take no more.
const MAX_COPY: usize = 64 << 10;

/// Executes an action on the selected waveform. Returns false if there is none, or if the action is not
/// about one row.
pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) -> bool {
    let Some(one) = state.scope.selected_waveform_mut() else { return false };
    let count = one.count();
    let view = &mut one.view;
    match action {
        Action::Left => view.sideways(-1, count),
        Action::Right => view.sideways(1, count),
        Action::PageUp => view.pan(-PAGE, count),
        Action::PageDown => view.pan(PAGE, count),
        Action::HalfUp => view.pan(-PAGE / 2, count),
        Action::HalfDown => view.pan(PAGE / 2, count),
        Action::First => view.first(count),
        Action::Last => view.last(count),
        Action::ZoomIn => view.zoom(true, count),
        Action::ZoomOut => view.zoom(false, count),
        Action::Cursors => view.toggle_cursors(count),
        Action::NextCursor => view.active = 1 - view.active,
        Action::Plot => state.show_message("A waveform is plotted while it is selected"),
        Action::Axes => state.show_message("A waveform has an axis of its own"),
        Action::Writers => state.fail("Only a single value has writers: add an element of the array"),
        Action::PlotKind => {
            let kind = &mut state.scope.view.kind;
            *kind = if *kind == PlotKind::Histogram { PlotKind::Time } else { PlotKind::Histogram };
        }
        Action::CopyChannel => copy(state, effects),
        Action::DropChannel => {
            let index = state.scope.cursor - state.scope.channels.len();
            let removed = waveforms::remove(state, index, effects);
            state.show_message(format!("Dropped {}", removed.waveform.name));
        }
        _ => return false,
    }
    true
}

/// Copies the visible elements, one on each line, behind their indices.
fn copy(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(one) = state.scope.selected_waveform() else { return };
    let [from, to] = one.visible();
    let name = &one.waveform.name;
    match text(one) {
        Some(text) => {
            let message = format!("Copied {} elements of {name}", to - from + 1);
            effects.push(Effect::Copy(text));
            state.show_message(message);
        }
        None if one.contents.is_none() => state.show_message("No contents yet"),
        None => {
            let key = state.key_of(Action::ZoomIn);
            let length = to - from + 1;
            state.fail(format!("The {length} visible elements are too much to copy ({key}: show fewer)"));
        }
    }
}

/// The visible elements as text. `None` if that is too long, or if there are none.
fn text(one: &ScopeWaveform) -> Option<String> {
    let elements = &one.waveform.array.elements;
    let [from, to] = one.visible();
    one.contents.as_ref()?;
    let mut text = format!("index\t{}\n", one.waveform.name);
    for index in from..=to {
        let value = one.number(index).map(|number| elements.text(number)).unwrap_or_default();
        let _ = writeln!(text, "{}\t{value}", elements.index_text(index as u64));
        if text.len() > MAX_COPY {
            return None;
        }
    }
    Some(text)
}

//! Clicks and the wheel in the Scope screen.

use crate::app::action::Action;
use crate::app::key::Mouse;
use crate::app::layout::scope::Hit;
use crate::app::scope::ShownPlot;
use crate::app::state::State;

/// The target of a click in the plot.
enum At {
    Time(u64),
    /// The column is beside the curves.
    Beside,
    Element(usize),
}

/// Selects a row, or moves the active cursor; the wheel selects a row, or zooms at the pointer.
pub fn act(state: &mut State, mouse: Mouse, notch: i16) {
    let layout = state.scope.layout(state.size);
    match (layout.hit(mouse.x, mouse.y), notch) {
        (Some(Hit::Row(row)), 0) if row < state.scope.rows() => state.scope.cursor = row,
        (Some(Hit::Row(_)), 1..) => step(state, 1),
        (Some(Hit::Row(_)), ..0) => step(state, -1),
        (Some(Hit::Plot(column, _)), notch) => {
            let size = layout.plot.map_or([0; 2], |plot| [plot.width.into(), plot.height.into()]);
            let shown = state.scope.shown_plot(size[0]);
            match (at(state, &shown, size, column.into()), notch) {
                (At::Time(time), 0) => set_time_cursor(state, time),
                (At::Element(element), 0) => {
                    if let Some(one) = state.scope.selected_waveform_mut() {
                        one.view.cursors[one.view.active] = Some(element);
                    }
                }
                (At::Beside, 0) => {}
                (at, notch) => zoom(state, &at, notch < 0),
            }
        }
        _ => {}
    }
}

fn step(state: &mut State, by: isize) {
    let last = state.scope.rows().saturating_sub(1);
    state.scope.cursor = state.scope.cursor.saturating_add_signed(by).min(last);
}

fn at(state: &State, shown: &ShownPlot, size: [usize; 2], column: usize) -> At {
    let element = shown.element_at(&state.scope, size, column).map(At::Element);
    let time = || shown.time_at(&state.scope, size, column).map(At::Time);
    element.or_else(time).unwrap_or(At::Beside)
}

fn set_time_cursor(state: &mut State, time: u64) {
    let Some([from, to]) = state.scope.visible() else { return };
    let view = &mut state.scope.view;
    view.cursors[view.active] = Some(time.clamp(from, to));
}

/// Zooms at the pointer, or as the key does where nothing has a place.
fn zoom(state: &mut State, at: &At, is_in: bool) {
    let newest = state.scope.history.newest().unwrap_or(0);
    let was_frozen = state.scope.view.is_frozen;
    match (at, state.scope.selected_waveform_mut()) {
        (At::Element(element), Some(one)) => {
            let count = one.count();
            one.view.zoom_at(is_in, *element, count);
        }
        (_, Some(one)) => {
            let count = one.count();
            one.view.zoom(is_in, count);
        }
        (At::Time(time), None) => state.scope.view.zoom_at(is_in, *time, newest),
        (_, None) => state.scope.view.zoom(is_in, newest),
    }
    if state.scope.view.is_frozen && !was_frozen {
        let key = state.key_of(Action::Freeze);
        state.show_message(format!("View frozen ({key}: live); sampling goes on"));
    }
}

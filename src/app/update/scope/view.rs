//! The view of the Scope screen: the selected channel, cursors, zoom and pan.

use crate::app::action::Action;
use crate::app::list::step;
use crate::app::scope::{PlotKind, Scope};
use crate::app::state::State;

/// Tenths of the visible time that a key moves it by.
const PAN: i64 = 1;
const PAGE: i64 = 10;
/// Steps of a cursor across the view.
const CURSOR_STEPS: u64 = 100;

pub fn act(scope: &mut Scope, action: Action, newest: u64) {
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

/// Selects a row, or moves a cursor or the view.
pub fn act_on_move(scope: &mut Scope, action: Action, newest: u64) -> bool {
    let last = scope.rows().saturating_sub(1);
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

pub fn next_kind(state: &mut State) {
    state.scope.view.next_kind();
    if state.scope.view.kind == PlotKind::Xy && state.scope.plotted().len() < 2 {
        state.scope.view.next_kind();
    }
}

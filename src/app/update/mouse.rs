//! Clicks and the wheel.

use super::{inspect, overlay, scope, segments, tree};
use crate::app::effect::Effect;
use crate::app::inspect::Line;
use crate::app::key::{Mouse, MouseKind};
use crate::app::layout::segments::Hit;
use crate::app::state::State;
use crate::engine::Clock;
use crate::memory::Snapshot;
use std::time::Duration;

/// Maximum time between the clicks of a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
/// Rows per notch of the wheel.
const WHEEL_ROWS: i16 = 3;

pub fn act(state: &mut State, mouse: Mouse, effects: &mut Vec<Effect>) {
    // Nothing is drawn outside of this size.
    if !state.mouse || !state.size.contains(mouse.x, mouse.y) {
        return;
    }
    state.notice = None;
    let notch = match mouse.kind {
        MouseKind::WheelUp => -WHEEL_ROWS,
        MouseKind::WheelDown => WHEEL_ROWS,
        MouseKind::Click => 0,
    };
    if state.overlay.is_some() {
        overlay::mouse(state, mouse, notch, effects);
    } else if state.scope_open {
        scope::mouse(state, mouse, notch);
    } else if state.inspect.is_some() {
        // A late result must not move the cursor, nor keys act somewhere else.
        state.typed_ahead.clear();
        inspect::cancel_search(state, effects);
        in_inspect(state, mouse, notch);
    } else if state.detail.is_some() {
        segments::scroll_detail(state, notch.into());
    } else if notch != 0 {
        wheel_segments(state, mouse, notch);
    } else {
        click_segments(state, mouse, effects);
    }
}

fn wheel_segments(state: &mut State, mouse: Mouse, notch: i16) {
    if state.table_layout().hit(mouse.x, mouse.y) != Some(Hit::Strip) {
        segments::step(state, isize::from(notch));
    }
}

fn click_segments(state: &mut State, mouse: Mouse, effects: &mut Vec<Effect>) {
    let Some(survey) = &state.survey else { return };
    match state.table_layout().hit(mouse.x, mouse.y) {
        Some(Hit::Heading(column)) => state.table.sort_by(column.sort_key(), survey),
        Some(Hit::Row(row)) => {
            let row = state.table.top + row;
            if row >= state.table.shown.len() {
                return;
            }
            state.table.select(row, survey);
            if is_double(state.last_click, row, state.now) {
                state.last_click = None;
                segments::open(state, effects);
            } else {
                state.last_click = Some((row, state.now));
            }
        }
        Some(Hit::Strip | Hit::Footer) | None => {}
    }
}

fn is_double(last: Option<(usize, Clock)>, row: usize, now: Clock) -> bool {
    last.is_some_and(|(before, at)| before == row && now.saturating_sub(at) <= DOUBLE_CLICK)
}

fn in_inspect(state: &mut State, mouse: Mouse, notch: i16) {
    let size = state.size;
    let Some(open) = &mut state.inspect else { return };
    let layout = open.layout(size);
    if tree::mouse(open, mouse, notch, size) {
    } else if notch != 0 {
        open.page_by(notch.into(), size);
    } else if let Some((row, column)) = layout.byte_at(mouse.x, mouse.y, open.shown_as) {
        match open.lines_on_screen(size).get(row) {
            Some(Line::Row(offset)) => open.go_to(offset + u64::from(column), size),
            // The cursor opens the fold.
            Some(Line::Fold(fold)) => open.go_to(fold.range.start, size),
            Some(Line::Unread(_)) | None => {}
        }
    } else if layout.map.contains(mouse.x, mouse.y) {
        // A click on the map goes to that part of the segment.
        let (cell, cells) = (usize::from(mouse.x - layout.map.x), open.map.cells.len());
        // A small segment has fewer cells.
        if cell < cells {
            let span = Snapshot::cell_span(open.size(), cells, cell);
            open.jump(span.start, size);
        }
    }
}

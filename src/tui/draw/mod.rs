//! Draws the state. The same state always produces the same cells.

mod bar;
mod behind;
mod detail;
mod fields;
mod footer;
mod inspect;
mod map;
mod moving;
mod overlay;
mod progress;
mod scope;
mod segments;
mod sparkline;

use super::canvas::Canvas;
use super::theme::Theme;
use crate::app::State;
use crate::app::action::Action;
use crate::app::layout::MIN_SIZE;
use ratatui::buffer::Buffer;

pub fn draw(state: &State, theme: &Theme, buffer: &mut Buffer) {
    let mut canvas = Canvas { buffer, theme };
    if !state.size.is_enough() {
        too_small(state, &mut canvas);
        return;
    }
    match (&state.inspect, state.detail) {
        _ if state.scope_open => scope::draw(state, &mut canvas),
        (Some(open), _) => inspect::draw(state, open, &mut canvas),
        (None, Some(top)) => detail::draw(state, top, &mut canvas),
        (None, None) => segments::draw(state, &mut canvas),
    }
    footer::draw(state, &mut canvas);
    overlay::draw(state, &mut canvas);
}

/// Shows the minimum terminal size.
fn too_small(state: &State, canvas: &mut Canvas<'_>) {
    let lines = [
        format!("needs {}x{},", MIN_SIZE.width, MIN_SIZE.height),
        format!("has {}x{}", state.size.width, state.size.height),
    ];
    let quit = state.key_of(Action::Quit);
    let one = format!("shmlens {} {}; {quit} quits", lines[0], lines[1]);
    let text = canvas.theme.text;
    if super::canvas::cells(&one) <= state.size.width {
        canvas.text(0, 0, state.size.width, &one, text);
    } else {
        for (y, line) in (0..).zip(&lines) {
            canvas.text(0, y, state.size.width, line, text);
        }
    }
}

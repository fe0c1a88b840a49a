//! Overlays: the screen behind them is dimmed, and they have the only borders.

mod choice;
mod clean;
mod confirm;
mod entries;
mod form;
mod help;
mod holders;
mod holds;
mod log;
mod new_segment;
mod palette;
mod permissions;
mod save;

use crate::app::State;
use crate::app::layout::Area;
use crate::app::overlay::Overlay;
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

pub fn draw(state: &State, canvas: &mut Canvas<'_>) {
    match &state.overlay {
        Some(Overlay::Help { top }) => {
            dim_behind(state, canvas);
            help::draw(state, *top, canvas);
        }
        Some(Overlay::Palette { input, selected }) => {
            dim_behind(state, canvas);
            palette::draw(state, input, *selected, canvas);
        }
        Some(Overlay::Permissions(form)) => {
            dim_behind(state, canvas);
            permissions::draw(state, form, canvas);
        }
        Some(Overlay::New(form)) => {
            dim_behind(state, canvas);
            new_segment::draw(state, form, canvas);
        }
        Some(Overlay::Save(form)) => {
            dim_behind(state, canvas);
            save::draw(state, form, canvas);
        }
        Some(Overlay::Confirm(confirm)) => {
            dim_behind(state, canvas);
            confirm::draw(state, confirm, canvas);
        }
        Some(Overlay::Holds(shown)) => {
            dim_behind(state, canvas);
            holds::draw(state, shown, canvas);
        }
        Some(Overlay::Holders(shown)) => {
            dim_behind(state, canvas);
            holders::draw(state, shown, canvas);
        }
        Some(Overlay::Clean(shown)) => {
            dim_behind(state, canvas);
            clean::draw(state, shown, canvas);
        }
        Some(Overlay::Log { top }) => {
            dim_behind(state, canvas);
            log::draw(state, *top, canvas);
        }
        Some(Overlay::Choice(choice)) => choice::draw(state, choice, canvas),
        // These stand in the line at the foot.
        Some(Overlay::Prompt(_) | Overlay::MarkLetter { .. }) | None => {}
    }
}

/// How many lines stand above and below, in the lower border of a frame.
fn more(hidden: (usize, usize), canvas: &mut Canvas<'_>, inside: Area) {
    let [up, down] = canvas.theme.glyphs.more;
    let text = match hidden {
        (0, 0) => return,
        (0, below) => format!(" {down} {below} more "),
        (above, 0) => format!(" {up} {above} above "),
        (above, below) => format!(" {up} {above}  {down} {below} "),
    };
    canvas.text_right(inside.right() + 1, inside.bottom(), inside.width, &text, canvas.theme.dim);
}

/// As [`more`], with the key that closes the overlay.
fn more_and_close(hidden: (usize, usize), canvas: &mut Canvas<'_>, inside: Area) {
    let [up, down] = canvas.theme.glyphs.more;
    let text = match hidden {
        (0, 0) => " esc close ".to_owned(),
        (0, below) => format!(" {down} {below} more   esc close "),
        (above, 0) => format!(" {up} {above} above   esc close "),
        (above, below) => format!(" {up} {above}  {down} {below}   esc close "),
    };
    canvas.text_right(inside.right() + 1, inside.bottom(), inside.width, &text, canvas.theme.dim);
}

fn dim_behind(state: &State, canvas: &mut Canvas<'_>) {
    let dim = Style::reset().patch(canvas.theme.dim);
    canvas.style(Area::new(0, 0, state.size.width, state.size.height), dim);
}

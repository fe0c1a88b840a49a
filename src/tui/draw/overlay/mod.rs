//! Overlays, on top of a dimmed screen. Only they have borders.

mod attachments;
mod clean;
mod confirm;
mod form;
mod holders;
mod list;
mod menu;
mod new_segment;
mod pager;
mod permissions;
mod save;
mod writers;

use crate::app::State;
use crate::app::hints::{Hint, overlay_hints};
use crate::app::layout::Area;
use crate::app::overlay::Overlay;
use crate::app::work::RunningAction;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::draw::{footer, progress};
use ratatui::style::Style;

pub fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let Some(overlay) = &state.overlay else { return };
    // Menus and prompts leave the screen readable.
    if !matches!(overlay, Overlay::Choice(_) | Overlay::Prompt(_) | Overlay::MarkLetter { .. }) {
        let faint = Style::reset().patch(canvas.theme.faint);
        // The hints of a popup and a notice stay readable.
        let popup = matches!(overlay, Overlay::Palette(_) | Overlay::Help(_) | Overlay::Log(_));
        let height = state.size.height - u16::from(popup || state.notice.is_some());
        canvas.style(Area::new(0, 0, state.size.width, height), faint);
    }
    match overlay {
        Overlay::Help(list) => pager::help(state, list.selected, canvas),
        Overlay::Log(list) => pager::log(state, list.selected, canvas),
        Overlay::Palette(shown) => menu::palette(state, shown, canvas),
        Overlay::Choice(choice) => menu::choice(state, choice, canvas),
        Overlay::Permissions(form) => permissions::draw(state, overlay, form, canvas),
        Overlay::New(form) => new_segment::draw(state, overlay, form, canvas),
        Overlay::Save(form) => save::draw(state, overlay, form, canvas),
        Overlay::Confirm(shown) => confirm::draw(state, overlay, shown, canvas),
        Overlay::Terminate(shown) => holders::terminate(state, overlay, shown, canvas),
        Overlay::Attachments(shown) => attachments::draw(state, overlay, shown, canvas),
        Overlay::Holders(shown) => holders::draw(state, overlay, shown, canvas),
        Overlay::Writers(shown) => writers::draw(state, overlay, shown, canvas),
        Overlay::Clean(shown) => clean::draw(state, overlay, shown, canvas),
        Overlay::Prompt(_) | Overlay::MarkLetter { .. } => {}
    }
}

/// Draws the last line of a frame: the hints, or the progress.
fn last_line(state: &State, overlay: &Overlay, canvas: &mut Canvas<'_>, inside: Area) {
    let y = inside.bottom().saturating_sub(1);
    let running = match overlay {
        Overlay::Confirm(_) => "working",
        Overlay::Terminate(_) => "SIGTERM sent; waiting",
        Overlay::Attachments(_) => "detaching",
        _ => "",
    };
    let running = match &state.work {
        _ if !overlay.is_busy() => "",
        Some(RunningAction { stopping: true, .. }) => "stopping",
        Some(RunningAction { at: Some(at), .. }) if at.total > 0 => {
            let figures = (at.text(), at.done, at.total);
            return progress::draw(state, canvas, (inside.x + 1, y, inside.right()), figures);
        }
        _ => running,
    };
    if running.is_empty() {
        let (hints, gap) = hints_that_fit(overlay_hints(state, overlay), canvas, inside.width);
        let mut x = inside.right().saturating_sub(width_of(&hints, gap, canvas));
        for hint in &hints {
            x = footer::draw_hint(hint, x, canvas, Area { y, ..inside }) + gap;
        }
    } else {
        canvas.text(inside.x + 1, y, inside.width, running, canvas.theme.dim);
    }
}

/// The gaps between hints, in wide and narrow terminals.
const HINT_GAPS: [u16; 2] = [3, 2];

/// The width of hints as [`last_line`] draws them.
fn width_of(hints: &[Hint], gap: u16, canvas: &Canvas<'_>) -> u16 {
    let width =
        |hint: &Hint| cells(footer::key_text(hint, canvas.theme)) + 1 + cells(&canvas.plain(&hint.label));
    hints.iter().map(|hint| width(hint) + gap).sum::<u16>().saturating_sub(gap)
}

/// Returns the hints that fit, and their gap. In narrow terminals the gaps shrink first, then the
/// hints with the lowest priority are dropped.
fn hints_that_fit(mut hints: Vec<Hint>, canvas: &Canvas<'_>, width: u16) -> (Vec<Hint>, u16) {
    loop {
        let fits = |gap: &u16| hints.len() <= 1 || width_of(&hints, *gap, canvas) <= width;
        if let Some(gap) = HINT_GAPS.into_iter().find(fits) {
            return (hints, gap);
        }
        let lowest = hints.iter().map(|hint| hint.priority).max();
        hints.remove(hints.iter().position(|hint| Some(hint.priority) == lowest).unwrap_or(0));
    }
}

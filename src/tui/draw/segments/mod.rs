//! The Segments screen.

mod header;
mod strip;
mod table;

pub use table::{flow, label, rate_text, state_style};

use crate::app::State;
use crate::tui::canvas::Canvas;

pub fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let layout = state.table_layout();
    header::draw(state, canvas, layout.header);
    table::draw(state, canvas, &layout);
    if let Some(strip) = &layout.strip {
        strip::draw(state, canvas, strip);
    }
}

//! The Detail screen: a title, a rule, and lines of facts that scroll.

use super::Area;
use crate::app::event::Size;
use crate::app::state::State;
use crate::segment::wrap;

/// The width of labels.
pub const LABEL: u16 = 11;
/// Long lines are easier to read when they are wrapped.
const TEXT_MAX: u16 = 110;

/// Returns the area of the lines.
pub fn detail_area(size: Size) -> Area {
    Area::new(1, 2, size.width.saturating_sub(2), size.height.saturating_sub(3))
}

/// Returns the lines, wrapped, with the label of each.
pub fn detail_rows(state: &State) -> Vec<(&'static str, String)> {
    let width = detail_area(state.size).width.saturating_sub(LABEL).min(TEXT_MAX);
    let mut rows = vec![];
    for line in state.detail_lines() {
        let parts = wrap(&line.text, width.into()).into_iter().enumerate();
        rows.extend(parts.map(|(at, part)| (if at == 0 { line.label } else { "" }, part)));
    }
    rows
}

//! The Detail screen: a title, a rule, and groups of facts that scroll, in two columns if there is
//! room.

use super::Area;
use crate::app::detail::{DetailGroup, DetailLine};
use crate::app::event::Size;
use crate::app::state::State;
use crate::segment::wrap;

/// The width of labels, including the gap after them.
pub const LABEL_WIDTH: u16 = 13;
/// The minimum width for two columns.
const MIN_TWO_COLUMN_WIDTH: u16 = 130;
const COLUMN_GAP: u16 = 3;
/// Longer lines are hard to read.
const MAX_TEXT_WIDTH: u16 = 110;

/// A column of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailColumn {
    /// The visible part.
    pub area: Area,
    pub rows: Vec<DetailRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailRow {
    Heading(&'static str),
    Line(DetailLine),
    Blank,
}

/// Returns the columns with all their rows, wrapped.
pub fn detail_columns(state: &State) -> Vec<DetailColumn> {
    let Size { width, height } = state.size;
    let area = Area::new(1, 2, width.saturating_sub(2), height.saturating_sub(3));
    let groups = state.detail_groups();
    if width < MIN_TWO_COLUMN_WIDTH {
        return vec![detail_column(area, groups.iter())];
    }
    // Messages on the left need more room than facts on the right.
    let left = Area { width: (area.width - COLUMN_GAP) * 11 / 20, ..area };
    let right =
        Area::new(left.right() + COLUMN_GAP, area.y, area.right() - left.right() - COLUMN_GAP, area.height);
    let side = |right: bool| groups.iter().filter(move |group| group.right == right);
    vec![detail_column(left, side(false)), detail_column(right, side(true))]
}

/// Returns the number of rows of the longest column, and of the visible part.
pub fn detail_rows(state: &State) -> (usize, usize) {
    let columns = detail_columns(state);
    let rows = columns.iter().map(|column| column.rows.len()).max().unwrap_or(0);
    (rows, columns.first().map_or(0, |column| column.area.height.into()))
}

/// Wraps groups of facts for a column.
pub fn detail_column<'a>(area: Area, groups: impl Iterator<Item = &'a DetailGroup>) -> DetailColumn {
    let mut rows = vec![];
    for group in groups {
        if !rows.is_empty() {
            rows.push(DetailRow::Blank);
        }
        rows.push(DetailRow::Heading(group.title));
        for line in &group.lines {
            let indent = if line.label.is_some() { LABEL_WIDTH } else { 0 };
            let width = area.width.saturating_sub(indent).min(MAX_TEXT_WIDTH);
            let parts = wrap(&line.text, width.into()).into_iter().enumerate().map(|(index, text)| {
                let (label, state) =
                    if index == 0 { (line.label, line.state) } else { (line.label.map(|_| ""), None) };
                DetailRow::Line(DetailLine { label, text, state })
            });
            rows.extend(parts);
        }
    }
    DetailColumn { area, rows }
}

//! The map of a whole segment, whose cells glow when their bytes change.

use super::inspect::Glow;
use crate::engine::Clock;
use crate::memory::Cell;

#[derive(Debug, Clone, Default)]
pub struct SegmentMap {
    /// Each cell with the time of its last change.
    pub cells: Vec<(Cell, Option<Clock>)>,
}

impl SegmentMap {
    /// Replaces the cells and keeps the times of their last change.
    pub fn update(&mut self, cells: Vec<Cell>, now: Clock) {
        if cells.len() != self.cells.len() {
            self.cells.clear();
        }
        let since = |index: usize| self.cells.get(index).and_then(|(_, since)| *since);
        self.cells = cells
            .into_iter()
            .enumerate()
            .map(|(index, cell)| (cell, if cell.changed { Some(now) } else { since(index) }))
            .collect();
    }

    /// The time of the last change.
    pub fn since(&self) -> Option<Clock> {
        self.cells.iter().filter_map(|(_, since)| *since).max()
    }

    pub fn is_glowing(&self, now: Clock) -> bool {
        self.since().is_some_and(|since| now.saturating_sub(since) < Glow::DURATION)
    }
}

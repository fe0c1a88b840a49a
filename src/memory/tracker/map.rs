//! The map of the whole segment.

use super::changes::Changes;
use super::page::{PAGE, PAGE_BYTES};
use super::{Cell, CellKind, Snapshot, Tracker};
use std::ops::Range;

impl Tracker {
    /// Returns the cells of the map.
    pub(super) fn map(&self, changes: &Changes) -> Vec<Cell> {
        let cells = changes.cells.len();
        let spans = (0..cells).map(|cell| Snapshot::cell_span(self.size, cells, cell));
        spans.zip(&changes.cells).map(|(span, &changed)| Cell { kind: self.kind(&span), changed }).collect()
    }

    fn kind(&self, span: &Range<u64>) -> CellKind {
        let grain = self.hashes.grain();
        let summary = self.hashes.summary(span.start / grain..span.end.div_ceil(grain));
        // Several cells may share a page, and only some of them contain its data.
        let data = summary.data && !self.is_zero_part(span);
        if data {
            CellKind::Data
        } else if !summary.seen && !summary.data {
            CellKind::Unknown
        } else if summary.allocated {
            CellKind::Zeros
        } else {
            CellKind::Hole
        }
    }

    /// Returns true if a part smaller than a page is known to be zeros.
    fn is_zero_part(&self, span: &Range<u64>) -> bool {
        if span.end - span.start >= PAGE {
            return false;
        }
        (span.start / PAGE..span.end.div_ceil(PAGE)).all(|page| {
            let start = page * PAGE;
            let within = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(PAGE_BYTES);
            self.copies.get(page).is_some_and(|copy| {
                copy.seen[within(span.start)..within(span.end).min(PAGE_BYTES)].iter().all(|&byte| byte == 0)
            })
        })
    }
}

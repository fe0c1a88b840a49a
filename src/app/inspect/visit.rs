//! The parts of Inspect that are still there when the user comes back to a segment.

use super::{ChosenBy, Inspect, LastSearch, Pins, ShownLayout, Tree};
use crate::app::event::Size;
use crate::decode::{ByteOrder, PlacedType, Scalar};
use crate::engine::ChosenType;
use crate::segment::{Identity, Segment, SegmentId};
use std::collections::BTreeMap;

/// The maximum number of segments that are remembered.
const MAX_VISITS: usize = 32;

/// The view that the user left: type, pins, marks and place.
#[derive(Debug)]
struct Visit {
    id: SegmentId,
    identity: Identity,
    top: u64,
    cursor: u64,
    row_bytes: Option<u16>,
    shown_as: Option<Scalar>,
    order: ByteOrder,
    folds: bool,
    tree: Option<Tree>,
    typed: Option<PlacedType>,
    layout: Option<ShownLayout>,
    chosen: ChosenBy,
    search: Option<LastSearch>,
    marks: BTreeMap<char, u64>,
    last_mark: Option<char>,
    pins: Pins,
}

/// The visits of this session, the latest last.
#[derive(Debug, Default)]
pub struct Visits(Vec<Visit>);

impl Visits {
    /// Remembers a segment that the user leaves.
    pub fn leave(&mut self, inspect: Inspect) {
        self.0.retain(|visit| visit.id != inspect.segment.id);
        if self.0.len() == MAX_VISITS {
            self.0.remove(0);
        }
        self.0.push(Visit {
            identity: inspect.segment.identity(),
            id: inspect.segment.id,
            top: inspect.top,
            cursor: inspect.cursor,
            row_bytes: inspect.row_bytes,
            shown_as: inspect.shown_as,
            order: inspect.order,
            folds: inspect.folds,
            tree: inspect.tree,
            typed: inspect.typed,
            layout: inspect.layout,
            chosen: inspect.chosen,
            // The hits may have changed.
            search: inspect.search.map(|search| LastSearch { hits: None, ..search }),
            marks: inspect.marks,
            last_mark: inspect.last_mark,
            pins: inspect.pins,
        });
    }

    /// The types that the user chose for the segments, and if the contents determine them.
    pub fn chosen_types(&self) -> impl Iterator<Item = (ChosenType, bool)> {
        self.0.iter().filter(|visit| visit.chosen == ChosenBy::User).filter_map(|visit| {
            let placed = visit.typed.clone()?;
            let (id, identity) = (visit.id.clone(), visit.identity);
            Some((ChosenType { id, identity, placed }, visit.layout.is_some()))
        })
    }

    /// Takes the view of a segment, unless another one has its id now.
    fn take(&mut self, segment: &Segment) -> Option<Visit> {
        let at = self.0.iter().position(|visit| visit.id == segment.id)?;
        Some(self.0.remove(at)).filter(|visit| visit.identity.matches(&segment.identity()))
    }

    /// Restores the view that the user left.
    pub fn resume(&mut self, inspect: &mut Inspect, size: Size) {
        let Some(visit) = self.take(&inspect.segment) else { return };
        inspect.top = visit.top;
        inspect.row_bytes = visit.row_bytes;
        inspect.shown_as = visit.shown_as;
        inspect.order = visit.order;
        inspect.folds = visit.folds;
        inspect.tree = visit.tree;
        inspect.typed = visit.typed;
        inspect.layout = visit.layout;
        inspect.chosen = visit.chosen;
        inspect.search = visit.search;
        inspect.marks = visit.marks;
        inspect.last_mark = visit.last_mark;
        inspect.pins = visit.pins;
        inspect.forget_samples();
        // The segment may have shrunk.
        inspect.go_to(visit.cursor, size);
    }
}

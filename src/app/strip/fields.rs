//! The first fields of the selected segment, where its type is certain.

use crate::app::inspect::{FieldSamples, FieldText, Row, Tree, field_text, merged, row_range};
use crate::decode::Place;
use crate::decode::layouts::Built;
use crate::decode::layouts::Layout;
use crate::engine::{Look, PreviewFields};
use crate::identify::typing::Candidate;
use crate::segment::ShownError;
use std::ops::Range;

/// Fields that are read: the rows of the tallest strip, in two columns.
const MAX_ROWS: usize = 64;

#[derive(Debug, Clone)]
pub struct StripFields {
    /// The name of the type.
    pub name: String,
    tree: Tree,
    layout: Option<Layout>,
    samples: FieldSamples,
    size: u64,
}

impl StripFields {
    /// The fields of a certain type; `None` for a type without parts.
    pub fn new(candidate: &Candidate, size: u64) -> Option<Self> {
        let tree = Tree::new(&candidate.placed(), size)?;
        let layout = candidate.layout;
        let name = layout.map_or_else(|| candidate.ty.to_string(), |layout| layout.word().to_owned());
        Some(Self { name, tree, layout, samples: FieldSamples::default(), size })
    }

    /// The bytes to read for the first fields.
    pub fn wanted(&self, rows: usize) -> PreviewFields {
        let rows = self.tree.rows(0, rows.min(MAX_ROWS));
        let ranges = merged(rows.iter().filter_map(|row| row_range(row, self.size)).collect());
        PreviewFields { ranges, layout: self.layout }
    }

    /// Takes the bytes of a look, and the type that the contents have. Returns the bytes that have
    /// changed, or an error if the contents do not have the type.
    pub fn apply(&mut self, look: &Look) -> Result<Vec<Range<u64>>, ShownError> {
        self.size = look.size;
        if let Some(built) = &look.built {
            let Built { ty, .. } = built.as_ref().map_err(Clone::clone)?;
            if ty != self.tree.ty() {
                self.tree.replace_type(ty);
                self.samples = FieldSamples::default();
                return Ok(vec![]);
            }
        }
        Ok(self.samples.replace(look.fields.clone()))
    }

    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    pub fn rows(&self, count: usize) -> Vec<Row<'_>> {
        self.tree.rows(0, count)
    }

    pub fn text(&self, place: Place<'_>) -> FieldText {
        field_text(place, self.size, |range| {
            let known = self.samples.from(range.start);
            let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            known[..known.len().min(length)].to_vec()
        })
    }
}

//! The tree of fields of a type. The rows are computed from the values that are unfolded, so that
//! an array of any length costs nothing.

mod count;
mod rows;
mod samples;
#[cfg(test)]
mod tests;

pub(super) use count::integer;
pub use rows::{Row, RowKind};
pub use samples::FieldSamples;

use crate::app::list::first_visible;
use crate::decode::layouts::LockKind;
use crate::decode::{Path, Place, PlacedType, Scalar, Type, TypeKind};
use crate::engine::Moving;
use crate::segment::escape;
use std::collections::BTreeMap;
use std::ops::Range;

/// Records unfold at first as long as the tree has at most this many rows.
const SMALL: usize = 24;
/// Anonymous records that unfold at first, whatever the size of the tree.
const MAX_ANONYMOUS: usize = 64;

#[derive(Debug, Clone)]
pub struct Tree {
    ty: Type,
    /// The offset of the value in the segment.
    start: u64,
    /// The size of the segment. Elements behind its end have no rows.
    size: u64,
    root: Unfolded,
    /// The path of the selected row.
    selected: Path,
    pub top: usize,
    /// The cursor when the selection last followed it, or moved it.
    pub(super) followed: Option<u64>,
    /// Set if the cursor is on a field.
    pub is_on_field: bool,
    /// The last samples of fields outside of the view, by offset.
    pub(super) samples: FieldSamples,
    /// The cells of the longest indented name and of the longest type.
    pub widths: [usize; 2],
}

/// A value whose fields or elements are shown, and those of its children that are unfolded.
#[derive(Debug, Clone, Default)]
struct Unfolded {
    children: BTreeMap<u64, Unfolded>,
    /// The field of the record that counts the elements in use.
    counter: Option<u64>,
    /// The number of elements in use.
    used: Option<u64>,
    /// Set to show the unused elements too.
    shows_all: bool,
}

impl Tree {
    /// The tree of a type with parts. Small records are unfolded.
    pub fn new(typed: &PlacedType, size: u64) -> Option<Self> {
        if typed.ty.is_leaf() {
            return None;
        }
        let mut tree = Self {
            ty: typed.ty.clone(),
            start: typed.offset.unwrap_or(0),
            size,
            root: Unfolded::default(),
            selected: Path(vec![0]),
            top: 0,
            followed: None,
            is_on_field: true,
            samples: FieldSamples::default(),
            widths: rows::widths(&typed.ty),
        };
        tree.unfold_small();
        Some(tree)
    }

    /// Takes another type in place of this one. What is unfolded and selected stays so where the new
    /// type has it. The samples may belong to other fields, so they are dropped.
    pub fn replace_type(&mut self, ty: &Type) {
        let mut tree = Self {
            ty: ty.clone(),
            root: Unfolded::default(),
            samples: FieldSamples::default(),
            widths: rows::widths(ty),
            ..self.clone()
        };
        let here = |path: &[u64]| ty.parse_path(&self.ty.path_text(&Path(path.to_vec())));
        let mut next: Vec<(Vec<u64>, &Unfolded)> = vec![(vec![], &self.root)];
        while let Some((path, node)) = next.pop() {
            if let Some(path) = here(&path) {
                tree.unfold(&path);
                if node.shows_all {
                    tree.show_all(&path);
                }
            }
            next.extend(
                node.children.iter().map(|(&index, child)| ([path.as_slice(), &[index]].concat(), child)),
            );
        }
        let selected = here(&self.selected.0).filter(|path| !path.0.is_empty());
        tree.select(&selected.unwrap_or_else(|| self.selected.clone()));
        *self = tree;
    }

    pub(super) fn forget_samples(&mut self) {
        self.samples = FieldSamples::default();
        self.followed = None;
    }

    pub const fn ty(&self) -> &Type {
        &self.ty
    }

    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The bytes of the whole value.
    pub const fn range(&self) -> Range<u64> {
        self.start..self.start.saturating_add(self.ty.size())
    }

    /// The place of the whole value in the segment.
    pub(super) const fn whole(&self) -> Place<'_> {
        self.ty.at(self.start)
    }

    /// The place of a value in the segment.
    pub fn place(&self, path: &Path) -> Option<Place<'_>> {
        path.0.iter().try_fold(self.whole(), |place, &index| place.child(index).map(|child| child.place))
    }

    /// The name of the field that a detected value is; empty if it is none, or covers several.
    pub fn name_of(&self, value: &Moving) -> String {
        let sizes = value.kind.split('/').filter_map(|word| {
            Scalar::BASIC.into_iter().find(|scalar| scalar.word() == word).map(|scalar| scalar.size() as u64)
        });
        let sizes: Vec<u64> = sizes.collect();
        let path = value.offset.checked_sub(self.start).and_then(|within| self.ty.path_at(within));
        let is_field = |path: &Path| {
            self.place(path).is_some_and(|place| {
                let has_size = sizes.is_empty() || sizes.contains(&place.ty.size());
                place.offset == value.offset && place.bits.is_none() && has_size
            })
        };
        let found = path.filter(is_field);
        found.map_or_else(String::new, |path| escape(self.ty.path_text(&path).as_bytes()))
    }

    /// Sets the size of the segment.
    pub(super) const fn resize(&mut self, size: u64) {
        self.size = size;
    }

    fn unfold_small(&mut self) {
        let mut next = vec![Path::default()];
        let mut anonymous = 0;
        while let Some(path) = next.pop() {
            let Some(place) = self.place(&path) else { continue };
            let TypeKind::Record(record) = place.ty.kind() else { continue };
            let mut found = vec![];
            for (index, field) in (0_u64..).zip(record.fields()) {
                // The row of a lock shows its state.
                let is_record =
                    matches!(field.ty.kind(), TypeKind::Record(_)) && LockKind::of(&field.ty).is_none();
                let rows = usize::try_from(field.ty.child_count()).unwrap_or(usize::MAX);
                if is_record {
                    let child = Path([path.0.as_slice(), &[index]].concat());
                    found.push((child, rows, field.name.is_empty()));
                }
            }
            for (child, rows, is_anonymous) in found {
                if is_anonymous && anonymous < MAX_ANONYMOUS {
                    anonymous += 1;
                } else if self.count().saturating_add(rows) > SMALL {
                    continue;
                }
                self.unfold(&child);
                next.push(child);
            }
        }
    }

    fn node(&self, path: &[u64]) -> Option<&Unfolded> {
        path.iter().try_fold(&self.root, |node, index| node.children.get(index))
    }

    pub fn is_unfolded(&self, path: &Path) -> bool {
        self.node(&path.0).is_some()
    }

    /// Unfolds a value and those that contain it. Leaves have nothing to unfold.
    pub fn unfold(&mut self, path: &Path) {
        let Self { ty, start, root, .. } = self;
        let (mut place, mut node) = (ty.at(*start), root);
        for &index in &path.0 {
            let Some(child) = place.child(index).filter(|child| !child.place.ty.is_leaf()) else { return };
            node = node.children.entry(index).or_insert_with(|| Unfolded {
                counter: count::counter(place.ty, index),
                ..Unfolded::default()
            });
            place = child.place;
        }
    }

    /// Folds a value. Returns false if it was not unfolded.
    pub fn fold(&mut self, path: &Path) -> bool {
        let Some((last, parents)) = path.0.split_last() else { return false };
        let parent = parents.iter().try_fold(&mut self.root, |node, index| node.children.get_mut(index));
        parent.is_some_and(|parent| parent.children.remove(last).is_some())
    }

    /// Shows the unused elements of an array too.
    pub fn show_all(&mut self, array: &Path) {
        let node = array.0.iter().try_fold(&mut self.root, |node, index| node.children.get_mut(index));
        if let Some(node) = node {
            node.shows_all = true;
        }
    }

    /// Selects the row of a value, or of the innermost unfolded value that contains it.
    pub fn select(&mut self, path: &Path) {
        self.selected = self.row_of(path).1;
    }

    pub fn select_row(&mut self, row: usize) {
        if let Some(row) = self.rows(row.min(self.count().saturating_sub(1)), 1).pop() {
            self.selected = row.path;
        }
    }

    pub const fn selected(&self) -> &Path {
        &self.selected
    }

    /// The selected row.
    pub fn selected_row(&self) -> Option<Row<'_>> {
        self.rows(self.row_of(&self.selected).0, 1).pop()
    }

    /// Scrolls the selected row and its neighbors into view.
    pub fn scroll(&mut self, height: usize) {
        let (selected, count) = (self.row_of(&self.selected).0, self.count());
        let around = usize::from(height > 3);
        let rows = selected.saturating_sub(around)..selected.saturating_add(1 + around).min(count);
        self.top = first_visible(self.top, &rows, count, height.max(1));
    }
}

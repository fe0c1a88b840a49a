//! The rows of the tree that are on screen, found by their number.

use super::{Tree, Unfolded};
use crate::decode::{Label, Path, Place, Type, TypeKind};
use unicode_width::UnicodeWidthStr as _;

/// Fields that are measured for the widths of the columns.
const MAX_MEASURED: usize = 10_000;
/// Deeper names do not widen their column.
const MAX_MEASURED_DEPTH: usize = 6;

/// A row of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    pub path: Path,
    pub label: Label<'a>,
    /// The place of the value in the segment.
    pub place: Place<'a>,
    pub kind: RowKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    Leaf,
    Folded,
    Unfolded,
    /// In place of elements that are not in use: their number.
    Unused(u64),
    /// In place of elements after the end of the segment: their number.
    PastEnd(u64),
}

impl Row<'_> {
    /// The number of unfolded values around it.
    pub fn depth(&self) -> usize {
        self.path.0.len().saturating_sub(1)
    }

    /// Returns true for a row of a value, not of omitted elements.
    pub const fn is_value(&self) -> bool {
        !matches!(self.kind, RowKind::Unused(_) | RowKind::PastEnd(_))
    }
}

fn clamped(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl Tree {
    /// The number of children that have rows, and the row in place of the others.
    fn shown(&self, node: &Unfolded, place: Place<'_>) -> (u64, Option<RowKind>) {
        let all = place.ty.child_count();
        let before_end = match place.ty.kind() {
            TypeKind::Array(array) if array.stride > 0 => {
                self.size.saturating_sub(place.offset).div_ceil(array.stride).min(all)
            }
            _ => all,
        };
        match node.used.filter(|_| !node.shows_all) {
            Some(used) if used < before_end => (used, Some(RowKind::Unused(all - used))),
            _ if before_end < all => (before_end, Some(RowKind::PastEnd(all - before_end))),
            _ => (all, None),
        }
    }

    /// The number of rows below an unfolded value.
    fn below(&self, node: &Unfolded, place: Place<'_>) -> usize {
        let (count, rest) = self.shown(node, place);
        let rows = clamped(count).saturating_add(usize::from(rest.is_some()));
        self.below_children(node, place, count).saturating_add(rows)
    }

    /// The number of rows below the first `count` children.
    fn below_children(&self, node: &Unfolded, place: Place<'_>, count: u64) -> usize {
        let unfolded = node.children.range(..count);
        unfolded
            .filter_map(|(&index, child)| Some(self.below(child, place.child(index)?.place)))
            .fold(0, usize::saturating_add)
    }

    /// The number of all rows.
    pub fn count(&self) -> usize {
        self.below(&self.root, self.whole())
    }

    /// Up to `count` rows from a number on.
    pub fn rows(&self, from: usize, count: usize) -> Vec<Row<'_>> {
        let mut rows = Rows { tree: self, skip: from, count, path: vec![], out: vec![] };
        rows.collect(&self.root, self.whole());
        rows.out
    }

    /// The number and the path of the row of a value, or of the innermost unfolded value that
    /// contains it.
    pub fn row_of(&self, path: &Path) -> (usize, Path) {
        let (mut node, mut place) = (&self.root, self.whole());
        let mut row = 0_usize;
        for (depth, &index) in path.0.iter().enumerate() {
            let (count, rest) = self.shown(node, place);
            let last = if rest.is_some() { count } else { count.saturating_sub(1) };
            let at = index.min(last);
            row = row.saturating_add(clamped(at)).saturating_add(self.below_children(node, place, at));
            let child = node.children.get(&at).filter(|_| at < count && depth + 1 < path.0.len());
            match (child, place.child(at)) {
                (Some(child), Some(found)) => (node, place) = (child, found.place),
                _ => return (row, Path([&path.0[..depth], &[at]].concat())),
            }
            row = row.saturating_add(1);
        }
        (row, path.clone())
    }
}

/// Collects the rows after the first `skip` ones.
struct Rows<'a> {
    tree: &'a Tree,
    skip: usize,
    count: usize,
    path: Vec<u64>,
    out: Vec<Row<'a>>,
}

impl<'a> Rows<'a> {
    fn is_full(&self) -> bool {
        self.out.len() >= self.count
    }

    fn collect(&mut self, node: &Unfolded, place: Place<'a>) {
        let (count, rest) = self.tree.shown(node, place);
        let mut next = 0;
        let unfolded = node.children.range(..count).map(|(&index, child)| (index, Some(child)));
        for (index, child) in unfolded.chain([(count, None)]) {
            let skipped = clamped(index - next).min(self.skip);
            self.skip -= skipped;
            next += skipped as u64;
            while next < index && !self.is_full() {
                self.push(place, next, None);
                next += 1;
            }
            if self.is_full() {
                return;
            }
            let (Some(child), Some(found)) = (child, place.child(index)) else { break };
            self.push_or_skip(place, index, Some(RowKind::Unfolded));
            let below = self.tree.below(child, found.place);
            if self.skip >= below {
                self.skip -= below;
            } else if !self.is_full() {
                self.path.push(index);
                self.collect(child, found.place);
                self.path.pop();
            }
            next = index + 1;
        }
        if rest.is_some() && !self.is_full() {
            self.push_or_skip(place, count, rest);
        }
    }

    fn push_or_skip(&mut self, place: Place<'a>, index: u64, kind: Option<RowKind>) {
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.push(place, index, kind);
        }
    }

    fn push(&mut self, parent: Place<'a>, index: u64, kind: Option<RowKind>) {
        let Some(child) = parent.child(index) else { return };
        let folded = if child.place.ty.is_leaf() { RowKind::Leaf } else { RowKind::Folded };
        let path = Path([self.path.as_slice(), &[index]].concat());
        self.out.push(Row { path, label: child.label, place: child.place, kind: kind.unwrap_or(folded) });
    }
}

/// Measures the longest indented name and the longest type, of which rows have at most
/// `MAX_MEASURED`.
pub(super) fn widths(ty: &Type) -> [usize; 2] {
    let mut widths = [0; 2];
    let mut next = vec![(ty.at(0), 0)];
    let mut measured = 0;
    while let Some((place, depth)) = next.pop() {
        let count = place.ty.child_count();
        // All elements have the same type, and the last one has the longest index.
        let from = if matches!(place.ty.kind(), TypeKind::Array(_)) { count.saturating_sub(1) } else { 0 };
        for child in (from..count).filter_map(|index| place.child(index)) {
            measured += 1;
            if measured > MAX_MEASURED {
                return widths;
            }
            let lengths = [2 * depth + child.label.text().width(), child.place.ty.to_string().width()];
            for (width, length) in widths.iter_mut().zip(lengths) {
                *width = length.max(*width);
            }
            if depth < MAX_MEASURED_DEPTH {
                next.push((child.place, depth + 1));
            }
        }
    }
    widths
}

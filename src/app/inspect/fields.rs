//! The fields of a type in Inspect: their values, the selection, and the samples of those outside
//! of the view.

use super::field_text::{FieldText, MAX_FIELD, field_text, merged, row_range};
use super::frozen::Frozen;
use super::tree::{Row, Tree, integer};
use super::view::View;
use super::{Inspect, InspectPane};
use crate::app::event::Size;
use crate::app::layout::inspect::{TreeAreas, TreeSections};
use crate::decode::layouts::LockKind;
use crate::decode::{Decoded, Path, Place, PlacedType, Type, Window};
use crate::engine::Moving;
use crate::segment::escape;
use std::ops::Range;

/// Bytes of the selected field that are read, to copy it.
const MAX_SELECTED: u64 = 4096;
impl Inspect {
    /// The field of the type at the cursor: `points[1].x = 5`.
    pub fn field_at_cursor(&self) -> Option<String> {
        let PlacedType { ty, offset } = self.typed.as_ref().filter(|_| self.unfit().is_none())?;
        let start = offset.unwrap_or(0);
        let path = ty.path_at(self.cursor.checked_sub(start)?)?;
        let mut place = ty.place(&path)?;
        place.offset = place.offset.checked_add(start)?;
        let length = usize::try_from(place.range().end - place.offset).unwrap_or(MAX_FIELD).min(MAX_FIELD);
        let bytes = self.view.read(place.offset, length);
        let window = Window { offset: place.offset, bytes: &bytes };
        let text = ty.path_text(&path);
        let name = if text.is_empty() { ty.to_string() } else { escape(text.as_bytes()) };
        Some(format!("{name} = {}", Decoded { place, window }))
    }

    /// The path of the selected field, or of the one at the cursor; `None` without a type.
    pub fn place_text(&self) -> Option<String> {
        let PlacedType { ty, offset } = self.typed.as_ref()?;
        let start = offset.unwrap_or(0);
        if self.pane == InspectPane::Values
            && let Some(row) = self.selected_field()
        {
            return Some(self.field_name(&row));
        }
        let Some(within) = self.cursor.checked_sub(start).filter(|&within| within < ty.size()) else {
            let side = if self.cursor < start { "before" } else { "after" };
            return Some(format!("{side} {ty}"));
        };
        Some(match ty.path_at(within) {
            Some(path) if path.0.is_empty() => ty.to_string(),
            Some(path) => escape(ty.path_text(&path).as_bytes()),
            // The layout itself takes bytes.
            None if self.layout.is_some() => ty.to_string(),
            None => "padding".to_owned(),
        })
    }

    /// The known bytes of a range, as many as are known from its start on.
    pub fn field_bytes(&self, range: &Range<u64>) -> Vec<u8> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let seen = self.view.read(range.start, length);
        let known = self.tree.as_ref().map_or(&[][..], |tree| tree.samples.from(range.start));
        let known = &known[..length.min(known.len())];
        if known.len() > seen.len() { known.to_vec() } else { seen }
    }

    /// The value of a field on its row.
    pub fn field_text(&self, place: Place<'_>) -> FieldText {
        if self.unfit().is_some() {
            return FieldText::Unread;
        }
        let text = field_text(place, self.size(), |range| self.field_bytes(range));
        // The owner and the threads that wait, unless the lock has changed since.
        let lock = self.locks.iter().find(|lock| {
            lock.offset == place.offset && lock.kind.is_some() && lock.kind == LockKind::of(place.ty)
        });
        match (text, lock) {
            (FieldText::Value(state), Some(lock)) if state == lock.state.text() => {
                FieldText::Value(lock.text())
            }
            (text, _) => text,
        }
    }

    /// The selected field of the tree.
    pub fn selected_field(&self) -> Option<Row<'_>> {
        let tree = self.tree.as_ref().filter(|_| self.unfit().is_none())?;
        let tree = Some(tree).filter(|tree| tree.is_on_field || self.pane == InspectPane::Values)?;
        tree.selected_row().filter(Row::is_value)
    }

    /// The selected field, if the tree receives keys.
    pub fn focused_field(&self) -> Option<Row<'_>> {
        self.selected_field().filter(|_| self.pane == InspectPane::Values)
    }

    /// The bytes that `y` copies, with their offset: those of the focused field, or the known ones
    /// of the range.
    pub fn copied_bytes(&self, size: Size) -> (u64, Vec<u8>) {
        if let Some(row) = self.focused_field() {
            let range = row.place.range();
            return (range.start, self.field_bytes(&range));
        }
        let range = self.known(&self.copy_range(size));
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
        (range.start, self.view.read(range.start, length))
    }

    /// Selects the field at the cursor if the cursor has moved.
    pub fn follow_cursor(&mut self, size: Size) {
        let (cursor, height) = (self.cursor, self.tree_height(size));
        let Some(tree) = &mut self.tree else { return };
        if tree.followed != Some(cursor) {
            tree.followed = Some(cursor);
            let path = cursor.checked_sub(tree.start()).and_then(|within| tree.ty().path_at(within));
            tree.is_on_field = path.is_some();
            if let Some(path) = path {
                tree.select(&path);
            }
        }
        tree.scroll(height);
    }

    /// Moves the cursor to the selected field.
    pub fn go_to_field(&mut self, size: Size) {
        let row = self.tree.as_ref().and_then(Tree::selected_row);
        let Some(offset) = row.map(|row| row.place.offset) else { return };
        let page = self.layout(size).page();
        // A small step scrolls as little as possible.
        if (self.top.saturating_sub(page)..self.top.saturating_add(2 * page)).contains(&offset) {
            self.go_to(offset, size);
        } else {
            self.jump(offset, size);
        }
        if let Some(tree) = &mut self.tree {
            tree.followed = Some(self.cursor);
            tree.is_on_field = true;
        }
    }

    /// The field with this path, and its offset.
    pub fn field_named(&self, text: &str) -> Option<(Path, u64)> {
        let tree = self.tree.as_ref()?;
        let path = tree.ty().parse_path(text).filter(|path| !path.0.is_empty())?;
        let offset = tree.place(&path)?.offset;
        Some((path, offset))
    }

    /// Goes to a field, and unfolds what contains it.
    pub fn show_field(&mut self, path: &Path, size: Size) {
        let Some(tree) = &mut self.tree else { return };
        tree.unfold(&path.parent());
        self.read_counts();
        let Some(tree) = &mut self.tree else { return };
        if tree.row_of(path).1 != *path {
            for last in 0..path.0.len() {
                tree.show_all(&Path(path.0[..last].to_vec()));
            }
        }
        tree.select(path);
        self.go_to_field(size);
    }

    /// Selects the field at the cursor, and unfolds what contains it.
    pub fn unfold_to_cursor(&mut self) {
        let Some(tree) = &mut self.tree else { return };
        let within = self.cursor.checked_sub(tree.start());
        let Some(path) = within.and_then(|within| tree.ty().path_at(within)) else { return };
        tree.unfold(&path.parent());
        tree.select(&path);
        self.read_counts();
    }

    /// Reads how many elements of the unfolded arrays are in use.
    pub fn read_counts(&mut self) {
        let Some(mut tree) = self.tree.take() else { return };
        tree.resize(self.size());
        tree.read_counts(|tree, place| {
            let range = place.range();
            let mut bytes = self.view.read(range.start, MAX_FIELD);
            if (bytes.len() as u64) < range.end - range.start {
                bytes = tree.samples.from(range.start).to_vec();
            }
            let window = Window { offset: range.start, bytes: &bytes };
            integer(&Decoded { place, window }.leaf()?)
        });
        self.tree = Some(tree);
    }

    /// The rows of the tree on screen.
    pub fn tree_height(&self, size: Size) -> usize {
        self.tree_areas(size).map_or(0, |areas| areas.tree.height.into())
    }

    /// The areas of the tree and of the values below it; `None` without a tree.
    pub fn tree_areas(&self, size: Size) -> Option<TreeAreas> {
        let fields = self.tree.as_ref()?.count();
        let sections = TreeSections { fields, pins: self.pins.len(), moving: self.moving.len() };
        self.layout(size).tree(sections)
    }

    /// The name of the field that a detected value is; empty if it is none, or covers several.
    pub fn name_of(&self, value: &Moving) -> String {
        self.tree.as_ref().map_or_else(String::new, |tree| tree.name_of(value))
    }

    /// The bytes of the fields on screen, unless all of them are in the window. Fields of the next
    /// pages are included, so that they are shown without waiting.
    pub fn field_ranges(&self, size: Size) -> Vec<Range<u64>> {
        let Some(tree) = &self.tree else { return vec![] };
        let window = self.watching(size).window;
        let height = self.tree_height(size).max(1);
        let range = |row: &Row<'_>| row_range(row, self.size());
        let visible = tree.rows(tree.top, height);
        let mut extra: Vec<Range<u64>> = vec![];
        extra.extend(visible.first().into_iter().flat_map(|row| tree.counters(&row.path.0)));
        extra.extend(
            visible
                .iter()
                .filter(|row| tree.is_unfolded(&row.path))
                .flat_map(|row| tree.counters(&row.path.0)),
        );
        let selected = self.selected_field().map(|row| row.place.range());
        extra.extend(selected.filter(|range| range.end - range.start <= MAX_SELECTED));
        extra.retain(|range| range.end <= self.size());
        let is_seen =
            |range: &Range<u64>| window.start <= range.start && range.end.min(self.size()) <= window.end;
        if visible.iter().filter_map(range).chain(extra.iter().cloned()).all(|range| is_seen(&range)) {
            return vec![];
        }
        // The request changes once a page, not with every line.
        let first = (tree.top / height).saturating_sub(1) * height;
        let rows = tree.rows(first, 4 * height);
        merged(rows.iter().filter_map(range).chain(extra).collect())
    }

    /// Stores samples of ranges. Fields outside of the view glow where they have changed.
    pub fn add_field_samples(&mut self, ranges: &[Range<u64>], samples: Vec<Vec<u8>>) {
        let view = self.view.offset..self.view.end();
        let Some(tree) = &mut self.tree else { return };
        let mut blocks: Vec<(u64, Vec<u8>)> = ranges.iter().map(|range| range.start).zip(samples).collect();
        if let Some(frozen) = &mut self.frozen {
            for (start, bytes) in &mut blocks {
                *bytes = frozen
                    .overlay(&View::new(*start, std::mem::take(bytes), vec![]))
                    .read(*start, usize::MAX);
            }
        }
        let mut changed = tree.samples.replace(blocks);
        changed.retain(|byte| !view.contains(&byte.start));
        if self.frozen.is_none() {
            self.glow.changed(&changed, self.now);
        }
        self.read_counts();
    }

    /// Keeps the samples while the view is frozen.
    pub(super) fn freeze_fields(&self, frozen: &mut Frozen) {
        for (start, bytes) in self.tree.iter().flat_map(|tree| tree.samples.blocks()) {
            frozen.overlay(&View::new(*start, bytes.clone(), vec![]));
        }
    }

    /// The name of the selected field for messages, and its path in the type.
    pub fn field_name(&self, row: &Row<'_>) -> String {
        let ty: Option<&Type> = self.tree.as_ref().map(Tree::ty);
        escape(ty.map_or_else(String::new, |ty| ty.path_text(&row.path)).as_bytes())
    }
}

//! The fields of a type in Inspect: their values, the selection, and the samples of those outside
//! of the view.

use super::frozen::Frozen;
use super::tree::{Row, RowKind, Tree, integer};
use super::view::View;
use super::{Inspect, InspectPane};
use crate::app::event::Size;
use crate::decode::{Decoded, Label, Path, Place, PlacedType, Type, TypeKind, Window};
use crate::segment::escape;
use std::fmt::Write as _;
use std::ops::Range;

/// Bytes of a field that are read for its row. Longer texts are cut.
pub const MAX_FIELD: usize = 256;
/// Bytes of the selected field that are read, to copy it.
const MAX_SELECTED: u64 = 4096;
/// Ranges with smaller gaps are read at once.
const GAP: u64 = 64;
/// The maximum number of characters of a value on a row.
const MAX_TEXT: usize = 160;

/// The value of a field on its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldText {
    Value(String),
    PastEnd,
    /// Not read yet.
    Unread,
}

/// Text that ends after `MAX_TEXT` characters.
struct Limited(String);

impl std::fmt::Write for Limited {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let left = MAX_TEXT.saturating_sub(self.0.chars().count());
        self.0.extend(text.chars().take(left));
        if text.chars().nth(left).is_some() { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// Writes the parts of a value that are in the window: `{tick: 42, …`.
fn write_start(out: &mut Limited, value: Decoded<'_>) -> std::fmt::Result {
    let is_record = matches!(value.place.ty.kind(), TypeKind::Record(record) if !record.kind().is_row());
    out.write_str(if is_record { "{" } else { "[" })?;
    for child in value.place.children() {
        let part = Decoded { place: child.place, ..value };
        if part.is_truncated() {
            break;
        }
        match child.label {
            Label::Field(field) if !field.name.is_empty() => {
                write!(out, "{}: {part}, ", escape(field.name.as_bytes()))?;
            }
            _ => write!(out, "{part}, ")?,
        }
    }
    out.write_str("…")
}

/// Returns the first bytes of a range.
const fn head(range: &Range<u64>, length: u64) -> Range<u64> {
    let end = range.start.saturating_add(length);
    range.start..if end < range.end { end } else { range.end }
}

impl Inspect {
    /// The field of the type at the cursor: `points[1].x = 5`.
    pub fn field_at_cursor(&self) -> Option<String> {
        let PlacedType { ty, offset } = self.typed.as_ref()?;
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
            None => "padding".to_owned(),
        })
    }

    /// The known bytes of a range, as many as are known from its start on.
    pub fn field_bytes(&self, range: &Range<u64>) -> Vec<u8> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let seen = self.view.read(range.start, length);
        let samples = self.tree.iter().flat_map(|tree| &tree.samples);
        let known = samples.filter_map(|(start, bytes)| {
            let from = usize::try_from(range.start.checked_sub(*start)?).ok()?;
            bytes.get(from..).map(|bytes| &bytes[..length.min(bytes.len())])
        });
        match known.max_by_key(|bytes| bytes.len()) {
            Some(bytes) if bytes.len() > seen.len() => bytes.to_vec(),
            _ => seen,
        }
    }

    /// The value of a field on its row.
    pub fn field_text(&self, place: Place<'_>) -> FieldText {
        let range = place.range();
        let length = range.end - range.start;
        let is_whole = place.ty.smallest() == place.ty.size() || place.bits.is_some();
        if range.end > self.size() && (is_whole || range.start >= self.size()) {
            return FieldText::PastEnd;
        }
        let range = head(&range, MAX_FIELD as u64);
        let bytes = self.field_bytes(&range);
        if (bytes.len() as u64) < range.end.min(self.size()) - range.start {
            return FieldText::Unread;
        }
        let decoded = Decoded { place, window: Window { offset: range.start, bytes: &bytes } };
        let mut text = Limited(String::new());
        // An error means that the text is long enough.
        let _ = if place.ty.is_leaf() || range.end - range.start == length {
            write!(text, "{decoded}")
        } else {
            write_start(&mut text, decoded)
        };
        FieldText::Value(text.0)
    }

    /// The selected field of the tree.
    pub fn selected_field(&self) -> Option<Row<'_>> {
        let tree = self.tree.as_ref().filter(|tree| tree.is_on_field || self.pane == InspectPane::Values)?;
        tree.selected_row().filter(Row::is_value)
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
                bytes = tree.sample(&range)?.to_vec();
            }
            let window = Window { offset: range.start, bytes: &bytes };
            integer(&Decoded { place, window }.leaf()?)
        });
        self.tree = Some(tree);
    }

    /// The rows of the tree on screen.
    pub fn tree_height(&self, size: Size) -> usize {
        self.layout(size).tree(self.pins.len()).map_or(0, |(tree, _)| tree.height.into())
    }

    /// The bytes of the fields on screen, unless all of them are in the window. Fields of the next
    /// pages are included, so that they are shown without waiting.
    pub fn field_ranges(&self, size: Size) -> Vec<Range<u64>> {
        let Some(tree) = &self.tree else { return vec![] };
        let window = self.watching(size).window;
        let height = self.tree_height(size).max(1);
        let range = |row: &Row<'_>| -> Option<Range<u64>> {
            let is_shown = row.is_value() && row.kind != RowKind::Unfolded;
            let range = head(&row.place.range(), MAX_FIELD as u64);
            let range = range.start..range.end.min(self.size());
            (is_shown && !range.is_empty()).then_some(range)
        };
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
        } else {
            let mut changed = vec![];
            for (start, bytes) in &blocks {
                let Some(before) = tree.sample(&(*start..start.saturating_add(1))) else { continue };
                for ((at, now), before) in (*start..).zip(bytes).zip(before) {
                    if now != before && !view.contains(&at) {
                        changed.push(at..at + 1);
                    }
                }
            }
            self.glow.changed(&changed, self.now);
        }
        tree.samples = blocks;
        self.read_counts();
    }

    /// Keeps the samples while the view is frozen.
    pub(super) fn freeze_fields(&self, frozen: &mut Frozen) {
        for (start, bytes) in self.tree.iter().flat_map(|tree| &tree.samples) {
            frozen.overlay(&View::new(*start, bytes.clone(), vec![]));
        }
    }

    /// The name of the selected field for messages, and its path in the type.
    pub fn field_name(&self, row: &Row<'_>) -> String {
        let ty: Option<&Type> = self.tree.as_ref().map(Tree::ty);
        escape(ty.map_or_else(String::new, |ty| ty.path_text(&row.path)).as_bytes())
    }
}

impl Tree {
    /// The sampled bytes from the start of a range on, if they cover it.
    fn sample(&self, range: &Range<u64>) -> Option<&[u8]> {
        self.samples.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(range.start.checked_sub(*start)?).ok()?;
            bytes.get(from..).filter(|bytes| bytes.len() as u64 >= range.end - range.start)
        })
    }
}

/// Joins ranges that overlap or are close to each other.
fn merged(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<u64>> = vec![];
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

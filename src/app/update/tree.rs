//! Keys in the tree of fields.

use super::scope;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::event::Size;
use crate::app::inspect::{Inspect, InspectPane, RowKind};
use crate::app::key::Mouse;
use crate::app::list;
use crate::app::overlay::{Chosen, CopyItem};
use crate::app::state::State;
use crate::decode::{Decoded, Path, Type, Window};
use crate::scope::{Elements, SampledArray, Waveform, text};
use crate::segment::escape;

/// Bytes of the largest field that is copied.
const MAX_COPY: u64 = 64 << 10;

/// Moves in the tree, folds and unfolds. Returns true if the action was one of these.
pub fn act(inspect: &mut Inspect, action: Action, size: Size) -> bool {
    let height = inspect.tree_height(size);
    let Some(tree) = &mut inspect.tree else { return false };
    match (list::step(action, height), action) {
        (Some(by), _) => {
            let row = tree.row_of(tree.selected()).0.saturating_add_signed(by);
            tree.select_row(row);
        }
        (None, Action::Left) => fold_or_leave(inspect),
        (None, Action::Right) => unfold_or_enter(inspect),
        _ => return false,
    }
    inspect.go_to_field(size);
    true
}

/// Folds the selected value, or selects the one that contains it.
fn fold_or_leave(inspect: &mut Inspect) {
    let Some(tree) = &mut inspect.tree else { return };
    let path = tree.selected().clone();
    let parent = path.parent();
    if !tree.fold(&path) && !parent.0.is_empty() {
        tree.select(&parent);
    }
}

/// Unfolds the selected value, or selects the first one in it.
fn unfold_or_enter(inspect: &mut Inspect) {
    if !unfold(inspect) {
        let Some(tree) = &mut inspect.tree else { return };
        let first = Path([tree.selected().0.as_slice(), &[0]].concat());
        if tree.is_unfolded(tree.selected()) {
            tree.select(&first);
        }
    }
}

/// Unfolds the selected value, or shows the unused elements. Returns false if there are none.
fn unfold(inspect: &mut Inspect) -> bool {
    let Some(tree) = &mut inspect.tree else { return false };
    let Some((path, kind)) = tree.selected_row().map(|row| (row.path, row.kind)) else { return false };
    match kind {
        RowKind::Folded => tree.unfold(&path),
        RowKind::Unused(_) => tree.show_all(&path.parent()),
        RowKind::Leaf | RowKind::Unfolded | RowKind::PastEnd(_) => return false,
    }
    inspect.read_counts();
    true
}

/// Folds or unfolds the selected value, or goes to the bytes of one without parts. From the bytes,
/// goes to the field at the cursor. Returns false if there is no tree.
pub fn toggle(inspect: &mut Inspect, size: Size) -> bool {
    if inspect.pane == InspectPane::Bytes && inspect.tree.is_some() {
        inspect.pane = InspectPane::Values;
        inspect.unfold_to_cursor();
        return true;
    }
    if !unfold(inspect) {
        let Some(tree) = &mut inspect.tree else { return false };
        let path = tree.selected().clone();
        if !tree.fold(&path) {
            inspect.pane = InspectPane::Bytes;
        }
    }
    inspect.go_to_field(size);
    true
}

/// Handles a click on the tree, or the wheel over it if `notch` is not 0. A click on the first
/// cells of a row folds or unfolds. Returns false outside of the tree.
pub fn mouse(inspect: &mut Inspect, mouse: Mouse, notch: i16, size: Size) -> bool {
    let area = inspect.tree_areas(size).map(|areas| areas.tree);
    let Some(area) = area.filter(|area| area.contains(mouse.x, mouse.y)) else { return false };
    let Some(tree) = &mut inspect.tree else { return false };
    if notch != 0 {
        tree.select_row(tree.row_of(tree.selected()).0.saturating_add_signed(notch.into()));
    } else {
        let row = tree.top + usize::from(mouse.y - area.y);
        let Some((path, depth)) = tree.rows(row, 1).pop().map(|row| (row.path.clone(), row.depth())) else {
            return true;
        };
        tree.select(&path);
        let marker = usize::from(mouse.x - area.x) <= 2 * depth + 1;
        if marker
            && !unfold(inspect)
            && let Some(tree) = &mut inspect.tree
        {
            tree.fold(&path);
        }
    }
    inspect.pane = InspectPane::Values;
    inspect.go_to_field(size);
    true
}

/// Pins or unpins the selected field. An array of numbers becomes a waveform of the scope instead.
pub fn pin(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(inspect) = &mut state.inspect else { return };
    let Some(row) = inspect.selected_field() else { return };
    if !row.place.ty.is_leaf() {
        match (Elements::of(row.place), &inspect.tree) {
            (Ok(elements), Some(tree)) => {
                let name = text::field_text(&inspect.segment, tree.ty(), &row.path);
                let array = SampledArray { segment: Box::new(inspect.segment.clone()), elements };
                pin_array(state, Waveform { name, array }, effects);
            }
            _ => state.fail("Only a value without parts, or an array of numbers, can be pinned: unfold it"),
        }
        return;
    }
    let name = inspect.field_name(&row);
    let mut pins = std::mem::take(&mut inspect.pins);
    let pinned = inspect.selected_field().map(|row| pins.toggle_field(name.clone(), row.place));
    let channel = inspect.selected_field().zip(inspect.tree.as_ref()).and_then(|(row, tree)| {
        let name = text::field_text(&inspect.segment, tree.ty(), &row.path);
        scope::channel(&inspect.segment, Some(name), (row.place.offset, row.place.ty, row.place.bits))
    });
    inspect.pins = pins;
    if let Some(Some(is_pinned)) = pinned {
        scope::pinned(state, is_pinned, channel);
    }
    let key = state.key_of(Action::Pin);
    match pinned.flatten() {
        Some(true) => state.show_message(format!("Pinned {name} ({key}: unpin)")),
        Some(false) => state.show_message("Unpinned"),
        None => state.fail(format!("Too many pinned values ({key}: unpin one)")),
    }
}

/// Plots the array around the selected value, or the scalars from the last mark to the cursor.
pub fn plot_array(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(inspect) = &state.inspect else { return };
    let field = inspect.selected_field().zip(inspect.shown_type());
    let around = field.and_then(|(row, placed)| text::array_around(&inspect.segment, placed, &row.path));
    if let Some(waveform) = around.or_else(|| marked_array(inspect)) {
        pin_array(state, waveform, effects);
    } else {
        let mark = state.key_of(Action::SetMark);
        state.fail(format!("No array here ({mark}: mark the start of one of the type that is shown)"));
    }
}

/// The scalars from the last mark to the one under the cursor.
fn marked_array(inspect: &Inspect) -> Option<Waveform> {
    let (cursor, scalar, order) = inspect.number()?;
    let mark = *inspect.marks.get(&inspect.last_mark?)?;
    let size = scalar.size() as u64;
    let [first, last] = [mark.min(cursor), mark.max(cursor)];
    let ty = Type::array(Type::scalar(scalar, order), (last - first) / size + 1).ok()?;
    let elements = Elements::of(ty.at(first)).ok().filter(|elements| elements.count() > 1)?;
    let name = format!("{}+{first:#x}:{ty}", text::segment_text(&inspect.segment));
    Some(Waveform { name, array: SampledArray { segment: Box::new(inspect.segment.clone()), elements } })
}

fn pin_array(state: &mut State, waveform: Waveform, effects: &mut Vec<Effect>) {
    let name = waveform.name.clone();
    let (show, drop) = (state.key_of(Action::Scope), state.key_of(Action::PlotArray));
    match scope::toggle_waveform(state, waveform, effects) {
        Ok(true) => {
            state.show_message(format!("Added {name} to the scope ({show}: show it, {drop}: drop it)"));
        }
        Ok(false) => state.show_message(format!("Dropped {name} from the scope")),
        Err(error) => state.fail(error.to_string()),
    }
}

/// The forms in which the selected field can be copied.
pub fn copied(inspect: &Inspect) -> Vec<CopyItem> {
    let (Some(row), Some(tree)) = (inspect.selected_field(), &inspect.tree) else { return vec![] };
    let range = row.place.range();
    let known =
        range.start..range.end.min(inspect.size()).min(range.start.saturating_add(MAX_COPY)).max(range.start);
    let bytes = inspect.field_bytes(&known);
    let decoded = Decoded { place: row.place, window: Window { offset: range.start, bytes: &bytes } };
    let is_complete = bytes.len() as u64 >= range.end.min(inspect.size()).saturating_sub(range.start);
    let mut forms = vec![];
    if is_complete && !bytes.is_empty() {
        forms.push(("value", decoded.to_string(), Chosen::CopyValue("value")));
    }
    let path = escape(tree.ty().path_text(&row.path).as_bytes());
    forms.push(("path", path, Chosen::CopyValue("path")));
    // An empty text stands for a field that is too large.
    let json = serde_json::to_string(&decoded).ok().filter(|_| is_complete);
    forms.push(("JSON", json.unwrap_or_default(), Chosen::CopyJson));
    forms
}

//! The tree of fields, beside the bytes or below them.

use super::panel;
use crate::app::State;
use crate::app::action::Action;
use crate::app::inspect::{Inspect, InspectPane, Tree};
use crate::app::layout::Area;
use crate::app::layout::inspect::InspectLayout;
use crate::app::sentence::sentence;
use crate::segment::Bytes;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::draw::fields::{Columns, GAP, draw_row, name_area, plain};
use ratatui::style::{Modifier, Style};

pub fn draw(state: &State, open: &Inspect, tree: &Tree, canvas: &mut Canvas<'_>, layout: &InspectLayout) {
    let Some(areas) = open.tree_areas(state.size) else { return };
    let area = areas.tree;
    let has_hidden = areas.moving.height == 0 && !open.moving.is_empty();
    let hidden = if has_hidden {
        format!("{} moving ({} bytes)  ", open.moving.len(), state.key_of(Action::Type))
    } else {
        String::new()
    };
    heading(open, tree, &hidden, canvas, area);
    let columns = Columns::new(tree, area.width);
    let selected = tree.selected_row().map(|row| row.path);
    for (y, row) in (area.y..).zip(tree.rows(tree.top, area.height.into())) {
        let line = Area::new(area.x, y, area.width, 1);
        let selected = selected.as_ref() == Some(&row.path);
        let faded = open.glow.freshest(row.place.range(), state.now).filter(|_| open.frozen.is_none());
        draw_row(&row, columns, open.field_text(row.place), faded, canvas, line);
        match open.pane {
            InspectPane::Values if selected => {
                canvas.style(line, Style::reset().patch(canvas.theme.selection));
            }
            InspectPane::Bytes if selected && tree.is_on_field => {
                let style = Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD);
                canvas.style(name_area(&row, columns, canvas, line), style);
            }
            _ => {}
        }
    }
    panel::draw_below_tree(state, open, canvas, areas, layout.beside);
}

/// Draws the offset and the field of the cursor, how to see what is hidden, and the type or the
/// position in the tree.
fn heading(open: &Inspect, tree: &Tree, hidden: &str, canvas: &mut Canvas<'_>, area: Area) {
    let style = super::heading(canvas, open.pane == InspectPane::Values);
    let y = area.y - 1;
    if let Some(reason) = open.unfit() {
        let reason = match reason.strip_prefix("the contents are not ") {
            Some(layout) => format!("no longer {layout}"),
            None => reason.to_owned(),
        };
        let text = canvas.cut(&plain(&sentence(&reason), canvas), area.width);
        canvas.text(area.x, y, area.width, &text, canvas.theme.failed);
        return;
    }
    let mut x = canvas.text(area.x, y, area.width, &format!("AT {:#x}  ", open.cursor), style);
    let field =
        canvas.fit(&plain(&open.place_text().unwrap_or_default(), canvas), area.right().saturating_sub(x));
    x = canvas.text(x, y, area.width, &field, style) + GAP;
    let count = tree.count();
    let text = if count > area.height.into() {
        format!("row {} of {count}", tree.row_of(tree.selected()).0 + 1)
    } else {
        format!("{}  {}", plain(&tree.ty().to_string(), canvas), Bytes(tree.ty().size()))
    };
    let longer = format!("{hidden}{text}");
    let text = if x + cells(&longer) <= area.right() { longer } else { text };
    if x + cells(&text) <= area.right() {
        canvas.text_right(area.right(), y, cells(&text), &text, canvas.theme.dim);
    }
}

//! The attachments of shmlens, with the effect of detaching.

use super::list::{Entries, NO_ENTRY, Panel};
use crate::act::OwnAttachment;
use crate::app::State;
use crate::app::attachments::Attachments;
use crate::app::overlay::Overlay;
use crate::app::sentence::name_of;
use crate::tui::canvas::{Canvas, cells};

pub fn draw(state: &State, overlay: &Overlay, attachments: &Attachments, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let mut entries = Entries::of(state);
    for (entry, hold) in attachments.shown().iter().enumerate() {
        entries.line(entry, 0, heading(state, hold, canvas, entries.width), theme.strong);
        let style = if hold.is_last() { theme.removed } else { theme.text };
        entries.add(canvas, entry, 2, &hold.effect(), style);
    }
    if attachments.found.as_ref().is_some_and(Vec::is_empty) {
        entries.line(NO_ENTRY, 0, "Nothing attached.".to_owned(), theme.dim);
    }
    Panel::new(attachments.title(), entries, attachments.list.selected).draw(state, overlay, canvas);
}

fn heading(state: &State, hold: &OwnAttachment, canvas: &Canvas<'_>, width: u16) -> String {
    let open = state.inspect.as_ref().is_some_and(|inspect| *inspect.id() == hold.id);
    let how = match (open, state.kept.contains_key(&hold.id)) {
        (true, true) => "open, stays attached",
        (true, false) => "open",
        (false, _) => "attached",
    };
    let rest = format!("  {}  {} {how}", hold.size, canvas.theme.glyphs.attached);
    let name = canvas.fit(&name_of(&hold.id), width.saturating_sub(cells(&rest) + 1));
    format!("{name}{rest}")
}

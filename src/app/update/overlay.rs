//! Keys, clicks and pasted text in overlays. Moving, typing and closing are shared by all
//! overlays.

use super::{acting, attachments, clean, holders, inspect, new_segment, permissions, prompt, save, typing};
use crate::app::action::{Action, row_of};
use crate::app::effect::Effect;
use crate::app::inspect::ChosenBy;
use crate::app::key::Mouse;
use crate::app::layout::overlay as layout;
use crate::app::list::centered;
use crate::app::overlay::{Choice, Chosen, Next, Overlay, Prompt, PromptKind, form, palette_rows};
use crate::app::state::State;
use crate::app::text_field::TextField;
use crate::decode::code::{self, Attachment};
use crate::decode::copy_as;
use crate::segment::Bytes;

/// Runs a handler on the overlay and applies its result.
pub fn with(state: &mut State, handle: impl FnOnce(&mut State, &mut Overlay) -> Next) {
    let Some(mut overlay) = state.overlay.take() else { return };
    match handle(state, &mut overlay) {
        Next::Stay => state.overlay = Some(overlay),
        Next::Close => {}
        Next::Replace(other) => state.overlay = Some(other),
    }
}

/// Closes the overlay without further action. Closing the filter prompt clears the filter; closing
/// a confirmation returns to the list that it was opened from.
fn close(state: &mut State, overlay: &mut Overlay) -> Next {
    match overlay {
        Overlay::Confirm(confirm) => clean::back(state, confirm),
        Overlay::Terminate(terminate) => Next::Replace(Overlay::Holders(terminate.back.clone())),
        Overlay::Prompt(Prompt { kind: PromptKind::Filter, .. }) => {
            super::segments::set_filter(state, "");
            Next::Close
        }
        _ => Next::Close,
    }
}

pub fn insert(state: &mut State, overlay: &mut Overlay, letter: char, effects: &mut Vec<Effect>) -> Next {
    match overlay {
        Overlay::MarkLetter { go } => return inspect::mark(state, *go, Some(letter), effects),
        Overlay::Choice(choice) => choice.type_letter(letter),
        overlay => {
            if let Some(field) = overlay.text() {
                if field.insert(letter) {
                    handle_edit(state, overlay, effects);
                }
            } else if let Some(form) = overlay.form() {
                form.insert(letter);
            }
        }
    }
    Next::Stay
}

/// Inserts pasted text into the focused field. The text is evaluated once, not per character.
pub fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    with(state, |state, overlay| {
        if overlay.text().is_some_and(|field| field.paste(text)) {
            handle_edit(state, overlay, effects);
        }
        Next::Stay
    });
}

/// Handles a change of the focused field.
fn handle_edit(state: &mut State, overlay: &mut Overlay, effects: &mut Vec<Effect>) {
    match overlay {
        Overlay::Prompt(prompt) => prompt::handle_edit(state, prompt),
        Overlay::Palette(palette) => palette.list.selected = 0,
        overlay => {
            if let Some(form) = overlay.form() {
                form.changed(effects);
            }
        }
    }
}

/// Handles a key without a binding.
pub fn unbound(state: &mut State, overlay: &Overlay, effects: &mut Vec<Effect>) -> Next {
    match overlay {
        // Any key closes the help.
        Overlay::Help(_) | Overlay::Log(_) => Next::Close,
        Overlay::MarkLetter { go } => inspect::mark(state, *go, None, effects),
        _ => Next::Stay,
    }
}

pub fn act(state: &mut State, overlay: &mut Overlay, action: Action, effects: &mut Vec<Effect>) -> Next {
    let (count, page) = overlay.extent(state);
    if overlay.list().is_some_and(|list| list.act(action, count, page)) {
        if let Overlay::Choice(choice) = overlay {
            choice.typed.clear();
        }
        return Next::Stay;
    }
    if let Some(changed) = overlay.text().and_then(|field| field.edit(action)) {
        if changed {
            handle_edit(state, overlay, effects);
        }
        return Next::Stay;
    }
    match action {
        Action::Close | Action::Interrupt => return close(state, overlay),
        Action::Decline if !overlay.is_busy() => return close(state, overlay),
        _ if overlay.is_busy() => return Next::Stay,
        Action::Confirm | Action::DetachAll | Action::Force | Action::SaveCopy
            if overlay.is_guarded(state.now) =>
        {
            return Next::Stay;
        }
        _ => {}
    }
    match (overlay, action) {
        (Overlay::Palette(palette), Action::Accept) => {
            let rows = palette_rows(state.screen(), palette.input.input.value());
            match rows.get(palette.list.selected) {
                Some(row) if row.elsewhere.is_some() => {
                    let key = state.key_of(row.info.action);
                    state.notify(format!("{key}: {}", row.text()), false);
                }
                Some(row) => super::act(state, row.info.action, effects),
                None => {}
            }
            Next::Close
        }
        (Overlay::Choice(choice), Action::Accept) => {
            apply_choice(state, choice, effects);
            match choice.items.get(choice.list.selected) {
                Some(item) if item.value == Chosen::OtherType => {
                    // Typing replaces the last type, and a move of the cursor edits it.
                    let input = TextField::new(state.last_type.clone());
                    Next::Replace(Overlay::Prompt(Prompt { input, ..Prompt::new(PromptKind::Type) }))
                }
                _ => Next::Close,
            }
        }
        (Overlay::Prompt(prompt), _) => prompt::act(state, prompt, action, effects),
        (Overlay::Attachments(shown), _) => attachments::act(shown, action, effects),
        (Overlay::Holders(holders), Action::Terminate) => holders::confirm(state, holders),
        (Overlay::Terminate(terminate), Action::Confirm) => holders::terminate(terminate, effects),
        (Overlay::Clean(clean), _) => clean::act(state, clean, action, effects),
        (Overlay::Confirm(confirm), _) => acting::confirm(state, confirm, action, effects),
        (Overlay::Permissions(form), Action::Accept) => permissions::submit(state, form, effects),
        (Overlay::New(form), Action::Accept) => new_segment::submit(form, effects),
        (Overlay::Save(form), Action::Accept) => save::submit(state, form, effects),
        // The key that opened the list closes it.
        (Overlay::Holders(_), Action::Holders)
        | (Overlay::Writers(_), Action::Writers)
        | (Overlay::Help(_) | Overlay::Log(_), Action::Help) => Next::Close,
        (overlay @ Overlay::MarkLetter { .. }, _) => unbound(state, overlay, effects),
        (overlay, _) => {
            if let Some(form) = overlay.form() {
                form::act(form, action, effects);
            }
            Next::Stay
        }
    }
}

/// Handles a click, or the wheel if `rows` is not 0.
pub fn mouse(state: &mut State, mouse: Mouse, rows: i16, effects: &mut Vec<Effect>) {
    if rows == 0 {
        return with(state, |state, overlay| click(state, overlay, mouse, effects));
    }
    let action = if rows < 0 { Action::Up } else { Action::Down };
    let scrolls = row_of(action).is_some_and(|row| row.works_in(state.context()));
    for _ in 0..if scrolls { rows.unsigned_abs() } else { 0 } {
        with(state, |state, overlay| act(state, overlay, action, effects));
    }
}

/// Chooses the clicked item. A click outside of a menu closes it.
fn click(state: &mut State, overlay: &mut Overlay, mouse: Mouse, effects: &mut Vec<Effect>) -> Next {
    let (area, above) = match overlay {
        Overlay::Help(_) | Overlay::Log(_) => return Next::Close,
        Overlay::Choice(choice) => (layout::choice(state.size, choice), 1),
        Overlay::Palette(_) => (layout::palette(state.size), 3),
        _ => return Next::Stay,
    };
    if !area.contains(mouse.x, mouse.y) {
        return close(state, overlay);
    }
    let (count, rows) = overlay.extent(state);
    let Some(list) = overlay.list() else { return Next::Stay };
    let first = centered(&(list.selected..list.selected + 1), count, rows);
    match mouse.y.checked_sub(area.y + above).map(usize::from) {
        Some(row) if row < rows && first + row < count => {
            list.selected = first + row;
            act(state, overlay, Action::Accept, effects)
        }
        _ => Next::Stay,
    }
}

fn apply_choice(state: &mut State, choice: &Choice, effects: &mut Vec<Effect>) {
    let size = state.size;
    let Some(item) = choice.items.get(choice.list.selected) else { return };
    match (item.value, &mut state.inspect, &state.survey) {
        (Chosen::Sort(field), _, Some(survey)) => state.table.sort_by(field, survey),
        (Chosen::Type(shown_as), Some(inspect), _) => {
            inspect.show_as(shown_as, size);
            inspect.chosen = ChosenBy::User;
        }
        (Chosen::Fitting(index), ..) => {
            if let Some(found) = choice.types.get(index) {
                typing::show_candidate(state, found);
            }
        }
        (Chosen::CopyValue(label), ..) => {
            effects.push(Effect::Copy(item.doc.clone()));
            state.show_message(format!("Copied {label} {}", item.doc));
        }
        (Chosen::CopyJson, Some(inspect), _) => match inspect.selected_field() {
            Some(row) if item.doc.is_empty() => {
                let size = Bytes(row.place.range().end - row.place.range().start);
                let field = inspect.field_name(&row);
                state.fail(format!(
                    "Field {field} has {size}: `shmlens dump --as TYPE --json` writes all of it"
                ));
            }
            Some(row) => {
                effects.push(Effect::Copy(item.doc.clone()));
                let field = inspect.field_name(&row);
                state.show_message(format!("Copied {field} as JSON"));
            }
            None => {}
        },
        (Chosen::Copy(form), Some(inspect), _) => {
            let (start, bytes) = inspect.copied_bytes(size);
            let text = format!("Copied {} bytes from {start:#x}", bytes.len());
            effects.push(Effect::Copy(copy_as(&bytes, start, form)));
            state.show_message(text);
        }
        (Chosen::Code(language), Some(inspect), _) => {
            let placed = inspect.typed.as_ref().map(|placed| (&placed.ty, placed.offset.unwrap_or(0)));
            let attachment = Attachment::of(&inspect.segment);
            match attachment.and_then(|attachment| code::code(language, &attachment, placed)) {
                Ok(code) => {
                    effects.push(Effect::Copy(code));
                    state.show_message(format!("Copied {}", language.label()));
                }
                Err(error) => state.fail(error.to_string()),
            }
        }
        _ => {}
    }
}

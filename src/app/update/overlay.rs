//! Keys while an overlay is there.

use super::{act, acting, clean, holders, holds, inspect, new_segment, permissions, save, segments};
use crate::app::action::{Action, Screen};
use crate::app::effect::Effect;
use crate::app::help;
use crate::app::holders::Holders;
use crate::app::inspect::{Search, parse_offset};
use crate::app::key::{Code, Key, Mouse, MouseKind};
use crate::app::layout;
use crate::app::new_segment::Step;
use crate::app::overlay::{Asks, Choice, ChoiceKind, LONGEST_TEXT, Overlay, Prompt, palette_rows, type_into};
use crate::app::state::State;
use crate::decode::{copy_as, pattern_of_value};
use crate::memory::{Direction, Pattern};

/// Leaves the overlay without doing anything. A filter line that is left is
/// no filter; a question about one holder goes back to all of them, a dialog that
/// the list of leaks led to goes back to that.
pub fn leave(state: &mut State) {
    match state.overlay.take() {
        Some(Overlay::Confirm(confirm)) => clean::back(state, confirm),
        Some(Overlay::Prompt(Prompt { asks: Asks::Filter, .. })) => segments::set_filter(state, ""),
        Some(Overlay::Holders(holders)) if holders.ask.is_some() => {
            state.overlay = Some(Overlay::Holders(Holders { ask: None, ..holders }));
        }
        _ => {}
    }
}

pub fn key(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    if key.code == Code::Esc {
        return leave(state);
    }
    match state.overlay.take() {
        None => {}
        Some(Overlay::Help { top }) => in_help(state, top, key),
        Some(Overlay::Log { top }) => in_log(state, top, key),
        Some(Overlay::Permissions(form)) => permissions::key(state, form, key, effects),
        Some(Overlay::Holds(shown)) => holds::key(state, shown, key, effects),
        Some(Overlay::Holders(shown)) => holders::key(state, shown, key, effects),
        Some(Overlay::Clean(shown)) => clean::key(state, shown, key, effects),
        Some(Overlay::Save(form)) => save::key(state, form, key, effects),
        Some(Overlay::New(form)) => new_segment::key(state, form, key, effects),
        Some(Overlay::Confirm(confirm)) => acting::key(state, confirm, key, effects),
        Some(Overlay::Palette { input, selected }) => in_palette(state, input, selected, key, effects),
        Some(Overlay::Choice(choice)) => in_choice(state, choice, key, effects),
        Some(Overlay::Prompt(prompt)) => in_prompt(state, prompt, key, effects),
        Some(Overlay::MarkLetter { go }) => {
            mark_letter(state, go, key);
            inspect::forget_search(state, effects);
        }
    }
}

/// Inserts pasted text into the line that is being typed. The line is evaluated
/// once, not for every letter.
pub fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    let mut keys = text.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).map(Key::char);
    let changed = match &mut state.overlay {
        Some(Overlay::Prompt(Prompt { input, .. }) | Overlay::Palette { input, .. }) => {
            typed(&mut keys, |key| type_into(input, key))
        }
        Some(Overlay::Permissions(form)) => {
            form.field().is_some_and(|field| typed(&mut keys, |key| field.key(key)))
        }
        Some(Overlay::Save(form)) => form.field().is_some_and(|field| typed(&mut keys, |key| field.key(key))),
        Some(Overlay::New(form)) if form.step != Step::Making => {
            form.field().is_some_and(|field| typed(&mut keys, |key| field.key(key)))
        }
        _ => false,
    };
    if !changed {
        return;
    }
    let mut overlay = state.overlay.take();
    match &mut overlay {
        Some(Overlay::Prompt(prompt)) => prompt_edited(state, prompt),
        Some(Overlay::Palette { selected, .. }) => *selected = 0,
        Some(Overlay::Permissions(form)) => permissions::edited(form, effects),
        Some(Overlay::Save(form)) => form.error = None,
        Some(Overlay::New(form)) => new_segment::changed(form, effects),
        _ => {}
    }
    state.overlay = overlay;
}

/// Types all keys. Returns whether any of them changed the text.
fn typed(keys: &mut dyn Iterator<Item = Key>, mut take: impl FnMut(Key) -> bool) -> bool {
    keys.fold(false, |changed, key| take(key) | changed)
}

pub fn mouse(state: &mut State, mouse: Mouse, notch: i16, effects: &mut Vec<Effect>) {
    let wheel = match mouse.kind {
        MouseKind::WheelUp => Some(Code::Up),
        MouseKind::WheelDown => Some(Code::Down),
        MouseKind::Click => None,
    };
    if let Some(code) = wheel {
        for _ in 0..notch.unsigned_abs() {
            key(state, Key::plain(code), effects);
        }
        return;
    }
    match &mut state.overlay {
        Some(Overlay::Choice(choice)) => {
            let area = layout::overlay::choice(state.size, choice);
            let rows = usize::from(area.height.saturating_sub(2));
            let first = layout::overlay::first_item(choice.selected, choice.items.len(), rows);
            let item = first + usize::from(mouse.y.saturating_sub(area.y + 1));
            if !area.holds(mouse.x, mouse.y) {
                leave(state);
            } else if mouse.y > area.y && mouse.y + 1 < area.bottom() && item < choice.items.len() {
                choice.selected = item;
                key(state, Key::plain(Code::Enter), effects);
            }
        }
        Some(Overlay::Help { .. }) => leave(state),
        _ => {}
    }
}

fn in_help(state: &mut State, top: usize, key: Key) {
    let lines = help::lines(&state.keymap, state.screen()).len();
    let rows = usize::from(state.size.height.saturating_sub(4)).max(1);
    let last = lines.saturating_sub(rows);
    let top = match key.code {
        Code::Up | Code::Char('k') => top.saturating_sub(1),
        Code::Down | Code::Char('j') => top + 1,
        Code::PageUp => top.saturating_sub(rows),
        Code::PageDown | Code::Char(' ') => top + rows,
        Code::Home | Code::Char('g') => 0,
        Code::End | Code::Char('G') => last,
        // Any other key leaves, as people expect of a help screen.
        _ => return,
    };
    state.overlay = Some(Overlay::Help { top: top.min(last) });
}

fn in_log(state: &mut State, top: usize, key: Key) {
    let all = layout::overlay::log_rows(&state.log, state.size).len();
    let rows = layout::overlay::visible_rows(state.size, all, 0);
    let last = all - rows;
    let top = top.min(last);
    let top = match key.code {
        Code::Up | Code::Char('k') => top.saturating_sub(1),
        Code::Down | Code::Char('j') => (top + 1).min(last),
        Code::PageUp => top.saturating_sub(rows),
        Code::PageDown | Code::Char(' ') => (top + rows).min(last),
        Code::Home | Code::Char('g') => 0,
        Code::End | Code::Char('G') => last,
        _ => return,
    };
    state.overlay = Some(Overlay::Log { top });
}

fn in_palette(
    state: &mut State,
    mut input: tui_input::Input,
    selected: usize,
    key: Key,
    effects: &mut Vec<Effect>,
) {
    let rows = palette_rows(state.screen(), input.value());
    let selected = match key.code {
        Code::Enter => {
            if let Some(row) = rows.get(selected) {
                act(state, row.action, effects);
            }
            return;
        }
        Code::Up => selected.saturating_sub(1),
        Code::Down => (selected + 1).min(rows.len().saturating_sub(1)),
        _ if type_into(&mut input, key) => 0,
        _ => selected,
    };
    state.overlay = Some(Overlay::Palette { input, selected });
}

fn in_choice(state: &mut State, mut choice: Choice, key: Key, effects: &mut Vec<Effect>) {
    let last = choice.items.len().saturating_sub(1);
    // j and k move, as everywhere, until a name is being typed.
    let moving = choice.typed.is_empty();
    let selected = match key.code {
        Code::Enter => return chosen(state, &choice, effects),
        Code::Char('q') if moving => return,
        Code::Char('k') if moving => choice.selected.saturating_sub(1),
        Code::Char('j') if moving => (choice.selected + 1).min(last),
        Code::Char(letter) => {
            choice.type_letter(letter);
            state.overlay = Some(Overlay::Choice(choice));
            return;
        }
        Code::Up => choice.selected.saturating_sub(1),
        Code::Down => (choice.selected + 1).min(last),
        Code::Home | Code::PageUp => 0,
        Code::End | Code::PageDown => last,
        _ => choice.selected,
    };
    choice.selected = selected;
    choice.typed.clear();
    state.overlay = Some(Overlay::Choice(choice));
}

fn chosen(state: &mut State, choice: &Choice, effects: &mut Vec<Effect>) {
    let size = state.size;
    match &choice.kind {
        ChoiceKind::Sort(fields) => {
            if let (Some(survey), Some(&field)) = (&state.survey, fields.get(choice.selected)) {
                state.table.sort_by(field, survey);
            }
        }
        ChoiceKind::Type(types) => {
            if let (Some(inspect), Some(&shown_as)) = (&mut state.inspect, types.get(choice.selected)) {
                inspect.shown_as = shown_as;
                inspect.go_to(inspect.cursor, size);
            }
        }
        ChoiceKind::Copy(forms) => {
            let (Some(inspect), Some(&form)) = (&state.inspect, forms.get(choice.selected)) else { return };
            let range = inspect.copy_range(size);
            let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
            let bytes = inspect.bytes_at(range.start);
            let bytes = &bytes[..length.min(bytes.len())];
            effects.push(Effect::Copy(copy_as(bytes, range.start, form)));
            state.say(format!("Copied {} bytes from {:#x}", bytes.len(), range.start));
        }
    }
}

fn in_prompt(state: &mut State, mut prompt: Prompt, key: Key, effects: &mut Vec<Effect>) {
    if key.code == Code::Enter {
        return answer(state, prompt, effects);
    }
    if type_into(&mut prompt.input, key) {
        prompt_edited(state, &mut prompt);
    } else if prompt.asks == Asks::Filter && matches!(key.code, Code::Up | Code::Down) {
        // The table can be moved through while it is being filtered.
        segments::step(state, if key.code == Code::Up { -1 } else { 1 });
    }
    state.overlay = Some(Overlay::Prompt(prompt));
}

/// The text of a prompt changed: a filter works as it is typed.
fn prompt_edited(state: &mut State, prompt: &mut Prompt) {
    prompt.error = None;
    if prompt.asks == Asks::Filter {
        segments::set_filter(state, prompt.input.value());
        prompt.error = state.table.filter_error.as_ref().map(ToString::to_string);
    }
}

/// Takes what was typed, or says in the line why not.
fn answer(state: &mut State, mut prompt: Prompt, effects: &mut Vec<Effect>) {
    let text = prompt.input.value().to_owned();
    let taken = match prompt.asks {
        Asks::Filter => match &state.table.filter_error {
            Some(error) => Err(error.to_string()),
            None => Ok(()),
        },
        Asks::Offset => go_to(state, &text, effects),
        Asks::Text | Asks::Hex | Asks::Value => search(state, prompt.asks, &text, effects),
    };
    if let Err(reason) = taken {
        prompt.error = Some(reason);
        state.overlay = Some(Overlay::Prompt(prompt));
    }
}

fn go_to(state: &mut State, text: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    let size = state.size;
    let Some(inspect) = &mut state.inspect else { return Ok(()) };
    if text.trim().is_empty() {
        return Ok(());
    }
    let offset = parse_offset(text, inspect.cursor, inspect.size()).map_err(|error| error.to_string())?;
    inspect.jump(offset, size);
    inspect::forget_search(state, effects);
    Ok(())
}

fn search(state: &mut State, asks: Asks, text: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    let Some(open) = &mut state.inspect else { return Ok(()) };
    // An empty line repeats what was searched for before.
    if !text.is_empty() {
        let pattern = match asks {
            Asks::Hex => Pattern::hex(text).map_err(|error| error.to_string())?,
            Asks::Value => {
                let bytes = pattern_of_value(text).map_err(|error| error.to_string())?;
                Pattern::bytes(bytes).map_err(|error| error.to_string())?
            }
            _ => Pattern::text(text).map_err(|error| error.to_string())?,
        };
        open.search = Some(Search { pattern, text: crate::segment::escape(text.as_bytes()) });
        open.find_matches();
    }
    inspect::search(open, Direction::Forward, effects);
    Ok(())
}

fn mark_letter(state: &mut State, go: bool, key: Key) {
    let size = state.size;
    debug_assert_eq!(state.screen(), Screen::Inspect);
    let Some(inspect) = &mut state.inspect else { return };
    let Some(letter) = key.typed().filter(|c| c.is_alphanumeric()) else {
        state.fail("A mark must be a letter or digit");
        return;
    };
    if !go {
        inspect.marks.insert(letter, inspect.cursor);
        inspect.last_mark = Some(letter);
        let offset = inspect.cursor;
        let (go, copy) = (state.key_of(Action::GoToMark), state.key_of(Action::CopyBytes));
        state
            .say(format!("Marked {offset:#x} as {letter} ({go}{letter}: go there, {copy}: copy from there)"));
    } else if let Some(&offset) = inspect.marks.get(&letter) {
        inspect.jump(offset, size);
    } else {
        let known: Vec<String> = inspect.marks.keys().map(ToString::to_string).collect();
        state.fail(format!("No mark {letter}; marks: {}", known.join(" ")));
    }
}

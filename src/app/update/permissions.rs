//! The overlay of permissions: what is to be, who could attach with it, then the plans for it.

use super::acting;
use crate::act::access::Rules;
use crate::act::{Answer, Question};
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::overlay::Overlay;
use crate::app::permissions::{BITS, Focus, Permissions};
use crate::app::state::State;
use crate::engine::{Request, Wanted};
use crate::segment::SegmentId;

/// Opens it for the marked segments, or the selected one.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let segments = acting::targets(state).into_iter().cloned().collect();
    if let Some(form) = Permissions::new(segments) {
        effects.extend(form.segments.first().map(|segment| Request::Rules(Box::new(segment.clone())).into()));
        state.overlay = Some(Overlay::Permissions(Box::new(form)));
    }
}

/// What decides about access was asked.
pub fn told(state: &mut State, id: &SegmentId, rules: Rules) {
    if let Some(Overlay::Permissions(form)) = &mut state.overlay
        && form.segments.first().is_some_and(|segment| segment.id == *id)
    {
        form.rules = Some(rules);
    }
}

/// A key while it is shown. Esc was taken before.
pub fn key(state: &mut State, mut form: Box<Permissions>, key: Key, effects: &mut Vec<Effect>) {
    let last = Focus::ALL.len() - 1;
    match (key.code, form.focus) {
        (Code::Enter, _) => return go(state, form, effects),
        (Code::Tab, _) => form.focus = form.focus.step(1),
        (Code::BackTab, _) => form.focus = form.focus.step(last),
        (_, Focus::Bits) => {
            if in_grid(&mut form, key) {
                return;
            }
        }
        (Code::Up, _) => form.focus = form.focus.step(last),
        // Not around the end: the arrows go through a column.
        (Code::Down, Focus::Who) => {}
        (Code::Down, _) => form.focus = form.focus.step(1),
        _ => {
            if form.field().is_some_and(|field| field.key(key)) {
                edited(&mut form, effects);
            }
        }
    }
    state.overlay = Some(Overlay::Permissions(form));
}

/// A key in the grid; tells whether it leaves the overlay.
fn in_grid(form: &mut Permissions, key: Key) -> bool {
    form.error = None;
    match key.code {
        Code::Char('q') => return true,
        Code::Up | Code::Char('k') => form.cursor = form.cursor.checked_sub(2).unwrap_or(form.cursor),
        Code::Down | Code::Char('j') if form.cursor + 2 < BITS.len() => form.cursor += 2,
        Code::Down | Code::Char('j') => form.focus = Focus::Mode,
        Code::Left | Code::Char('h') => form.cursor &= !1,
        Code::Right | Code::Char('l') => form.cursor |= 1,
        Code::Char(' ') => form.toggle(),
        // A mode is typed without going to its field first.
        Code::Char('0'..='7') => {
            form.focus = Focus::Mode;
            form.mode_field.set("");
            form.mode_field.key(key);
            form.read_mode();
        }
        _ => {}
    }
    false
}

/// Another text stands in the field that has the keys.
pub(super) fn edited(form: &mut Permissions, effects: &mut Vec<Effect>) {
    form.error = None;
    form.going = false;
    let text = form.field().map(|field| field.text().to_owned()).unwrap_or_default();
    let question = match form.focus {
        Focus::Bits => return,
        Focus::Mode => return form.read_mode(),
        Focus::Owner => {
            form.owner_found = None;
            Question::User(text.clone())
        }
        Focus::Group => {
            form.group_found = None;
            Question::Group(text.clone())
        }
        Focus::Who => {
            form.who_found = None;
            Question::Who(text.clone())
        }
    };
    if !text.is_empty() {
        effects.push(Request::Ask(question).into());
    }
}

/// Who a name is was asked. An answer to what is not typed any more is dropped.
pub fn answered(state: &mut State, question: &Question, answer: Answer, effects: &mut Vec<Effect>) {
    let Some(Overlay::Permissions(form)) = &mut state.overlay else { return };
    match (question, answer) {
        (Question::User(text), Answer::Number(found)) if form.owner.text() == text => {
            form.owner_found = Some(found);
        }
        (Question::Group(text), Answer::Number(found)) if form.group.text() == text => {
            form.group_found = Some(found);
        }
        (Question::Who(text), Answer::Who(found)) if form.who.text() == text => form.who_found = Some(found),
        _ => return,
    }
    if form.going
        && let Some(Overlay::Permissions(form)) = state.overlay.take()
    {
        go(state, form, effects);
    }
}

/// On to the plans, or what stands in the way.
fn go(state: &mut State, mut form: Box<Permissions>, effects: &mut Vec<Effect>) {
    form.going = false;
    match form.action() {
        Ok(Some(action)) => return acting::begin(state, &form.segments, &Wanted::Access(action), effects),
        Ok(None) => form.going = true,
        Err(reason) => form.error = Some(reason),
    }
    state.overlay = Some(Overlay::Permissions(form));
}

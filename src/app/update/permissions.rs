//! The overlay of permissions: the bits first, then the plans for them.

use super::acting;
use crate::act::ModeChange;
use crate::act::access::Rules;
use crate::app::confirm::Wanted;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::overlay::Overlay;
use crate::app::permissions::{BITS, Permissions};
use crate::app::state::State;
use crate::segment::SegmentId;

/// Opens it for the marked segments, or the selected one.
pub fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let segments = acting::targets(state).into_iter().cloned().collect();
    if let Some(form) = Permissions::new(segments) {
        effects.extend(form.segments.first().map(|segment| Effect::AskRules(Box::new(segment.clone()))));
        state.overlay = Some(Overlay::Permissions(form));
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
pub fn key(state: &mut State, mut form: Permissions, key: Key, effects: &mut Vec<Effect>) {
    match key.code {
        Code::Enter => {
            acting::begin(state, &Wanted::Mode(ModeChange::to(form.mode)), effects);
            return;
        }
        Code::Char('q') => return,
        Code::Up | Code::Char('k') => form.cursor = form.cursor.saturating_sub(2),
        Code::Down | Code::Char('j') if form.cursor + 2 < BITS.len() => form.cursor += 2,
        Code::Left | Code::Char('h') => form.cursor &= !1,
        Code::Right | Code::Char('l') => form.cursor |= 1,
        Code::Char(' ') => {
            form.typed.clear();
            form.toggle();
        }
        Code::Char(digit @ '0'..='7') => form.digit(digit),
        _ => {}
    }
    state.overlay = Some(Overlay::Permissions(form));
}

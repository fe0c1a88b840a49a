//! Actions in the list of leaked segments.

use super::acting;
use crate::app::action::Action;
use crate::app::clean::Clean;
use crate::app::confirm::Confirm;
use crate::app::effect::Effect;
use crate::app::overlay::{Next, Overlay};
use crate::app::state::State;
use crate::segment::Segment;

/// Lists the leaked segments among the rows of the table.
pub fn open(state: &mut State) {
    if let Some(survey) = &state.survey {
        state.overlay = Some(Overlay::Clean(Clean::new(survey, &state.table.shown)));
    }
}

pub fn refresh(state: &mut State) {
    if let (Some(Overlay::Clean(clean)), Some(survey)) = (&mut state.overlay, &state.survey) {
        clean.refresh(survey, &state.table.shown);
    }
}

/// Closes a confirmation. Returns to the updated list of leaked segments if the confirmation was
/// opened from there.
pub fn back(state: &State, confirm: &mut Confirm) -> Next {
    let Some(mut clean) = confirm.back.take().filter(|_| !confirm.acting) else { return Next::Close };
    if let Some(survey) = &state.survey {
        clean.refresh(survey, &state.table.shown);
    }
    Next::Replace(Overlay::Clean(*clean))
}

pub fn act(state: &mut State, clean: &mut Clean, action: Action, effects: &mut Vec<Effect>) -> Next {
    match action {
        Action::Mark => {
            clean.toggle();
            clean.list.step(1, clean.items.len());
        }
        Action::MarkAll => clean.set_all(true),
        Action::ClearMarks => clean.set_all(false),
        Action::Accept | Action::Remove => return confirm(state, clean, effects),
        // The key that opened the list closes it.
        Action::Clean => return Next::Close,
        _ => {}
    }
    Next::Stay
}

/// Opens the confirmation for the selected segments, or explains why that is not possible.
fn confirm(state: &mut State, clean: &Clean, effects: &mut Vec<Effect>) -> Next {
    let segments: Vec<Segment> = clean.checked_items().map(|item| (*item.segment).clone()).collect();
    if state.read_only || state.work.is_some() {
        if let Some(reason) = state.refusal(Action::Remove) {
            state.fail(reason);
        }
    } else if !segments.is_empty() {
        let mut confirm = acting::begin(state, &segments, &acting::REMOVE, effects);
        confirm.back = Some(Box::new(clean.clone()));
        return Next::Replace(Overlay::Confirm(confirm));
    } else if !clean.items.is_empty() {
        let (one, all) = (state.key_of(Action::Mark), state.key_of(Action::MarkAll));
        state.fail(format!("Nothing selected: {one} selects one, {all} selects all"));
    }
    Next::Stay
}

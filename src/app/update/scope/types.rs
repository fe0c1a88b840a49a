//! The types of segments that the user chose in Inspect.

use crate::app::state::State;
use crate::decode::PlacedType;
use crate::engine::ChosenType;
use crate::segment::Segment;

/// The types that Inspect shows, or showed last, and if the contents determine them.
pub fn chosen(state: &State) -> impl Iterator<Item = (ChosenType, bool)> {
    let shown = state.inspect.as_ref().and_then(|inspect| {
        let (id, identity) = (inspect.id().clone(), inspect.segment.identity());
        let placed = inspect.shown_type()?.clone();
        Some((ChosenType { id, identity, placed }, inspect.layout.is_some()))
    });
    shown.into_iter().chain(state.visits.chosen_types())
}

/// The type of a segment that the user chose, or the certain one. `None` too for one that the contents
/// determine, because its fields may move.
pub fn fixed(state: &State, segment: &Segment) -> Option<PlacedType> {
    let is_of = |chosen: &ChosenType| chosen.id == segment.id && chosen.identity.matches(&segment.identity());
    if let Some((chosen, has_layout)) = chosen(state).find(|(chosen, _)| is_of(chosen)) {
        return Some(chosen.placed).filter(|_| !has_layout);
    }
    let best = state.typing.of(segment)?.found.first()?;
    (best.certain && best.layout.is_none()).then(|| best.placed())
}

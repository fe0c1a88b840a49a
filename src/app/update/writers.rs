//! The list of writers. A value is watched as long as the list shows it, because each of its writes
//! takes longer meanwhile.

use crate::app::effect::Effect;
use crate::app::overlay::Overlay;
use crate::app::state::State;
use crate::app::writers::Writers;
use crate::engine::Request;
use crate::scope::writers::{PartsError, WriterTable, parts};
use crate::segment::{Segment, SegmentId};
use std::ops::Range;

/// Lists the threads that write to a value, unless it has more bytes than can be watched.
pub fn open(state: &mut State, segment: &Segment, range: Range<u64>) {
    match parts(&range) {
        Ok(_) => state.overlay = Some(Overlay::Writers(Writers::new(segment, range))),
        Err(error @ PartsError::TooMany { .. }) => state.fail(format!("{error}. Select a value in it")),
        Err(error @ PartsError::Empty) => state.fail(error.to_string()),
    }
}

/// Watches the value of the list, and ends the watch when the list is closed.
pub fn sync(state: &mut State, effects: &mut Vec<Effect>) {
    let shown = match &state.overlay {
        Some(Overlay::Writers(shown)) => Some(shown),
        _ => None,
    };
    let key = shown.map(|shown| (shown.segment.id.clone(), shown.segment.identity(), shown.range.clone()));
    if state.requested.writers != key {
        effects.push(Request::WatchWriters(shown.map(|shown| Box::new(shown.watched()))).into());
        state.requested.writers = key;
    }
}

pub fn show(state: &mut State, table: Box<WriterTable>) {
    let now = state.now;
    if let Some(Overlay::Writers(shown)) = &mut state.overlay {
        shown.refresh(table, now);
    }
}

pub fn end(state: &mut State, segment: &SegmentId) {
    if let Some(Overlay::Writers(shown)) = &mut state.overlay
        && shown.segment.id == *segment
    {
        shown.gone = true;
    }
}

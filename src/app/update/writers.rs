//! The list of writers. A value is watched as long as the list shows it, because each of its writes
//! takes longer meanwhile.

use super::scope;
use crate::app::effect::Effect;
use crate::app::overlay::Overlay;
use crate::app::state::{State, WatchKey};
use crate::app::writers::Writers;
use crate::engine::{Request, WatchedValue};
use crate::scope::writers::{PartsError, WriterTable, parts};
use crate::segment::{Segment, SegmentId};
use std::ops::Range;

/// Lists the threads that write to a value, unless it has more bytes than can be watched.
pub fn open(state: &mut State, segment: &Segment, range: Range<u64>) {
    match parts(&range) {
        Ok(_) => {
            let mut shown = Writers::new(segment, range);
            // Without another write there is no further table.
            let sampled = scope::watched(state).filter(|sampled| is_same(&shown.watched(), sampled));
            let table = sampled.and_then(|_| state.scope.at_writes.as_ref()?.writers.clone());
            if let Some(table) = table {
                shown.refresh(table, state.now);
            }
            state.overlay = Some(Overlay::Writers(shown));
        }
        Err(error @ PartsError::TooMany { .. }) => state.fail(format!("{error}. Select a value in it")),
        Err(error @ PartsError::Empty) => state.fail(error.to_string()),
    }
}

/// Watches the value of the list, and ends the watch when the list is closed. Otherwise watches the value
/// that is sampled at every write. If it is that of the list, both have the same watch.
pub fn sync(state: &mut State, effects: &mut Vec<Effect>) {
    let listed = match &state.overlay {
        Some(Overlay::Writers(shown)) => Some(shown.watched()),
        _ => None,
    };
    let sampled = scope::watched(state);
    let watched = match (listed, sampled) {
        (Some(listed), Some(sampled)) if !is_same(&listed, &sampled) => Some(listed),
        (listed, sampled) => sampled.or(listed),
    };
    let key = watched.as_ref().map(|watched| WatchKey {
        id: watched.segment.id.clone(),
        identity: watched.segment.identity(),
        range: watched.range.clone(),
        samples: watched.sample.as_ref().map(|sample| sample.number),
    });
    if state.requested.writers != key {
        if key.as_ref().is_some_and(|key| key.samples.is_some()) {
            state.scope.resume_at_writes();
        }
        effects.push(Request::WatchWriters(watched.map(Box::new)).into());
        state.requested.writers = key;
    }
}

fn is_same(one: &WatchedValue, other: &WatchedValue) -> bool {
    one.segment.id == other.segment.id && one.range == other.range
}

pub fn show(state: &mut State, table: Box<WriterTable>) {
    let now = state.now;
    if state.requested.writers.as_ref().is_some_and(|key| key.samples.is_some()) {
        for problem in state.scope.take_writers(&table) {
            state.fail(problem);
        }
    }
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

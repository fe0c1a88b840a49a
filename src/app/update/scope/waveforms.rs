//! Reading the arrays of the Scope screen.

use crate::app::effect::Effect;
use crate::app::scope::{ArrayFeed, ScopeWaveform};
use crate::app::state::State;
use crate::engine::{Body, Clock, Ended, Feed, Request, SubscriptionId};
use crate::memory::OpenError;
use crate::scope::EventKind;
use crate::segment::{Segment, SegmentId};
use crate::survey::Survey;

/// Updates the subscriptions: an array is read while it is on screen and not frozen. After its segment was
/// removed, it goes on with the next one of its name or key.
pub fn sync(state: &mut State, effects: &mut Vec<Effect>) {
    let (is_frozen, every) = (state.scope.view.is_frozen, state.scope.array_interval());
    for index in 0..state.scope.waveforms.len() {
        let one = &mut state.scope.waveforms[index];
        let is_wanted = state.scope_open && (!is_frozen || one.contents.is_none());
        match one.feed {
            None if !is_wanted => {}
            Some(feed) if !is_wanted => {
                one.feed = None;
                effects.push(unsubscribe(feed));
            }
            Some(ArrayFeed { subscription, every: before }) if before != every => {
                one.feed = Some(ArrayFeed { subscription, every });
                effects.push(Request::Every(subscription, Some(every)).into());
            }
            Some(_) => {}
            None => {
                if !find(one, state.survey.as_ref()) {
                    continue;
                }
                let segment = one.waveform.array.segment.clone();
                let ranges = vec![one.waveform.array.elements.range()];
                let subscription = state.next_subscription();
                let feed = Feed::Ranges { ranges, every };
                effects.push(Request::Subscribe(subscription, segment, feed).into());
                state.scope.waveforms[index].feed = Some(ArrayFeed { subscription, every });
            }
        }
    }
}

/// Tries again to read the arrays that could not be read.
pub fn surveyed(state: &mut State) {
    state.scope.waveforms.iter_mut().for_each(|one| one.is_tried = false);
}

/// Finds the segment, once after each survey. Returns true if it can be tried to read it.
fn find(one: &mut ScopeWaveform, survey: Option<&Survey>) -> bool {
    if one.is_detached || one.trouble.is_some() && one.is_tried {
        return false;
    }
    one.is_tried = true;
    let found = survey.and_then(|survey| successor(survey, &one.waveform.array.segment));
    if let Some(found) = found {
        *one.waveform.array.segment = found.clone();
    }
    found.is_some() || one.trouble.is_none()
}

/// The segment, or the one that has its name or key now.
fn successor<'a>(survey: &'a Survey, segment: &Segment) -> Option<&'a Segment> {
    let key = segment.sysv().map(|facts| facts.key).filter(|key| !key.is_private());
    survey.segments.iter().find(|other| match (&segment.id, key) {
        (SegmentId::Sysv(_), Some(key)) => other.sysv().is_some_and(|facts| facts.key == key),
        (id, _) => other.id == *id,
    })
}

fn unsubscribe(feed: ArrayFeed) -> Effect {
    Request::Unsubscribe { subscription: feed.subscription, keep: false }.into()
}

/// Removes an array.
pub fn remove(state: &mut State, index: usize, effects: &mut Vec<Effect>) -> ScopeWaveform {
    let mut removed = state.scope.remove_waveform(index);
    effects.extend(removed.feed.take().map(unsubscribe));
    removed
}

/// Returns true if a subscription is that of an array.
pub fn is_read_by(state: &State, subscription: SubscriptionId) -> bool {
    state.scope.waveforms.iter().any(|one| is_of(one, subscription))
}

fn is_of(one: &ScopeWaveform, subscription: SubscriptionId) -> bool {
    one.feed.is_some_and(|feed| feed.subscription == subscription)
}

/// Takes the contents of an array, or the end of its subscription.
pub fn read(state: &mut State, subscription: SubscriptionId, at: Clock, body: Body) {
    let Some(one) = state.scope.waveforms.iter_mut().find(|one| is_of(one, subscription)) else { return };
    let trouble = match body {
        Body::Ranges(samples) => {
            for bytes in samples {
                one.take(at, bytes);
            }
            return;
        }
        Body::Opened(Err(OpenError::Gone { .. } | OpenError::Replaced { .. })) => EventKind::Gone,
        Body::Opened(Err(error)) => EventKind::Failed(error.to_string()),
        Body::Ended(ended @ Ended::Unreadable(_)) => {
            EventKind::Failed(ended.text(&one.waveform.array.segment.id))
        }
        Body::Ended(Ended::Closed) => {
            one.is_detached = true;
            EventKind::Failed("detached".to_owned())
        }
        Body::Ended(_) => EventKind::Gone,
        _ => return,
    };
    one.trouble = Some(trouble);
    one.feed = None;
}

//! The only code that changes the state: `(state, event) -> effects`, without I/O.

mod acting;
mod ahead;
mod answers;
mod attachments;
mod clean;
mod holders;
mod inspect;
mod mouse;
mod new_segment;
mod overlay;
mod permissions;
mod prompt;
mod report;
mod save;
mod scope;
mod segments;
mod tree;
mod typing;
mod writers;

use super::Event;
use super::action::{Action, Context};
use super::effect::Effect;
use super::event::Size;
use super::help::HelpText;
use super::inspect::{Glow, Inspect, glow_step};
use super::key::Key;
use super::layout::strip::StripLayout;
use super::list::List;
use super::overlay::{Overlay, Palette};
use super::state::{PreviewKey, RangesKey, RatesKey, RequestCache, State};
use super::table;
use crate::decode::layouts::locks_in;
use crate::engine::{Clock, Feed, Request, SubscriptionId, WatchedLocks};
use crate::identify::locks::related;
use std::ops::Range;
use std::time::Duration;

/// The subscription of the preview. Inspect's subscriptions are numbered from 1.
const PREVIEW: SubscriptionId = SubscriptionId(0);
const PREVIEW_EVERY: Duration = Duration::from_millis(250);
/// The shortest interval between two samples of the pinned values.
const PINS_EVERY: Duration = Duration::from_millis(250);
/// The interval of ranges that are read once.
const ONCE: Duration = Duration::from_secs(1 << 32);

/// Applies an event to the state. Returns the effects to execute.
pub fn update(state: &mut State, now: Clock, event: Event) -> Vec<Effect> {
    state.now = now;
    if let Some(inspect) = &mut state.inspect {
        inspect.now = now;
    }
    let mut effects = vec![];
    match event {
        Event::Key(key) => press(state, key, &mut effects),
        // The terminal is too small: nothing is drawn.
        Event::Mouse(_) | Event::Paste(_) if !state.size.is_enough() => {}
        Event::Mouse(mouse) => mouse::act(state, mouse, &mut effects),
        Event::Paste(text) => overlay::paste(state, &text, &mut effects),
        Event::Resize(size) => {
            let size = size.clamped();
            state.size = size;
            if let Some(inspect) = &mut state.inspect {
                inspect.scroll_to_cursor(size);
            }
        }
        Event::Failed(reason) => state.fail(reason),
        Event::Tick | Event::Resumed => {}
        Event::Engine(report) => answers::handle_report(state, report, &mut effects),
    }
    ahead::resume(state, &mut effects);
    state.log_long_notice();
    if let Some(inspect) = &mut state.inspect {
        inspect.rank_values();
        inspect.follow_cursor(state.size);
    }
    state.refresh_details();
    sync_requests(state, &mut effects);
    effects
}

fn press(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    if !state.size.is_enough() {
        // The terminal is too small: only quitting works.
        if key == Key::ctrl('c') || state.keymap.action(Context::Segments, key) == Some(Action::Quit) {
            effects.push(Effect::Quit);
        } else if state.keymap.action(state.screen(), key) == Some(Action::Suspend) {
            effects.push(Effect::Suspend);
        }
        return;
    }
    // Ctrl-C works regardless of the key map.
    let bound = state.keymap.action(state.context(), key);
    let action = if key == Key::ctrl('c') { Some(Action::Interrupt) } else { bound };
    let text = |letter: &char| state.overlay.as_mut().is_some_and(|overlay| overlay.takes(*letter, action));
    let letter = key.typed().filter(text);
    let action = action.filter(|_| letter.is_none());
    if action == Some(Action::Suspend) {
        effects.push(Effect::Suspend);
        return;
    }
    if ahead::keep(state, key, action) {
        return;
    }
    state.notice = None;
    // The user pressed a key: cancel the pending selection.
    state.table.pending_selection = None;
    let leaves = [Action::Interrupt, Action::Close, Action::ClearFilter, Action::Back, Action::Leave];
    if action.is_some_and(|action| leaves.contains(&action)) && acting::stop(state, effects) {
        return;
    }
    if state.overlay.is_some() {
        overlay::with(state, |state, overlay| match (letter, action) {
            (Some(letter), _) => overlay::insert(state, overlay, letter, effects),
            (None, Some(action)) => overlay::act(state, overlay, action, effects),
            (None, None) => overlay::unbound(state, overlay, effects),
        });
        // In a text field, ignore keys without a binding: they were probably typed by mistake.
        if letter.is_none()
            && action.is_none()
            && state.overlay.as_ref().is_some_and(Overlay::keys_are_commands)
        {
            unbound(state, key);
        }
    } else if let Some(action) = action {
        act(state, action, effects);
    } else {
        state.asked_to_quit = false;
        unbound(state, key);
    }
}

/// Executes an action, or explains why it is unavailable.
fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    let was_asked = std::mem::take(&mut state.asked_to_quit);
    let action = match action {
        // The screen that the program started with has nothing to go back to.
        Action::Leave if state.scope_open && state.starts_in_scope => Action::Quit,
        Action::Leave => Action::Back,
        action => action,
    };
    if let Some(reason) = state.refusal(action) {
        state.fail(reason);
        return;
    }
    match action {
        Action::Help => {
            let screen = state.screen();
            let selected = HelpText::new(&state.keymap, screen, state.size).row_of(screen);
            state.overlay = Some(Overlay::Help(List { selected }));
        }
        Action::Palette => state.overlay = Some(Overlay::Palette(Palette::default())),
        // Show the end of the log.
        Action::Log => state.overlay = Some(Overlay::Log(List { selected: usize::MAX })),
        Action::Detach => attachments::open(state, effects),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Quit if !state.kept.is_empty() && !was_asked => warn_before_quit(state),
        Action::Quit | Action::Interrupt => effects.push(Effect::Quit),
        Action::Mouse => {
            state.mouse = !state.mouse;
            effects.push(Effect::CaptureMouse(state.mouse));
            state.show_message(if state.mouse {
                "Mouse capture on"
            } else {
                "Mouse capture off: the terminal selects text"
            });
        }
        _ if state.scope_open => scope::act(state, action, effects),
        Action::Scope => scope::open(state),
        _ if state.inspect.is_some() => inspect::act(state, action, effects),
        _ => segments::act(state, action, effects),
    }
}

/// Asks before quitting detaches the segments that the user wanted to keep.
fn warn_before_quit(state: &mut State) {
    let quit = state.key_of(Action::Quit);
    let stay = match state.kept.len() {
        1 => "1 segment stays".to_owned(),
        many => format!("{many} segments stay"),
    };
    state.show_message(format!("{stay} attached while shmlens runs; quit detaches. Press {quit} again"));
    state.asked_to_quit = true;
}

/// Reports that a key has no binding, and names the key that lists all bindings.
fn unbound(state: &mut State, key: Key) {
    let key = crate::segment::escape(key.to_string().as_bytes());
    let more = if state.overlay.is_some() {
        " here".to_owned()
    } else {
        format!("; {} shows all keys", state.key_of(Action::Help))
    };
    state.notify(format!("{key} is not bound{more}"), false);
}

/// Updates the engine's subscriptions after an event, according to what is on screen.
fn sync_requests(state: &mut State, effects: &mut Vec<Effect>) {
    let layout = state.table_layout();
    state.table.scroll(usize::from(layout.table.height));

    // While paused, nothing is read automatically.
    let every = state.interval.duration();
    let preview_every = every.map(|_| PREVIEW_EVERY);
    if state.requested.interval != Some(state.interval) {
        state.requested.interval = Some(state.interval);
        effects.push(Request::SurveyEvery(every).into());
        if state.requested.preview.is_some() {
            effects.push(Request::Every(PREVIEW, preview_every).into());
        }
    }

    // Inspect takes the moving values from the preview.
    let looked_at = match &state.inspect {
        Some(inspect) => (inspect.every().is_some()).then_some(&inspect.segment),
        // The Scope waits for the moving values if there were none when it was opened.
        None => state.selected().filter(|selected| match state.screen() {
            Context::Segments => layout.strip.is_some(),
            Context::Scope => state.scope.is_empty() && state.scope.offered.as_ref() == Some(&selected.id),
            _ => false,
        }),
    };
    let extent = layout.strip.as_ref().map(|strip| (strip.preview_bytes(), strip.map_cells()));
    let wanted = looked_at.map(|segment| {
        let (bytes, cells) = extent.unwrap_or_default();
        let fields = state.table.strip.fields.as_ref().filter(|_| state.inspect.is_none());
        let rows = layout.strip.as_ref().map_or(0, StripLayout::field_rows);
        (segment, bytes, cells, fields.map(|fields| fields.wanted(rows)))
    });
    let key = wanted
        .as_ref()
        .map(|(segment, bytes, cells, fields)| PreviewKey::new(segment, *bytes, *cells, fields.clone()));
    if state.requested.preview != key {
        effects.push(match wanted {
            // This replaces the previous subscription.
            Some((segment, bytes, cells, fields)) => {
                let feed = Feed::Preview { every: preview_every, bytes, cells: cells.into(), fields };
                Request::Subscribe(PREVIEW, Box::new(segment.clone()), feed).into()
            }
            None => Request::Unsubscribe { subscription: PREVIEW, keep: false }.into(),
        });
        state.requested.preview = key;
    } else if key.is_some() && effects.iter().any(|effect| matches!(effect, Effect::Engine(Request::Survey)))
    {
        effects.push(Request::ReadOnce(PREVIEW).into());
    }
    let rows = usize::from(layout.table.height);
    let polls = every.is_some() && state.screen() == Context::Segments;
    let polled = polls.then(|| state.polled_key(rows));
    if state.requested.polled != polled {
        state.requested.polled = polled;
        let polled = if polls { state.segments_to_poll(rows) } else { vec![] };
        let key = RatesKey::new(&polled);
        if state.requested.rates != key {
            effects.push(Request::SetRates(polled.into_iter().cloned().collect()).into());
            state.requested.rates = key;
        }
    }

    let checked = state.survey.as_ref().filter(|_| every.is_some()).map(|survey| survey.at);
    if state.requested.locks_checked != checked {
        state.requested.locks_checked = checked;
        let held = if checked.is_some() { state.held_segments() } else { vec![] };
        let key = RatesKey::new(&held);
        if state.requested.locks != key {
            effects.push(Request::CheckLocks(held.into_iter().cloned().collect()).into());
            state.requested.locks = key;
        }
    }

    sync_lock_watch(state, effects);
    writers::sync(state, effects);

    let probed = state.selected().filter(|_| state.screen() == Context::Detail).zip(state.survey.as_ref());
    let key = probed.map(|(segment, survey)| (segment.id.clone(), survey.at));
    if state.requested.probe != key {
        effects.extend(probed.map(|(segment, survey)| {
            let related = related(segment, &survey.segments).into_iter().cloned().collect();
            Request::Probe(Box::new(segment.clone()), related).into()
        }));
        state.requested.probe = key;
    }

    sync_ranges(state, wanted_pins, |requested| &mut requested.pins, effects);
    let size = state.size;
    sync_ranges(state, |inspect| wanted_fields(inspect, size), |requested| &mut requested.fields, effects);
    let look = state.inspect.as_ref().map(|inspect| (inspect.subscription, inspect.watching(state.size)));
    if state.requested.look != look {
        effects.extend(look.clone().map(|(id, watching)| Request::SetWindow(id, watching).into()));
        state.requested.look = look;
    }
    scope::sync(state, effects);
    // The contents come first.
    sync_types(state, layout.strip.is_some(), effects);
}

/// Asks for the types that fit the segment in Inspect, or the selected one once its preview has
/// shown that reading leaves no trace.
fn sync_types(state: &mut State, has_strip: bool, effects: &mut Vec<Effect>) {
    let wanted = if let Some(inspect) = &state.inspect {
        Some((&inspect.segment, Some(inspect.subscription)))
    } else {
        // The moving values that Scope begins with get their names.
        let is_shown = has_strip && state.screen() == Context::Segments || state.scope.offered.is_some();
        let selected = state.selected().filter(|_| is_shown && state.table.strip.look().is_some());
        selected.map(|segment| (segment, None))
    };
    let key = wanted.map(|(segment, inspect)| state.typing.key(segment, inspect));
    if state.requested.types != key {
        let request = wanted.map(|(segment, _)| Request::Types(Box::new(segment.clone())));
        effects.extend(request.map(Into::into));
        state.requested.types = key;
        state.typing.requested(state.now);
    }
}

/// Follows the locks of the type in Inspect.
fn sync_lock_watch(state: &mut State, effects: &mut Vec<Effect>) {
    /// Locks that are followed.
    const MAX_LOCKS: usize = 64;
    let open = state.inspect.as_ref().filter(|inspect| inspect.every().is_some());
    let key = open.and_then(|inspect| {
        let tree = inspect.tree.as_ref()?;
        Some((inspect.subscription, tree.ty().clone(), tree.start(), state.survey.as_ref()?.at))
    });
    if state.requested.lock_watch == key {
        return;
    }
    let watched = open.zip(key.as_ref()).and_then(|(inspect, (_, ty, start, _))| {
        let locks = locks_in(ty.at(*start), MAX_LOCKS);
        (!locks.is_empty()).then(|| Box::new(WatchedLocks { segment: inspect.segment.clone(), locks }))
    });
    let was_watching = std::mem::replace(&mut state.requested.watches_locks, watched.is_some());
    if watched.is_some() || was_watching {
        effects.push(Request::WatchLocks(watched).into());
    }
    state.requested.lock_watch = key;
}

/// The pinned values to sample. While frozen or paused, nothing is read.
fn wanted_pins(inspect: &Inspect) -> Option<(Vec<Range<u64>>, Duration)> {
    let every = inspect.every()?.max(PINS_EVERY);
    (!inspect.pins.is_empty()).then(|| (inspect.pins.ranges(), every))
}

/// The fields to sample. While frozen or paused, they are read once when they come into view.
fn wanted_fields(inspect: &Inspect, size: Size) -> Option<(Vec<Range<u64>>, Duration)> {
    let ranges = inspect.field_ranges(size);
    (!ranges.is_empty()).then(|| (ranges, inspect.every().unwrap_or(ONCE)))
}

/// Updates a subscription of ranges of the segment in Inspect.
fn sync_ranges(
    state: &mut State,
    wanted: impl Fn(&Inspect) -> Option<(Vec<Range<u64>>, Duration)>,
    requested: fn(&mut RequestCache) -> &mut Option<RangesKey>,
    effects: &mut Vec<Effect>,
) {
    let open = state.inspect.as_ref();
    let wanted = open.and_then(|inspect| {
        let (ranges, every) = wanted(inspect)?;
        Some((inspect.subscription, ranges, every))
    });
    let same = match (&*requested(&mut state.requested), &wanted) {
        (Some(key), Some((inspect, ranges, every))) => {
            key.inspect == *inspect && key.ranges == *ranges && key.every == *every
        }
        (None, None) => true,
        _ => false,
    };
    if same {
        return;
    }
    let before = requested(&mut state.requested).take();
    if let Some((inspect, ranges, every)) = wanted
        && let Some(segment) = state.inspect.as_ref().map(|inspect| inspect.segment.clone())
    {
        let subscription = state.next_subscription();
        let feed = Feed::Ranges { ranges: ranges.clone(), every };
        effects.push(Request::Subscribe(subscription, Box::new(segment), feed).into());
        *requested(&mut state.requested) = Some(RangesKey { subscription, inspect, ranges, every });
    }
    if let Some(RangesKey { subscription, .. }) = before {
        effects.push(Request::Unsubscribe { subscription, keep: false }.into());
    }
}

/// Returns the time until the next redraw without an event, needed while a glow fades.
pub fn next_tick(state: &State, now: Clock) -> Option<Duration> {
    if let Some(inspect) = &state.inspect {
        glow_step(inspect, now).into_iter().chain(ahead::next_drop(state)).min()
    } else {
        let left = |age: Duration, whole: Duration| whole.saturating_sub(age);
        let row = state
            .table
            .glow
            .values()
            .max()
            .map(|since| left(now.saturating_sub(*since), table::GLOW_DURATION));
        let strip = state.table.strip.since().map(|since| left(now.saturating_sub(since), Glow::DURATION));
        let left = row.max(strip)?;
        (!left.is_zero()).then(|| left.min(table::GLOW_DURATION / 8))
    }
}

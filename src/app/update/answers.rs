//! Handles reports of the engine.

use super::{acting, attachments, clean, holders, new_segment, permissions, save};
use super::{scope, typing, writers};
use crate::act::{Answer, Question};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::inspect::{Inspect, PendingSearch, Status, Subject};
use crate::app::overlay::Overlay;
use crate::app::sentence::label_of;
use crate::app::state::{RangesKey, State};
use crate::engine::{
    Body, Found, Hits, Opened, Preview, Report, Request, ScanScope, Search, SubscriptionId, Target,
};
use crate::memory::{Direction, OpenError, Snapshot};
use crate::segment::{Bytes, Kind, State as SegmentState};
use crate::survey::{Difference, Survey, alerts, difference};

/// Handles a report. Reports of ended subscriptions are dropped.
pub fn handle_report(state: &mut State, report: Report, effects: &mut Vec<Effect>) {
    match (report.body, report.subscription) {
        (body, Some(subscription)) if scope::is_read_by(state, subscription) => {
            scope::read(state, subscription, report.at, body);
        }
        (Body::HoldersChanged, _) => effects.push(Request::Survey.into()),
        (Body::Surveyed(survey), _) => {
            show_survey(state, *survey, effects);
            scope::surveyed(state);
            holders::refresh(state);
            clean::refresh(state);
            // The set of attachments may have changed.
            if matches!(&state.overlay, Some(Overlay::Attachments(shown)) if !shown.acting) {
                effects.push(Request::ListAttachments.into());
            }
        }
        (Body::Preview(preview), _) => show_preview(state, preview),
        (Body::Probed(id, probe), _) => state.probe = Some((id, probe)),
        (Body::SegmentLocks(id, locks), _) => {
            if let Some(inspect) = state.inspect.as_mut().filter(|inspect| *inspect.id() == id) {
                inspect.locks = locks;
            }
        }
        (Body::Locks(alerts), _) => state.lock_alerts = alerts,
        (Body::Rates(polled), _) => state.table.rates.add(polled),
        (Body::Opened(opened), Some(subscription)) => {
            finish_open(state, subscription, opened, effects);
        }
        (Body::Rules(id, rules), _) => permissions::set_rules(state, &id, rules),
        (Body::Answered(question @ Question::New { .. }, answer), _) => {
            new_segment::handle_answer(state, &question, answer, effects);
        }
        (Body::Answered(Question::File(path), Answer::File(exists)), _) => {
            save::handle_answer(state, path, exists);
        }
        (Body::Answered(Question::Type(text), Answer::Type(found)), _) => {
            typing::show_typed(state, &text, found, effects);
        }
        (Body::Answered(question, answer), _) => {
            permissions::handle_answer(state, &question, answer, effects);
        }
        (Body::ChannelsFound { number, found }, _) => scope::found(state, number, found),
        (Body::ChannelCompletions(text, found), _) => scope::completed(state, &text, &found),
        (Body::Recording(recorded), _) => scope::recorded(state, recorded),
        (Body::SamplesSaved(saved), _) => scope::saved(state, saved),
        (Body::Samples(delivery), _) => scope::take(state, delivery, effects),
        (Body::Writers(table), _) => writers::show(state, table),
        (Body::WritersEnded(id), _) => writers::end(state, &id),
        (Body::Types(types), _) => typing::set_types(state, types),
        (Body::Planned(plans), _) => acting::show_plans(state, plans),
        (Body::Progress(at), None) => acting::show_progress(state, at),
        (Body::Acted(outcomes), _) => acting::finish(state, &outcomes, effects),
        (Body::Saved(outcomes), _) => save::finish(state, &outcomes),
        (Body::Undone(results), _) => acting::finish_undo(state, results, effects),
        (Body::Terminated(ending, result), _) => holders::finish_termination(state, &ending, result, effects),
        (Body::Attachments(found), _) => attachments::show(state, found),
        (Body::Released(results), _) => attachments::finish_detach(state, &results, effects),
        (Body::Ranges(samples), Some(subscription)) => {
            let Some(inspect) = &mut state.inspect else { return };
            let is_of = |key: &&RangesKey| key.subscription == subscription;
            if state.requested.pins.as_ref().is_some_and(|key| is_of(&key)) {
                inspect.pins.sample(&samples, report.at);
            } else if let Some(fields) = state.requested.fields.as_ref().filter(is_of) {
                inspect.add_field_samples(&fields.ranges, samples);
            }
        }
        (body, Some(subscription)) => {
            if state.inspect.as_ref().is_some_and(|inspect| inspect.subscription == subscription) {
                handle_inspect_report(state, body, effects);
            }
        }
        (_, None) => {}
    }
}

fn handle_inspect_report(state: &mut State, body: Body, effects: &mut Vec<Effect>) {
    let Some(inspect) = &mut state.inspect else { return };
    match body {
        Body::Window(look) => show_snapshot(state, *look),
        Body::Built(layout, built) => typing::set_built(state, layout, built),
        Body::WindowFailed(reason) => inspect.status = Status::Failed(reason.to_string()),
        Body::Ended(ended) => inspect.status = Status::Failed(ended.text(&inspect.segment.id)),
        Body::Found(answer) => handle_search_result(state, answer, effects),
        Body::Hits(number, Ok(hits)) => {
            if let Some(search) = inspect.search.as_mut().filter(|search| search.count == number) {
                search.hits = Some(hits);
            }
        }
        Body::Progress(at) => {
            if let Some(pending) = &mut inspect.pending {
                pending.progress = Some((at.done, at.total));
            }
        }
        _ => {}
    }
}

fn show_survey(state: &mut State, survey: Survey, effects: &mut Vec<Effect>) {
    // Nothing in the first survey is new.
    let difference = match &state.survey {
        Some(before) => difference(before, &survey),
        None => Difference::default(),
    };
    // The holders key has a different meaning in Inspect.
    let hint = match &state.inspect {
        Some(_) => String::new(),
        None => format!(" ({}: holders)", state.key_of(Action::Holders)),
    };
    if state.notice.is_none()
        && let Some(text) = state
            .survey
            .as_ref()
            .and_then(|before| notice_of_lost_name(before, &survey, &difference, state.inspect.as_ref()))
    {
        state.show_message(text + &hint);
    }
    // While paused, nothing is read automatically.
    if state.interval.duration().is_some() {
        effects.extend(scan_scope(&survey, &difference).map(|who| Request::Holders(who).into()));
    }
    let now = state.now;
    state.table.survey(&survey, &difference, now);
    if let Some(inspect) = &mut state.inspect
        && let Some(segment) = survey.segments.iter().find(|segment| segment.id == *inspect.id())
        && inspect.segment.identity().matches(&segment.identity())
    {
        inspect.segment = segment.clone();
    }
    let first = state.survey.is_none();
    if let Some(problem) = survey.problems.first()
        && (first || state.survey.as_ref().is_some_and(|before| before.problems != survey.problems))
    {
        let more = match survey.problems.len() {
            1 => String::new(),
            count => format!(" ({} more in `shmlens list`)", count - 1),
        };
        state.fail(format!("{problem}{more}"));
    }
    state.survey_alerts = alerts(&survey).into_iter().filter(|alert| alert.urgent).collect();
    state.set_survey(survey);
    new_segment::report_hidden_selection(state);
}

/// Returns a notice if a segment was removed while in use: it still takes memory, but no directory
/// lists it.
fn notice_of_lost_name(
    before: &Survey,
    after: &Survey,
    difference: &Difference,
    open: Option<&Inspect>,
) -> Option<String> {
    let changed = difference.appeared.iter().chain(&difference.changed);
    let segment = changed
        .filter_map(|id| after.segments.iter().find(|segment| segment.id == *id))
        .filter(|segment| segment.verdict.state == SegmentState::Removed)
        .find(|segment| {
            // A removed System V segment keeps its id, but a removed object gets a new one.
            before.segments.iter().any(|was| {
                was.verdict.state != SegmentState::Removed
                    && was.identity().matches(&segment.identity())
                    && (was.kind() == Kind::Posix || was.id == segment.id)
            })
        })?;
    let last = open.is_some_and(|open| {
        open.segment.identity().matches(&segment.identity()) && open.is_last(Some(after))
    });
    let memory = segment.resident.unwrap_or(segment.size);
    let until = if last { "freed when you leave" } else { "stays in memory until its holders detach" };
    Some(format!("{} was removed; {memory} {until}", label_of(segment)))
}

/// Returns the processes to scan after these changes. The table of System V segments names the last
/// process that attached or detached, but any process may hold a new POSIX object.
fn scan_scope(survey: &Survey, difference: &Difference) -> Option<ScanScope> {
    let mut pids = vec![];
    for id in difference.appeared.iter().chain(&difference.changed) {
        let segment = survey.segments.iter().find(|segment| segment.id == *id)?;
        match segment.sysv() {
            Some(facts) => {
                let found = segment.holders.iter().flat_map(|holders| holders.iter());
                let found: u64 = found.clone().map(|holder| u64::from(holder.mappings)).sum();
                // All attachments are already known.
                if found != facts.nattch || segment.holders.is_none() {
                    pids.extend([facts.creator_pid, facts.last_pid]);
                    pids.extend(segment.holders.iter().flat_map(|all| all.iter().map(|holder| holder.pid)));
                }
            }
            None if segment.holders.is_none() && segment.kind() == Kind::Posix => {
                return Some(ScanScope::All);
            }
            None => {}
        }
    }
    (!pids.is_empty()).then_some(ScanScope::These(pids))
}

fn show_preview(state: &mut State, preview: Preview) {
    if let (Some(inspect), Ok(look)) = (&mut state.inspect, &preview.look)
        && *inspect.id() == preview.id
        && inspect.frozen.is_none()
    {
        inspect.moving.clone_from(&look.moving);
    }
    let (now, id) = (state.now, preview.id);
    if state.table.selected.as_ref() == Some(&id)
        && state.table.strip.apply(preview.look, now)
        && state.inspect.is_none()
    {
        state.typing.outdated(now);
    }
    scope::offer_late(state, &id);
}

fn finish_open(
    state: &mut State,
    subscription: SubscriptionId,
    opened: Result<Opened, OpenError>,
    effects: &mut Vec<Effect>,
) {
    let Some((_, segment)) = state.opening.take_if(|(id, _)| *id == subscription) else { return };
    match opened {
        Ok(_) => {
            let keep = state.kept.contains_key(&segment.id);
            let mut inspect = Inspect::new(subscription, segment, state.live_interval, keep);
            state.visits.resume(&mut inspect, state.size);
            state.inspect = Some(inspect);
        }
        Err(error) => {
            state.fail(error.to_string());
            // The segment may be gone or replaced.
            effects.push(Request::Survey.into());
        }
    }
}

fn show_snapshot(state: &mut State, look: Snapshot) {
    let size = state.size;
    let Some(inspect) = &mut state.inspect else { return };
    let before = inspect.size();
    let is_untyped = look.changes > 0 && inspect.typed.is_none();
    inspect.apply(look, size);
    let after = inspect.size();
    if is_untyped {
        state.typing.outdated(state.now);
    }
    if after < before {
        // The cursor may be past the new end.
        let cursor = inspect.cursor;
        inspect.go_to(cursor, size);
        let text = format!("Shrunk from {} to {}", Bytes(before), Bytes(after));
        inspect.shrunk = Some(text.clone());
        state.show_message(text);
    } else if after > before
        && let Some(text) = inspect.shrunk.take()
    {
        state.notice.take_if(|notice| notice.text == text);
    }
}

fn handle_search_result(state: &mut State, found: Found, effects: &mut Vec<Effect>) {
    let size = state.size;
    let Some(inspect) = &mut state.inspect else { return };
    let Some(pending) = inspect.pending.take_if(|pending| pending.number == found.number) else { return };
    match found.result {
        // Check if there are changes in the other direction.
        Ok(None) if pending.subject == Subject::Changes && !pending.any_change => {
            let number = inspect.next_request();
            inspect.pending = Some(PendingSearch { number, any_change: true, progress: None, ..pending });
            let (from, direction) = (0, Direction::Forward);
            let search =
                Search { number, from, direction, target: Target::Change { value: inspect.value_size() } };
            effects.push(Request::Search(inspect.subscription, search).into());
        }
        Ok(Some(_)) if pending.any_change => {
            let baseline = state.key_of(Action::Baseline);
            state.show_message(format!("No more changes in that direction ({baseline}: new baseline)"));
        }
        Ok(Some(offset)) => {
            inspect.jump(offset, size);
            if matches!(pending.subject, Subject::Pattern(_)) {
                count_hits(inspect, effects);
            }
            if found.wrapped {
                state.show_message(format!("Found at {offset:#x} (wrapped)"));
            }
        }
        Ok(None) => state.fail(not_found(&pending.subject)),
        Err(reason) => state.fail(format!("Search failed: {reason}")),
    }
}

/// Counts the hits of the last search in the background, unless the hit under the cursor is one of
/// those that are counted.
fn count_hits(inspect: &mut Inspect, effects: &mut Vec<Effect>) {
    let (cursor, number) = (inspect.cursor, inspect.next_request());
    let Some(search) = &mut inspect.search else { return };
    let counted = |hits: &Hits| hits.more || hits.offsets.binary_search(&cursor).is_ok();
    if !search.hits.as_ref().is_some_and(counted) {
        search.count = number;
        let pattern = Box::new(search.pattern.clone());
        effects.push(Request::CountHits(inspect.subscription, number, pattern).into());
    }
}

fn not_found(subject: &Subject) -> String {
    match subject {
        Subject::Changes => "No changes since the baseline".to_owned(),
        Subject::Data => "No more data in that direction".to_owned(),
        Subject::Pattern(pattern) => format!("No match for \"{pattern}\""),
    }
}

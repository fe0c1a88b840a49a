//! The state of the interactive program. Only `update` changes it, only `tui` draws it.

use super::action::{Action, Context};
use super::detail::{DetailGroup, Details};
use super::event::Size;
use super::inspect::{Inspect, Visits};
use super::interval::Interval;
use super::key::Key;
use super::keymap::Keymap;
use super::layout::segments::{Needs, SegmentsLayout, layout};
use super::overlay::Overlay;
use super::scope::Scope;
use super::sentence::sentence;
use super::table::Table;
use super::typing::{TypesKey, Typing};
use super::work::RunningAction;
use crate::act::Refusal;
use crate::decode::Type;
use crate::engine::{Clock, PreviewFields, Request, SubscriptionId, Undo, Watching};
use crate::identify::about::Probe;
use crate::segment::{Bytes, Identity, Kind, Segment, SegmentId, Timestamp, in_ascii};
use crate::survey::{Alert, Survey};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use unicode_width::UnicodeWidthStr as _;

/// Maximum number of log lines.
const MAX_LOG: usize = 1000;

/// The initial settings.
#[derive(Debug, Clone)]
pub struct Settings {
    pub interval: Duration,
    /// The refresh interval of an open segment.
    pub live_interval: Duration,
    pub mouse: bool,
    pub keymap: Keymap,
    /// Safe to print.
    pub user: String,
    pub read_only: bool,
    /// The memory for the samples of the scope.
    pub history: Bytes,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct State {
    pub size: Size,
    pub now: Clock,
    pub keymap: Keymap,
    pub user: String,
    pub survey: Option<Survey>,
    /// Urgent alerts of the last survey.
    pub(super) survey_alerts: Vec<Alert>,
    /// Alerts about locks.
    pub lock_alerts: Vec<Alert>,
    pub interval: Interval,
    /// The refresh interval of a newly opened segment.
    pub live_interval: Interval,
    pub table: Table,
    pub typing: Typing,
    /// The last typed type.
    pub(super) last_type: String,
    pub(super) visits: Visits,
    pub inspect: Option<Inspect>,
    pub scope: Scope,
    /// The Scope screen is in front of the others.
    pub scope_open: bool,
    /// It was the first screen.
    pub starts_in_scope: bool,
    /// The first visible line of the Detail screen, if it is open.
    pub detail: Option<usize>,
    /// The last probe of the segment on the Detail screen.
    pub probe: Option<(SegmentId, Probe)>,
    details: Details,
    pub opening: Option<(SubscriptionId, Segment)>,
    /// Keys typed while a segment is opening or a jump is pending, handled afterwards.
    pub typed_ahead: Vec<Key>,
    pub overlay: Option<Overlay>,
    pub notice: Option<Notice>,
    /// The segments that stay attached, by the ids that they had when they were opened.
    pub kept: BTreeMap<SegmentId, Identity>,
    /// Set if the last key was quit and asked for confirmation, because segments stay attached.
    pub(super) asked_to_quit: bool,
    pub read_only: bool,
    /// The session log, one line per action and segment.
    pub log: Vec<String>,
    pub undo: Option<Undo>,
    pub work: Option<RunningAction>,
    pub mouse: bool,
    /// The last click and its row, to detect double clicks.
    pub last_click: Option<(usize, Clock)>,
    pub(super) requested: RequestCache,
    subscriptions: u64,
}

/// Maximum number of segments whose rates are polled.
const MAX_POLLED: usize = 512;

/// The last requests to the engine. A request is only repeated when it changes.
#[derive(Debug, Default)]
pub(super) struct RequestCache {
    pub preview: Option<PreviewKey>,
    pub rates: RatesKey,
    /// The segments whose locks are checked, and the survey that they are from.
    pub locks: RatesKey,
    pub locks_checked: Option<Timestamp>,
    /// The type whose locks are followed in Inspect.
    pub lock_watch: Option<LockWatchKey>,
    pub watches_locks: bool,
    /// The probed segment, and the time of the survey.
    pub probe: Option<(SegmentId, Timestamp)>,
    /// The inputs of the last `rates`.
    pub polled: Option<PolledKey>,
    pub look: Option<(SubscriptionId, Watching)>,
    pub interval: Option<Interval>,
    pub pins: Option<RangesKey>,
    pub fields: Option<RangesKey>,
    pub types: Option<TypesKey>,
    /// Samples are taken for the scope.
    pub samples: bool,
    /// The value whose writers are watched.
    pub writers: Option<WatchKey>,
}

/// A watched value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WatchKey {
    pub id: SegmentId,
    pub identity: Identity,
    pub range: Range<u64>,
    /// The number of its samples, if it is sampled at every write.
    pub samples: Option<u64>,
}

/// The subscription of the segment in Inspect, the type at an offset, and the time of the survey.
pub(super) type LockWatchKey = (SubscriptionId, Type, u64, Timestamp);

/// The requested samples of pinned values, or of fields. Each request has a subscription of its
/// own, because a report of an older one would assign samples to the wrong values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RangesKey {
    pub subscription: SubscriptionId,
    /// The subscription of the segment in Inspect.
    pub inspect: SubscriptionId,
    pub ranges: Vec<Range<u64>>,
    pub every: Duration,
}

/// A requested preview. It is requested again when the holders change, because a System V segment
/// is read through one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PreviewKey {
    identity: Identity,
    segment: RatesKey,
    bytes: usize,
    cells: u16,
    fields: Option<PreviewFields>,
}

impl PreviewKey {
    pub fn new(segment: &Segment, bytes: usize, cells: u16, fields: Option<PreviewFields>) -> Self {
        Self { identity: segment.identity(), segment: RatesKey::new(&[segment]), bytes, cells, fields }
    }
}

/// The inputs of [`State::segments_to_poll`], which is only called when they change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PolledKey {
    arranged: u64,
    turns: u64,
    top: usize,
    rows: usize,
}

/// The polled segments and their holders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RatesKey(Vec<(SegmentId, Vec<u32>)>);

impl RatesKey {
    pub fn new(segments: &[&Segment]) -> Self {
        let pids = |segment: &Segment| {
            segment.holders.iter().flat_map(|holders| holders.iter()).map(|holder| holder.pid).collect()
        };
        Self(segments.iter().map(|segment| (segment.id.clone(), pids(segment))).collect())
    }
}

/// A status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub failed: bool,
    /// Set if the log has the whole text, because it did not fit on one line.
    pub logged: bool,
}

impl State {
    pub fn new(settings: Settings) -> Self {
        Self {
            size: Size::default(),
            now: Duration::ZERO,
            keymap: settings.keymap,
            user: settings.user,
            survey: None,
            survey_alerts: vec![],
            lock_alerts: vec![],
            interval: Interval::survey(settings.interval),
            live_interval: Interval::live(settings.live_interval),
            table: Table::default(),
            typing: Typing::default(),
            last_type: String::new(),
            visits: Visits::default(),
            inspect: None,
            scope: Scope::new(settings.history),
            scope_open: false,
            starts_in_scope: false,
            detail: None,
            probe: None,
            details: Details::default(),
            opening: None,
            typed_ahead: vec![],
            overlay: None,
            notice: None,
            kept: BTreeMap::new(),
            asked_to_quit: false,
            read_only: settings.read_only,
            log: vec![],
            undo: None,
            work: None,
            mouse: settings.mouse,
            last_click: None,
            requested: RequestCache::default(),
            subscriptions: 0,
        }
    }

    /// Shows a scope as the first screen.
    pub fn start_in_scope(&mut self, scope: Scope) {
        (self.scope, self.scope_open, self.starts_in_scope) = (scope, true, true);
        let problems = self.scope.recording.iter().flat_map(|recording| &recording.problems);
        let problems: Vec<String> = problems.map(|problem| sentence(problem)).collect();
        if !problems.is_empty() {
            self.fail(problems.join(". "));
        } else if let Some(part) = self.scope.kept_part() {
            let memory = Bytes(self.scope.history.limit());
            self.show_message(format!("Showing {part}: `history` in the config is {memory}"));
        }
    }

    /// Returns the requests that complete what is under way, before the program ends.
    pub fn last_requests(&mut self) -> Vec<Request> {
        self.scope.due_saves(true)
    }

    pub const fn screen(&self) -> Context {
        if self.scope_open {
            return Context::Scope;
        }
        match (&self.inspect, &self.detail) {
            (Some(_), _) => Context::Inspect,
            (None, Some(_)) => Context::Detail,
            (None, None) => Context::Segments,
        }
    }

    pub(super) const fn polled_key(&self, rows: usize) -> PolledKey {
        let Table { arranged, top, .. } = self.table;
        PolledKey { arranged, turns: self.table.rates.transitions(), top, rows }
    }

    /// Returns the segments whose rates are polled: the visible rows first, then those that change,
    /// then the others.
    pub(super) fn segments_to_poll(&self, rows: usize) -> Vec<&Segment> {
        let Some(survey) = &self.survey else { return vec![] };
        let table = &self.table;
        let (top, end) = (table.top, (table.top + rows).min(table.shown.len()));
        let segment = |&index: &usize| &survey.segments[index];
        let others = table.shown[..top].iter().chain(&table.shown[end..]).map(segment);
        let (changing, still): (Vec<_>, Vec<_>) =
            others.partition(|segment| table.rates.is_changing(&segment.id));
        let visible = table.shown[top..end].iter().map(segment);
        visible.chain(changing).chain(still).take(MAX_POLLED).collect()
    }

    /// The segments that other processes hold, whose locks are checked.
    pub(super) fn held_segments(&self) -> Vec<&Segment> {
        let segments = self.survey.iter().flat_map(|survey| &survey.segments);
        let is_held = |segment: &&Segment| {
            segment.holders.iter().flat_map(|holders| holders.iter()).any(|holder| !holder.ourselves)
        };
        segments.filter(is_held).take(MAX_POLLED).collect()
    }

    /// The context that receives keys: the overlay's context, if there is one.
    pub fn context(&self) -> Context {
        self.overlay.as_ref().map_or(self.screen(), Overlay::context)
    }

    /// Returns the key that stops the action in progress, for messages.
    pub fn stop_key(&self) -> String {
        self.key_of(match self.context() {
            Context::Segments => Action::ClearFilter,
            Context::Inspect | Context::Scope => Action::Back,
            _ => Action::Close,
        })
    }

    pub fn table_layout(&self) -> SegmentsLayout {
        layout(
            self.size,
            Needs {
                rows: self.table.shown.len(),
                owner: self.table.owner_width,
                alert: self.alerts().next().is_some(),
            },
        )
    }

    /// Returns true if shmlens holds a segment beyond a single read. An object that has lost its name
    /// has another id than before.
    pub fn is_attached(&self, segment: &Segment) -> bool {
        let opening = self.opening.as_ref().map(|(_, segment)| (&segment.id, segment.identity()));
        let kept = self.kept.iter().map(|(id, identity)| (id, *identity));
        opening.into_iter().chain(kept).any(|(id, identity)| {
            let same_id = *id == segment.id && segment.kind() == Kind::Sysv;
            same_id
                || identity.matches(&segment.identity())
                    && (*id == segment.id || segment.kind() == Kind::Deleted)
        })
    }

    /// The urgent alerts, those about locks first.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.lock_alerts.iter().chain(&self.survey_alerts)
    }

    /// The facts about the selected segment.
    pub fn detail_groups(&self) -> &[DetailGroup] {
        self.details.groups()
    }

    /// Sets a new survey.
    pub(super) fn set_survey(&mut self, survey: Survey) {
        self.survey = Some(survey);
        self.details = Details::default();
    }

    /// Computes the facts about the selected segment if they are out of date.
    pub(super) fn refresh_details(&mut self) {
        let Some((survey, segment)) = self.survey.as_ref().zip(self.selected()) else {
            self.details = Details::default();
            return;
        };
        let probe = self.probe.as_ref().filter(|(id, _)| *id == segment.id).map(|(_, probe)| probe);
        if !self.details.is_of(segment, probe) {
            self.details = Details::new(segment, survey, probe);
        }
    }

    pub fn selected(&self) -> Option<&Segment> {
        self.survey.as_ref().and_then(|survey| self.table.selected(survey))
    }

    /// Returns the reason why an action is unavailable. The hint is then dim, and the key shows the
    /// reason.
    pub fn refusal(&self, action: Action) -> Option<String> {
        use Action::{
            CopyId, Detach, GoToMark, GoToValue, Holders, Inspect, Lock, Mark, New, Permissions, Remove,
            Save, SearchNext, SearchPrevious, Undo, Unlock,
        };
        let key = |action| self.key_of(action);
        let changes = matches!(action, Permissions | Lock | Unlock | Remove | Undo | New);
        let on_marked = matches!(action, Permissions | Lock | Unlock | Remove | Save | CopyId);
        let on_selected = matches!(action, Inspect | Mark | Holders);
        let no_selection = self.selected().is_none();
        let open =
            |predicate: fn(&super::inspect::Inspect) -> bool| self.inspect.as_ref().is_some_and(predicate);
        Some(match action {
            _ if changes && self.read_only => {
                let refusal = Refusal::read_only();
                format!("{}. {}", refusal.reason, refusal.remedy)
            }
            _ if (changes || action == Save) && self.work.is_some() => self.in_progress(),
            _ if no_selection && (on_selected || on_marked && self.table.marks.is_empty()) => {
                "No segment selected".to_owned()
            }
            Detach if self.kept.is_empty() && self.inspect.is_none() && !self.scope.reads_arrays() => {
                format!("Nothing attached. {} in Inspect keeps one", key(Action::Keep))
            }
            SearchNext | SearchPrevious if open(|inspect| inspect.search.is_none()) => format!(
                "No search yet ({} text, {} hex, {} value)",
                key(Action::SearchText),
                key(Action::SearchHex),
                key(Action::SearchValue)
            ),
            GoToValue if open(|inspect| inspect.tree.is_none() && inspect.picked().is_none()) => {
                format!("No value selected ({} selects pinned and moving values)", key(Action::NextPane))
            }
            GoToMark if open(|inspect| inspect.marks.is_empty()) => {
                format!("No marks yet ({}: mark this offset)", key(Action::SetMark))
            }
            _ => return None,
        })
    }

    /// The message that refuses to start another action.
    pub(super) fn in_progress(&self) -> String {
        format!("Another action is in progress ({} cancels it)", self.key_of(Action::ClearFilter))
    }

    pub fn key_of(&self, action: Action) -> String {
        self.keymap.name_of(action)
    }

    pub(super) const fn next_subscription(&mut self) -> SubscriptionId {
        self.subscriptions += 1;
        SubscriptionId(self.subscriptions)
    }

    pub(super) fn show_message(&mut self, text: impl Into<String>) {
        self.notify(sentence(&text.into()), false);
    }

    pub(super) fn fail(&mut self, text: impl Into<String>) {
        self.notify(sentence(&text.into()), true);
    }

    pub(super) fn notify(&mut self, text: String, failed: bool) {
        self.notice = Some(Notice { text, failed, logged: false });
    }

    /// Adds a line to the session log.
    pub(super) fn log_line(&mut self, line: String) {
        if self.log.len() >= MAX_LOG {
            self.log.remove(0);
        }
        self.log.push(line);
    }

    /// Logs a notice that does not fit on its line.
    pub(super) fn log_long_notice(&mut self) {
        let width = usize::from(self.size.width).saturating_sub(2);
        // `--ascii` escapes other characters, which makes the text longer.
        let long = |notice: &&mut Notice| !notice.logged && in_ascii(&notice.text).width() > width;
        let Some(notice) = self.notice.as_mut().filter(long) else { return };
        notice.logged = true;
        let line = format!("message: {}", notice.text);
        self.log_line(line);
    }
}

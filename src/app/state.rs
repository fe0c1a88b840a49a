//! The whole state of the interactive program. Only `update` changes it, only
//! `tui` draws it.

use super::action::{Action, Context};
use super::detail::{self, DetailLine};
use super::event::Size;
use super::inspect::Inspect;
use super::interval::Interval;
use super::key::Key;
use super::keymap::Keymap;
use super::layout::segments::{SegmentsLayout, layout};
use super::overlay::Overlay;
use super::sentence::sentence;
use super::table::Table;
use super::work::Work;
use crate::act::Refusal;
use crate::engine::{Clock, SubscriptionId, Undo, Watching};
use crate::segment::{Identity, Segment, SegmentId};
use crate::survey::{Alert, Survey};
use std::collections::BTreeSet;
use std::time::Duration;

/// What the program begins with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often the machine is looked at.
    pub interval: Duration,
    /// How often an open segment is looked at.
    pub live_interval: Duration,
    /// Whether the mouse is taken.
    pub mouse: bool,
    /// Which key means what.
    pub keymap: Keymap,
    /// Who runs it, safe to print.
    pub user: String,
    /// Nothing may be changed.
    pub read_only: bool,
}

/// The state.
#[derive(Debug)]
pub struct State {
    /// The size of the terminal.
    pub size: Size,
    /// The time of the last event.
    pub now: Clock,
    /// Which key means what.
    pub keymap: Keymap,
    /// Who runs it.
    pub user: String,
    /// The last look at the machine.
    pub survey: Option<Survey>,
    /// What will stop programs soon, by that look.
    pub alerts: Vec<Alert>,
    /// How often the machine is looked at.
    pub interval: Interval,
    /// How often an open segment is looked at, when it is opened.
    pub live_interval: Interval,
    /// The table.
    pub table: Table,
    /// The open segment.
    pub inspect: Option<Inspect>,
    /// The segment that is being opened.
    pub opening: Option<(SubscriptionId, Segment)>,
    /// The keys that were typed meanwhile: they are for where it leads to.
    pub typed_ahead: Vec<Key>,
    /// What stands over the screen.
    pub overlay: Option<Overlay>,
    /// A line at the foot, until the next key.
    pub notice: Option<Notice>,
    /// The segments that we stay attached to.
    pub kept: BTreeSet<SegmentId>,
    /// Nothing may be changed.
    pub read_only: bool,
    /// What was done in this run, a line each.
    pub log: Vec<String>,
    /// What takes the last act back.
    pub undo: Option<Undo>,
    /// The act that is under way.
    pub work: Option<Work>,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// The row that was clicked last, and when.
    pub last_click: Option<(usize, Clock)>,
    pub(super) asked: Asked,
    /// The number of subscriptions so far.
    subscriptions: u64,
}

/// What the outside was last asked for: it is asked again only when that changes.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub preview: Option<(SegmentId, Identity)>,
    pub look: Option<(SubscriptionId, Watching)>,
    pub interval: Option<Interval>,
}

/// A line at the foot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// Whether something failed.
    pub failed: bool,
}

impl State {
    /// The state at the start: nothing is known yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            size: Size::default(),
            now: Duration::ZERO,
            keymap: settings.keymap,
            user: settings.user,
            survey: None,
            alerts: vec![],
            interval: Interval::survey(settings.interval),
            live_interval: Interval::live(settings.live_interval),
            table: Table::default(),
            inspect: None,
            opening: None,
            typed_ahead: vec![],
            overlay: None,
            notice: None,
            kept: BTreeSet::new(),
            read_only: settings.read_only,
            log: vec![],
            undo: None,
            work: None,
            mouse: settings.mouse,
            last_click: None,
            asked: Asked::default(),
            subscriptions: 0,
        }
    }

    /// The context of the screen that is shown.
    #[must_use]
    pub const fn screen(&self) -> Context {
        if self.inspect.is_some() { Context::Inspect } else { Context::Segments }
    }

    /// The context that has the keys: that of the overlay, if there is one.
    #[must_use]
    pub fn context(&self) -> Context {
        self.overlay.as_ref().map_or(self.screen(), Overlay::context)
    }

    /// Returns the key that stops what takes long, as messages name it.
    #[must_use]
    pub fn stop_key(&self) -> String {
        self.key_of(match self.context() {
            Context::Segments => Action::ClearFilter,
            Context::Inspect => Action::Back,
            _ => Action::Close,
        })
    }

    /// Where the parts of the Segments screen stand.
    #[must_use]
    pub fn table_layout(&self) -> SegmentsLayout {
        layout(self.size, self.table.pane, self.table.owner_width, !self.alerts.is_empty())
    }

    /// What the detail area says of the selected segment.
    #[must_use]
    pub fn detail(&self) -> Vec<DetailLine> {
        let (Some(survey), Some(segment)) = (&self.survey, self.selected()) else { return vec![] };
        let preview = self.table.preview.as_ref().filter(|preview| preview.id == segment.id);
        let bytes = preview.and_then(|preview| preview.bytes.as_deref().ok());
        detail::lines(segment, survey, bytes)
    }

    /// The selected segment.
    #[must_use]
    pub fn selected(&self) -> Option<&Segment> {
        self.survey.as_ref().and_then(|survey| self.table.selected(survey))
    }

    /// Why an action cannot be done now; `None` when it can. Its hint is dim
    /// then, and its key says this.
    #[must_use]
    pub fn refusal(&self, action: Action) -> Option<String> {
        use Action::{
            CopyId, Detach, GoToMark, Holders, Inspect, Lock, Mark, New, Permissions, Remove, Save,
            SearchNext, SearchPrevious, Undo, Unlock,
        };
        let key = |action| self.key_of(action);
        let changes = matches!(action, Permissions | Lock | Unlock | Remove | Undo | New);
        let on_marked = matches!(action, Permissions | Lock | Unlock | Remove | Save | CopyId);
        let on_selected = matches!(action, Inspect | Mark | Holders);
        let nothing = self.selected().is_none();
        let open = |holds: fn(&super::inspect::Inspect) -> bool| self.inspect.as_ref().is_some_and(holds);
        Some(match action {
            _ if changes && self.read_only => {
                let refusal = Refusal::read_only();
                format!("{}. {}", refusal.reason, refusal.remedy)
            }
            _ if (changes || action == Save) && self.work.is_some() => self.in_progress(),
            _ if nothing && (on_selected || on_marked && self.table.marks.is_empty()) => {
                "No segment selected".to_owned()
            }
            Detach if self.kept.is_empty() && self.inspect.is_none() => {
                format!("Nothing attached. {} in Inspect keeps one", key(Action::Keep))
            }
            SearchNext | SearchPrevious if open(|inspect| inspect.search.is_none()) => format!(
                "No search yet ({} text, {} hex, {} value)",
                key(Action::SearchText),
                key(Action::SearchHex),
                key(Action::SearchValue)
            ),
            GoToMark if open(|inspect| inspect.marks.is_empty()) => {
                format!("No marks yet ({}: mark this offset)", key(Action::SetMark))
            }
            _ => return None,
        })
    }

    /// Why nothing else can be begun while an action runs.
    pub(super) fn in_progress(&self) -> String {
        format!("Another action is in progress ({} cancels it)", self.key_of(Action::ClearFilter))
    }

    /// The key of an action as messages name it.
    #[must_use]
    pub fn key_of(&self, action: Action) -> String {
        self.keymap.name_of(action)
    }

    /// The id of a new subscription.
    pub(super) const fn next_subscription(&mut self) -> SubscriptionId {
        self.subscriptions += 1;
        SubscriptionId(self.subscriptions)
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: sentence(&text.into()), failed: false });
    }

    pub(super) fn fail(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: sentence(&text.into()), failed: true });
    }
}

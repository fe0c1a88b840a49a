//! The state of the Inspect screen, the live view of a segment.

mod field_text;
mod fields;
mod fold;
mod frozen;
mod glow;
mod hits;
mod offset;
mod pins;
mod rate;
mod tree;
mod typing;
mod value;
mod view;
mod visit;

pub use field_text::{FieldText, field_text, merged, row_range};
pub use fold::{Fold, Line, Lines};
pub use frozen::Frozen;
pub use glow::Glow;
pub use hits::hits_text;
pub use offset::{OffsetError, parse_offset};
pub use pins::{Pin, Pins};
pub use rate::Rate;
pub use tree::{FieldSamples, Row, RowKind, Tree};
pub use typing::{ChosenBy, ShownLayout};
pub use view::View;
pub use visit::Visits;

use super::event::Size;
use super::interval::Interval;
use super::layout::inspect::{InspectLayout, RowOptions, layout};
use super::list::List;
use super::segment_map::SegmentMap;
use super::values::{Place, Ranking, ValueEntry};
use crate::decode::layouts::Layout;
use crate::decode::{ByteOrder, PlacedType, Scalar};
use crate::engine::{Clock, Hits, Moving, SubscriptionId, Watching};
use crate::identify::locks::Lock;
use crate::identify::typing::Candidate;
use crate::machine::Method;
use crate::memory::{Pattern, Presence, Rows, Snapshot};
use crate::segment::{Kind, Segment, SegmentId};
use crate::survey::Survey;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// Bytes that a value takes at most, text included.
const VALUE_BYTES: usize = 64;
/// Bytes read past the end of the view, to decode values at its last offset.
const LOOKAHEAD: u64 = VALUE_BYTES as u64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Opening,
    Open,
    /// Opening or reading failed. The last view stays on screen.
    Failed(String),
}

/// The pane that receives keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InspectPane {
    #[default]
    Bytes,
    Values,
}

/// A line of the value panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picked {
    pub pinned: bool,
    pub offset: u64,
}

/// The last search, which `n` repeats.
#[derive(Debug, Clone)]
pub struct LastSearch {
    pub pattern: Pattern,
    /// The text as typed.
    pub text: String,
    /// All hits, once they are counted.
    pub hits: Option<Hits>,
    /// The number of the last request to count them.
    pub count: u64,
}

/// The target of a jump or search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Changes,
    /// Data past zeros and holes.
    Data,
    /// A pattern as typed.
    Pattern(String),
}

impl Subject {
    /// The text in `searching for …`.
    pub fn text(&self) -> &str {
        match self {
            Self::Changes => "changes",
            Self::Data => "data",
            Self::Pattern(text) => text,
        }
    }
}

/// A search without a result yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSearch {
    pub number: u64,
    pub since: Clock,
    pub subject: Subject,
    /// Bytes searched so far, and in total.
    pub progress: Option<(u64, u64)>,
    /// Set if the search only checks whether anything changed, to explain why it found no change.
    pub any_change: bool,
}

/// An open segment.
#[derive(Debug)]
pub struct Inspect {
    pub subscription: SubscriptionId,
    pub segment: Segment,
    pub status: Status,
    /// The method of reading, which determines the side effects.
    pub method: Method,
    pub presence: Presence,
    pub top: u64,
    pub cursor: u64,
    /// `None` for as many as fit.
    pub row_bytes: Option<u16>,
    /// `None` for hex.
    pub shown_as: Option<Scalar>,
    pub order: ByteOrder,
    /// The fields of the type, unless it has no parts.
    pub tree: Option<Tree>,
    /// The locks of the type, with their owners and the threads that wait.
    pub locks: Vec<Lock>,
    /// Set to show long runs of zeros as one line each.
    pub folds: bool,
    /// Set by a jump: the view that comes next is scrolled to show the context of the cursor.
    lead: bool,
    /// The type that is shown.
    pub typed: Option<PlacedType>,
    /// The layout that the type was built from.
    pub layout: Option<ShownLayout>,
    /// The layout that the user asked for, until it is known that the contents have it.
    pub trial: Option<Layout>,
    /// The origin of what is shown.
    pub chosen: ChosenBy,
    /// The types that fit, best first; `None` before they are known.
    pub types: Option<Vec<Candidate>>,
    pub view: View,
    pub now: Clock,
    pub glow: Glow,
    pub map: SegmentMap,
    /// The number of bytes that the map covers so far.
    pub scanned: u64,
    pub rate: Rate,
    pub interval: Interval,
    /// Set while frozen.
    pub frozen: Option<Frozen>,
    pub search: Option<LastSearch>,
    pub pending: Option<PendingSearch>,
    pub marks: BTreeMap<char, u64>,
    pub last_mark: Option<char>,
    /// Set to stay attached after leaving.
    pub keep: bool,
    pub pane: InspectPane,
    pub values_top: usize,
    /// The selected value, of the pinned and moving ones.
    pub picked: Option<Picked>,
    pub ranking: Ranking,
    pub pins: Pins,
    /// The values that move, most interesting first.
    pub moving: Vec<Moving>,
    /// The notice about the last time that the segment shrank.
    pub shrunk: Option<String>,
    requests: u64,
}

impl Inspect {
    pub fn new(subscription: SubscriptionId, segment: Segment, interval: Interval, keep: bool) -> Self {
        let size = segment.size.0;
        Self {
            subscription,
            segment,
            status: Status::Opening,
            method: Method::Name { keeps_access_time: true },
            presence: Presence::Present { size },
            top: 0,
            cursor: 0,
            row_bytes: None,
            shown_as: None,
            order: ByteOrder::native(),
            tree: None,
            locks: vec![],
            folds: true,
            lead: false,
            typed: None,
            layout: None,
            trial: None,
            chosen: ChosenBy::Evidence,
            types: None,
            view: View::default(),
            now: Clock::ZERO,
            glow: Glow::default(),
            map: SegmentMap::default(),
            scanned: 0,
            rate: Rate::default(),
            interval,
            frozen: None,
            search: None,
            pending: None,
            marks: BTreeMap::new(),
            last_mark: None,
            keep,
            pane: InspectPane::Bytes,
            values_top: 0,
            picked: None,
            ranking: Ranking::default(),
            pins: Pins::default(),
            moving: vec![],
            shrunk: None,
            requests: 0,
        }
    }

    pub const fn id(&self) -> &SegmentId {
        &self.segment.id
    }

    pub const fn size(&self) -> u64 {
        self.presence.size()
    }

    pub fn layout(&self, size: Size) -> InspectLayout {
        layout(size, self.row_options())
    }

    pub const fn row_options(&self) -> RowOptions {
        RowOptions {
            size: self.size(),
            row_bytes: self.row_bytes,
            shown_as: self.shown_as,
            has_tree: self.tree.is_some(),
        }
    }

    /// The width of the cursor: a single byte, or a whole value.
    pub fn step(&self) -> u64 {
        self.shown_as.map_or(1, |scalar| scalar.size() as u64)
    }

    /// The range of the value under the cursor: of the display type, or eight bytes.
    pub fn value_at_cursor(&self) -> Range<u64> {
        let length = self.value_size();
        let start = self.cursor / length * length;
        start..start.saturating_add(length)
    }

    /// The size of values when jumping between changes.
    pub fn value_size(&self) -> u64 {
        self.shown_as.map_or(8, |scalar| scalar.size() as u64)
    }

    /// The entries of the value panel.
    pub fn values(&self) -> Vec<ValueEntry> {
        self.ranking.entries(&self.value_bytes(self.cursor), self.order, self.shown_as)
    }

    /// The values that can be selected: the pinned ones, then the moving ones.
    fn choices(&self) -> Vec<Picked> {
        let pins = self.pins.iter().map(|pin| Picked { pinned: true, offset: pin.offset });
        let moving = self.moving.iter().map(|value| Picked { pinned: false, offset: value.offset });
        pins.chain(moving).collect()
    }

    /// The selected value, if the pane has the focus and the value is still there.
    pub fn picked(&self) -> Option<Picked> {
        let picked = self.picked.filter(|_| self.pane == InspectPane::Values)?;
        self.choices().contains(&picked).then_some(picked)
    }

    /// Moves the selection. Returns false if there is nothing to select.
    pub fn pick(&mut self, by: isize) -> bool {
        let choices = self.choices();
        let at = self.picked.and_then(|picked| choices.iter().position(|choice| *choice == picked));
        let mut list = List { selected: at.unwrap_or(0) };
        list.step(if at.is_some() { by } else { 0 }, choices.len());
        self.picked = choices.get(list.selected).copied();
        self.picked.is_some()
    }

    /// Orders the entries of the value panel if the cursor has moved.
    pub fn rank_values(&mut self) {
        let place = Place { offset: self.cursor, order: self.order, shown_as: self.shown_as };
        let mut ranking = std::mem::take(&mut self.ranking);
        ranking.update(place, &self.value_bytes(self.cursor));
        self.ranking = ranking;
    }

    /// The lines of the segment. Rows with recent changes, matches, marks, differences from the
    /// baseline or the cursor are not folded.
    pub fn lines(&self, size: Size) -> Lines {
        let row = u64::from(self.layout(size).row_bytes);
        if !self.folds {
            return Lines::plain(row, self.size());
        }
        // While frozen, nothing fades.
        let now = self.frozen.as_ref().map_or(self.now, |frozen| frozen.since);
        let mut open = self.glow.glowing(now);
        open.extend(self.marks.values().map(|&mark| mark..mark + 1));
        open.extend(self.view.differs.iter().chain(&self.view.matches).cloned());
        Lines::folded(&self.view, row, self.size(), self.cursor, open)
    }

    /// The lines on screen.
    pub fn lines_on_screen(&self, size: Size) -> Vec<Line> {
        self.lines(size).on_screen(self.top, self.layout(size).rows.height, &self.view)
    }

    /// Moves the cursor to an offset, at most the last one, and scrolls it into view.
    pub fn go_to(&mut self, offset: u64, size: Size) {
        let step = self.step();
        self.cursor = offset.min(self.size().saturating_sub(1)) / step * step;
        self.scroll_to_cursor(size);
    }

    /// Like [`Inspect::go_to`], but scrolls a target outside the view to the upper third of the
    /// screen, so that its context is visible.
    pub fn jump(&mut self, offset: u64, size: Size) {
        let before = self.top;
        self.go_to(offset, size);
        if self.top != before {
            self.show_context(size);
            self.lead = true;
        }
    }

    /// Scrolls the cursor to the upper third of the screen.
    fn show_context(&mut self, size: Size) {
        let lead = isize::try_from(self.layout(size).rows.height / 3).unwrap_or(0);
        self.top = self.lines(size).step(self.cursor, -lead).start();
        self.scroll_to_cursor(size);
    }

    /// Scrolls so that the cursor is visible and the view is within the segment.
    pub fn scroll_to_cursor(&mut self, size: Size) {
        let height = usize::from(self.layout(size).rows.height.max(1));
        self.top = self.lines(size).scrolled(self.top, self.cursor, height);
    }

    /// Moves the cursor by bytes and stops at the ends. A fold is passed over.
    pub fn move_by(&mut self, bytes: i64, size: Size) {
        let target = self.cursor.saturating_add_signed(bytes).min(self.size().saturating_sub(1));
        let target = self.lines(size).beside_folds(target, bytes > 0);
        self.go_to(target, size);
    }

    /// Moves the cursor by lines and stops at the ends. The cursor keeps its column if it can.
    pub fn move_lines(&mut self, by: isize, size: Size) {
        let lines = self.lines(size);
        let row = u64::from(self.layout(size).row_bytes);
        let column = self.cursor % row;
        let last = self.size().saturating_sub(1);
        let mut target = lines.step_rows(self.cursor, by) + column;
        // The last row may be short.
        if target > last {
            target = (lines.step_rows(last, -1) + column).max(self.cursor);
        }
        self.go_to(target, size);
    }

    /// Moves view and cursor together.
    pub fn page_by(&mut self, by: isize, size: Size) {
        self.top = self.lines(size).step(self.top, by).start();
        self.move_lines(by, size);
    }

    /// Folds runs of zeros, or shows all rows.
    pub fn toggle_folds(&mut self, size: Size) {
        self.folds = !self.folds;
        self.scroll_to_cursor(size);
    }

    /// Returns true if the segment was removed and only shmlens holds it, according to this survey.
    pub fn is_last(&self, survey: Option<&Survey>) -> bool {
        let Some(survey) = survey else { return false };
        // An unlinked object has a different id.
        let same = |segment: &&Segment| {
            (segment.id == *self.id() || segment.kind() == Kind::Deleted)
                && self.segment.identity().matches(&segment.identity())
        };
        let Some(segment) = survey.segments.iter().find(same) else {
            // Without attachments the segment is gone, and our open file keeps its memory.
            return self.segment.kind() == Kind::Sysv && self.method != Method::Attach;
        };
        if let Some(facts) = segment.sysv() {
            return self.method == Method::Attach && facts.marked && facts.nattch <= 1;
        }
        let all_seen = survey.coverage.as_ref().is_some_and(|coverage| coverage.unreadable == 0);
        let holders = segment.holders.as_deref().unwrap_or_default();
        let ours = !holders.is_empty() && holders.iter().all(|holder| holder.ourselves);
        segment.kind() == Kind::Deleted && all_seen && ours
    }

    /// The window, map and interval to request from the engine.
    pub fn watching(&self, size: Size) -> Watching {
        let layout = self.layout(size);
        let end = self.top.saturating_add(layout.page()).saturating_add(LOOKAHEAD);
        // The next page, and the one before, are shown without waiting.
        let height = usize::from(layout.rows.height);
        let rows = Rows { length: layout.row_bytes.into(), above: height, below: 2 * height + 1 };
        Watching {
            window: self.top..end,
            rows: self.folds.then_some(rows),
            cells: usize::from(layout.map.width),
            every: self.every(),
            layout: self.watched_layout(),
        }
    }

    /// The refresh interval; `None` while frozen or paused.
    pub fn every(&self) -> Option<Duration> {
        if self.frozen.is_some() { None } else { self.interval.duration() }
    }

    pub fn apply(&mut self, look: Snapshot, size: Size) {
        self.status = Status::Open;
        self.presence = look.presence;
        self.method = look.method;
        self.scanned = look.scanned;
        let view = View::new(look.window_offset, look.bytes, look.gaps);
        self.view = if let Some(frozen) = &mut self.frozen {
            frozen.overlay(&view)
        } else {
            self.glow.changed(&look.changed, self.now);
            self.rate.add(look.changes, self.now);
            self.map.update(look.map, self.now);
            view
        };
        self.view.differs = look.differs;
        self.find_matches();
        self.read_counts();
        let known = self.view.offset..self.view.end();
        if known.contains(&self.top) && known.contains(&self.cursor) {
            if std::mem::take(&mut self.lead) {
                self.show_context(size);
            } else if self.folds {
                // A fold above the cursor may have opened.
                self.scroll_to_cursor(size);
            }
        }
    }

    /// Finds the matches of the last search in the window.
    pub fn find_matches(&mut self) {
        self.view.find_matches(self.search.as_ref().map(|search| &search.pattern));
    }

    pub fn freeze(&mut self) {
        self.frozen = if self.frozen.is_some() {
            None
        } else {
            let mut frozen = Frozen::new(self.now);
            frozen.overlay(&self.view);
            self.freeze_fields(&mut frozen);
            Some(frozen)
        };
    }

    /// The byte at an offset in the window.
    pub fn byte(&self, offset: u64) -> Option<u8> {
        self.view.read(offset, 1).first().copied()
    }

    /// The known bytes at an offset, enough for any value.
    pub fn value_bytes(&self, offset: u64) -> Vec<u8> {
        self.view.read(offset, VALUE_BYTES)
    }

    /// The range that `y` copies: from the last mark to the cursor, or the row of the cursor.
    pub fn copy_range(&self, size: Size) -> Range<u64> {
        let row = u64::from(self.layout(size).row_bytes);
        let start = self.cursor / row * row;
        match self.last_mark.and_then(|letter| self.marks.get(&letter)) {
            Some(&mark) => mark.min(self.cursor)..(mark.max(self.cursor) + self.step()).min(self.size()),
            None => start..(start + row).min(self.size()),
        }
    }

    /// The known part of a range.
    pub fn known(&self, range: &Range<u64>) -> Range<u64> {
        range.start.max(self.view.offset)..range.end.min(self.view.end())
    }

    /// Returns the number of a new search. Results of older searches are dropped.
    pub const fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }
}

/// The time until the glow has to be redrawn, or `None` if nothing glows or the view is frozen.
pub fn glow_step(inspect: &Inspect, now: Clock) -> Option<Duration> {
    let lit = inspect.glow.is_glowing(now) || inspect.map.is_glowing(now);
    (lit && inspect.frozen.is_none()).then_some(Glow::DURATION / 8)
}

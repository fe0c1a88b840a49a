//! The state of the Inspect screen, the live view of a segment.

mod frozen;
mod glow;
mod hits;
mod offset;
mod pins;
mod rate;

pub use frozen::Frozen;
pub use glow::Glow;
pub use hits::hits_text;
pub use offset::{OffsetError, parse_offset};
pub use pins::{Pin, Pins};
pub use rate::Rate;

use super::event::Size;
use super::interval::Interval;
use super::layout::inspect::{InspectLayout, RowOptions, layout};
use super::segment_map::SegmentMap;
use super::values::{Place, Ranking};
use crate::decode::{ByteOrder, Scalar};
use crate::engine::{Clock, Hits, Moving, SubscriptionId, Watching};
use crate::machine::{ExtentKind, Method};
use crate::memory::{Pattern, Presence, Snapshot};
use crate::segment::{Kind, Segment, SegmentId};
use crate::survey::Survey;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// Bytes read past the end of the view, to decode values at its last offset.
const LOOKAHEAD: u64 = 64;

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
    pub subject: Subject,
    /// Bytes searched so far, and in total.
    pub progress: Option<(u64, u64)>,
    /// Set if the search only checks whether anything changed, to explain why it found no change.
    pub any_change: bool,
}

#[derive(Debug, Clone, Default)]
pub struct View {
    pub offset: u64,
    /// Shorter than the window at the end of the segment.
    pub bytes: Vec<u8>,
    pub extents: Vec<(Range<u64>, ExtentKind)>,
    /// Ranges that differ from the baseline.
    pub differs: Vec<Range<u64>>,
    pub matches: Vec<Range<u64>>,
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
    pub view: View,
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
            view: View::default(),
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
        RowOptions { size: self.size(), row_bytes: self.row_bytes, shown_as: self.shown_as }
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

    /// Orders the entries of the value panel if the cursor has moved.
    pub fn rank_values(&mut self) {
        let place = Place { offset: self.cursor, order: self.order, shown_as: self.shown_as };
        let mut ranking = std::mem::take(&mut self.ranking);
        ranking.update(place, self.bytes_at(self.cursor));
        self.ranking = ranking;
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
        let layout = self.layout(size);
        let before = self.top;
        self.go_to(offset, size);
        if self.top != before {
            let row = u64::from(layout.row_bytes);
            let lead = u64::from(layout.rows.height / 3) * row;
            self.top = (self.cursor / row * row).saturating_sub(lead);
            self.scroll_to_cursor(size);
        }
    }

    /// Scrolls so that the cursor is visible and the view is within the segment.
    pub fn scroll_to_cursor(&mut self, size: Size) {
        let layout = self.layout(size);
        let row = u64::from(layout.row_bytes);
        let rows = u64::from(layout.rows.height.max(1));
        let cursor_row = self.cursor / row;
        let last_row = self.size().saturating_sub(1) / row;
        let top_row = (self.top / row).clamp((cursor_row + 1).saturating_sub(rows), cursor_row);
        self.top = top_row.min((last_row + 1).saturating_sub(rows)) * row;
    }

    /// Moves the cursor and stops at the ends.
    pub fn move_by(&mut self, bytes: i64, size: Size) {
        let target = self.cursor.saturating_add_signed(bytes);
        // Moving up or down past the end keeps the column if the last row is long enough.
        let last = self.size().saturating_sub(1);
        if target > last && bytes.unsigned_abs() > self.step() {
            let row = u64::from(self.layout(size).row_bytes);
            let column = self.cursor % row;
            let lowest = last / row * row + column;
            let lowest = if lowest > last { lowest.saturating_sub(row) } else { lowest };
            self.go_to(lowest.max(self.cursor), size);
        } else if bytes < 0 && self.cursor < bytes.unsigned_abs() && bytes.unsigned_abs() > self.step() {
            let row = u64::from(self.layout(size).row_bytes);
            self.go_to(self.cursor % row, size);
        } else {
            self.go_to(target, size);
        }
    }

    /// Returns true if the segment was removed and only shmlens holds it, according to this survey.
    pub fn is_last(&self, survey: Option<&Survey>) -> bool {
        let Some(survey) = survey else { return false };
        // An unlinked object has a different id.
        let same = |segment: &&Segment| {
            (segment.id == *self.id() || segment.kind() == Kind::Deleted)
                && self.segment.identity().fits(&segment.identity())
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
        Watching { window: self.top..end, cells: usize::from(layout.map.width), every: self.every() }
    }

    /// The refresh interval; `None` while frozen or paused.
    pub fn every(&self) -> Option<Duration> {
        if self.frozen.is_some() { None } else { self.interval.duration() }
    }

    pub fn apply(&mut self, look: Snapshot, now: Clock) {
        self.status = Status::Open;
        self.presence = look.presence;
        self.method = look.method;
        self.scanned = look.scanned;
        let mut bytes = look.bytes;
        if let Some(frozen) = &mut self.frozen {
            frozen.overlay(look.window_offset, &mut bytes);
        } else {
            self.glow.changed(&look.changed, now);
            self.rate.add(look.changes, now);
            self.map.update(look.map, now);
        }
        self.view = View {
            offset: look.window_offset,
            bytes,
            extents: look.extents,
            differs: look.differs,
            matches: vec![],
        };
        self.find_matches();
    }

    /// Finds the matches of the last search in the window.
    pub fn find_matches(&mut self) {
        let view = &mut self.view;
        view.matches = self.search.as_ref().map_or_else(Vec::new, |search| {
            let length = search.pattern.len() as u64;
            let mut from = 0;
            let next = || {
                let at = search.pattern.find(&view.bytes, from)?;
                from = at + search.pattern.len();
                Some(view.offset + at as u64..view.offset + at as u64 + length)
            };
            std::iter::from_fn(next).collect()
        });
    }

    pub fn freeze(&mut self) {
        self.frozen = if self.frozen.is_some() {
            None
        } else {
            let mut frozen = Frozen::default();
            frozen.overlay(self.view.offset, &mut self.view.bytes.clone());
            Some(frozen)
        };
    }

    /// The byte at an offset in the window.
    pub fn byte(&self, offset: u64) -> Option<u8> {
        self.bytes_at(offset).first().copied()
    }

    /// The bytes of the window starting at an offset.
    pub fn bytes_at(&self, offset: u64) -> &[u8] {
        offset
            .checked_sub(self.view.offset)
            .and_then(|at| usize::try_from(at).ok())
            .and_then(|at| self.view.bytes.get(at..))
            .unwrap_or_default()
    }

    /// The range that `y` copies: from the last mark to the cursor, or the row of the cursor,
    /// within the window.
    pub fn copy_range(&self, size: Size) -> Range<u64> {
        let row = u64::from(self.layout(size).row_bytes);
        let end = self.view.offset + self.view.bytes.len() as u64;
        let range = match self.last_mark.and_then(|letter| self.marks.get(&letter)) {
            Some(&mark) => mark.min(self.cursor)..(mark.max(self.cursor) + self.step()),
            None => self.cursor / row * row..self.cursor / row * row + row,
        };
        range.start.max(self.view.offset)..range.end.min(end)
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

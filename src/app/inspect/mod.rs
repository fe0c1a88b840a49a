//! The state of the Inspect screen: one open segment, looked at live.

mod frozen;
mod glow;
mod offset;
mod rate;

pub use frozen::Frozen;
pub use glow::Glow;
pub use offset::{OffsetError, parse_offset};
pub use rate::Rate;

use super::event::Size;
use super::interval::Interval;
use super::layout::inspect::{InspectLayout, RowOptions, layout};
use crate::decode::{ByteOrder, Scalar};
use crate::engine::{Clock, SubscriptionId, Watching};
use crate::machine::{ExtentKind, Trace};
use crate::memory::{Cell, Pattern, Presence, Snapshot};
use crate::segment::{Kind, Segment, SegmentId};
use crate::survey::Survey;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// How many bytes behind the view are read too, for the value under a cursor
/// at its end.
const BEHIND: u64 = 64;

/// How the segment is, as far as opening it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It was asked for.
    Opening,
    /// It is open.
    Open,
    /// It could not be opened, or looked at no longer; what was seen stays.
    Failed(String),
}

/// Which part of the screen the keys go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InspectPane {
    /// The bytes.
    #[default]
    Bytes,
    /// The values under the cursor.
    Values,
}

/// What is being searched for, and what `n` repeats.
#[derive(Debug, Clone)]
pub struct Search {
    /// The bytes.
    pub pattern: Pattern,
    /// As the person typed it.
    pub text: String,
}

/// A jump to a changed byte, in words.
pub const CHANGES: &str = "changes";
/// A jump to data past zeros and holes, in words.
pub const DATA: &str = "data";

/// A jump that has not been answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub number: u64,
    /// What it looks for, in words: [`CHANGES`], [`DATA`] or the pattern as it was typed.
    pub what: String,
    /// Bytes searched, of how many.
    pub progress: Option<(u64, u64)>,
    /// Whether it only tells if there is a change anywhere.
    pub anywhere: bool,
}

/// What was seen of the window.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes; fewer than the window where the segment ends.
    pub bytes: Vec<u8>,
    /// Its holes and data.
    pub extents: Vec<(Range<u64>, ExtentKind)>,
    /// What of it differs from the baseline.
    pub differs: Vec<Range<u64>>,
    /// Where the pattern that was searched for stands in it.
    pub matches: Vec<Range<u64>>,
}

/// One open segment.
#[derive(Debug)]
pub struct Inspect {
    /// The subscription to its contents.
    pub subscription: SubscriptionId,
    /// The segment, as the last survey has it.
    pub segment: Segment,
    /// Whether it is open.
    pub status: Status,
    /// What reading it leaves behind.
    pub trace: Trace,
    /// What has become of it.
    pub presence: Presence,
    /// The offset of the first byte on the screen.
    pub top: u64,
    /// The byte under the cursor.
    pub cursor: u64,
    /// The bytes per row, when they were chosen.
    pub row_bytes: Option<u16>,
    /// What the bytes are shown as, when not as hex.
    pub shown_as: Option<Scalar>,
    /// The byte order of values.
    pub order: ByteOrder,
    /// What was seen of the window.
    pub view: View,
    /// Which bytes changed when.
    pub glow: Glow,
    /// The map of the whole segment, and when each cell changed last.
    pub map: Vec<(Cell, Option<Clock>)>,
    /// How many bytes of the segment the map knows.
    pub scanned: u64,
    /// How many bytes change in a second.
    pub rate: Rate,
    /// How often it is looked at.
    pub interval: Interval,
    /// The bytes as they were when the picture was frozen.
    pub frozen: Option<Frozen>,
    /// What `n` repeats.
    pub search: Option<Search>,
    /// A jump that is under way.
    pub pending: Option<Pending>,
    /// Marked offsets, and which one was set last.
    pub marks: BTreeMap<char, u64>,
    /// The letter of the mark that was set last.
    pub last_mark: Option<char>,
    /// Whether it stays attached after leaving.
    pub keep: bool,
    /// Which pane has the keys.
    pub pane: InspectPane,
    /// How far the values are scrolled.
    pub values_top: usize,
    /// The notice about the last time that it shrank.
    pub shrunk: Option<String>,
    requests: u64,
}

impl Inspect {
    /// A segment that is about to be opened.
    #[must_use]
    pub fn new(subscription: SubscriptionId, segment: Segment, interval: Interval, keep: bool) -> Self {
        let size = segment.size.0;
        Self {
            subscription,
            segment,
            status: Status::Opening,
            trace: Trace::None,
            presence: Presence::Present { size },
            top: 0,
            cursor: 0,
            row_bytes: None,
            shown_as: None,
            order: ByteOrder::native(),
            view: View::default(),
            glow: Glow::default(),
            map: vec![],
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
            shrunk: None,
            requests: 0,
        }
    }

    /// Which segment it is.
    #[must_use]
    pub const fn id(&self) -> &SegmentId {
        &self.segment.id
    }

    /// Its size now.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.presence.size()
    }

    /// Where everything stands.
    #[must_use]
    pub fn layout(&self, size: Size) -> InspectLayout {
        layout(size, self.wanted())
    }

    /// What the layout depends on besides the size.
    #[must_use]
    pub const fn wanted(&self) -> RowOptions {
        RowOptions { size: self.size(), row_bytes: self.row_bytes, shown_as: self.shown_as }
    }

    /// How many bytes the cursor stands on: one, or a value.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.shown_as.map_or(1, |scalar| scalar.size() as u64)
    }

    /// Puts the cursor on an offset, as near as the segment goes, and scrolls
    /// it into sight.
    pub fn go_to(&mut self, offset: u64, size: Size) {
        let step = self.step();
        self.cursor = offset.min(self.size().saturating_sub(1)) / step * step;
        self.scroll_to_cursor(size);
    }

    /// As [`Inspect::go_to`], but a target that is not in sight comes to the
    /// upper third of the screen, with what stands before it.
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

    /// Keeps the cursor on the screen, and the screen within the segment.
    pub fn scroll_to_cursor(&mut self, size: Size) {
        let layout = self.layout(size);
        let row = u64::from(layout.row_bytes);
        let rows = u64::from(layout.rows.height.max(1));
        let cursor_row = self.cursor / row;
        let last_row = self.size().saturating_sub(1) / row;
        let top_row = (self.top / row).clamp((cursor_row + 1).saturating_sub(rows), cursor_row);
        self.top = top_row.min((last_row + 1).saturating_sub(rows)) * row;
    }

    /// Moves the cursor by bytes, not past the ends.
    pub fn move_by(&mut self, bytes: i64, size: Size) {
        let target = self.cursor.saturating_add_signed(bytes);
        // A step past the end stays in its column where that row has one.
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

    /// Returns whether the segment is removed and only shmlens holds it, as far as this
    /// survey tells.
    #[must_use]
    pub fn is_last(&self, survey: Option<&Survey>) -> bool {
        let Some(survey) = survey else { return false };
        // An object without a name has another id.
        let same = |segment: &&Segment| {
            (segment.id == *self.id() || segment.kind() == Kind::Deleted)
                && self.segment.identity().fits(&segment.identity())
        };
        let Some(segment) = survey.segments.iter().find(same) else { return false };
        if let Some(facts) = segment.sysv() {
            return self.trace == Trace::Attached && facts.marked && facts.nattch <= 1;
        }
        let all_seen = survey.coverage.as_ref().is_some_and(|coverage| coverage.unreadable == 0);
        let holders = segment.holders.as_deref().unwrap_or_default();
        let ours = !holders.is_empty() && holders.iter().all(|holder| holder.ourselves);
        segment.kind() == Kind::Deleted && all_seen && ours
    }

    /// What is to be looked at from now on.
    #[must_use]
    pub fn watching(&self, size: Size) -> Watching {
        let layout = self.layout(size);
        let end = self.top.saturating_add(layout.page()).saturating_add(BEHIND);
        let every = if self.frozen.is_some() { None } else { self.interval.duration() };
        Watching { window: self.top..end, cells: usize::from(layout.map.height), every }
    }

    /// Takes over what a look has seen.
    pub fn looked(&mut self, look: Snapshot, now: Clock) {
        self.status = Status::Open;
        self.presence = look.presence;
        self.trace = look.trace;
        self.scanned = look.scanned;
        let mut bytes = look.bytes;
        if let Some(frozen) = &mut self.frozen {
            frozen.overlay(look.window_offset, &mut bytes);
        } else {
            self.glow.changed(&look.changed, now);
            self.rate.add(look.changes, now);
            self.map = look
                .map
                .into_iter()
                .enumerate()
                .map(|(at, cell)| {
                    let before = self.map.get(at).and_then(|(_, since)| *since);
                    (cell, if cell.changed { Some(now) } else { before })
                })
                .collect();
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

    /// Marks the matches that are in sight.
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

    /// Freezes the picture, or goes on.
    pub fn freeze(&mut self) {
        self.frozen = if self.frozen.is_some() {
            None
        } else {
            let mut frozen = Frozen::default();
            frozen.overlay(self.view.offset, &mut self.view.bytes.clone());
            Some(frozen)
        };
    }

    /// The byte at an offset, when it is in sight.
    #[must_use]
    pub fn byte(&self, offset: u64) -> Option<u8> {
        self.bytes_at(offset).first().copied()
    }

    /// What is known of the bytes from an offset on.
    #[must_use]
    pub fn bytes_at(&self, offset: u64) -> &[u8] {
        offset
            .checked_sub(self.view.offset)
            .and_then(|at| usize::try_from(at).ok())
            .and_then(|at| self.view.bytes.get(at..))
            .unwrap_or_default()
    }

    /// What `y` copies: from the last mark to the cursor, else the row of the
    /// cursor; as far as it is in sight.
    #[must_use]
    pub fn copy_range(&self, size: Size) -> Range<u64> {
        let row = u64::from(self.layout(size).row_bytes);
        let end = self.view.offset + self.view.bytes.len() as u64;
        let range = match self.last_mark.and_then(|letter| self.marks.get(&letter)) {
            Some(&mark) => mark.min(self.cursor)..(mark.max(self.cursor) + self.step()),
            None => self.cursor / row * row..self.cursor / row * row + row,
        };
        range.start.max(self.view.offset)..range.end.min(end)
    }

    /// The number for a new request; answers to older ones are not wanted any more.
    pub const fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }
}

/// How long it is until the next step of the fading; `None` when nothing
/// glows, or the picture is frozen.
#[must_use]
pub fn glow_step(inspect: &Inspect, now: Clock) -> Option<Duration> {
    let recent = |since: &Clock| now.saturating_sub(*since) < Glow::FADES;
    let lit =
        inspect.glow.is_lit(now) || inspect.map.iter().any(|(_, since)| since.as_ref().is_some_and(recent));
    (lit && inspect.frozen.is_none()).then_some(Glow::FADES / 8)
}

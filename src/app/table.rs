//! The table of segments: filter, order, marks and selection. The selection stays on its segment
//! when rows move.

use super::list::first_visible;
use super::rates::Rates;
use super::strip::Strip;
use crate::engine::Clock;
use crate::segment::field::Field;
use crate::segment::filter::{Filter, FilterError};
use crate::segment::{Segment, SegmentId};
use crate::survey::{Difference, Survey};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// Duration of the highlight after a segment appeared or changed.
pub const GLOW_DURATION: Duration = Duration::from_secs(3);

/// The sort order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Field(Field),
    /// The change rate, which only the UI measures.
    Changing,
}

impl SortKey {
    pub const fn largest_first(self) -> bool {
        match self {
            Self::Field(field) => field.largest_first(),
            Self::Changing => true,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Field(field) => field.name(),
            Self::Changing => "changing",
        }
    }

    pub fn doc(self) -> &'static str {
        match self {
            Self::Field(field) => field.doc(),
            Self::Changing => "bytes found different per second",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Table {
    pub filter_text: String,
    /// The last valid filter.
    pub filter: Filter,
    pub filter_error: Option<FilterError>,
    pub sort: SortKey,
    pub reversed: bool,
    /// The segments that come first until the user sorts by another column.
    pub first: Vec<SegmentId>,
    /// The rows, as indices into the survey.
    pub shown: Vec<usize>,
    /// Counts how often the rows were filtered and sorted.
    pub arranged: u64,
    pub cursor: usize,
    pub selected: Option<SegmentId>,
    /// The segment to select as soon as a row shows it.
    pub pending_selection: Option<SegmentId>,
    pub top: usize,
    pub marks: BTreeSet<SegmentId>,
    /// The time of the last change of each segment.
    pub glow: HashMap<SegmentId, Clock>,
    /// The contents of the selected segment.
    pub strip: Strip,
    /// The change rates.
    pub rates: Rates,
    pub owner_width: u16,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            filter_text: String::new(),
            filter: Filter::default(),
            filter_error: None,
            sort: SortKey::Field(Field::Id),
            reversed: false,
            first: vec![],
            shown: vec![],
            arranged: 0,
            cursor: 0,
            selected: None,
            pending_selection: None,
            top: 0,
            marks: BTreeSet::new(),
            glow: HashMap::new(),
            strip: Strip::default(),
            rates: Rates::default(),
            owner_width: 5,
        }
    }
}

impl Table {
    /// Applies a new survey: glow, marks and rows.
    pub fn survey(&mut self, survey: &Survey, difference: &Difference, now: Clock) {
        self.glow.retain(|_, since| now.saturating_sub(*since) < GLOW_DURATION);
        for id in difference.appeared.iter().chain(&difference.changed) {
            self.glow.insert(id.clone(), now);
        }
        for id in &difference.vanished {
            self.marks.remove(id);
            self.glow.remove(id);
            self.rates.remove(id);
        }
        // A new segment does not inherit the mark of an old one with the same name.
        for id in &difference.appeared {
            self.marks.remove(id);
        }
        self.arrange(survey);
    }

    /// Filters and sorts the rows, then restores the selection.
    pub fn arrange(&mut self, survey: &Survey) {
        self.arranged += 1;
        let segments = &survey.segments;
        self.shown =
            (0..segments.len()).filter(|&index| self.filter.matches(&segments[index], survey.at)).collect();
        self.sort_rows(survey);
        self.owner_width = self.shown.iter().map(|&index| owner_width(&segments[index])).max().unwrap_or(5);
        let row_of = |id: &SegmentId| self.shown.iter().position(|&index| segments[index].id == *id);
        if let Some(row) = self.pending_selection.as_ref().and_then(row_of) {
            self.pending_selection = None;
            return self.select(row, survey);
        }
        let found = self
            .selected
            .as_ref()
            .and_then(|id| self.shown.iter().position(|&index| segments[index].id == *id));
        match found {
            Some(row) => self.cursor = row,
            // The selected segment is gone or filtered out: select the row in its place.
            None => self.select(self.cursor, survey),
        }
    }

    fn sort_rows(&mut self, survey: &Survey) {
        let segments = &survey.segments;
        match self.sort {
            SortKey::Field(field) => {
                field.sort(&mut self.shown, self.reversed, survey.at, |&index| &segments[index]);
                if field == Field::Id && !self.reversed {
                    let rank = |id| self.first.iter().position(|first| first == id).unwrap_or(usize::MAX);
                    self.shown.sort_by_key(|&index| rank(&segments[index].id));
                }
            }
            SortKey::Changing => {
                self.shown
                    .sort_by_cached_key(|&index| std::cmp::Reverse(self.rates.rank(&segments[index].id)));
                if self.reversed {
                    self.shown.reverse();
                }
            }
        }
    }

    /// Selects a row, or the last row if past the end.
    pub fn select(&mut self, row: usize, survey: &Survey) {
        self.cursor = row.min(self.shown.len().saturating_sub(1));
        let id = self.shown.get(self.cursor).map(|&index| survey.segments[index].id.clone());
        if id != self.selected {
            self.selected = id;
            self.strip = Strip::default();
        }
    }

    pub fn scroll(&mut self, rows: usize) {
        if rows == 0 {
            return;
        }
        self.top = first_visible(self.top, &(self.cursor..self.cursor + 1), self.shown.len(), rows);
    }

    pub fn selected<'a>(&self, survey: &'a Survey) -> Option<&'a Segment> {
        self.shown.get(self.cursor).map(|&index| &survey.segments[index])
    }

    /// Sets the filter. An invalid filter is ignored.
    pub fn set_filter(&mut self, line: &str, survey: &Survey) {
        line.clone_into(&mut self.filter_text);
        match Filter::from_line(line) {
            Ok(filter) => {
                self.filter = filter;
                self.filter_error = None;
            }
            Err(error) => self.filter_error = Some(error),
        }
        self.arrange(survey);
    }

    /// Sorts by a key, or reverses the order if the table is already sorted by it.
    pub fn sort_by(&mut self, key: SortKey, survey: &Survey) {
        self.reversed = key == self.sort && !self.reversed;
        self.sort = key;
        self.arrange(survey);
    }

    /// The time since the segment appeared or changed, while it glows.
    pub fn glow_age(&self, id: &SegmentId, now: Clock) -> Option<Duration> {
        self.glow.get(id).map(|since| now.saturating_sub(*since)).filter(|age| *age < GLOW_DURATION)
    }
}

fn owner_width(segment: &Segment) -> u16 {
    let number = || segment.owner.uid.checked_ilog10().unwrap_or(0) as usize + 1;
    u16::try_from(segment.owner.user.as_deref().map_or_else(number, str::len)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, difference};

    fn survey(machine: &FakeMachine) -> Survey {
        Survey::take(machine, &mut Names::default())
    }

    fn shown(table: &Table, survey: &Survey) -> Vec<String> {
        table.shown.iter().map(|&index| survey.segments[index].label()).collect()
    }

    fn machine() -> FakeMachine {
        let machine = FakeMachine::new();
        for (name, size) in [("a", 300), ("b", 100), ("c", 200)] {
            machine.add_object(name, FakeBytes::hole(size));
        }
        machine.add_sysv(5, 0, FakeBytes::hole(50));
        machine
    }

    #[test]
    fn selection_stays_on_its_segment() {
        let machine = machine();
        let before = survey(&machine);
        let mut table = Table::default();
        table.arrange(&before);
        table.select(2, &before);
        assert_eq!(table.selected, Some("posix:/b".parse().unwrap()));
        machine.add_object("aa", FakeBytes::hole(1));
        machine.add_sysv(1, 0, FakeBytes::hole(1));
        let after = survey(&machine);
        table.survey(&after, &difference(&before, &after), Duration::ZERO);
        assert_eq!((table.cursor, &table.selected), (4, &Some("posix:/b".parse().unwrap())));
        // The cursor stays and selects the next segment.
        machine.remove_object("b");
        let last = survey(&machine);
        table.survey(&last, &difference(&after, &last), Duration::ZERO);
        assert_eq!((table.cursor, &table.selected), (4, &Some("posix:/c".parse().unwrap())));
    }

    #[test]
    fn sort_puts_large_sizes_first_and_missing_values_last() {
        let survey = survey(&machine());
        let mut table = Table::default();
        table.sort_by(SortKey::Field(Field::Size), &survey);
        assert_eq!(shown(&table, &survey), ["/a", "/c", "/b", "sysv:5"]);
        table.sort_by(SortKey::Field(Field::Size), &survey);
        assert_eq!(shown(&table, &survey), ["sysv:5", "/b", "/c", "/a"]);
        table.sort_by(SortKey::Field(Field::Name), &survey);
        assert_eq!(shown(&table, &survey), ["/a", "/b", "/c", "sysv:5"]);
        table.sort_by(SortKey::Field(Field::Name), &survey);
        assert_eq!(shown(&table, &survey), ["/c", "/b", "/a", "sysv:5"]);
    }

    #[test]
    fn first_segments_stay_on_top_until_the_user_sorts() {
        let survey = survey(&machine());
        let first = ["posix:/c", "sysv:5", "posix:/gone"].map(|id| id.parse().unwrap()).to_vec();
        let mut table = Table { first, ..Table::default() };
        table.arrange(&survey);
        assert_eq!(shown(&table, &survey), ["/c", "sysv:5", "/a", "/b"]);
        assert_eq!(table.selected, Some("posix:/c".parse().unwrap()));
        table.sort_by(SortKey::Field(Field::Size), &survey);
        assert_eq!(shown(&table, &survey), ["/a", "/c", "/b", "sysv:5"]);
    }

    #[test]
    fn invalid_filter_keeps_the_last_valid_one() {
        let survey = survey(&machine());
        let mut table = Table::default();
        table.set_filter("kind=posix", &survey);
        table.set_filter("kind=posix size>", &survey);
        assert!(table.filter_error.is_some());
        assert_eq!(shown(&table, &survey), ["/a", "/b", "/c"]);
        table.set_filter("nothing", &survey);
        assert_eq!((table.shown.len(), table.cursor, &table.selected), (0, 0, &None));
        table.set_filter("", &survey);
        assert_eq!(table.shown.len(), 4);
    }

    #[test]
    fn new_segment_does_not_inherit_a_mark() {
        let machine = machine();
        let before = survey(&machine);
        let mut table = Table::default();
        table.arrange(&before);
        table.marks = before.segments.iter().map(|segment| segment.id.clone()).collect();
        machine.add_object("a", FakeBytes::hole(9));
        machine.remove_object("b");
        let after = survey(&machine);
        table.survey(&after, &difference(&before, &after), Duration::ZERO);
        let marks: Vec<String> = table.marks.iter().map(ToString::to_string).collect();
        assert_eq!(marks, ["sysv:5", "posix:/c"]);
        assert!(table.glow_age(&"posix:/a".parse().unwrap(), Duration::from_secs(2)).is_some());
        assert!(table.glow_age(&"posix:/a".parse().unwrap(), Duration::from_secs(4)).is_none());
    }

    #[test]
    fn cursor_is_always_visible() {
        let mut table = Table { shown: (0..100).collect(), ..Table::default() };
        for (cursor, rows, top) in
            [(0, 10, 0), (9, 10, 0), (10, 10, 1), (99, 10, 90), (50, 10, 50), (55, 10, 50), (3, 200, 0)]
        {
            table.cursor = cursor;
            table.scroll(rows);
            assert_eq!(table.top, top, "row {cursor} of {rows}");
        }
    }
}

//! The list of leaked segments with the evidence for each. Certain leaks are preselected for
//! removal.

use super::list::List;
use crate::segment::{Bytes, Certainty, Segment, SegmentId, State};
use crate::survey::{Survey, freed};
use std::collections::HashMap;

#[derive(Debug, Clone, Default)]
pub struct Clean {
    /// The leaked segments, sorted by certainty.
    pub items: Vec<LeakItem>,
    pub list: List,
    /// The number of leaked segments that the filter hides.
    pub filtered: usize,
}

#[derive(Debug, Clone)]
pub struct LeakItem {
    pub segment: Box<Segment>,
    pub checked: bool,
}

impl LeakItem {
    fn new(segment: &Segment) -> Self {
        let checked = segment.verdict.state == State::Leaked(Certainty::Certain);
        Self { segment: Box::new(segment.clone()), checked }
    }

    pub fn frees(&self) -> Bytes {
        self.segment.resident.unwrap_or_default()
    }
}

impl Clean {
    /// Lists the leaked segments among the `shown` rows of a survey.
    pub fn new(survey: &Survey, shown: &[usize]) -> Self {
        let mut clean = Self::default();
        clean.refresh(survey, shown);
        clean
    }

    /// Updates the list from a new survey. A segment stays checked unless it was replaced or its
    /// verdict changed.
    pub fn refresh(&mut self, survey: &Survey, shown: &[usize]) {
        let before = std::mem::take(&mut self.items);
        let chosen = before.get(self.list.selected).map(|item| item.segment.id.clone());
        let leaked = |segment: &&Segment| segment.verdict.state.is_leaked();
        let mut found: Vec<&Segment> =
            shown.iter().filter_map(|&index| survey.segments.get(index)).filter(leaked).collect();
        found.sort_by_key(|segment| segment.verdict.state);
        self.filtered = survey.segments.iter().filter(leaked).count() - found.len();
        let known: HashMap<&SegmentId, &LeakItem> =
            before.iter().map(|item| (&item.segment.id, item)).collect();
        let to_item = |segment: &Segment| {
            let mut item = LeakItem::new(segment);
            let same = |was: &&&LeakItem| {
                was.segment.identity().matches(&segment.identity())
                    && was.segment.verdict.state == segment.verdict.state
            };
            if let Some(was) = known.get(&segment.id).filter(same) {
                item.checked = was.checked;
            }
            item
        };
        self.items = found.into_iter().map(to_item).collect();
        let place = self.items.iter().position(|item| Some(&item.segment.id) == chosen.as_ref());
        self.list.selected = place.unwrap_or(self.list.selected.min(self.items.len().saturating_sub(1)));
    }

    pub fn checked_items(&self) -> impl Iterator<Item = &LeakItem> {
        self.items.iter().filter(|item| item.checked)
    }

    pub fn frees(&self) -> Bytes {
        freed(self.checked_items().map(|item| &*item.segment))
    }

    pub fn toggle(&mut self) {
        if let Some(item) = self.items.get_mut(self.list.selected) {
            item.checked = !item.checked;
        }
    }

    pub fn set_all(&mut self, checked: bool) {
        for item in &mut self.items {
            item.checked = checked;
        }
    }

    pub fn title(&self) -> String {
        match self.items.as_slice() {
            [] => "Clean up".to_owned(),
            [_] => "Clean up: 1 leaked segment".to_owned(),
            many => format!("Clean up: {} leaked segments", many.len()),
        }
    }

    /// Formats the totals: `2 selected, frees 310 MiB`.
    pub fn sum(&self) -> String {
        let checked = self.checked_items().count();
        match (self.items.len(), checked) {
            (0, _) => String::new(),
            (_, 0) => "nothing selected".to_owned(),
            _ => format!("{checked} selected, frees {}", self.frees()),
        }
    }
}

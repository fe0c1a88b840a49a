//! The leaked segments with the evidence for each, ticked when it is certain,
//! and what removing the ticked ones would free.

use super::list::List;
use crate::segment::{Bytes, Certainty, Segment, SegmentId, State};
use crate::survey::{Survey, freed};
use std::collections::HashMap;

/// The overlay.
#[derive(Debug, Clone, Default)]
pub struct Clean {
    /// The leaked segments, those that are certain first.
    pub items: Vec<LeakItem>,
    /// The selected one.
    pub list: List,
    /// How many are leaked that the filter does not show.
    pub filtered: usize,
}

/// A leaked segment.
#[derive(Debug, Clone)]
pub struct LeakItem {
    /// The segment, with the evidence.
    pub segment: Box<Segment>,
    /// Whether it is to be removed.
    pub ticked: bool,
}

impl LeakItem {
    fn new(segment: &Segment) -> Self {
        let ticked = segment.verdict.state == State::Leaked(Certainty::Certain);
        Self { segment: Box::new(segment.clone()), ticked }
    }

    /// What removing it frees.
    #[must_use]
    pub fn frees(&self) -> Bytes {
        self.segment.resident.unwrap_or_default()
    }
}

impl Clean {
    /// The leaked ones of a survey, of the rows that are `shown`.
    #[must_use]
    pub fn new(survey: &Survey, shown: &[usize]) -> Self {
        let mut clean = Self::default();
        clean.look(survey, shown);
        clean
    }

    /// Takes over what a new survey tells: what is not leaked any more goes,
    /// what is ticked or not stays so. What got less certain loses its tick.
    pub fn look(&mut self, survey: &Survey, shown: &[usize]) {
        let before = std::mem::take(&mut self.items);
        let chosen = before.get(self.list.selected).map(|item| item.segment.id.clone());
        let leaked = |segment: &&Segment| segment.verdict.state.is_leaked();
        let mut found: Vec<&Segment> =
            shown.iter().filter_map(|&at| survey.segments.get(at)).filter(leaked).collect();
        found.sort_by_key(|segment| segment.verdict.state);
        self.filtered = survey.segments.iter().filter(leaked).count() - found.len();
        let known: HashMap<&SegmentId, &LeakItem> =
            before.iter().map(|item| (&item.segment.id, item)).collect();
        let again = |segment: &Segment| {
            let mut item = LeakItem::new(segment);
            let same = |was: &&&LeakItem| {
                was.segment.identity().fits(&segment.identity())
                    && was.segment.verdict.state == segment.verdict.state
            };
            if let Some(was) = known.get(&segment.id).filter(same) {
                item.ticked = was.ticked;
            }
            item
        };
        self.items = found.into_iter().map(again).collect();
        let place = self.items.iter().position(|item| Some(&item.segment.id) == chosen.as_ref());
        self.list.selected = place.unwrap_or(self.list.selected.min(self.items.len().saturating_sub(1)));
    }

    /// Those that are to be removed.
    pub fn ticked(&self) -> impl Iterator<Item = &LeakItem> {
        self.items.iter().filter(|item| item.ticked)
    }

    /// What removing them frees.
    #[must_use]
    pub fn frees(&self) -> Bytes {
        freed(self.ticked().map(|item| &*item.segment))
    }

    /// Ticks the selected one, or takes its tick away.
    pub fn tick(&mut self) {
        if let Some(item) = self.items.get_mut(self.list.selected) {
            item.ticked = !item.ticked;
        }
    }

    /// Ticks all, or none.
    pub fn tick_all(&mut self, ticked: bool) {
        for item in &mut self.items {
            item.ticked = ticked;
        }
    }

    /// The heading.
    #[must_use]
    pub fn title(&self) -> String {
        match self.items.as_slice() {
            [] => "Clean up".to_owned(),
            [_] => "Clean up: 1 leaked segment".to_owned(),
            many => format!("Clean up: {} leaked segments", many.len()),
        }
    }

    /// The selection and its effect: `2 selected, frees 310 MiB`.
    #[must_use]
    pub fn sum(&self) -> String {
        let ticked = self.ticked().count();
        match (self.items.len(), ticked) {
            (0, _) => String::new(),
            (_, 0) => "nothing selected".to_owned(),
            _ => format!("{ticked} selected, frees {}", self.frees()),
        }
    }
}

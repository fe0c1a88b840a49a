//! Summaries of a time range for drawing, one for each column of dots.

use super::History;
use super::series::{BLOCK, GROUP};
use crate::scope::Grade;
use std::ops::Range;

/// A time range in equal parts, as ticks of a history. They serve all of its channels until the next
/// push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    /// The first tick of each part, and the end of the last.
    pub(super) edges: Vec<usize>,
    /// For each of them, if it is not much further from the tick before than its neighbors are.
    are_near: Vec<bool>,
}

/// The samples of a channel in the columns of a time range.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// `None` for a column without values.
    pub spans: Vec<Option<Span>>,
    /// The sample before the range, if a line leads from it to the range.
    pub before: Option<Edge>,
    /// The sample after the range, if a line leads to it.
    pub after: Option<Edge>,
}

/// The samples of a channel in a column. There is at least one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
    /// The lowest grade of the samples.
    pub lowest: Grade,
    /// Set if samples are missing in the column.
    pub has_gap: bool,
    /// Set if a line leads from the sample before: it is the tick before, and not much longer ago than
    /// ticks are apart there.
    pub is_joined: bool,
}

/// A sample outside of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    pub time: u64,
    pub value: f64,
}

/// Ticks that are further apart than this many times the distances of their neighbors are not joined.
const MAX_DISTANCE: u64 = 4;

/// The end of a column is rounded by less than this part of a column, to summaries of which it has at least
/// as many.
pub(super) const ROUNDED: usize = 4;

impl Buckets {
    fn ticks(&self) -> Range<usize> {
        match (self.edges.first(), self.edges.last()) {
            (Some(&first), Some(&last)) => first..last,
            _ => 0..0,
        }
    }
}

impl History {
    /// Divides a time range, both ends included, into columns. Where they have many ticks, they end at
    /// whole summaries: less than a quarter of a column off, and several times as fast.
    #[must_use]
    pub fn buckets(&self, from: u64, to: u64, count: usize) -> Buckets {
        let length = u128::from(to.saturating_sub(from)) + 1;
        let columns = count.max(1) as u128;
        let start = |column: usize| u128::from(from) + (length * column as u128).div_ceil(columns);
        let tick = |column| u64::try_from(start(column)).map_or(self.len, |time| self.tick_at(time));
        let mut edges: Vec<usize> = (0..=count).map(tick).collect();
        let mut before = edges.first().copied().unwrap_or(0);
        for column in 1..count {
            let edge = edges[column];
            let ticks = (edge - before).min(edges[column + 1] - edge);
            let earliest = start(column) - length / columns / ROUNDED as u128;
            let fits = |rounded: &usize| self.time(*rounded).is_some_and(|time| u128::from(time) >= earliest);
            let sizes = [GROUP, BLOCK].into_iter().filter(|size| ticks >= ROUNDED * size);
            let rounded = sizes.map(|size| edge / size * size).find(fits);
            (before, edges[column]) = (edge, rounded.unwrap_or(edge));
        }
        let are_near = edges.iter().map(|&edge| self.is_near(edge)).collect();
        Buckets { edges, are_near }
    }

    /// Summarizes a channel.
    #[must_use]
    pub fn columns(&self, channel: usize, buckets: &Buckets) -> Columns {
        let Some(series) = self.series.get(channel) else { return Columns::default() };
        let mut spans = Vec::with_capacity(buckets.edges.len());
        // Most columns have no gap, so that no sample has to be looked at.
        let mut ends_with_value = false;
        for (ends, &is_near) in buckets.edges.windows(2).zip(&buckets.are_near) {
            let ticks = ends[0].min(self.len)..ends[1].min(self.len);
            if ticks.is_empty() {
                spans.push(None);
                continue;
            }
            let summary = series.summary(ticks.clone(), self.len);
            let starts_with_value = !summary.has_gap || series.value(ticks.start).is_some();
            let follows_value = ends_with_value || self.has_value_before(channel, ticks.start);
            ends_with_value = !summary.has_gap;
            spans.push(summary.has_value().then_some(Span {
                min: summary.min,
                max: summary.max,
                first: summary.first,
                last: summary.last,
                lowest: summary.lowest,
                has_gap: summary.has_gap,
                is_joined: is_near && starts_with_value && follows_value,
            }));
        }
        let edge = |tick: usize| Some(Edge { time: self.time(tick)?, value: series.value(tick)? });
        let Range { start, end } = buckets.ticks();
        Columns {
            spans,
            before: start.checked_sub(1).filter(|_| self.is_joined(channel, start)).and_then(edge),
            after: Some(end).filter(|_| self.is_joined(channel, end)).and_then(edge),
        }
    }

    /// The least and the greatest value of a channel in a time range, with the samples next to it.
    #[must_use]
    pub fn extent(&self, channel: usize, from: u64, to: u64) -> Option<[f64; 2]> {
        let Range { start, end } = self.ticks(from, to);
        let ticks = start.saturating_sub(1)..(end + 1).min(self.len);
        let summary = self.series.get(channel)?.summary(ticks, self.len);
        summary.has_value().then_some([summary.min, summary.max])
    }

    /// Returns true if a line leads to a tick from the one before.
    pub(super) fn is_joined(&self, channel: usize, tick: usize) -> bool {
        self.value(channel, tick).is_some() && self.has_value_before(channel, tick) && self.is_near(tick)
    }

    fn has_value_before(&self, channel: usize, tick: usize) -> bool {
        tick.checked_sub(1).is_some_and(|before| self.value(channel, before).is_some())
    }

    /// Returns true if a tick is not much further from the one before than its neighbors are. Rates may
    /// change, so there is no one period for all.
    fn is_near(&self, tick: usize) -> bool {
        let distance = |tick: usize| Some(self.time(tick)? - self.time(tick.checked_sub(1)?)?);
        let neighbors = [tick.checked_sub(1).and_then(distance), distance(tick + 1)];
        let typical = neighbors.into_iter().flatten().max();
        self.has_pauses
            || typical.is_none_or(|typical| distance(tick) <= Some(typical.saturating_mul(MAX_DISTANCE)))
    }
}

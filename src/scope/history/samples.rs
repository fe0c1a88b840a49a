//! Single samples of a history.

use super::History;
use crate::scope::{Grade, NumberKind};
use std::ops::Range;

/// A sample of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    pub bits: u64,
    pub grade: Grade,
}

impl History {
    #[must_use]
    pub fn kind(&self, channel: usize) -> Option<NumberKind> {
        self.series.get(channel).map(|series| series.kind)
    }

    /// The sample of a channel at a tick, which may be [`Grade::Missing`].
    #[must_use]
    pub fn sample(&self, channel: usize, tick: usize) -> Option<Sample> {
        let time = self.time(tick)?;
        let (bits, grade) = self.series.get(channel)?.sample(tick);
        Some(Sample { time, bits, grade })
    }

    /// The samples of a channel at some ticks.
    pub fn samples(&self, channel: usize, ticks: Range<usize>) -> impl Iterator<Item = Sample> + use<'_> {
        ticks.map_while(move |tick| self.sample(channel, tick))
    }

    /// The finite value of a channel at a tick.
    #[must_use]
    pub fn value(&self, channel: usize, tick: usize) -> Option<f64> {
        self.series.get(channel).filter(|_| tick < self.len)?.value(tick)
    }

    /// At most about `most` of some ticks, equally spaced. They stay the same when older ticks are
    /// evicted, so that what is computed from them does not flicker.
    pub fn thinned(&self, ticks: Range<usize>, most: usize) -> impl Iterator<Item = usize> + use<> {
        let step = ticks.len().div_ceil(most.max(1)).max(1);
        let number = self.evicted + ticks.start as u64;
        let skipped = usize::try_from(number.next_multiple_of(step as u64) - number).unwrap_or(0);
        (ticks.start.saturating_add(skipped)..ticks.end).step_by(step)
    }

    /// The sample of a channel that is nearest to a time. `None` in a gap, before the oldest tick and after
    /// the newest.
    #[must_use]
    pub fn nearest(&self, channel: usize, time: u64) -> Option<Sample> {
        let (oldest, newest) = (self.oldest()?, self.newest()?);
        (oldest..=newest).contains(&time).then_some(())?;
        let next = self.tick_at(time);
        let after = self.sample(channel, next);
        let before = next.checked_sub(1).and_then(|tick| self.sample(channel, tick));
        let found = match (before, after) {
            // A missing sample stands for all ticks up to the next.
            (Some(before), Some(after)) if before.grade == Grade::Missing && after.time > time => before,
            (Some(before), Some(after)) if time - before.time < after.time - time => before,
            (before, after) => after.or(before)?,
        };
        (found.grade != Grade::Missing).then_some(found)
    }
}

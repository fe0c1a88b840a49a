//! The reads that sample values: neighbors in a segment are read together.

use super::field::{Field, span};
use crate::scope::{SampledValue, Sequence};
use crate::segment::Segment;
use std::ops::Range;

/// The maximum length of a read: up to here, all reads take the same time.
const MAX_LENGTH: u64 = 4096;
/// Reads per second above which a mapping is worth its cost. Below, reading takes about 1% of a
/// processor.
const MANY_READS: f64 = 20_000.0;

/// A segment with the reads of its values.
#[derive(Debug, Clone)]
pub struct SourcePlan {
    pub segment: Box<Segment>,
    /// The values, by the index of their channels, with their ends.
    pub values: Vec<(usize, u64)>,
    /// Values without a sequence lock.
    pub parts: Vec<PartPlan>,
    pub locks: Vec<LockPlan>,
}

/// Values that a sequence lock protects.
#[derive(Debug, Clone)]
pub struct LockPlan {
    /// The word of the lock, as its only value.
    pub lock: PartPlan,
    pub parts: Vec<PartPlan>,
}

/// A read of several values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartPlan {
    /// A multiple of 8.
    pub start: u64,
    /// In words of 8 bytes.
    pub length: usize,
    /// The values, by the index of their channels.
    pub fields: Vec<(usize, Field)>,
}

/// Plans the reads of all values, and returns the indexes of those that are not numbers.
#[must_use]
pub fn plan(values: &[SampledValue]) -> (Vec<SourcePlan>, Vec<usize>) {
    let mut sources: Vec<(SourcePlan, Vec<usize>)> = vec![];
    let mut refused = vec![];
    for (index, value) in values.iter().enumerate() {
        if Field::new(value.place(), value.offset - value.offset % 8).is_none() {
            refused.push(index);
            continue;
        }
        let is_same = |source: &SourcePlan| {
            source.segment.id == value.segment.id && source.segment.identity() == value.segment.identity()
        };
        let found = sources.iter().position(|(source, _)| is_same(source)).unwrap_or_else(|| {
            let segment = value.segment.clone();
            let source = SourcePlan { segment, values: vec![], parts: vec![], locks: vec![] };
            sources.push((source, vec![]));
            sources.len() - 1
        });
        let (source, members) = &mut sources[found];
        source.values.push((index, span(value.place()).end));
        members.push(index);
    }
    let sources = sources.into_iter().map(|(mut source, members)| {
        let of_lock = |lock: Option<Sequence>| -> Vec<PartPlan> {
            parts(values, members.iter().copied().filter(|&index| values[index].sequence == lock).collect())
        };
        source.parts = of_lock(None);
        let mut locks: Vec<Sequence> = members.iter().filter_map(|&index| values[index].sequence).collect();
        locks.sort_unstable_by_key(|lock| (lock.offset, lock.size));
        locks.dedup();
        let locks =
            locks.into_iter().map(|lock| LockPlan { lock: lock_part(lock), parts: of_lock(Some(lock)) });
        source.locks = locks.collect();
        source
    });
    (sources.collect(), refused)
}

/// Groups neighboring values.
fn parts(values: &[SampledValue], mut members: Vec<usize>) -> Vec<PartPlan> {
    members.sort_by_key(|&index| values[index].offset);
    let mut groups: Vec<(Range<u64>, Vec<usize>)> = vec![];
    for index in members {
        let span = span(values[index].place());
        match groups.last_mut() {
            Some((group, fields)) if span.end - group.start <= MAX_LENGTH => {
                group.end = group.end.max(span.end);
                fields.push(index);
            }
            _ => groups.push((span.start - span.start % 8..span.end, vec![index])),
        }
    }
    let part = |(range, members): (Range<u64>, Vec<usize>)| {
        let field = |index: usize| Some((index, Field::new(values[index].place(), range.start)?));
        let fields = members.into_iter().filter_map(field).collect();
        // At most MAX_LENGTH.
        let length = usize::try_from((range.end - range.start).div_ceil(8)).unwrap_or(0);
        PartPlan { start: range.start, length, fields }
    };
    groups.into_iter().map(part).collect()
}

/// Plans the read of a lock. It has no field if the lock is not aligned: such a lock never verifies.
fn lock_part(lock: Sequence) -> PartPlan {
    let start = lock.offset - lock.offset % 8;
    let field = Field::of_lock(lock, start);
    PartPlan { start, length: 1, fields: field.into_iter().map(|field| (0, field)).collect() }
}

impl SourcePlan {
    /// All reads: those without a lock, then for each lock its own and its values'.
    pub fn all_parts(&self) -> impl Iterator<Item = &PartPlan> {
        let locked = self.locks.iter().flat_map(|lock| std::iter::once(&lock.lock).chain(&lock.parts));
        self.parts.iter().chain(locked)
    }

    /// Returns true if loads from a mapping should replace reads: in a burst, when there are many
    /// reads, and where a sequence lock has to be checked before its writer changes it again.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    pub fn needs_views(&self, rate: crate::scope::Rate) -> bool {
        let reads = self.all_parts().count() as f64;
        let many = rate.period().is_none_or(|period| reads / period.as_secs_f64() > MANY_READS);
        many || !self.locks.is_empty()
    }
}

impl PartPlan {
    /// The bytes that are read.
    #[must_use]
    pub const fn range(&self) -> Range<u64> {
        self.start..self.start.saturating_add(8 * self.length as u64)
    }
}

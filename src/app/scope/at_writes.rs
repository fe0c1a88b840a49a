//! Sampling the value of a channel at every write instead of by time.

use super::Scope;
use crate::engine::{AtEveryWrite, WatchedValue};
use crate::scope::writers::WriterTable;
use crate::scope::{Batch, Channel, Column, Grade, SampledValue, Source};
use std::collections::BTreeSet;

/// A channel that is sampled at every write. The other values are not sampled meanwhile.
#[derive(Debug, Default)]
pub struct AtWrites {
    /// The name of the channel.
    channel: String,
    /// The last table of its writers.
    pub writers: Option<Box<WriterTable>>,
    /// The problems that were told.
    told: BTreeSet<String>,
    /// The next samples follow a time without.
    is_resumed: bool,
}

impl AtWrites {
    pub fn is_of(&self, channel: &Channel) -> bool {
        self.channel == channel.name
    }
}

impl Scope {
    /// Samples the value of a channel at every write, or all values by time again with `None`.
    pub fn set_at_writes(&mut self, channel: Option<&Channel>) {
        self.at_writes = channel.map(|channel| AtWrites {
            channel: channel.name.clone(),
            is_resumed: self.history.newest().is_some(),
            ..AtWrites::default()
        });
        self.timing = crate::scope::Timing::default();
        self.number += 1;
        self.reopen();
    }

    /// The index of the channel that is sampled at every write, and its value.
    fn written(&self) -> Option<(usize, &SampledValue)> {
        let name = &self.at_writes.as_ref()?.channel;
        let index = self.channels.iter().position(|one| one.channel.name == *name)?;
        match &self.channels[index].channel.source {
            Source::Value(value) => Some((index, value)),
            Source::Expression(_) | Source::Recorded => None,
        }
    }

    /// The watch that samples at every write.
    pub(in crate::app) fn watched(&self) -> Option<WatchedValue> {
        let (_, value) = self.written()?;
        Some(WatchedValue {
            segment: (*value.segment).clone(),
            range: value.place().range(),
            limit: Some(WatchedValue::LIMIT),
            count: None,
            sample: Some(AtEveryWrite { number: self.number, value: value.clone() }),
        })
    }

    /// The next samples follow a time in which the writes were not watched.
    pub(in crate::app) fn resume_at_writes(&mut self) {
        let has_samples = self.history.newest().is_some();
        if let Some(at_writes) = &mut self.at_writes {
            at_writes.is_resumed = has_samples;
        }
    }

    /// Samples at writes have one column: the other values get gaps.
    pub(super) fn widen(&mut self, mut batch: Batch) -> Batch {
        let Some((written, _)) = self.written() else { return batch };
        let values = |channels: &[super::ScopeChannel]| {
            channels.iter().filter(|one| matches!(one.channel.source, Source::Value(_))).count()
        };
        let (index, count) = (values(&self.channels[..written]), values(&self.channels));
        let is_resumed = self
            .at_writes
            .as_mut()
            .is_some_and(|at_writes| !batch.is_empty() && std::mem::take(&mut at_writes.is_resumed));
        let mut column = batch.columns.pop().unwrap_or_default();
        if is_resumed {
            batch.times.insert(0, batch.times[0].saturating_sub(1));
            batch.writes.insert(0, None);
            column.bits.insert(0, 0);
            column.grades.insert(0, Grade::Missing);
        }
        let rows = batch.len();
        let gaps = Column { bits: vec![0; rows], grades: vec![Grade::Missing; rows] };
        batch.columns = vec![gaps; count];
        batch.columns[index] = column;
        for event in &mut batch.events {
            event.channel = index;
        }
        batch
    }

    /// Takes the threads that are watched. Returns the problems that were not told yet.
    pub(in crate::app) fn take_writers(&mut self, table: &WriterTable) -> Vec<String> {
        let Some(at_writes) = &mut self.at_writes else { return vec![] };
        at_writes.writers = Some(Box::new(table.clone()));
        let released = table.released_texts(WatchedValue::LIMIT);
        let released = released.map(|text| format!("{text}. Its later writes are missing"));
        let all = table.problems.iter().cloned().chain(released);
        all.filter(|problem| at_writes.told.insert(problem.clone())).collect()
    }
}

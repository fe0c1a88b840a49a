//! Channels that are computed from other channels: `power = v * i`, `rate(tick)`, `avg(x, 1s)`.
//!
//! An expression has the names of channels, numbers, `+ - * / %`, comparisons (1 or 0), parentheses and
//! the functions of the list below. A name that is no word or path, such as `/telemetry:v`, is written in
//! braces: `{/telemetry:v} * 2`.
//!
//! | function | is |
//! |---|---|
//! | `abs(x)`, `min(a, b, …)`, `max(a, b, …)` | as everywhere |
//! | `delta(x)` | the difference to the previous sample |
//! | `rate(x)`, `rate(x, 1s)` | the change per second since the previous sample, or over the last second |
//! | `avg(x, 1s)` | the mean of the samples of the last second |
//!
//! Differences skip gaps, because a missed tick says nothing about the value, and start anew when the
//! segment is made again.

mod arithmetic;
mod error;
mod memory;
mod names;
mod order;
mod parse;
mod program;
mod samples;
#[cfg(test)]
mod tests;
mod token;
mod window;

pub use error::{ExpressionError, SyntaxError};
pub use names::name_text;

pub(super) use names::Names;
pub(super) use parse::parse;
pub(super) use program::Program;
pub(super) use samples::Samples;

use super::{Batch, Channel, Column, EventKind, NumberKind, Source};

/// Computes the channels that are expressions.
#[derive(Debug, Clone, Default)]
pub struct Expressions {
    channels: Vec<Kind>,
    /// The channels that are expressions. Each refers only to values and to those before it.
    order: Vec<(usize, Program)>,
    breaks: Breaks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Value(NumberKind),
    Expression,
}

impl Expressions {
    /// Prepares all expressions among the channels.
    ///
    /// # Errors
    /// Fails if two channels have the same name, if an expression cannot be parsed or names an unknown
    /// channel, or if it refers to itself.
    pub fn new(channels: &[Channel]) -> Result<Self, ExpressionError> {
        let names = Names::new(channels)?;
        let mut programs = vec![];
        for (index, channel) in channels.iter().enumerate() {
            if let Source::Expression(text) = &channel.source {
                let failed = |error| ExpressionError::Syntax { channel: channel.name.clone(), error };
                programs.push((index, parse(text, &names).map_err(failed)?));
            }
        }
        let kinds = channels.iter().map(|channel| match channel.source {
            Source::Value(_) | Source::Recorded => Kind::Value(channel.kind),
            Source::Expression(_) => Kind::Expression,
        });
        let order = order::sorted(programs).map_err(|cycle| cycle_error(cycle, channels))?;
        Ok(Self { channels: kinds.collect(), order, breaks: Breaks::new(channels.len()) })
    }

    /// Adds the columns of the expressions: the batch has those of the values, in order; the result has
    /// one for each channel. Batches follow each other. Events are those of the values, too, by the
    /// number of their column, and get the number of the channel.
    ///
    /// A result without an input or that is not finite is missing; [`Expressions::undefined`] counts the
    /// latter. Its grade is the lowest of the inputs'. A constant is [`Grade::Verified`](super::Grade::Verified).
    #[must_use]
    pub fn extend(&mut self, batch: Batch) -> Batch {
        let Batch { times, columns: values, writes, mut events, timing } = batch;
        let value_channels: Vec<usize> = self.indexes(|kind| kind != Kind::Expression).collect();
        for event in &mut events {
            event.channel = value_channels.get(event.channel).copied().unwrap_or(event.channel);
        }
        let mut columns = vec![Column::default(); self.channels.len()];
        for (index, column) in value_channels.into_iter().zip(values) {
            columns[index] = column;
        }
        let mut batch = Batch { times, columns, writes, events, timing };
        if self.order.is_empty() {
            return batch;
        }
        self.breaks.update(&batch);
        let mut samples: Vec<Samples> = (0..self.channels.len()).map(|_| Samples::default()).collect();
        for (_, program) in &self.order {
            for index in program.channels() {
                if let Kind::Value(kind) = self.channels[index]
                    && samples[index].values.is_empty()
                {
                    samples[index] = Samples::of(&batch.columns[index], kind, self.breaks.of(index));
                }
            }
        }
        for (index, program) in &mut self.order {
            let result = program.run(&batch.times, &samples);
            batch.columns[*index] = result.column();
            samples[*index] = result;
        }
        batch
    }

    /// The results of a channel that were not finite so far: it divided by zero, or its inputs were not
    /// finite.
    #[must_use]
    pub fn undefined(&self, channel: usize) -> u64 {
        self.order.iter().find(|(index, _)| *index == channel).map_or(0, |(_, program)| program.undefined())
    }

    fn indexes(&self, is_wanted: impl Fn(Kind) -> bool) -> impl Iterator<Item = usize> {
        (0..).zip(&self.channels).filter(move |(_, kind)| is_wanted(**kind)).map(|(index, _)| index)
    }
}

fn cycle_error(cycle: Vec<usize>, channels: &[Channel]) -> ExpressionError {
    let name = |index: usize| channels[index].name.clone();
    let is_bare =
        |channel: &Channel| matches!(&channel.source, Source::Expression(text) if *text == channel.name);
    match cycle[..] {
        [only, _] if is_bare(&channels[only]) => ExpressionError::NoSegment { name: name(only) },
        _ => ExpressionError::Cycle { cycle: cycle.into_iter().map(name).collect() },
    }
}

/// The rows before which the segments of channels were made again or lost.
#[derive(Debug, Clone, Default)]
pub(super) struct Breaks {
    rows: Vec<Vec<usize>>,
    /// The event came after the last row.
    is_pending: Vec<bool>,
}

impl Breaks {
    pub fn new(channels: usize) -> Self {
        Self { rows: vec![vec![]; channels], is_pending: vec![false; channels] }
    }

    /// Takes the events of the next batch, in which they have the numbers of channels.
    pub fn update(&mut self, batch: &Batch) {
        for (rows, is_pending) in self.rows.iter_mut().zip(&mut self.is_pending) {
            rows.clear();
            if *is_pending && !batch.is_empty() {
                rows.push(0);
                *is_pending = false;
            }
        }
        for event in &batch.events {
            if let EventKind::Failed(_) = event.kind {
                continue;
            }
            let row = batch.times.partition_point(|&time| time < event.time);
            let (Some(rows), Some(is_pending)) =
                (self.rows.get_mut(event.channel), self.is_pending.get_mut(event.channel))
            else {
                continue;
            };
            if row < batch.len() {
                rows.push(row);
            } else {
                *is_pending = true;
            }
        }
        self.rows.iter_mut().for_each(|rows| rows.sort_unstable());
    }

    pub fn of(&self, channel: usize) -> Vec<usize> {
        self.rows.get(channel).cloned().unwrap_or_default()
    }
}

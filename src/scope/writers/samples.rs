//! Samples of a value at every write. The records of writes do not have the value: it is read a moment
//! later, when another write may have come first.

use super::tally::ThreadId;
use crate::scope::sampler::Field;
use crate::scope::{Batch, Column, Grade, SampledValue, Timing};
use std::ops::Range;
use std::time::Duration;

/// The time in nanoseconds after which the record of a write has come: a write is seen before its record
/// is complete.
const MARGIN: u64 = 100_000;

/// Samples that were taken at writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteBatch {
    /// One tick for each write, at its exact time, with one column. A value that another write may have
    /// replaced before it was read is [`Grade::Unverified`]. The jitter is the time from the write to the
    /// read; missed ticks are writes whose records were lost.
    pub batch: Batch,
    /// The thread of each write.
    pub writers: Vec<ThreadId>,
    /// Writes so far whose values another write may have replaced.
    pub replaced: u64,
}

/// Joins writes with the reads after them.
#[derive(Debug)]
pub struct WriteSamples {
    field: Field,
    span: Range<u64>,
    /// In any order.
    writes: Vec<(u64, ThreadId)>,
    /// In the order of their times.
    reads: Vec<Read>,
    batch: WriteBatch,
    first: Option<u64>,
    timing: Timing,
    /// The sum of the times from the writes to the reads.
    delay: Duration,
}

/// A read that began and ended at times in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Read {
    began: u64,
    ended: u64,
    bits: u64,
}

impl WriteSamples {
    /// `None` for a value that is no number.
    #[must_use]
    pub fn new(value: &SampledValue) -> Option<Self> {
        let place = value.place();
        let start = place.offset & !7;
        let field = Field::new(place, start)?;
        let span = start..start + u64::from(field.end);
        let batch = WriteBatch::default();
        let (writes, reads, timing) = (vec![], vec![], Timing::default());
        Some(Self { field, span, writes, reads, batch, first: None, timing, delay: Duration::ZERO })
    }

    /// The bytes to read: at most 16.
    #[must_use]
    pub fn span(&self) -> Range<u64> {
        self.span.clone()
    }

    /// Adds a write.
    pub fn write(&mut self, time: u64, thread: ThreadId) {
        self.writes.push((time, thread));
    }

    /// Returns true if there was a write after the last read.
    #[must_use]
    pub fn needs_read(&self) -> bool {
        let last = self.reads.last().map_or(0, |read| read.began);
        self.writes.iter().any(|&(time, _)| time >= last)
    }

    /// Adds the bytes of [`WriteSamples::span`], read between two times.
    pub fn read(&mut self, time: Range<u64>, bytes: &[u8]) {
        let mut words = [0; 2];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_ne_bytes(padded);
        }
        let bits = self.field.sample(self.field.raw(&words));
        self.reads.push(Read { began: time.start, ended: time.end, bits });
    }

    /// Makes samples of the writes that are complete at a time at which all records were taken.
    pub fn settle(&mut self, now: u64) {
        let complete = now.saturating_sub(MARGIN);
        self.writes.sort_unstable_by_key(|&(time, thread)| (time, thread.tid));
        let mut done = 0;
        while let Some(&(time, thread)) = self.writes.get(done) {
            let after = self.reads.partition_point(|read| read.began <= time);
            let Some(read) = self.reads.get(after).copied().filter(|read| read.ended <= complete) else {
                break;
            };
            let next = self.writes.get(done + 1).map(|&(time, _)| time);
            let is_replaced = next.is_some_and(|next| next <= read.ended + MARGIN);
            self.push(time, thread, read, is_replaced);
            done += 1;
        }
        self.writes.drain(..done);
        let needed = self.writes.first().map_or(u64::MAX, |&(time, _)| time);
        let last = self.reads.len().saturating_sub(1);
        let old = self.reads.partition_point(|read| read.began <= needed).min(last);
        self.reads.drain(..old);
    }

    fn push(&mut self, time: u64, thread: ThreadId, read: Read, is_replaced: bool) {
        let whole = if self.field.whole { Grade::Whole } else { Grade::Unverified };
        let batch = &mut self.batch.batch;
        batch.times.push(time);
        if batch.columns.is_empty() {
            batch.columns.push(Column::default());
        }
        batch.columns[0].push(read.bits, if is_replaced { Grade::Unverified } else { whole });
        self.batch.writers.push(thread);
        self.batch.replaced += u64::from(is_replaced);
        let delay = Duration::from_nanos(read.began - time);
        self.delay += delay;
        self.timing.samples += 1;
        self.timing.worst = self.timing.worst.max(delay);
        let first = *self.first.get_or_insert(time);
        self.timing.elapsed = Duration::from_nanos(time.saturating_sub(first));
    }

    /// Takes the samples so far. `lost` is the number of all writes without a record. `None` if there are
    /// none.
    pub fn take(&mut self, lost: u64) -> Option<WriteBatch> {
        if self.batch.batch.is_empty() {
            return None;
        }
        self.timing.missed = lost;
        self.timing.ticks = self.timing.samples + lost;
        let samples = u32::try_from(self.timing.samples).unwrap_or(u32::MAX);
        self.timing.jitter = self.delay / samples.max(1);
        let replaced = self.batch.replaced;
        let mut taken = std::mem::replace(&mut self.batch, WriteBatch { replaced, ..WriteBatch::default() });
        taken.batch.timing = self.timing;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{ByteOrder, Scalar, Type};
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::machine::process::ProcessId;
    use crate::survey::{Names, Survey};

    const MILLI: u64 = 1_000_000;

    fn samples() -> WriteSamples {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(&[0; 64]));
        let segment = Box::new(Survey::take(&machine, &mut Names::default()).segments.remove(0));
        let ty = Type::scalar(Scalar::I32, ByteOrder::Little);
        WriteSamples::new(&SampledValue { segment, offset: 12, ty, bits: None, sequence: None }).unwrap()
    }

    fn thread(tid: u32) -> ThreadId {
        ThreadId { process: ProcessId { pid: 7, start: 1 }, tid }
    }

    /// Reads a value at a time.
    fn read(samples: &mut WriteSamples, at: u64, value: i32) {
        let bytes = [[0; 4], value.to_le_bytes()].concat();
        samples.read(at..at + 1000, &bytes);
    }

    fn taken(samples: &mut WriteSamples) -> Vec<(u64, u32, i64, Grade)> {
        let WriteBatch { batch, writers, .. } = samples.take(0).unwrap_or_default();
        let row = |(index, &time): (usize, &u64)| {
            let column = &batch.columns[0];
            (time, writers[index].tid, column.bits[index].cast_signed(), column.grades[index])
        };
        batch.times.iter().enumerate().map(row).collect()
    }

    #[test]
    fn read_value_belongs_to_the_last_write_before_it() {
        let mut samples = samples();
        assert_eq!(samples.span(), 8..16);
        samples.write(MILLI, thread(1));
        assert!(samples.needs_read());
        read(&mut samples, MILLI + 50_000, -5);
        assert!(!samples.needs_read());
        samples.settle(MILLI + 60_000);
        assert_eq!(taken(&mut samples), [], "another record may still come");
        samples.settle(2 * MILLI);
        assert_eq!(taken(&mut samples), [(MILLI, 1, -5, Grade::Whole)]);
        samples.write(5 * MILLI, thread(2));
        samples.settle(9 * MILLI);
        assert_eq!(taken(&mut samples), [], "no read came after it");
        read(&mut samples, 9 * MILLI, 6);
        samples.settle(10 * MILLI);
        assert_eq!(taken(&mut samples), [(5 * MILLI, 2, 6, Grade::Whole)]);
    }

    #[test]
    fn value_that_another_write_may_have_replaced_is_marked_and_counted() {
        let mut samples = samples();
        // Out of order, because each thread has records of its own.
        samples.write(3 * MILLI, thread(2));
        samples.write(MILLI, thread(1));
        read(&mut samples, 4 * MILLI, 7);
        // A write after the read whose record comes before the read is certain to have come first.
        samples.write(4 * MILLI + 20_000, thread(1));
        read(&mut samples, 6 * MILLI, 8);
        samples.settle(8 * MILLI);
        assert_eq!(
            taken(&mut samples),
            [
                (MILLI, 1, 7, Grade::Unverified),
                (3 * MILLI, 2, 7, Grade::Unverified),
                (4 * MILLI + 20_000, 1, 8, Grade::Whole)
            ]
        );
        samples.write(9 * MILLI, thread(1));
        read(&mut samples, 9 * MILLI + 10_000, 9);
        samples.settle(10 * MILLI);
        let batch = samples.take(4).unwrap();
        assert_eq!(batch.replaced, 2);
        let timing = batch.batch.timing;
        assert_eq!((timing.ticks, timing.samples, timing.missed), (8, 4, 4));
        assert_eq!((timing.elapsed, timing.worst), (Duration::from_millis(8), Duration::from_millis(3)));
    }
}

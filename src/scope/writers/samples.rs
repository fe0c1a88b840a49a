//! Samples of a value at every write. The records of writes do not have the value: it is read a moment
//! later, when another write may have come first.

use super::tally::ThreadId;
use super::write::Write;
use crate::identify::source::CodePlace;
use crate::scope::sampler::Field;
use crate::scope::{Batch, Column, Event, EventKind, Grade, SampledValue, Timing};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The time in nanoseconds after which the record of a write has come: a write is seen before its record
/// is complete.
const MARGIN: u64 = 100_000;

/// Joins writes with the reads after them. Each write is an entry of a batch, at its exact time. A value
/// that another write may have replaced before it was read is [`Grade::Unverified`]. The jitter is the
/// time from the write to the read; missed ticks are writes whose records were lost.
#[derive(Debug)]
pub struct WriteSamples {
    field: Field,
    span: Range<u64>,
    /// In any order.
    writes: Vec<(u64, ThreadId, Arc<CodePlace>)>,
    /// In the order of their times.
    reads: Vec<Read>,
    batch: Batch,
    /// The time of the last entry.
    last: u64,
    /// The last entry is a gap.
    in_gap: bool,
    /// The number of writes without a record, and the time at which it grew, until that is a gap.
    lost: u64,
    lost_before: Option<u64>,
    first: Option<u64>,
    timing: Timing,
    /// The sum of the times from the writes to the reads.
    delay: Duration,
    /// Writes whose values could not be read.
    unread: u64,
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
        Some(Self {
            field,
            span,
            writes: vec![],
            reads: vec![],
            batch: empty(),
            last: 0,
            in_gap: false,
            lost: 0,
            lost_before: None,
            first: None,
            timing: Timing::default(),
            delay: Duration::ZERO,
            unread: 0,
        })
    }

    /// The bytes to read: at most 16.
    #[must_use]
    pub fn span(&self) -> Range<u64> {
        self.span.clone()
    }

    /// Adds a write.
    pub fn write(&mut self, time: u64, thread: ThreadId, place: Arc<CodePlace>) {
        self.writes.push((time, thread, place));
    }

    /// Returns true if there was a write after the last read.
    #[must_use]
    pub fn needs_read(&self) -> bool {
        let last = self.reads.last().map_or(0, |read| read.began);
        self.writes.iter().any(|&(time, ..)| time >= last)
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

    /// Takes the number of all writes without a record, at a time at which all records were taken. The kernel
    /// loses records while the buffer is full: those after the ones that were taken.
    pub fn lost(&mut self, lost: u64, now: u64) {
        if lost > self.lost {
            (self.lost, self.lost_before) = (lost, Some(now));
        }
    }

    /// Makes samples of the writes that are complete at a time at which all records were taken.
    pub fn settle(&mut self, now: u64) {
        let complete = now.saturating_sub(MARGIN);
        self.writes.sort_unstable_by_key(|&(time, thread, _)| (time, thread.tid));
        let times: Vec<u64> = self.writes.iter().map(|&(time, ..)| time).collect();
        let mut done = 0;
        for (index, &time) in times.iter().enumerate() {
            let after = self.reads.partition_point(|read| read.began <= time);
            let Some(read) = self.reads.get(after).copied().filter(|read| read.ended <= complete) else {
                break;
            };
            let is_late = times.get(index + 1).is_some_and(|&next| next <= read.ended + MARGIN);
            self.push(index, Some(read), is_late);
            done += 1;
        }
        self.writes.drain(..done);
        let needed = times.get(done).copied().unwrap_or(u64::MAX);
        let last = self.reads.len().saturating_sub(1);
        let old = self.reads.partition_point(|read| read.began <= needed).min(last);
        self.reads.drain(..old);
    }

    /// Makes samples of all writes, of those without a read after them too, because no further read or
    /// record comes.
    pub fn end(&mut self) {
        self.settle(u64::MAX);
        for index in 0..self.writes.len() {
            self.push(index, None, false);
        }
        (self.writes, self.reads) = (vec![], vec![]);
    }

    fn push(&mut self, index: usize, read: Option<Read>, is_late: bool) {
        let (time, thread, place) = &self.writes[index];
        let (time, write) = (*time, Write { thread: *thread, place: Arc::clone(place), is_late });
        let grade = match read {
            None => Grade::Missing,
            Some(_) if is_late || !self.field.whole => Grade::Unverified,
            Some(_) => Grade::Whole,
        };
        if let Some(lost) = self.lost_before.take_if(|lost| *lost < time) {
            self.add_gap(lost);
        }
        self.add(time, read.map_or(0, |read| read.bits), grade, Some(write));
        let Some(read) = read else {
            self.unread += 1;
            return;
        };
        self.timing.late += u64::from(is_late);
        let delay = Duration::from_nanos(read.began - time);
        self.delay += delay;
        self.timing.samples += 1;
        self.timing.worst = self.timing.worst.max(delay);
        let first = *self.first.get_or_insert(time);
        self.timing.elapsed = Duration::from_nanos(time.saturating_sub(first));
    }

    fn add(&mut self, time: u64, bits: u64, grade: Grade, write: Option<Write>) {
        // A record that came out of order must not go back in time.
        self.last = self.last.max(time);
        self.batch.times.push(self.last);
        self.batch.columns[0].push(bits, grade);
        self.in_gap = false;
        self.batch.writes.push(write);
    }

    /// Adds a gap, unless it would be the first entry or follow another gap.
    fn add_gap(&mut self, time: u64) {
        if self.last > 0 && !self.in_gap {
            self.add(time, 0, Grade::Missing, None);
            self.in_gap = true;
        }
    }

    /// Adds a change of the segment. While it is gone there is a gap.
    pub fn event(&mut self, time: u64, kind: EventKind) {
        if kind != EventKind::Back {
            self.add_gap(time);
        }
        self.batch.events.push(Event { time, channel: 0, kind });
    }

    /// Takes the samples and events so far. `None` if there are none.
    pub fn take(&mut self) -> Option<Batch> {
        if self.batch.is_empty() && self.batch.events.is_empty() {
            return None;
        }
        self.timing.missed = self.lost + self.unread;
        self.timing.ticks = self.timing.samples + self.timing.missed;
        let samples = u32::try_from(self.timing.samples).unwrap_or(u32::MAX);
        self.timing.jitter = self.delay / samples.max(1);
        let mut taken = std::mem::replace(&mut self.batch, empty());
        taken.timing = self.timing;
        Some(taken)
    }
}

fn empty() -> Batch {
    Batch { columns: vec![Column::default()], ..Batch::default() }
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

    fn write(samples: &mut WriteSamples, at: u64, tid: u32) {
        samples.write(at, thread(tid), Arc::new(CodePlace::unknown(0x1000)));
    }

    /// Reads a value at a time.
    fn read(samples: &mut WriteSamples, at: u64, value: i32) {
        let bytes = [[0; 4], value.to_le_bytes()].concat();
        samples.read(at..at + 1000, &bytes);
    }

    fn taken(samples: &mut WriteSamples) -> Vec<(u64, u32, i64, Grade)> {
        let Some(batch) = samples.take() else { return vec![] };
        let row = |(index, &time): (usize, &u64)| {
            let column = &batch.columns[0];
            let tid = batch.writes[index].as_ref().map_or(0, |write| write.thread.tid);
            (time, tid, column.bits[index].cast_signed(), column.grades[index])
        };
        batch.times.iter().enumerate().map(row).collect()
    }

    #[test]
    fn read_value_belongs_to_the_last_write_before_it() {
        let mut samples = samples();
        assert_eq!(samples.span(), 8..16);
        write(&mut samples, MILLI, 1);
        assert!(samples.needs_read());
        read(&mut samples, MILLI + 50_000, -5);
        assert!(!samples.needs_read());
        samples.settle(MILLI + 60_000);
        assert_eq!(taken(&mut samples), [], "another record may still come");
        samples.settle(2 * MILLI);
        assert_eq!(taken(&mut samples), [(MILLI, 1, -5, Grade::Whole)]);
        write(&mut samples, 5 * MILLI, 2);
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
        write(&mut samples, 3 * MILLI, 2);
        write(&mut samples, MILLI, 1);
        read(&mut samples, 4 * MILLI, 7);
        // A write after the read whose record comes before the read is certain to have come first.
        write(&mut samples, 4 * MILLI + 20_000, 1);
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
        write(&mut samples, 9 * MILLI, 1);
        read(&mut samples, 9 * MILLI + 10_000, 9);
        samples.settle(10 * MILLI);
        samples.lost(4, 10 * MILLI);
        let batch = samples.take().unwrap();
        let timing = batch.timing;
        assert_eq!(timing.late, 2);
        assert_eq!((timing.ticks, timing.samples, timing.missed), (8, 4, 4));
        assert_eq!((timing.elapsed, timing.worst), (Duration::from_millis(8), Duration::from_millis(3)));
    }

    #[test]
    fn gap_is_where_records_were_lost() {
        let mut samples = samples();
        write(&mut samples, MILLI, 1);
        samples.lost(7, 2 * MILLI);
        write(&mut samples, 3 * MILLI, 1);
        read(&mut samples, 3 * MILLI + 10_000, 5);
        samples.settle(9 * MILLI);
        samples.lost(7, 9 * MILLI);
        write(&mut samples, 10 * MILLI, 1);
        read(&mut samples, 11 * MILLI, 6);
        samples.settle(12 * MILLI);
        let batch = samples.take().unwrap();
        assert_eq!(batch.times, [MILLI, 2 * MILLI, 3 * MILLI, 10 * MILLI]);
        let is_gap: Vec<bool> = batch.writes.iter().map(Option::is_none).collect();
        assert_eq!(is_gap, [false, true, false, false]);
        assert_eq!((batch.timing.ticks, batch.timing.missed), (10, 7));
    }

    #[test]
    fn gap_is_where_the_segment_was_gone() {
        let mut samples = samples();
        samples.event(MILLI, EventKind::Back);
        assert_eq!(samples.take().unwrap().len(), 0, "a gap before the first sample is none");
        write(&mut samples, 2 * MILLI, 1);
        read(&mut samples, 3 * MILLI, 5);
        write(&mut samples, 4 * MILLI, 1);
        samples.end();
        samples.event(5 * MILLI, EventKind::Gone);
        write(&mut samples, 7 * MILLI, 2);
        read(&mut samples, 8 * MILLI, 6);
        samples.settle(9 * MILLI);
        let rows = taken(&mut samples);
        let expected = [
            (2 * MILLI, 1, 5, Grade::Whole),
            // Nobody could read the value anymore.
            (4 * MILLI, 1, 0, Grade::Missing),
            (5 * MILLI, 0, 0, Grade::Missing),
            (7 * MILLI, 2, 6, Grade::Whole),
        ];
        assert_eq!(rows, expected);
    }
}

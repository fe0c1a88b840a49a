//! The samples of the last while, within a bound of memory.
//!
//! Ticks are numbered from the oldest that is kept. A chunk of them is the unit of eviction.

mod columns;
mod samples;
mod series;
mod summary;

pub use columns::{Buckets, Columns, Edge, Span};
pub use samples::Sample;

use super::{Batch, Column, NumberKind};
use series::{CHUNK, CHUNK_BYTES, ENTRY_BYTES, QUEUE_FACTOR, Series, shrink};
use std::collections::VecDeque;
use std::ops::Range;

/// The samples of some channels at the same ticks.
#[derive(Debug)]
pub struct History {
    times: VecDeque<Times>,
    series: Vec<Series>,
    /// Kept ticks.
    len: usize,
    evicted: u64,
    limit: u64,
    bytes: u64,
    has_pauses: bool,
}

/// The times of a chunk of ticks.
#[derive(Debug)]
struct Times {
    /// Beside the others, so that a search touches few pages.
    first: u64,
    times: Box<[u64]>,
}

const TIMES_BYTES: u64 = (CHUNK * size_of::<u64>()) as u64 + QUEUE_FACTOR * size_of::<Times>() as u64;

impl History {
    /// An empty history of at most `limit` bytes. Memory is taken as samples arrive. A limit that has no
    /// room for two chunks of ticks (8192, about 80 KiB for each channel) is raised to that.
    #[must_use]
    pub fn new(channels: &[NumberKind], limit: u64) -> Self {
        let series = channels.iter().map(|&kind| Series::new(kind, 0)).collect();
        Self { times: VecDeque::new(), series, len: 0, evicted: 0, limit, bytes: 0, has_pauses: false }
    }

    /// Joins samples however far they are apart: for those that are taken at every write, between which the
    /// value stays.
    #[must_use]
    pub const fn with_pauses(mut self) -> Self {
        self.has_pauses = true;
        self
    }

    /// Appends ticks, and evicts the oldest ones if memory has reached its limit. `columns[i]` belongs to
    /// channel `i`; what has no column is missing. A time before the last one is taken as the last one.
    pub fn push(&mut self, batch: &Batch) {
        let mut at = 0;
        while at < batch.len() {
            let filled = self.len % CHUNK;
            if filled == 0 {
                self.start_chunk(batch.times[at]);
            }
            let part = at..batch.len().min(at + CHUNK - filled);
            self.append(filled, batch, &part);
            at = part.end;
        }
    }

    fn start_chunk(&mut self, time: u64) {
        self.reserve(TIMES_BYTES + ENTRY_BYTES * self.series.len() as u64);
        let first = self.newest().unwrap_or(0).max(time);
        self.times.push_back(Times { first, times: vec![0; CHUNK].into() });
        self.series.iter_mut().for_each(Series::start_chunk);
    }

    /// Appends a part of a batch to the last chunk.
    fn append(&mut self, filled: usize, batch: &Batch, part: &Range<usize>) {
        let missing = Column::default();
        let column = |index: usize| batch.columns.get(index).unwrap_or(&missing);
        let is_new = |&(index, series): &(usize, &Series)| series.needs_chunk(column(index), part);
        let new_chunks = self.series.iter().enumerate().filter(is_new).count();
        self.reserve(new_chunks as u64 * CHUNK_BYTES);
        let mut latest = self.newest().unwrap_or(0);
        if let Some(last) = self.times.back_mut() {
            for (to, from) in last.times[filled..].iter_mut().zip(&batch.times[part.clone()]) {
                latest = latest.max(*from);
                *to = latest;
            }
        }
        for (index, series) in self.series.iter_mut().enumerate() {
            series.append(filled, column(index), part);
        }
        self.len += part.len();
    }

    /// Counts bytes that are about to be taken, and evicts chunks to make room for them. The last chunk
    /// stays.
    fn reserve(&mut self, bytes: u64) {
        let channels = self.series.len() as u64;
        let two_chunks = 2 * (TIMES_BYTES + channels * (ENTRY_BYTES + CHUNK_BYTES));
        while self.bytes + bytes > self.limit.max(two_chunks) && self.times.len() > 1 {
            self.evict_chunk();
        }
        self.bytes += bytes;
    }

    fn evict_chunk(&mut self) {
        self.times.pop_front();
        shrink(&mut self.times);
        let samples: u64 = self.series.iter_mut().map(Series::evict_chunk).sum();
        self.bytes -= samples + TIMES_BYTES + ENTRY_BYTES * self.series.len() as u64;
        self.len -= CHUNK;
        self.evicted += CHUNK as u64;
    }

    /// Adds a channel, which has no samples so far, behind the others.
    pub fn add(&mut self, kind: NumberKind) {
        self.reserve(ENTRY_BYTES * self.times.len() as u64);
        self.series.push(Series::new(kind, self.times.len()));
        // Evicted while making room: the reservation was for more chunks.
        self.count_bytes();
    }

    /// Removes a channel. Those after it move up.
    pub fn remove(&mut self, channel: usize) {
        if channel < self.series.len() {
            self.series.remove(channel);
            self.count_bytes();
            // Fewer channels raise the limit less.
            self.reserve(0);
        }
    }

    /// Returns the samples of some ticks.
    #[must_use]
    pub fn batch(&self, ticks: Range<usize>) -> Batch {
        let ticks = ticks.start.min(self.len)..ticks.end.min(self.len);
        let mut batch = Batch { times: Vec::with_capacity(ticks.len()), ..Batch::default() };
        for (chunk, part) in chunks(&ticks) {
            batch.times.extend_from_slice(&self.times[chunk].times[part]);
        }
        let column = |series: &Series| {
            let mut column = Column::default();
            chunks(&ticks).for_each(|(chunk, part)| series.copy(chunk, part, &mut column));
            column
        };
        batch.columns = self.series.iter().map(column).collect();
        batch
    }

    /// Returns the samples of some ticks in parts, which take little memory.
    pub fn batches(&self, ticks: Range<usize>) -> impl Iterator<Item = Batch> {
        let first = ticks.start / CHUNK;
        (first..ticks.end.div_ceil(CHUNK)).map(move |chunk| {
            let (start, end) = (chunk * CHUNK, (chunk + 1) * CHUNK);
            self.batch(start.max(ticks.start)..end.min(ticks.end))
        })
    }

    /// Computes the samples of the channels from `first` on, which have none so far, from those of the
    /// others. Calls `compute` with all samples, a part at a time; it returns them with all columns. The
    /// oldest samples are evicted if there is no room.
    pub fn compute(&mut self, first: usize, mut compute: impl FnMut(Batch) -> Batch) {
        let computed = self.series.len().saturating_sub(first) as u64;
        let two_chunks = 2 * (TIMES_BYTES + self.series.len() as u64 * (ENTRY_BYTES + CHUNK_BYTES));
        let needed = |history: &Self| history.bytes + history.times.len() as u64 * computed * CHUNK_BYTES;
        while needed(self) > self.limit.max(two_chunks) && self.times.len() > 1 {
            self.evict_chunk();
        }
        for chunk in 0..self.times.len() {
            let batch = compute(self.batch(chunk * CHUNK..(chunk + 1) * CHUNK));
            for (series, column) in self.series.iter_mut().zip(&batch.columns).skip(first) {
                series.set(chunk, column);
            }
        }
        self.count_bytes();
    }

    /// Removes all samples.
    pub fn clear(&mut self) {
        let kinds: Vec<NumberKind> = self.series.iter().map(|series| series.kind).collect();
        let (evicted, has_pauses) = (self.evicted + self.len as u64, self.has_pauses);
        *self = Self { evicted, has_pauses, ..Self::new(&kinds, self.limit) };
    }

    fn count_bytes(&mut self) {
        let entries = TIMES_BYTES + ENTRY_BYTES * self.series.len() as u64;
        let samples: u64 = self.series.iter().map(Series::bytes).sum();
        self.bytes = samples + entries * self.times.len() as u64;
    }

    /// The number of ticks.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[must_use]
    pub const fn channels(&self) -> usize {
        self.series.len()
    }

    /// The memory that it takes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// The ticks that were evicted. With it, a tick keeps its number.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The time of the first tick.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.time(0)
    }

    /// The time of the last tick.
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.time(self.len.checked_sub(1)?)
    }

    #[must_use]
    pub fn time(&self, tick: usize) -> Option<u64> {
        (tick < self.len).then(|| self.times[tick / CHUNK].times[tick % CHUNK])
    }

    /// The first tick that is not before a time; the number of ticks if there is none.
    #[must_use]
    pub fn tick_at(&self, time: u64) -> usize {
        self.search(|tick| tick < time)
    }

    /// The ticks from one time to another, both included.
    #[must_use]
    pub fn ticks(&self, from: u64, to: u64) -> Range<usize> {
        let start = self.tick_at(from);
        start..self.search(|tick| tick <= to).max(start)
    }

    /// The first tick whose time is not `before`.
    fn search(&self, before: impl Fn(u64) -> bool) -> usize {
        let after = self.times.partition_point(|chunk| before(chunk.first));
        let Some(chunk) = after.checked_sub(1) else { return 0 };
        let start = chunk * CHUNK;
        let filled = CHUNK.min(self.len - start);
        start + self.times[chunk].times[..filled].partition_point(|&time| before(time))
    }
}

/// The chunks of some ticks, and the parts of them.
fn chunks(ticks: &Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let Range { start, end } = *ticks;
    (start / CHUNK..end.div_ceil(CHUNK)).filter(move |_| start < end).map(move |chunk| {
        let first = chunk * CHUNK;
        (chunk, start.max(first) - first..end.min(first + CHUNK) - first)
    })
}

#[cfg(test)]
mod tests;

//! Samples values: plans the reads, grades what they return, and counts what was missed.
//!
//! The sampler neither reads the clock nor starts threads: its caller runs it at the times that it
//! names.

mod field;
mod memory;
mod part;
mod plan;
mod presence;
mod ticks;

pub(super) use field::Field;
pub use memory::{Pages, open};
pub use part::Memory;
pub use plan::{SourcePlan, plan};
pub use presence::{Presence, Reach};
pub use ticks::nanoseconds;

use super::{Batch, Column, Event, EventKind, Grade, Rate, Timing};
use part::{Locked, Part};
use ticks::Ticks;

/// The samples of all channels together in a batch at most, so that a batch takes less than a MiB.
const MAX_SAMPLES: usize = 1 << 16;
/// The longest that a burst runs before its caller can look after other things, in nanoseconds.
const BURST: u64 = 100_000;

/// Samples values at the same ticks.
pub struct Sampler {
    sources: Vec<Source>,
    ticks: Ticks,
    batch: Batch,
    row: Vec<(u64, Grade)>,
    /// The time of the last row.
    last: u64,
    /// Set after a row of missed ticks, to which those that follow belong.
    in_gap: bool,
    max_rows: usize,
    is_burst: bool,
    /// The channels of segments that were replaced: their next sample is missing, so that no line leads from
    /// one segment to the other.
    replaced: Vec<usize>,
    /// The channels whose last sample was not missing.
    is_joined: Vec<bool>,
    unverified: u64,
    gaps: u64,
}

/// The reads of the values in one segment.
struct Source {
    parts: Vec<Part>,
    locks: Vec<Locked>,
    is_open: bool,
}

impl Sampler {
    /// Prepares the sampling of values, whose segments are not open yet.
    #[must_use]
    pub fn new(plans: &[SourcePlan], channels: usize, rate: Rate) -> Self {
        Self {
            sources: plans.iter().map(Source::new).collect(),
            ticks: Ticks::new(rate),
            batch: Batch { columns: vec![Column::default(); channels], ..Batch::default() },
            row: vec![(0, Grade::Missing); channels],
            last: 0,
            in_gap: false,
            max_rows: (MAX_SAMPLES / channels.max(1)).max(1),
            is_burst: rate.period().is_none(),
            replaced: vec![],
            is_joined: vec![false; channels],
            unverified: 0,
            gaps: 0,
        }
    }

    /// Starts to read a segment, part by part in the order of its plan, or stops with `None`.
    pub fn set_memory(&mut self, source: usize, memories: Option<Vec<Box<dyn Memory>>>) {
        let Some(source) = self.sources.get_mut(source) else { return };
        source.is_open = memories.is_some();
        let mut memories = memories.into_iter().flatten();
        let locked = source.locks.iter_mut().flat_map(Locked::parts_mut);
        source.parts.iter_mut().chain(locked).for_each(|part| part.set_memory(memories.next()));
    }

    pub fn add_event(&mut self, event: Event) {
        if event.kind == EventKind::Replaced {
            self.replaced.push(event.channel);
        }
        self.batch.events.push(event);
    }

    /// Returns true if any segment is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.sources.iter().any(|source| source.is_open)
    }

    /// Returns the time of the next tick; `None` if it is due at once.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        self.ticks.due()
    }

    /// Takes the sample that is due, or many in a burst. Does nothing before the next tick.
    pub fn run(&mut self, clock: &dyn Fn() -> u64) {
        let start = clock();
        if self.due().is_some_and(|due| start < due) {
            return;
        }
        if let Some(missed) = self.ticks.wake(start) {
            self.add_gap(missed);
        }
        let mut before = start;
        loop {
            let any = self.read();
            let after = clock();
            let middle = before + after.saturating_sub(before) / 2;
            if any {
                self.ticks.sampled(middle);
                self.add_row(middle);
                self.in_gap = false;
            } else {
                self.ticks.failed();
                self.add_gap(middle);
            }
            let goes_on = self.is_burst && any && before < after && after - start < BURST;
            if !goes_on || self.is_full() {
                return;
            }
            before = after;
        }
    }

    /// Reads all values. Returns true if there was any.
    fn read(&mut self) -> bool {
        self.row.fill((0, Grade::Missing));
        let mut any = false;
        for source in self.sources.iter_mut().filter(|source| source.is_open) {
            for part in &mut source.parts {
                any |= part.sample(&mut self.row);
            }
            for locked in &mut source.locks {
                any |= locked.sample(&mut self.row);
            }
        }
        any
    }

    fn add_row(&mut self, time: u64) {
        // A tick can be missed before the sample of the one before it is complete.
        self.last = time.max(self.last.saturating_add(1));
        self.batch.times.push(self.last);
        for channel in self.replaced.drain(..) {
            if let (Some(sample), Some(true)) = (self.row.get_mut(channel), self.is_joined.get(channel)) {
                *sample = (0, Grade::Missing);
            }
        }
        let columns = self.batch.columns.iter_mut().zip(&mut self.is_joined);
        for ((column, is_joined), &(bits, grade)) in columns.zip(&self.row) {
            *is_joined = grade != Grade::Missing;
            self.unverified += u64::from(grade == Grade::Unverified);
            column.push(bits, grade);
        }
    }

    /// Adds missed ticks, unless they follow others.
    fn add_gap(&mut self, time: u64) {
        if !self.in_gap {
            self.row.fill((0, Grade::Missing));
            self.add_row(time);
            self.in_gap = true;
            self.gaps += 1;
        }
    }

    /// Marks that a burst was interrupted. Ticks notice that by themselves.
    pub fn interrupt(&mut self, now: u64) {
        if self.is_burst {
            self.add_gap(now);
        }
    }

    /// Stops the ticks until the next [`Self::run`]. The time in between is a gap.
    pub fn pause(&mut self, now: u64) {
        self.ticks.pause();
        self.add_gap(now);
    }

    /// Returns true if the batch should be taken now.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.batch.len() >= self.max_rows
    }

    /// Returns what was sampled since the last time.
    pub fn take(&mut self) -> Batch {
        let rows = self.batch.len();
        let column = || Column { bits: Vec::with_capacity(rows), grades: Vec::with_capacity(rows) };
        let next = Batch {
            times: Vec::with_capacity(rows),
            columns: self.batch.columns.iter().map(|_| column()).collect(),
            ..Batch::default()
        };
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.timing = Timing { unverified: self.unverified, gaps: self.gaps, ..self.ticks.timing() };
        batch
    }
}

impl Source {
    fn new(plan: &SourcePlan) -> Self {
        Self {
            parts: plan.parts.iter().map(Part::new).collect(),
            locks: plan.locks.iter().map(Locked::new).collect(),
            is_open: false,
        }
    }
}

#[cfg(test)]
mod tests;

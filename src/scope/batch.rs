//! Samples of all channels, taken at the same ticks.

use super::timing::Timing;
use super::writers::Write;
use std::ops::Range;

/// Some consecutive ticks, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The middle of each read, or the time of each write, in nanoseconds of `CLOCK_MONOTONIC`, in ascending order. Missed ticks that follow each
    /// other are one entry, at the time of the first, whose samples are [`Grade::Missing`].
    pub times: Vec<u64>,
    /// One for each channel, each as long as `times`.
    pub columns: Vec<Column>,
    /// The write of each entry, if the value is sampled at its writes; `None` for a gap. Empty otherwise.
    pub writes: Vec<Option<Write>>,
    /// The changes of segments during these ticks.
    pub events: Vec<Event>,
    /// The counts since sampling began.
    pub timing: Timing,
}

/// The samples of a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// The numbers, by the [`NumberKind`](super::NumberKind) of the channel.
    pub bits: Vec<u64>,
    pub grades: Vec<Grade>,
}

/// The trust in a sample, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Grade {
    /// No sample was taken. A gap, never a value.
    Missing,
    /// The value is not aligned, so that a writer may have been halfway through it, and two reads
    /// differed.
    Unverified,
    /// Two reads agreed. A writer that was preempted halfway can still have fooled them.
    Stable,
    /// An aligned value of at most 8 bytes, which the processor writes at once.
    Whole,
    /// A sequence lock was even and unchanged around the read.
    Verified,
}

/// A change of the segment of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// The index of the channel.
    pub channel: usize,
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The segment was removed.
    Gone,
    /// The segment no longer reaches to the value.
    Short,
    /// The segment was made again under its name.
    Replaced,
    /// The segment, which was gone, can be read again.
    Back,
    /// Reading failed, for this reason.
    Failed(String),
}

impl EventKind {
    /// Describes the change; safe to print.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Gone => "segment removed",
            Self::Short => "segment too short",
            Self::Replaced => "segment made again",
            Self::Back => "segment back",
            Self::Failed(reason) => reason,
        }
    }
}

impl Batch {
    #[must_use]
    pub const fn len(&self) -> usize {
        self.times.len()
    }

    /// Returns some entries, without the events.
    #[must_use]
    pub fn part(&self, rows: Range<usize>) -> Self {
        let column = |column: &Column| Column {
            bits: column.bits[rows.clone()].to_vec(),
            grades: column.grades[rows.clone()].to_vec(),
        };
        Self {
            times: self.times[rows.clone()].to_vec(),
            columns: self.columns.iter().map(column).collect(),
            writes: self.writes.get(rows.clone()).unwrap_or_default().to_vec(),
            events: vec![],
            timing: self.timing,
        }
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}

impl Column {
    #[must_use]
    pub fn has_sample(&self, row: usize) -> bool {
        self.grades.get(row).is_some_and(|&grade| grade != Grade::Missing)
    }

    pub fn push(&mut self, bits: u64, grade: Grade) {
        self.bits.push(bits);
        self.grades.push(grade);
    }
}

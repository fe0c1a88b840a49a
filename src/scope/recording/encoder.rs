//! The interface to the formats.

use super::figures::Figures;
use super::track::Epoch;
use crate::scope::writers::Write;
use crate::scope::{Batch, Channel, Grade};
use std::io;
use std::path::Path;

/// An entry of a batch.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub batch: &'a Batch,
    pub index: usize,
    /// Nanoseconds since the first entry of the recording.
    pub since_first: u64,
    /// The number of the entry in the recording.
    pub number: u64,
}

impl Row<'_> {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub fn time(&self) -> u64 {
        self.batch.times[self.index]
    }

    /// The samples of all channels. `None` is a gap.
    pub fn samples(&self) -> impl Iterator<Item = Option<u64>> {
        self.batch
            .columns
            .iter()
            .map(|column| (column.grades[self.index] != Grade::Missing).then(|| column.bits[self.index]))
    }

    /// The write at which the samples were taken.
    pub fn write(&self) -> Option<&Write> {
        self.batch.writes.get(self.index)?.as_ref()
    }

    pub fn has_sample(&self) -> bool {
        self.samples().any(|sample| sample.is_some())
    }
}

/// The facts that are the same for all files of a recording.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub channels: Vec<Channel>,
    pub epoch: Epoch,
    /// The samples are taken at every write, and their writers are recorded.
    pub has_writers: bool,
}

/// Writes a file of some format.
pub(super) trait Encoder: Send {
    fn push(&mut self, row: Row<'_>) -> io::Result<()>;

    /// The length of the file if it ended after one more row; an upper bound.
    fn length_with(&self, row: Row<'_>) -> u64;

    /// Makes all rows readable by others, in formats that allow it.
    fn flush(&mut self) -> io::Result<()>;

    /// The rows that [`Encoder::keep`] would keep, of those that were pushed.
    fn kept(&self) -> u64;

    /// Sets the figures that the file gets at its end, in formats that have room for them.
    fn set_figures(&mut self, _: Figures) {}

    /// Completes the file.
    fn finish(&mut self) -> io::Result<()>;

    /// Ends the file after an error, with the rows that were written before.
    fn keep(&mut self) -> io::Result<()>;

    /// The path of the completed file if another program took its name meanwhile.
    fn other_path(&self) -> Option<&Path> {
        None
    }
}

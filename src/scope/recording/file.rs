//! A recording that is being written.

use super::csv::CsvEncoder;
use super::encoder::{Encoder, Header, Row};
use super::error::RecordingError;
use super::figures::FiguresTally;
use super::format::RecordingFormat;
use super::mcap::McapEncoder;
use super::npz::NpzEncoder;
use super::rollover::{next_path, nth_path};
use super::track::Epoch;
use crate::act::{Destination, is_in_dev_shm};
use crate::scope::{Batch, Channel};
use crate::segment::Bytes;
use std::io;
use std::path::PathBuf;

/// Nanoseconds after which rows are made readable by others.
const FLUSH_INTERVAL: u64 = 900_000_000;

/// The files of a recording.
#[derive(Debug, Clone)]
pub struct RecordingOptions {
    /// The first file. Its suffix determines the format.
    pub path: PathBuf,
    /// Replace existing files.
    pub replace: bool,
    /// Continue in the next file, `run-2.csv` after `run.csv`, before one gets longer.
    pub max_size: Option<Bytes>,
    /// Record the writer of each sample. The samples are taken at every write.
    pub writers: bool,
}

/// A recording that is being written. After an error, the files keep what was written before.
pub struct Recording {
    options: RecordingOptions,
    format: RecordingFormat,
    header: Header,
    /// `None` after an error.
    encoder: Option<Box<dyn Encoder>>,
    /// The number of the current file, from 1.
    number: u64,
    /// The time of the first entry.
    first: Option<u64>,
    /// The time of the last flush.
    flushed: u64,
    /// The entries that were pushed, those of the current file, and the samples in it.
    rows: u64,
    rows_in_file: u64,
    samples_in_file: u64,
    figures: FiguresTally,
    summary: RecordingSummary,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingSummary {
    pub files: Vec<PathBuf>,
    /// The ticks in the files at which at least one channel has a sample. After an error, those that
    /// are known to be there.
    pub samples: u64,
}

impl Recording {
    /// Creates the first file.
    pub fn create(
        options: RecordingOptions,
        channels: &[Channel],
        epoch: Epoch,
    ) -> Result<Self, RecordingError> {
        let format = RecordingFormat::of(&options.path)?;
        format.check(channels)?;
        let destination = Destination { path: &options.path, replace: options.replace };
        destination.check()?;
        if is_in_dev_shm(&options.path) {
            return Err(RecordingError::Segment { path: options.path });
        }
        if options.max_size.is_some() {
            // A recording is not mixed with the files of an earlier one.
            let second = nth_path(&options.path, 2);
            (Destination { path: &second, replace: options.replace }).check()?;
        }
        let header = Header { channels: channels.to_vec(), epoch, has_writers: options.writers };
        let encoder = encoder(format, destination, &header)?;
        Ok(Self {
            summary: RecordingSummary { files: vec![options.path.clone()], samples: 0 },
            options,
            format,
            header,
            encoder: Some(encoder),
            number: 1,
            first: None,
            flushed: 0,
            rows: 0,
            rows_in_file: 0,
            samples_in_file: 0,
            figures: FiguresTally::default(),
        })
    }

    /// Appends samples, with a column for each channel. An empty batch makes the last ones readable by
    /// others. After an error the recording has ended, and
    /// [`Recording::finish`] tells what was kept.
    pub fn write(&mut self, batch: &Batch) -> Result<(), RecordingError> {
        for index in 0..batch.len() {
            let since_first =
                batch.times[index].saturating_sub(*self.first.get_or_insert(batch.times[index]));
            let row = Row { batch, index, since_first, number: self.rows };
            self.roll_over(row)?;
            let outcome = self.encoder.as_mut().ok_or(RecordingError::Ended)?.push(row);
            self.check(outcome)?;
            self.rows += 1;
            self.rows_in_file += 1;
            self.summary.samples += u64::from(row.has_sample());
            self.samples_in_file += u64::from(row.has_sample());
        }
        if !batch.is_empty() {
            self.figures.add(batch);
        }
        let encoder = self.encoder.as_mut().ok_or(RecordingError::Ended)?;
        // During a gap, no further samples would cause it.
        let is_due = match batch.times.last() {
            Some(last) => last.saturating_sub(self.flushed) >= FLUSH_INTERVAL,
            None => encoder.kept() < self.rows_in_file,
        };
        if !is_due {
            return Ok(());
        }
        self.flushed = batch.times.last().copied().unwrap_or(self.flushed);
        let outcome = encoder.flush();
        self.check(outcome)
    }

    /// Completes the file.
    pub fn finish(mut self) -> Result<RecordingSummary, (RecordingError, RecordingSummary)> {
        let outcome = self.finish_file();
        match outcome {
            Ok(()) => Ok(self.summary),
            Err(error) => Err((error, self.summary)),
        }
    }

    /// Returns the files and counts so far.
    #[must_use]
    pub const fn summary(&self) -> &RecordingSummary {
        &self.summary
    }

    /// Continues in the next file if this one would get too long.
    fn roll_over(&mut self, row: Row<'_>) -> Result<(), RecordingError> {
        let Some(max) = self.options.max_size else { return Ok(()) };
        let is_full = self.encoder.as_ref().is_some_and(|encoder| encoder.length_with(row) > max.0);
        // A single row may be longer.
        if !is_full || self.rows_in_file == 0 {
            return Ok(());
        }
        self.finish_file()?;
        let (path, number) = next_path(&self.options.path, self.number, self.options.replace)?;
        let destination = Destination { path: &path, replace: self.options.replace };
        self.encoder = Some(encoder(self.format, destination, &self.header)?);
        self.number = number;
        (self.rows_in_file, self.samples_in_file) = (0, 0);
        self.figures.restart();
        self.summary.files.push(path);
        Ok(())
    }

    fn finish_file(&mut self) -> Result<(), RecordingError> {
        let Some(mut encoder) = self.encoder.take() else { return Ok(()) };
        // Writes have no rate that they should have.
        let figures = self.figures.figures(self.samples_in_file).filter(|_| !self.options.writers);
        if let Some(figures) = figures {
            encoder.set_figures(figures);
        }
        let outcome = encoder.finish();
        if let (Some(last), Some(path)) = (self.summary.files.last_mut(), encoder.other_path()) {
            path.clone_into(last);
        }
        if outcome.is_err() {
            self.encoder = Some(encoder);
        }
        self.check(outcome)
    }

    /// Ends the recording after an error. Keeps what was written before.
    fn check(&mut self, outcome: io::Result<()>) -> Result<(), RecordingError> {
        let Err(error) = outcome else { return Ok(()) };
        if let Some(mut encoder) = self.encoder.take() {
            let lost = self.rows_in_file - encoder.kept().min(self.rows_in_file);
            if encoder.keep().is_ok() {
                self.summary.samples -= lost.min(self.summary.samples);
            } else {
                self.summary.samples -= self.rows_in_file.min(self.summary.samples);
                self.summary.files.pop();
            }
        }
        let path = self.summary.files.last().unwrap_or(&self.options.path);
        Err(Destination { path, replace: self.options.replace }.error(error).into())
    }
}

fn encoder(
    format: RecordingFormat,
    destination: Destination<'_>,
    header: &Header,
) -> Result<Box<dyn Encoder>, RecordingError> {
    Ok(match format {
        RecordingFormat::Mcap => Box::new(McapEncoder::create(destination, header)?),
        RecordingFormat::Csv => Box::new(CsvEncoder::create(destination, header)?),
        RecordingFormat::Npz => Box::new(NpzEncoder::create(destination, header)?),
    })
}

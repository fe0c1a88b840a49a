//! NPZ: an archive with an array for each channel, `time` and `start`. Gaps are NaN.
//!
//! The functions of writers are indexes into an array of their names.
//!
//! An integer channel with gaps becomes an array of floats. If it has values that a float cannot hold, it
//! remains an array of integers, with 0 in the gaps, and an array `NAME.valid` tells them apart.

use super::archive::Archive;
use super::encoder::{Encoder, Header, Row};
use super::figures::Figures;
use super::npy::{self, Dtype};
use super::rollover::next_path;
use super::spill::{Reading, Spill};
use super::track::{Epoch, Track};
use super::writer::{self, Functions};
use crate::act::{Destination, SaveError};
use crate::scope::{Channel, Number, NumberKind};
use crate::sys::unnamed::UnnamedFile;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The largest integer up to which a float holds all.
const MAX_EXACT: u64 = 1 << 53;

/// The end of the name of an array that tells samples from gaps.
pub(super) const VALID: &str = ".valid";

pub(super) struct NpzEncoder {
    path: PathBuf,
    replace: bool,
    /// Has the rows. Removed at the end, or by the kernel.
    _unnamed: UnnamedFile,
    spill: Spill,
    tracks: Vec<TrackFacts>,
    /// The functions of the writers, if those are recorded.
    functions: Option<Functions>,
    epoch: Epoch,
    /// Nanoseconds of `CLOCK_MONOTONIC` of the first entry of the recording.
    first: Option<u64>,
    figures: Option<Figures>,
    other_path: Option<PathBuf>,
    /// Set when the rows are gone.
    is_freed: bool,
}

/// A channel, and the facts about its samples that decide on the type of its array.
struct TrackFacts {
    track: Track,
    has_gaps: bool,
    is_exact_as_float: bool,
}

impl TrackFacts {
    /// Returns true if neither integers nor floats can hold the samples and the gaps.
    const fn is_ambiguous(&self) -> bool {
        self.has_gaps && !self.is_exact_as_float
    }
}

/// The words of a column as elements of an array.
#[derive(Clone, Copy)]
enum Form {
    /// Nanoseconds as seconds.
    Seconds,
    /// 0 in gaps.
    Integers(Dtype),
    /// NaN in gaps.
    Floats(NumberKind),
    Valid,
}

impl NpzEncoder {
    pub fn create(destination: Destination<'_>, header: &Header) -> Result<Self, SaveError> {
        let unnamed = destination.create()?;
        let file = unnamed.file.try_clone().map_err(|error| destination.error(error))?;
        let columns = header.channels.len() + 1 + if header.has_writers { writer::COLUMNS.len() } else { 0 };
        let facts = |channel: &Channel| TrackFacts {
            track: channel.into(),
            has_gaps: false,
            is_exact_as_float: true,
        };
        Ok(Self {
            path: destination.path.to_owned(),
            replace: destination.replace,
            _unnamed: unnamed,
            spill: Spill::new(file, columns).map_err(|error| destination.error(error))?,
            functions: header.has_writers.then(Functions::new),
            tracks: header.channels.iter().map(facts).collect(),
            epoch: header.epoch,
            first: None,
            figures: None,
            other_path: None,
            is_freed: false,
        })
    }

    fn write_archive(&self, file: &UnnamedFile, reading: Reading) -> io::Result<()> {
        self.spill.free_reserve();
        let mut archive = Archive::new(&file.file);
        let start = self.first.map_or(self.epoch.realtime, |first| self.epoch.realtime_of(first));
        archive.begin("start", &npy::header(Dtype::I64, None), 8)?;
        archive.write_all(&start.to_le_bytes())?;
        self.write_array(&mut archive, "time", 0, Form::Seconds, reading)?;
        for (index, facts) in self.tracks.iter().enumerate() {
            let (name, column) = (&facts.track.name, index + 1);
            let dtype = match facts.track.kind {
                NumberKind::Unsigned => Some(Dtype::U64),
                NumberKind::Signed => Some(Dtype::I64),
                NumberKind::Single | NumberKind::Float => None,
            };
            match dtype {
                Some(dtype) if facts.is_ambiguous() => {
                    let valid = self.valid_name(name);
                    self.write_array(&mut archive, &valid, column, Form::Valid, Reading::Keeps)?;
                    self.write_array(&mut archive, name, column, Form::Integers(dtype), reading)?;
                }
                Some(dtype) if !facts.has_gaps => {
                    self.write_array(&mut archive, name, column, Form::Integers(dtype), reading)?;
                }
                _ => self.write_array(&mut archive, name, column, Form::Floats(facts.track.kind), reading)?,
            }
        }
        if let Some(functions) = &self.functions {
            let first = self.tracks.len() + 1;
            for (column, name) in (first..).zip(writer::COLUMNS) {
                let form = if name == writer::LATE { Form::Valid } else { Form::Integers(Dtype::I64) };
                self.write_array(&mut archive, name, column, form, reading)?;
            }
            functions.write(&mut archive)?;
        }
        if let Some(figures) = self.figures {
            archive.set_comment(figures.json())?;
        }
        archive.finish()
    }

    fn write_array(
        &self,
        archive: &mut Archive<'_>,
        name: &str,
        column: usize,
        form: Form,
        reading: Reading,
    ) -> io::Result<()> {
        let rows = self.spill.rows();
        let (dtype, size) = match form {
            Form::Floats(NumberKind::Single) => (Dtype::F32, 4),
            Form::Seconds | Form::Floats(_) => (Dtype::F64, 8),
            Form::Integers(dtype) => (dtype, 8),
            Form::Valid => (Dtype::Bool, 1),
        };
        archive.begin(name, &npy::header(dtype, Some(rows)), rows * size)?;
        let mut bytes = vec![];
        let write = |words: &[u64], present: &[u8]| {
            bytes.clear();
            for (index, &word) in words.iter().enumerate() {
                let is_present = present[index / 8] >> (index % 8) & 1 == 1;
                if let Form::Floats(kind @ NumberKind::Single) = form {
                    let number = if is_present { kind.number(word) } else { Number::Single(f32::NAN) };
                    #[expect(clippy::cast_possible_truncation, reason = "a float was widened before")]
                    bytes.extend_from_slice(&(number.as_f64() as f32).to_le_bytes());
                    continue;
                }
                let element = match form {
                    Form::Seconds => Duration::from_nanos(word).as_secs_f64().to_bits(),
                    Form::Integers(_) => word,
                    Form::Floats(kind) if is_present => kind.number(word).as_f64().to_bits(),
                    Form::Floats(_) => f64::NAN.to_bits(),
                    Form::Valid => {
                        bytes.push(u8::from(is_present));
                        continue;
                    }
                };
                bytes.extend_from_slice(&element.to_le_bytes());
            }
            archive.write_all(&bytes)
        };
        self.spill.read(column, write, reading)
    }

    /// Writes the archive and gives it its name, or the next one that is free.
    fn write_file(&mut self, reading: Reading) -> io::Result<()> {
        self.is_freed = reading == Reading::Frees;
        let mut path = self.path.clone();
        let mut file = (Destination { path: &path, replace: self.replace }).create().map_err(plain)?;
        self.write_archive(&file, reading)?;
        let mut number = 1;
        loop {
            match (Destination { path: &path, replace: self.replace }).publish(&mut file) {
                Ok(()) if number == 1 => return Ok(()),
                Ok(()) => {
                    self.other_path = Some(path);
                    return Ok(());
                }
                // Another program took the name.
                Err(SaveError::Exists { .. } | SaveError::NotRegular { .. }) => {
                    (path, number) = next_path(&self.path, number, self.replace).map_err(io::Error::other)?;
                    file.rename(path.file_name().unwrap_or_default())?;
                }
                Err(error) => return Err(plain(error)),
            }
        }
    }

    /// The number of channels that need an array for their gaps.
    fn ambiguous(&self) -> u64 {
        self.tracks.iter().filter(|facts| facts.is_ambiguous()).count() as u64
    }

    /// Returns a name for the array of a channel that tells samples from gaps.
    fn valid_name(&self, name: &str) -> String {
        let mut valid = format!("{name}{VALID}");
        while self.tracks.iter().any(|facts| facts.track.name == valid) {
            valid.push('_');
        }
        valid
    }
}

impl Encoder for NpzEncoder {
    fn push(&mut self, row: Row<'_>) -> io::Result<()> {
        self.first.get_or_insert(row.time().saturating_sub(row.since_first));
        // A full block remains here after an error.
        self.spill.write_block()?;
        for (facts, sample) in self.tracks.iter_mut().zip(row.samples()) {
            match sample.map(|bits| facts.track.kind.number(bits)) {
                None => facts.has_gaps = true,
                Some(Number::Unsigned(value)) => facts.is_exact_as_float &= value <= MAX_EXACT,
                Some(Number::Signed(value)) => facts.is_exact_as_float &= value.unsigned_abs() <= MAX_EXACT,
                Some(Number::Single(_) | Number::Float(_)) => {}
            }
        }
        let writer = self.functions.as_mut().map(|functions| functions.cells(row.write()));
        let writer = writer.into_iter().flatten();
        self.spill.push([Some(row.since_first)].into_iter().chain(row.samples()).chain(writer));
        Ok(())
    }

    fn length_with(&self, row: Row<'_>) -> u64 {
        let columns = row.batch.columns.len() as u64 + 1;
        let names: u64 = self.tracks.iter().map(|facts| facts.track.name.len() as u64).sum();
        let writers = self.functions.as_ref().map_or(0, |functions| {
            (self.spill.rows() + 1) * 25 + functions.length_with(row.write()) + 640 * 5
        });
        (self.spill.rows() + 1) * (8 * columns + self.ambiguous()) + 4 * names + 640 * (columns + 1) + writers
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn kept(&self) -> u64 {
        self.spill.rows()
    }

    fn set_figures(&mut self, figures: Figures) {
        self.figures = Some(figures);
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.write_file(Reading::Keeps) {
            // On a full disk, the rows make room for the arrays.
            Err(_) => self.write_file(Reading::Frees),
            Ok(()) => Ok(()),
        }
    }

    fn keep(&mut self) -> io::Result<()> {
        if self.is_freed {
            return Err(io::ErrorKind::StorageFull.into());
        }
        // The arrays that have no counterpart in the blocks.
        self.spill.drop_blocks(self.spill.rows() * self.ambiguous());
        self.write_file(Reading::Frees)
    }

    fn other_path(&self) -> Option<&Path> {
        self.other_path.as_deref()
    }
}

/// Returns the reason alone: the caller adds the path.
fn plain(error: SaveError) -> io::Error {
    match error {
        SaveError::Write { source, .. } => source,
        error => io::Error::other(error),
    }
}

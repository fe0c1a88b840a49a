//! Reads recordings back: those of shmlens, and MCAP files of other programs with numbers as JSON.

mod csv;
mod error;
mod json;
mod mcap;
mod npz;

pub use error::ReplayError;

use super::figures::Figures;
use super::track::Track;
use crate::scope::{Batch, Column, Grade, Timing};
use crate::sys::regular::{Links, open_regular};
use error::Problem;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most channels that are read.
const MAX_TRACKS: usize = 4096;
/// The most samples of a batch.
const MAX_SAMPLES: usize = 1 << 18;
/// The most rows of a batch.
const MAX_ROWS: usize = 4096;

/// A recording that is being read.
///
/// A recording does not keep the grades of its samples: all are [`Grade::Whole`]. A NaN in an NPZ file
/// is a gap.
pub struct Replay {
    path: PathBuf,
    tracks: Vec<Track>,
    start: Option<u64>,
    decoder: Box<dyn Decoder>,
    timing: Timing,
    /// The time of the first row.
    first: Option<u64>,
    is_finished: bool,
    /// The damage after the samples that were delivered.
    problem: Option<Problem>,
}

/// The rows of a file, in order.
trait Decoder: Send {
    /// Reads the samples of the next row into `row`, which is empty. Returns the time in nanoseconds
    /// since the start; `None` at the end.
    fn next(&mut self, row: &mut Vec<Option<u64>>) -> Result<Option<u64>, Problem>;

    fn is_cut_off(&self) -> bool {
        false
    }

    /// The figures of the file. Known at its end.
    fn figures(&self) -> Option<Figures> {
        None
    }
}

/// The start of a file.
struct Opened {
    tracks: Vec<Track>,
    start: Option<u64>,
    decoder: Box<dyn Decoder>,
}

/// Opens a recording. The contents determine its format, not its name.
pub fn open(path: &Path) -> Result<Replay, ReplayError> {
    let file = open_regular(path, File::options().read(true), Links::Follow)
        .map_err(|source| ReplayError::Open { path: path.to_owned(), source })?;
    let opened = open_file(file).map_err(|problem| problem.at(path.to_owned()))?;
    Ok(Replay {
        path: path.to_owned(),
        tracks: opened.tracks,
        start: opened.start,
        decoder: opened.decoder,
        timing: Timing::default(),
        first: None,
        is_finished: false,
        problem: None,
    })
}

fn open_file(file: File) -> Result<Opened, Problem> {
    let mut start = [0; 8];
    let length = file.read_at(&mut start, 0)?;
    match &start[..length] {
        [] => Err(Problem::NotRecording("it is empty".to_owned())),
        start if start == ::mcap::MAGIC => mcap::open(file),
        [b'P', b'K', 3, 4, ..] => npz::open(file),
        [b't', b'i', b'm', b'e', ..] | [b'"', b't', b'i', b'm', b'e', ..] => csv::open(file),
        _ => Err(Problem::NotRecording(
            "it is neither MCAP nor NPZ, nor CSV that begins with a column 'time'".to_owned(),
        )),
    }
}

impl Replay {
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The time of the start in nanoseconds since 1970. `None` for CSV, which does not keep it.
    #[must_use]
    pub const fn start(&self) -> Option<u64> {
        self.start
    }

    /// Returns true if the end of the file is missing. Known after the last batch.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.decoder.is_cut_off()
    }

    /// Returns the figures of sampling that the file carries. Known after the last batch.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        self.decoder.figures()
    }

    /// Reads the next samples. Their times are nanoseconds since the start. `None` at the end, and after
    /// an error.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, ReplayError> {
        if let Some(problem) = self.problem.take() {
            return Err(problem.at(self.path.clone()));
        }
        if self.is_finished {
            return Ok(None);
        }
        let columns = std::iter::repeat_with(Column::default).take(self.tracks.len()).collect();
        let mut batch = Batch { columns, ..Batch::default() };
        let rows = (MAX_SAMPLES / self.tracks.len().max(1)).clamp(1, MAX_ROWS);
        let mut row = Vec::with_capacity(self.tracks.len());
        while batch.len() < rows {
            row.clear();
            match self.decoder.next(&mut row) {
                Ok(Some(time)) => self.push(&mut batch, time, &row),
                Ok(None) => {
                    self.is_finished = true;
                    break;
                }
                Err(problem) => {
                    self.is_finished = true;
                    // The samples before it come first.
                    self.problem = Some(problem);
                    break;
                }
            }
        }
        batch.timing = self.timing;
        if let Some(problem) = self.problem.take_if(|_| batch.is_empty()) {
            return Err(problem.at(self.path.clone()));
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn push(&mut self, batch: &mut Batch, time: u64, row: &[Option<u64>]) {
        batch.times.push(time);
        for (column, sample) in batch.columns.iter_mut().zip(row) {
            column.push(sample.unwrap_or(0), if sample.is_some() { Grade::Whole } else { Grade::Missing });
        }
        self.timing.ticks += 1;
        self.timing.elapsed = Duration::from_nanos(time - *self.first.get_or_insert(time));
        if row.iter().any(Option::is_some) {
            self.timing.samples += 1;
        } else {
            self.timing.missed += 1;
            self.timing.gaps += 1;
        }
    }
}

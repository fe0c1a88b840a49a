//! NPZ files: `time` and an array for each channel.

use super::error::Problem;
use super::{Decoder, MAX_TRACKS, Opened};
use crate::decode::layouts::npy_rows;
use crate::decode::{ByteOrder, Place, Scalar, TypeKind};
use crate::scope::recording::figures::Figures;
use crate::scope::recording::npz::VALID;
use crate::scope::recording::track::Track;
use crate::scope::recording::writer::is_own;
use crate::scope::{Number, NumberKind};
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;
use zip::{CompressionMethod, ZipArchive};

/// Elements that are read at once.
const AHEAD: usize = 8192;

pub(super) fn open(file: File) -> Result<Opened, Problem> {
    let file = Arc::new(file);
    let Contents { mut arrays, figures } = contents(&file)?;
    let mut take =
        |name: &str| arrays.iter().position(|(found, _)| found == name).map(|at| arrays.remove(at).1);
    let Some(time) = take("time").filter(|time| !time.kind.is_integer()) else {
        return Err(Problem::NotRecording("it has no array 'time' of floats".to_owned()));
    };
    let start = take("start").and_then(|mut start| start.next().ok()?).map(Number::bits);
    let names: Vec<String> = arrays.iter().map(|(name, _)| name.clone()).collect();
    let is_valid_of = |valid: &str| {
        let name = valid.trim_end_matches('_').strip_suffix(VALID)?;
        names.iter().any(|other| other == name).then(|| name.to_owned())
    };
    let mut valid = HashMap::new();
    let mut columns = vec![];
    let mut tracks = vec![];
    for (name, array) in arrays {
        if let Some(of) = is_valid_of(&name).filter(|_| array.scalar == Scalar::Bool) {
            valid.insert(of, array);
        } else {
            tracks.push(Track { name, kind: array.kind });
            columns.push(ArrayWithGaps { array, valid: None });
        }
    }
    for (track, column) in tracks.iter().zip(&mut columns) {
        column.valid = valid.remove(&track.name);
    }
    if tracks.is_empty() {
        return Err(Problem::NotRecording("it has no arrays of numbers besides 'time'".to_owned()));
    }
    let decoder = NpzDecoder { time, columns, last: 0, figures };
    Ok(Opened { tracks, start, decoder: Box::new(decoder) })
}

struct NpzDecoder {
    time: Array,
    columns: Vec<ArrayWithGaps>,
    last: u64,
    figures: Option<Figures>,
}

struct ArrayWithGaps {
    array: Array,
    valid: Option<Array>,
}

impl Decoder for NpzDecoder {
    fn next(&mut self, row: &mut Vec<Option<u64>>) -> Result<Option<u64>, Problem> {
        let Some(time) = self.time.next()? else { return Ok(None) };
        let time = time.as_f64();
        let nanoseconds = Duration::try_from_secs_f64(time).ok().map(|time| time.as_nanos());
        let nanoseconds = nanoseconds.and_then(|time| u64::try_from(time).ok());
        let Some(nanoseconds) = nanoseconds.filter(|&time| time >= self.last) else {
            return Err(Problem::Damaged(format!("its time {time} is invalid or before the one above")));
        };
        self.last = nanoseconds;
        for column in &mut self.columns {
            let number = column.array.next()?;
            let is_valid = match &mut column.valid {
                Some(valid) => valid.next()? == Some(Number::Unsigned(1)),
                None => true,
            };
            row.push(number.filter(|number| is_valid && !number.as_f64().is_nan()).map(Number::bits));
        }
        Ok(Some(nanoseconds))
    }

    fn figures(&self) -> Option<Figures> {
        self.figures
    }
}

/// The numbers of an array, read ahead.
struct Array {
    file: Arc<File>,
    scalar: Scalar,
    order: ByteOrder,
    kind: NumberKind,
    /// The rest of the array in the file.
    rest: Range<u64>,
    bytes: Vec<u8>,
    at: usize,
}

impl Array {
    fn next(&mut self) -> Result<Option<Number>, Problem> {
        let size = self.scalar.size();
        if self.at + size > self.bytes.len() {
            let rest = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
            let length = rest.min(AHEAD * size);
            if length < size {
                return Ok(None);
            }
            self.bytes.resize(length, 0);
            self.file.read_exact_at(&mut self.bytes, self.rest.start)?;
            self.rest.start += length as u64;
            self.at = 0;
        }
        let element = &self.bytes[self.at..self.at + size];
        self.at += size;
        Ok(self.scalar.read(element, self.order).and_then(Number::of))
    }
}

struct Contents {
    /// The one-dimensional arrays of numbers, in the order of the file.
    arrays: Vec<(String, Array)>,
    figures: Option<Figures>,
}

fn contents(file: &Arc<File>) -> Result<Contents, Problem> {
    let not = |error: zip::result::ZipError| Problem::NotRecording(format!("it is no NPZ file: {error}"));
    let mut archive = ZipArchive::new(Arc::clone(file)).map_err(not)?;
    if archive.len() > 2 * MAX_TRACKS {
        return Err(Problem::NotRecording(format!("it has more than {MAX_TRACKS} channels")));
    }
    let mut arrays = vec![];
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(not)?;
        let Some(name) = entry.name().strip_suffix(".npy").map(str::to_owned) else { continue };
        if is_own(&name) {
            continue;
        }
        if entry.compression() != CompressionMethod::Stored {
            let reason = "its arrays are compressed. Save them with numpy.savez".to_owned();
            return Err(Problem::NotRecording(reason));
        }
        let Some(start) = entry.data_start() else { continue };
        let size = entry.size();
        let header = |offset: u64, into: &mut [u8]| {
            offset.checked_add(into.len() as u64).is_some_and(|end| end <= size)
                && start.checked_add(offset).is_some_and(|at| file.read_exact_at(into, at).is_ok())
        };
        let rows = npy_rows(&header, size).map_err(|error| Problem::Damaged(format!("{name}: {error}")))?;
        let TypeKind::Scalar(scalar, order) = *rows.row.kind() else { continue };
        let Some(kind) = NumberKind::of(Place { ty: &rows.row, offset: 0, bits: None }) else { continue };
        let rest = rows.range.start + start..rows.range.end + start;
        let file = Arc::clone(file);
        arrays.push((name, Array { file, scalar, order, kind, rest, bytes: vec![], at: 0 }));
    }
    let comment = std::str::from_utf8(archive.comment()).ok();
    Ok(Contents { arrays, figures: comment.and_then(Figures::of_json) })
}

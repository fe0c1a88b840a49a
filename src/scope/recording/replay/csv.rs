//! CSV with a column `time`.

use super::error::Problem;
use super::json::{KindFacts, bits_as};
use super::{Decoder, MAX_TRACKS, Opened};
use crate::scope::recording::track::Track;
use crate::scope::recording::writer::is_own;
use crate::scope::{Number, NumberKind};
use crate::segment::{quote, shorten};
use ::csv::{ByteRecord, Reader};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, Take};
use std::os::unix::fs::FileExt as _;

/// The longest line.
const MAX_LINE: u64 = 1 << 20;

/// Opens a file. Reads all of it to find out which columns are integers.
pub(super) fn open(file: File) -> Result<Opened, Problem> {
    let length = complete_length(&file)?;
    let is_cut_off = length < file.metadata()?.len();
    let mut reader = reader(file.try_clone()?, length)?;
    let mut names = reader.byte_headers().map_err(problem)?.clone();
    let channels = names.iter().take_while(|name| !std::str::from_utf8(name).is_ok_and(is_own)).count();
    names.truncate(channels);
    if names.get(0) != Some(b"time") || names.len() < 2 {
        let reason = "it is CSV, but its columns are not 'time' and channels".to_owned();
        return Err(Problem::NotRecording(reason));
    }
    if names.len() > MAX_TRACKS + 1 {
        return Err(Problem::NotRecording(format!("it has more than {MAX_TRACKS} channels")));
    }
    let mut facts = vec![KindFacts::default(); names.len() - 1];
    let mut record = ByteRecord::new();
    // Damage is reported after the samples before it.
    while let Ok(true) = reader.read_byte_record(&mut record) {
        for (facts, cell) in facts.iter_mut().zip(record.iter().skip(1)) {
            if let Some(number) = number(cell) {
                facts.add(number);
            }
        }
    }
    let track = |(name, facts): (&[u8], &KindFacts)| Track {
        name: String::from_utf8_lossy(name).into_owned(),
        kind: facts.kind(),
    };
    let tracks: Vec<Track> = names.iter().skip(1).zip(&facts).map(track).collect();
    let kinds = tracks.iter().map(|track| track.kind).collect();
    let reader = self::reader(file, length)?;
    let decoder = CsvDecoder { reader, kinds, record, last: None, is_cut_off };
    Ok(Opened { tracks, start: None, decoder: Box::new(decoder) })
}

struct CsvDecoder {
    reader: Reader<ShortLines>,
    kinds: Vec<NumberKind>,
    record: ByteRecord,
    last: Option<u64>,
    is_cut_off: bool,
}

impl Decoder for CsvDecoder {
    fn next(&mut self, row: &mut Vec<Option<u64>>) -> Result<Option<u64>, Problem> {
        if !self.reader.read_byte_record(&mut self.record).map_err(problem)? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, ::csv::Position::line);
        let wrong = |cell: &[u8], problem: &str| {
            let cell = shorten(&quote(cell), 40, "…");
            Problem::Damaged(format!("'{cell}' in line {line} {problem}"))
        };
        let cell = &self.record[0];
        let time = parse_seconds(cell).ok_or_else(|| wrong(cell, "is no time in seconds"))?;
        if self.last.is_some_and(|last| time < last) {
            return Err(wrong(cell, "is before the time of the line above"));
        }
        self.last = Some(time);
        for (cell, &kind) in self.record.iter().skip(1).zip(&self.kinds) {
            row.push(match cell {
                b"" => None,
                cell => Some(bits_as(number(cell).ok_or_else(|| wrong(cell, "is no number"))?, kind)),
            });
        }
        Ok(Some(time))
    }

    fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }
}

fn number(cell: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(cell).ok()?.trim();
    let unsigned = text.parse().map(Number::Unsigned);
    let integer = unsigned.or_else(|_| text.parse().map(Number::Signed));
    integer.ok().or_else(|| text.parse().ok().map(Number::Float))
}

/// Parses seconds with up to nine decimals as nanoseconds.
fn parse_seconds(cell: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(cell).ok()?.trim();
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 9 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: u64 = format!("{decimals:0<9}").parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

/// Returns the length up to the last end of a line.
fn complete_length(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut bytes = vec![0; 64 << 10];
    while end > 0 {
        let start = end.saturating_sub(bytes.len() as u64);
        let part = &mut bytes[..usize::try_from(end - start).unwrap_or(0)];
        file.read_exact_at(part, start)?;
        if let Some(at) = memchr::memrchr(b'\n', part) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn reader(mut file: File, length: u64) -> io::Result<Reader<ShortLines>> {
    file.rewind()?;
    Ok(Reader::from_reader(ShortLines { file: BufReader::new(file).take(length), line: 0 }))
}

/// Fails on lines that would fill the memory.
struct ShortLines {
    file: Take<BufReader<File>>,
    /// The bytes of the current line.
    line: u64,
}

impl Read for ShortLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.line = match memchr::memrchr(b'\n', &buffer[..read]) {
            Some(at) => (read - at - 1) as u64,
            None => self.line + read as u64,
        };
        if self.line > MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        Ok(read)
    }
}

fn problem(error: ::csv::Error) -> Problem {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) if error.kind() != io::ErrorKind::InvalidData => Problem::Read(error),
        ::csv::ErrorKind::Io(error) => Problem::Damaged(error.to_string()),
        ::csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.map_or(0, |at| at.line());
            Problem::Damaged(format!("line {line} has {len} cells instead of {expected_len}"))
        }
        _ => Problem::Damaged("it is no CSV".to_owned()),
    }
}

//! CSV: `time` and a column for each channel. A gap is an empty cell.

use super::encoder::{Encoder, Header, Row};
use super::rollover::GrowingFile;
use super::writer::COLUMNS;
use crate::act::{Destination, SaveError};
use crate::scope::writers::Write;
use crate::scope::{Number, NumberKind};
use std::{io, iter};

/// Bytes that are written at once.
const BUFFER: usize = 64 << 10;

/// The most bytes of a number: `-1.7976931348623157e308` and a comma.
const MAX_CELL: u64 = 26;
/// The most bytes of the cells of a writer, without the name of the function.
const MAX_WRITER: u64 = 28;

pub(super) struct CsvEncoder {
    file: GrowingFile,
    kinds: Vec<NumberKind>,
    has_writers: bool,
    rows: u64,
    /// The rows that are in the file.
    kept: u64,
}

impl CsvEncoder {
    pub fn create(destination: Destination<'_>, header: &Header) -> Result<Self, SaveError> {
        let mut file = GrowingFile::create(destination, &[])?;
        let names = header.channels.iter().map(|channel| channel.name.as_str());
        let mut writer = ::csv::Writer::from_writer(&mut file.buffer);
        let writers = COLUMNS.into_iter().filter(|_| header.has_writers);
        let names = iter::once("time").chain(names).chain(writers);
        let written = writer.write_record(names).map_err(io::Error::from);
        written.and_then(|()| writer.flush()).map_err(|error| destination.error(error))?;
        drop(writer);
        file.publish(destination)?;
        let kinds = header.channels.iter().map(|channel| channel.kind).collect();
        Ok(Self { file, kinds, has_writers: header.has_writers, rows: 0, kept: 0 })
    }
}

impl Encoder for CsvEncoder {
    fn push(&mut self, row: Row<'_>) -> io::Result<()> {
        let out = &mut self.file.buffer;
        push_seconds(row.since_first, out);
        for (sample, kind) in row.samples().zip(&self.kinds) {
            out.push(b',');
            if let Some(bits) = sample {
                push_number(kind.number(bits), out);
            }
        }
        if self.has_writers {
            push_writer(row.write(), out);
        }
        out.push(b'\n');
        self.rows += 1;
        if self.file.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn length_with(&self, row: Row<'_>) -> u64 {
        let writer = row.write().map_or(0, |write| 2 * write.place.name().len() as u64 + MAX_WRITER);
        self.file.length() + (row.batch.columns.len() as u64 + 1) * MAX_CELL + writer
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.kept = self.rows;
        Ok(())
    }

    fn kept(&self) -> u64 {
        self.kept
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.sync()
    }

    fn keep(&mut self) -> io::Result<()> {
        self.file.cut(&[])
    }
}

/// Appends the cells of a writer, which are empty for a gap.
fn push_writer(write: Option<&Write>, out: &mut Vec<u8>) {
    let Some(Write { thread, place, is_late }) = write else {
        out.extend_from_slice(b",,,,");
        return;
    };
    for id in [thread.process.pid, thread.tid] {
        out.push(b',');
        out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
    }
    // The functions of templates have commas.
    out.extend_from_slice(b",\"");
    out.extend_from_slice(place.name().replace('"', "\"\"").as_bytes());
    out.extend_from_slice(if *is_late { b"\",1" } else { b"\",0" });
}

/// Appends nanoseconds as seconds with nine decimals.
fn push_seconds(nanoseconds: u64, out: &mut Vec<u8>) {
    const NANOSECONDS: u64 = 1_000_000_000;
    out.extend_from_slice(itoa::Buffer::new().format(nanoseconds / NANOSECONDS).as_bytes());
    out.push(b'.');
    let mut decimals = [b'0'; 9];
    let mut rest = nanoseconds % NANOSECONDS;
    for digit in decimals.iter_mut().rev() {
        *digit = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
    }
    out.extend_from_slice(&decimals);
}

/// Appends a number that parses to the same bits, except for the payload of a NaN.
pub(super) fn push_number(number: Number, out: &mut Vec<u8>) {
    match number {
        Number::Unsigned(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        Number::Signed(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        Number::Single(value) => out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes()),
        Number::Float(value) => out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes()),
    }
}

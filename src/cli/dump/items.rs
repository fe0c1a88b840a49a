//! Prints the contents as items of equal size, one per line: either 16-byte lines as JSON, or values of a
//! type. Repeated items are squeezed.

use crate::decode::{Decoded, Squeeze, Type};
use crate::memory::{Chunk, Chunks, PageBuffer, Progress, Reader};
use serde::Serialize;
use std::io::{self, Write};
use std::ops::Range;

/// The item size without a type.
const LINE: u64 = 16;
/// Minimum bytes per read.
const PIECE: u64 = 256 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
    Csv,
}

pub struct Items<'a> {
    kind: Option<&'a Type>,
    /// The name of the type.
    name: String,
    form: Form,
    squeeze: Squeeze,
    last: Vec<u8>,
    /// Items that repeat the last one printed.
    run: Option<Range<u64>>,
}

#[derive(Serialize)]
struct LineJson {
    offset: u64,
    hex: String,
    text: String,
}

#[derive(Serialize)]
struct ValueJson<'a> {
    offset: u64,
    #[serde(rename = "type")]
    kind: &'a str,
    value: Decoded<'a>,
    /// The segment ends within the value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

#[derive(Serialize)]
struct RunJson {
    offset: u64,
    length: u64,
    /// Set if the item repeats the last one.
    repeats: bool,
}

/// Prints a range as items. Squeezed holes are skipped without reading.
pub fn write(
    reader: &Reader,
    range: Range<u64>,
    mut items: Items<'_>,
    progress: &Progress,
    out: &mut impl Write,
) -> io::Result<()> {
    let size = items.size();
    let mut chunks = Chunks::new(reader, range, size, progress)?;
    if items.squeeze == Squeeze::Off {
        chunks = chunks.with_holes_up_to(PIECE.max(size));
    }
    let mut bytes = PageBuffer::with_capacity(usize::try_from(PIECE.max(size)).map_err(io::Error::other)?);
    items.begin(out)?;
    loop {
        let offset = chunks.offset();
        match chunks.next(&mut bytes)? {
            None => break,
            Some(Chunk::Bytes(count)) => items.bytes(offset, &bytes[..count], out)?,
            Some(Chunk::Hole(length)) => items.zeros(offset, length, out)?,
        }
    }
    items.end_run(out)?;
    out.flush()
}

impl<'a> Items<'a> {
    /// Creates a printer. Without a type, items are 16-byte lines.
    pub fn new(kind: Option<&'a Type>, form: Form, squeeze: Squeeze) -> Self {
        let name = kind.map_or_else(String::new, Type::to_string);
        Self { kind, name, form, squeeze, last: vec![], run: None }
    }

    /// Prints the CSV header, if the format has one.
    fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        match (self.form, self.kind) {
            (Form::Csv, Some(kind)) => record(out, "offset".to_owned(), kind.csv_header()),
            _ => Ok(()),
        }
    }

    fn size(&self) -> u64 {
        self.kind.map_or(LINE, Type::size)
    }

    fn bytes(&mut self, mut offset: u64, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
        let size = usize::try_from(self.size()).map_err(io::Error::other)?;
        for item in bytes.chunks(size) {
            self.item(offset, item, out)?;
            offset += item.len() as u64;
        }
        Ok(())
    }

    /// Prints zeros. When squeezing, skips the rest after two items of zeros.
    fn zeros(&mut self, offset: u64, length: u64, out: &mut impl Write) -> io::Result<()> {
        let size = self.size();
        let end = offset.saturating_add(length);
        let zeros = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        let mut at = offset;
        while at < end {
            let left = end - at;
            if left < size {
                let left = usize::try_from(left).unwrap_or(zeros.len());
                return self.item(at, &zeros[..left], out);
            }
            self.item(at, &zeros, out)?;
            at += size;
            if let Some(run) = &mut self.run {
                let whole = (end - at) / size * size;
                run.end += whole;
                at += whole;
            }
        }
        Ok(())
    }

    fn item(&mut self, offset: u64, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        if self.squeeze == Squeeze::On && self.last == bytes {
            if let Some(run) = &mut self.run {
                run.end = end;
                return Ok(());
            }
            self.run = Some(offset..end);
            if self.form == Form::Text {
                out.write_all(b"*\n")?;
            }
            return Ok(());
        }
        self.end_run(out)?;
        self.last.clear();
        self.last.extend_from_slice(bytes);
        self.print(offset, bytes, out)
    }

    fn print(&self, offset: u64, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
        match self.kind {
            // Too few bytes for an item, or even for an array element.
            Some(kind) if (bytes.len() as u64) < kind.smallest() => Ok(()),
            Some(kind) => {
                let value = kind.decode(bytes);
                match self.form {
                    Form::Json => {
                        let truncated = value.is_truncated();
                        object(out, &ValueJson { offset, kind: &self.name, value, truncated })
                    }
                    Form::Csv => record(out, offset.to_string(), value.csv_record()),
                    Form::Text => writeln!(out, "{offset:08x}  {value}"),
                }
            }
            None => object(out, &LineJson { offset, hex: hex(bytes), text: text(bytes) }),
        }
    }

    /// Ends a run of repeated items.
    fn end_run(&mut self, out: &mut impl Write) -> io::Result<()> {
        match self.run.take() {
            Some(run) if self.form == Form::Json => {
                object(out, &RunJson { offset: run.start, length: run.end - run.start, repeats: true })
            }
            _ => Ok(()),
        }
    }
}

/// Prints a CSV record.
pub fn record(out: &mut impl Write, first: String, rest: Vec<String>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut *out);
    writer.write_record(std::iter::once(first).chain(rest)).map_err(io::Error::other)?;
    writer.flush()
}

/// Prints a JSON object on its own line.
fn object(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// Formats bytes as hex digits: `2a00ff`.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The text column of a hex dump, with dots for unprintable bytes.
pub fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    fn printed(
        bytes: FakeBytes,
        range: Range<u64>,
        kind: Option<&str>,
        form: Form,
        squeeze: Squeeze,
    ) -> String {
        let machine = FakeMachine::new();
        machine.add_object("a", bytes);
        let survey = Survey::take(&machine, &mut Names::default());
        let reader = Reader::open(&machine, &survey.segments[0]).unwrap();
        let kind: Option<Type> = kind.map(|kind| Type::from_name(kind).unwrap());
        let mut out = vec![];
        let items = Items::new(kind.as_ref(), form, squeeze);
        write(&reader, range, items, &Progress::new(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_printed_one_per_line() {
        let bytes = FakeBytes::full(&[1, 0, 2, 0, 2, 0, 2, 0, 3, 0, 9]);
        let text = printed(bytes.clone(), 0..11, Some("u16le"), Form::Text, Squeeze::On);
        assert_eq!(text, "00000000  1\n00000002  2\n*\n00000008  3\n");
        let text = printed(bytes.clone(), 2..8, Some("u16le"), Form::Text, Squeeze::Off);
        assert_eq!(text, "00000002  2\n00000004  2\n00000006  2\n");
        let text = printed(bytes, 0..11, Some("u16le[2]"), Form::Json, Squeeze::On);
        assert_eq!(
            text,
            "{\"offset\":0,\"type\":\"u16[2]\",\"value\":[1,2]}\n{\"offset\":4,\"type\":\"u16[2]\",\"value\":[2,2]}\n\
             {\"offset\":8,\"type\":\"u16[2]\",\"value\":[3],\"truncated\":true}\n"
        );
    }

    #[test]
    fn csv_has_a_column_per_field() {
        let bytes = FakeBytes::full(&[1, 0, 2, 3, 1, 0, 2, 3, 7, 0]);
        let text = printed(bytes, 0..10, Some("u16le,u8[2]"), Form::Csv, Squeeze::Off);
        assert_eq!(text, "offset,[0],[1][0],[1][1]\r\n0,1,2,3\r\n4,1,2,3\r\n8,7,,\r\n");
    }

    #[test]
    fn json_prints_one_object_per_line() {
        let mut bytes = FakeBytes::hole(40);
        bytes.write(0, b"text\x1b\xff");
        assert_eq!(
            printed(bytes, 0..40, None, Form::Json, Squeeze::On),
            "{\"offset\":0,\"hex\":\"746578741bff00000000000000000000\",\"text\":\"text............\"}\n\
             {\"offset\":16,\"hex\":\"00000000000000000000000000000000\",\"text\":\"................\"}\n\
             {\"offset\":32,\"hex\":\"0000000000000000\",\"text\":\"........\"}\n"
        );
    }

    #[test]
    fn hole_of_any_size_is_a_line() {
        let mut bytes = FakeBytes::hole(1 << 46);
        bytes.write((1 << 46) - 4, &[7, 0, 0, 0]);
        let text = printed(bytes.clone(), 0..1 << 46, Some("u32le"), Form::Text, Squeeze::On);
        assert_eq!(text, "00000000  0\n*\n3ffffffffffc  7\n");
        let text = printed(bytes.clone(), 0..1 << 46, Some("u32le"), Form::Json, Squeeze::On);
        assert_eq!(
            text,
            "{\"offset\":0,\"type\":\"u32\",\"value\":0}\n{\"offset\":4,\"length\":70368744177656,\"repeats\":true}\n\
             {\"offset\":70368744177660,\"type\":\"u32\",\"value\":7}\n"
        );
        // The item size is odd, so the hole ends within an item.
        let text = printed(bytes, 0..1 << 46, Some("u8[3]"), Form::Text, Squeeze::On);
        assert_eq!(text, "00000000  [0, 0, 0]\n*\n3ffffffffffc  [7, 0, 0]\n3fffffffffff  [0]\n");
    }
}

//! Prints the contents as items of equal size, one per line: either 16-byte lines as JSON, or values of a
//! type. Repeated items are squeezed.

use crate::decode::{Decoded, Form, Squeeze, Type};
use serde::Serialize;
use std::io::{self, Write};
use std::ops::Range;

/// The item size without a type.
const LINE: u64 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Csv,
}

#[derive(Clone)]
pub struct Items<'a> {
    kind: Option<&'a Type>,
    /// The name of the type.
    name: &'a str,
    format: Format,
    squeeze: Squeeze,
    /// The offset of the next item.
    offset: u64,
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

impl Form for Items<'_> {
    fn item_size(&self) -> u64 {
        self.kind.map_or(LINE, Type::size)
    }

    fn squeeze(&self) -> Squeeze {
        self.squeeze
    }

    fn pass(&mut self, bytes: &[u8]) {
        let start = self.offset;
        self.offset += bytes.len() as u64;
        if self.squeeze == Squeeze::Off || bytes.is_empty() {
            return;
        }
        let size = self.size().min(bytes.len());
        let at = (bytes.len() - 1) / size * size;
        let last = &bytes[at..];
        let equal = bytes[..at].rchunks(size).take_while(|item| *item == last).count();
        let mut first = at - equal * size;
        // The first item of those that are equal is printed, unless it repeats what is before it.
        let is_repeated = first == 0 && self.last == last;
        if !is_repeated {
            first += last.len();
        }
        let begun = self.run.take().filter(|_| is_repeated).map(|run| run.start);
        if is_repeated || equal > 0 {
            self.run = Some(begun.unwrap_or(start + first as u64)..self.offset);
        }
        self.last.clear();
        self.last.extend_from_slice(last);
    }

    fn pass_zeros(&mut self, length: u64) {
        if self.squeeze == Squeeze::Off {
            self.offset += length;
        } else {
            // Two items are all that is printed.
            self.format_zeros(length, &mut vec![]);
        }
    }

    fn format(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> usize {
        text.clear();
        for item in bytes.chunks(self.size()) {
            self.item(item, text);
        }
        text.len()
    }

    /// When squeezing, skips the rest after two items of zeros.
    fn format_zeros(&mut self, length: u64, text: &mut Vec<u8>) -> usize {
        text.clear();
        let size = self.item_size();
        let end = self.offset.saturating_add(length);
        let zeros = vec![0; self.size()];
        while self.offset < end {
            let left = usize::try_from(end - self.offset).unwrap_or(zeros.len());
            self.item(&zeros[..left.min(zeros.len())], text);
            if let Some(run) = &mut self.run {
                let whole = (end - self.offset) / size * size;
                run.end += whole;
                self.offset += whole;
            }
        }
        text.len()
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_run(out);
    }
}

impl<'a> Items<'a> {
    /// Creates a printer that starts at an offset. Without a type, items are 16-byte lines.
    pub const fn new(
        kind: Option<(&'a Type, &'a str)>,
        format: Format,
        squeeze: Squeeze,
        offset: u64,
    ) -> Self {
        let (kind, name) = match kind {
            Some((kind, name)) => (Some(kind), name),
            None => (None, ""),
        };
        Self { kind, name, format, squeeze, offset, last: vec![], run: None }
    }

    fn size(&self) -> usize {
        usize::try_from(self.item_size()).unwrap_or(usize::MAX)
    }

    fn item(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        if self.squeeze == Squeeze::Off {
            return self.print(offset, bytes, out);
        }
        if self.last == bytes {
            if let Some(run) = &mut self.run {
                run.end = self.offset;
                return;
            }
            self.run = Some(offset..self.offset);
            if self.format == Format::Text {
                out.extend_from_slice(b"*\n");
            }
            return;
        }
        self.end_run(out);
        self.last.clear();
        self.last.extend_from_slice(bytes);
        self.print(offset, bytes, out);
    }

    fn print(&self, offset: u64, bytes: &[u8], out: &mut Vec<u8>) {
        match self.kind {
            // Too few bytes for an item, or even for an array element.
            Some(kind) if (bytes.len() as u64) < kind.smallest() => {}
            Some(kind) => {
                let value = kind.decode(bytes);
                match self.format {
                    Format::Json => {
                        let truncated = value.is_truncated();
                        object(out, &ValueJson { offset, kind: self.name, value, truncated });
                    }
                    Format::Csv => push_record(offset, value, out),
                    Format::Text => value.push_lines(offset, out),
                }
            }
            None => object(out, &LineJson { offset, hex: hex(bytes), text: text(bytes) }),
        }
    }

    /// Ends a run of repeated items.
    fn end_run(&mut self, out: &mut Vec<u8>) {
        if let Some(run) = self.run.take().filter(|_| self.format == Format::Json) {
            object(out, &RunJson { offset: run.start, length: run.end - run.start, repeats: true });
        }
    }
}

/// Appends a CSV record: the offset, and the values of the leaves.
pub fn push_record(offset: u64, value: Decoded<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(offset).as_bytes());
    value.push_csv(out);
    out.extend_from_slice(b"\r\n");
}

/// Writes the CSV header of a type.
pub fn write_header(kind: &Type, out: &mut impl Write) -> io::Result<()> {
    let mut header = b"offset".to_vec();
    kind.push_csv_header(&mut header);
    header.extend_from_slice(b"\r\n");
    out.write_all(&header)
}

/// Appends a JSON object on its own line.
fn object(out: &mut Vec<u8>, value: &impl Serialize) {
    // Neither a Vec nor values of ours fail.
    let _ = serde_json::to_writer(&mut *out, value);
    out.push(b'\n');
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
    use crate::decode::dump_as;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::memory::{Progress, Reader};
    use crate::survey::{Names, Survey};
    use proptest::prelude::*;

    fn printed(
        bytes: FakeBytes,
        range: Range<u64>,
        kind: Option<&str>,
        format: Format,
        squeeze: Squeeze,
    ) -> String {
        let machine = FakeMachine::new();
        machine.add_object("a", bytes);
        let survey = Survey::take(&machine, &mut Names::default());
        let reader = Reader::open(&machine, &survey.segments[0]).unwrap();
        let kind: Option<Type> = kind.map(|kind| Type::from_name(kind).unwrap());
        let mut out = vec![];
        let name = kind.as_ref().map(Type::to_string).unwrap_or_default();
        let named = kind.as_ref().map(|kind| (kind, name.as_str()));
        let items = |start| Items::new(named, format, squeeze, start);
        if let Some(kind) = kind.as_ref().filter(|_| format == Format::Csv) {
            write_header(kind, &mut out).unwrap();
        }
        dump_as(&reader, range, items, &mut out, &Progress::new()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_printed_one_per_line() {
        let bytes = FakeBytes::full(&[1, 0, 2, 0, 2, 0, 2, 0, 3, 0, 9]);
        let text = printed(bytes.clone(), 0..11, Some("u16le"), Format::Text, Squeeze::On);
        assert_eq!(text, "00000000  1\n00000002  2\n*\n00000008  3\n");
        let text = printed(bytes.clone(), 2..8, Some("u16le"), Format::Text, Squeeze::Off);
        assert_eq!(text, "00000002  2\n00000004  2\n00000006  2\n");
        let text = printed(bytes, 0..11, Some("u16le[2]"), Format::Json, Squeeze::On);
        assert_eq!(
            text,
            "{\"offset\":0,\"type\":\"u16[2]\",\"value\":[1,2]}\n{\"offset\":4,\"type\":\"u16[2]\",\"value\":[2,2]}\n\
             {\"offset\":8,\"type\":\"u16[2]\",\"value\":[3],\"truncated\":true}\n"
        );
    }

    #[test]
    fn csv_has_a_column_per_field() {
        let bytes = FakeBytes::full(&[1, 0, 2, 3, 1, 0, 2, 3, 7, 0]);
        let text = printed(bytes, 0..10, Some("u16le,u8[2]"), Format::Csv, Squeeze::Off);
        assert_eq!(text, "offset,[0],[1][0],[1][1]\r\n0,1,2,3\r\n4,1,2,3\r\n8,7,,\r\n");
    }

    #[test]
    fn json_prints_one_object_per_line() {
        let mut bytes = FakeBytes::hole(40);
        bytes.write(0, b"text\x1b\xff");
        assert_eq!(
            printed(bytes, 0..40, None, Format::Json, Squeeze::On),
            "{\"offset\":0,\"hex\":\"746578741bff00000000000000000000\",\"text\":\"text............\"}\n\
             {\"offset\":16,\"hex\":\"00000000000000000000000000000000\",\"text\":\"................\"}\n\
             {\"offset\":32,\"hex\":\"0000000000000000\",\"text\":\"........\"}\n"
        );
    }

    #[test]
    fn hole_of_any_size_is_a_line() {
        let mut bytes = FakeBytes::hole(1 << 46);
        bytes.write((1 << 46) - 4, &[7, 0, 0, 0]);
        let text = printed(bytes.clone(), 0..1 << 46, Some("u32le"), Format::Text, Squeeze::On);
        assert_eq!(text, "00000000  0\n*\n3ffffffffffc  7\n");
        let text = printed(bytes.clone(), 0..1 << 46, Some("u32le"), Format::Json, Squeeze::On);
        assert_eq!(
            text,
            "{\"offset\":0,\"type\":\"u32\",\"value\":0}\n{\"offset\":4,\"length\":70368744177656,\"repeats\":true}\n\
             {\"offset\":70368744177660,\"type\":\"u32\",\"value\":7}\n"
        );
        // The item size is odd, so the hole ends within an item.
        let text = printed(bytes, 0..1 << 46, Some("u8[3]"), Format::Text, Squeeze::On);
        assert_eq!(text, "00000000  [0, 0, 0]\n*\n3ffffffffffc  [7, 0, 0]\n3fffffffffff  [0]\n");
    }

    proptest! {
        #[test]
        fn output_does_not_depend_on_chunks(
            items in proptest::collection::vec(0u8..2, 0..200),
            hole in 0usize..3000,
            size in 1usize..6,
            is_json: bool,
        ) {
            let mut bytes = items;
            bytes.resize(bytes.len() + hole, 0);
            bytes.extend([1, 1, 0, 0, 1]);
            let kind = format!("u8[{size}]");
            let format = if is_json { Format::Json } else { Format::Text };
            for squeeze in [Squeeze::On, Squeeze::Off] {
                let ty = Type::from_name(&kind).unwrap();
                let mut whole = Items::new(Some((&ty, &kind)), format, squeeze, 0);
                let mut expected = vec![];
                whole.format(&bytes, &mut expected);
                whole.finish(&mut expected);
                let mut sparse = FakeBytes::hole(bytes.len() as u64);
                for (offset, byte) in (0..).zip(&bytes).filter(|(_, byte)| **byte != 0) {
                    sparse.write(offset, &[*byte]);
                }
                let end = bytes.len() as u64;
                let found = printed(sparse, 0..end, Some(&kind), format, squeeze);
                prop_assert_eq!(found, String::from_utf8(expected).unwrap());
            }
        }
    }
}

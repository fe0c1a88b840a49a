//! MCAP: a topic for each channel with JSON messages `{"value":…}`, and `"name"` for the values of an
//! enumeration.
//!
//! Complete chunks reach the file as a whole, followed by an end, so that a recording that was killed or
//! filled the disk can be read up to its last chunk. The sequence number of a message is that of the tick: a gap in all channels shows there.

use super::csv::push_number;
use super::encoder::{Encoder, Header, Row};
use super::figures::Figures;
use super::rollover::GrowingFile;
use super::track::Epoch;
use crate::act::{Destination, SaveError};
use crate::scope::{self, Channel, Number, NumberKind};
use ::mcap::records::{MessageHeader, Metadata};
use ::mcap::write::NoSeek;
use ::mcap::{Compression, McapError, WriteOptions};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The name of the program in the header of a file.
pub(super) const LIBRARY: &str = concat!("shmlens ", env!("CARGO_PKG_VERSION"));
/// The key in the metadata of a topic for its [`NumberKind`].
pub(super) const KIND: &str = "kind";
/// The start and the end of each message.
pub(super) const VALUE: (&[u8], &[u8]) = (b"{\"value\":", b"}");
/// The start of the writer in a message behind its value.
const WRITER: &str = ",\"pid\":";

/// The end of a file without a summary: the records `DataEnd` and `Footer`, and the magic bytes.
const END: &[u8] = b"\x0f\x04\0\0\0\0\0\0\0\0\0\0\0\
    \x02\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \x89MCAP0\r\n";

/// Bytes of messages after which a chunk ends.
const CHUNK: u64 = 1 << 20;
/// The bytes around a message, with its place in the index of its chunk.
const MESSAGE: u64 = 31 + 16;

pub(super) struct McapEncoder {
    /// `None` after an error.
    writer: Option<::mcap::Writer<NoSeek<SharedFile>>>,
    file: SharedFile,
    epoch: Epoch,
    topics: Vec<Topic>,
    /// A bound for the bytes of the messages that are not yet in a complete chunk.
    pending: u64,
    /// The bytes that the file will need at its end for topics and chunks.
    summary: u64,
    message: Vec<u8>,
    rows: u64,
    kept: u64,
    figures: Option<Figures>,
}

struct Topic {
    id: u16,
    channel: Channel,
}

impl Topic {
    /// Replaces a message by that of a sample.
    fn write(
        &self,
        bits: u64,
        write: Option<&scope::writers::Write>,
        message: &mut Vec<u8>,
    ) -> io::Result<()> {
        message.clear();
        message.extend_from_slice(VALUE.0);
        push_json(self.channel.kind.number(bits), message);
        if let Some(name) = self.channel.enumerator(bits) {
            message.extend_from_slice(b",\"name\":");
            message.extend_from_slice(serde_json::Value::from(name).to_string().as_bytes());
        }
        if let Some(write) = write {
            push_writer(write, message)?;
        }
        message.extend_from_slice(VALUE.1);
        Ok(())
    }
}

impl McapEncoder {
    pub fn create(destination: Destination<'_>, header: &Header) -> Result<Self, SaveError> {
        let file = SharedFile(Arc::new(Mutex::new(GrowingFile::create(destination, END)?)));
        let encoder = Self::begin(file, header).map_err(|error| destination.error(error))?;
        encoder.file.lock().publish(destination)?;
        Ok(encoder)
    }

    fn begin(file: SharedFile, header: &Header) -> io::Result<Self> {
        let options = WriteOptions::new()
            .compression(Some(Compression::Zstd))
            .compression_threads(0)
            .chunk_size(None)
            .disable_seeking(true)
            .library(LIBRARY);
        let mut writer = options.create(NoSeek::new(file.clone())).map_err(io_error)?;
        let mut topics = vec![];
        for channel in &header.channels {
            let id = add_topic(&mut writer, channel, header.has_writers).map_err(io_error)?;
            topics.push(Topic { id, channel: channel.clone() });
        }
        writer.flush().map_err(io_error)?;
        let names: u64 = header.channels.iter().map(|channel| channel.name.len() as u64).sum();
        let mut encoder = Self {
            writer: Some(writer),
            file,
            epoch: header.epoch,
            topics,
            pending: 0,
            summary: names + 128 * header.channels.len() as u64 + 2048,
            message: vec![],
            rows: 0,
            kept: 0,
            figures: None,
        };
        encoder.count_chunk();
        Ok(encoder)
    }

    /// Counts the index of a chunk.
    fn count_chunk(&mut self) {
        self.summary += 128 + 20 * self.topics.len() as u64;
        self.pending = 0;
    }
}

impl Encoder for McapEncoder {
    fn push(&mut self, row: Row<'_>) -> io::Result<()> {
        let writer = self.writer.as_mut().ok_or_else(ended)?;
        let log_time = self.epoch.realtime_of(row.time());
        let sequence = wrapped(row.number);
        for (sample, topic) in row.samples().zip(&self.topics) {
            let Some(bits) = sample else { continue };
            topic.write(bits, row.write(), &mut self.message)?;
            let header = MessageHeader { channel_id: topic.id, sequence, log_time, publish_time: log_time };
            writer.write_to_known_channel(&header, &self.message).map_err(io_error)?;
            self.pending += MESSAGE + self.message.len() as u64;
        }
        self.rows += 1;
        if self.pending >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn length_with(&self, row: Row<'_>) -> u64 {
        let mut message = vec![];
        let next = row.samples().zip(&self.topics).filter_map(|(sample, topic)| {
            topic.write(sample?, row.write(), &mut message).ok()?;
            Some(MESSAGE + message.len() as u64)
        });
        let next: u64 = next.sum();
        self.file.lock().length() + self.pending + next + self.summary + 512
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().ok_or_else(ended)?.flush().map_err(io_error)?;
        if self.pending > 0 {
            self.count_chunk();
        }
        self.kept = self.rows;
        Ok(())
    }

    fn kept(&self) -> u64 {
        self.kept
    }

    fn set_figures(&mut self, figures: Figures) {
        self.figures = Some(figures);
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.lock().remove_end();
        if let (Some(writer), Some(figures)) = (&mut self.writer, self.figures) {
            let metadata = Metadata { name: Figures::NAME.to_owned(), metadata: figures.entries() };
            writer.write_metadata(&metadata).map_err(io_error)?;
        }
        self.writer.as_mut().ok_or_else(ended)?.finish().map_err(io_error)?;
        self.writer = None;
        let mut file = self.file.lock();
        file.flush()?;
        file.sync()
    }

    fn keep(&mut self) -> io::Result<()> {
        // Dropping the writer appends a summary to the buffer, which the cut clears.
        self.writer = None;
        self.file.lock().cut(END)
    }
}

/// Adds the topic of a channel. Its schema has plain types only, because viewers know no others.
fn add_topic<W: Write + io::Seek>(
    writer: &mut ::mcap::Writer<W>,
    channel: &Channel,
    has_writers: bool,
) -> Result<u16, McapError> {
    let (name, ty) = match channel.kind {
        NumberKind::Unsigned => ("u64", "integer"),
        NumberKind::Signed => ("i64", "integer"),
        NumberKind::Single => ("f32", "number"),
        NumberKind::Float => ("f64", "number"),
    };
    let (state, of_state) =
        if channel.has_enumerators() { (".enum", r#","name":{"type":"string"}"#) } else { ("", "") };
    let (written, of_writer) = if has_writers { (".written", WRITER_SCHEMA) } else { ("", "") };
    let schema = format!(
        r#"{{"type":"object","properties":{{"value":{{"type":"{ty}"}}{of_state}{of_writer}}},"required":["value"]}}"#
    );
    let schema =
        writer.add_schema(&format!("shmlens.{name}{state}{written}"), "jsonschema", schema.as_bytes())?;
    let metadata = BTreeMap::from([(KIND.to_owned(), name.to_owned())]);
    writer.add_channel(schema, &channel.name, "json", &metadata)
}

/// The members of a message that tell its writer.
const WRITER_SCHEMA: &str = concat!(
    r#","pid":{"type":"integer"},"tid":{"type":"integer"},"function":{"type":"string"},"#,
    r#""late":{"type":"boolean"}"#
);

/// Appends the members for a writer.
fn push_writer(write: &scope::writers::Write, out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "{WRITER}{},\"tid\":{},\"function\":", write.thread.process.pid, write.thread.tid)?;
    serde_json::to_writer(&mut *out, &write.place.name())?;
    write!(out, ",\"late\":{}", write.is_late)
}

/// Appends a number as JSON. JSON has no NaN and no infinity: they are strings, as in the JSON of
/// protocol buffers.
fn push_json(number: Number, out: &mut Vec<u8>) {
    match number {
        Number::Unsigned(_) | Number::Signed(_) => push_number(number, out),
        Number::Single(_) | Number::Float(_) => match number.as_f64() {
            f64::INFINITY => out.extend_from_slice(b"\"Infinity\""),
            f64::NEG_INFINITY => out.extend_from_slice(b"\"-Infinity\""),
            value if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
            _ => push_number(number, out),
        },
    }
}

/// The file, of which the writer gives no access.
#[derive(Clone)]
struct SharedFile(Arc<Mutex<GrowingFile>>);

impl SharedFile {
    fn lock(&self) -> MutexGuard<'_, GrowingFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

/// Readers take differences of sequence numbers, which wrap around.
#[expect(clippy::cast_possible_truncation, reason = "the high bits are dropped on purpose")]
const fn wrapped(number: u64) -> u32 {
    number as u32
}

fn ended() -> io::Error {
    io::Error::other("the recording has ended")
}

fn io_error(error: McapError) -> io::Error {
    match error {
        McapError::Io(error) => error,
        error => io::Error::other(error),
    }
}

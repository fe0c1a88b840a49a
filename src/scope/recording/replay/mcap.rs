//! MCAP files, also those that were cut off and those of other programs.

use super::error::Problem;
use super::json::{KindFacts, bits_as, numbers, parse_own};
use super::{Decoder, MAX_TRACKS, Opened};
use crate::scope::NumberKind;
use crate::scope::recording::figures::Figures;
use crate::scope::recording::mcap::KIND;
use crate::scope::recording::track::Track;
use ::mcap::McapError;
use ::mcap::records::{Channel, Record};
use ::mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fs::File;
use std::io::{self, Read as _, Seek as _};

/// The longest record outside of chunks.
const MAX_RECORD: usize = 64 << 20;
/// Messages of other programs that are sorted by time.
const SORTED: usize = 8192;

/// Opens a file. Reads those of other programs as a whole to find their channels.
pub(super) fn open(mut file: File) -> Result<Opened, Problem> {
    let contents = Contents::scan(&mut file)?;
    if contents.tracks.is_empty() {
        return Err(Problem::NotRecording("it has no JSON messages with numbers".to_owned()));
    }
    file.rewind()?;
    let start = contents.start;
    let tracks = contents.tracks.clone();
    let decoder = McapDecoder {
        records: Records::new(file),
        contents,
        messages: BinaryHeap::new(),
        read: 0,
        last: None,
        gap_until: None,
    };
    Ok(Opened { tracks, start, decoder: Box::new(decoder) })
}

/// The records of a file, also of those inside of chunks.
struct Records {
    file: File,
    reader: LinearReader,
    is_at_end: bool,
    is_cut_off: bool,
    figures: Option<Figures>,
}

impl Records {
    fn new(file: File) -> Self {
        let options = LinearReaderOptions::default()
            .with_validate_chunk_crcs(true)
            .with_record_length_limit(MAX_RECORD);
        let reader = LinearReader::new_with_options(options);
        Self { file, reader, is_at_end: false, is_cut_off: false, figures: None }
    }

    /// Passes the next record that matters to `take`. Returns false at the end.
    fn next(&mut self, take: impl FnOnce(Record<'_>)) -> Result<bool, Problem> {
        loop {
            let event = match self.reader.next_event() {
                None => return Ok(false),
                Some(Ok(event)) => event,
                // A cut can be in the middle of anything.
                Some(Err(_)) if self.is_at_end => {
                    self.is_cut_off = true;
                    return Ok(false);
                }
                Some(Err(error)) => return Err(damage(error)),
            };
            match event {
                LinearReadEvent::ReadRequest(length) => {
                    let read = retry(|| self.file.read(self.reader.insert(length)))?;
                    self.is_at_end = read == 0;
                    self.reader.notify_read(read);
                }
                LinearReadEvent::Record { opcode, data } => {
                    match ::mcap::parse_record(opcode, data).map_err(damage)? {
                        record @ (Record::Channel(_) | Record::Message { .. }) => {
                            take(record);
                            return Ok(true);
                        }
                        // The rest is a summary.
                        Record::DataEnd(_) => self.is_cut_off = false,
                        Record::Metadata(found) if found.name == Figures::NAME => {
                            self.figures = Figures::of_entries(&found.metadata);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn damage(error: McapError) -> Problem {
    match error {
        McapError::Io(error) => Problem::Read(error),
        McapError::UnsupportedCompression(name) => Problem::NotRecording(format!(
            "its compression '{}' is not supported. Convert it with `mcap compress --compression zstd`",
            crate::segment::quote(name.as_bytes())
        )),
        error => Problem::Damaged(error.to_string()),
    }
}

/// The channels of a file.
#[derive(Default)]
struct Contents {
    tracks: Vec<Track>,
    /// The tracks of a topic by the paths in its messages.
    topics: HashMap<u16, Topic>,
    /// The time of the earliest message.
    start: Option<u64>,
    is_own: bool,
}

#[derive(Default)]
struct Topic {
    /// The track of an empty path.
    own: Option<usize>,
    paths: HashMap<String, usize>,
}

impl Contents {
    /// Reads the topics. All those of shmlens are before the first message.
    fn scan(file: &mut File) -> Result<Self, Problem> {
        let mut records = Records::new(file.try_clone()?);
        let mut contents = Self { is_own: true, ..Self::default() };
        let mut names: HashMap<u16, String> = HashMap::new();
        let mut facts: BTreeMap<(String, String), (KindFacts, Vec<u16>)> = BTreeMap::new();
        let mut problem = None;
        loop {
            let more = records.next(|record| match record {
                Record::Channel(channel) if channel.message_encoding == "json" => match own_kind(&channel) {
                    Some(kind) if contents.is_own => contents.add_own(&channel, kind),
                    _ => {
                        contents.is_own = false;
                        names.insert(channel.id, channel.topic);
                    }
                },
                Record::Channel(_) => contents.is_own = false,
                Record::Message { header, data } => {
                    if contents.topics.contains_key(&header.channel_id) {
                        contents.begin(header.log_time);
                    }
                    let Some(topic) = names.get(&header.channel_id) else { return };
                    numbers(&data, &mut |path, number| {
                        contents.begin(header.log_time);
                        let found = facts.entry((topic.clone(), path.to_owned())).or_default();
                        found.0.add(number);
                        if !found.1.contains(&header.channel_id) {
                            found.1.push(header.channel_id);
                        }
                    });
                }
                _ => {}
            });
            match more {
                Ok(true) if contents.is_own && contents.start.is_some() => break,
                Ok(true) if facts.len() + contents.tracks.len() <= MAX_TRACKS => {}
                Ok(true) => {
                    problem = Some(Problem::NotRecording(format!("it has more than {MAX_TRACKS} channels")));
                    break;
                }
                Ok(false) => break,
                // Damage is reported after the samples before it.
                Err(Problem::Damaged(_)) if contents.start.is_some() => break,
                Err(error) => return Err(error),
            }
        }
        for ((topic, path), (facts, ids)) in facts {
            let track = contents.tracks.len();
            contents.tracks.push(Track { name: format!("{topic}{path}"), kind: facts.kind() });
            for id in ids {
                contents.topics.entry(id).or_default().paths.insert(path.clone(), track);
            }
        }
        problem.map_or(Ok(contents), Err)
    }

    fn begin(&mut self, time: u64) {
        self.start = Some(self.start.map_or(time, |start| start.min(time)));
    }

    fn add_own(&mut self, channel: &Channel, kind: NumberKind) {
        if self.topics.contains_key(&channel.id) {
            return;
        }
        let topic = Topic { own: Some(self.tracks.len()), paths: HashMap::new() };
        self.topics.insert(channel.id, topic);
        self.tracks.push(Track { name: channel.topic.clone(), kind });
    }
}

fn own_kind(channel: &Channel) -> Option<NumberKind> {
    Some(match channel.metadata.get(KIND)?.as_str() {
        "u64" => NumberKind::Unsigned,
        "i64" => NumberKind::Signed,
        "f32" => NumberKind::Single,
        "f64" => NumberKind::Float,
        _ => return None,
    })
}

struct McapDecoder {
    records: Records,
    contents: Contents,
    /// The samples that were read ahead, the earliest first.
    messages: BinaryHeap<Reverse<Sample>>,
    /// The number of samples that were read.
    read: u64,
    /// The time and the sequence number of the last row.
    last: Option<(u64, u32)>,
    /// The time of the next row, when a row for the gap before it was delivered.
    gap_until: Option<u64>,
}

/// A sample. The order is that of time, and then that in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    time: u64,
    order: u64,
    sequence: u32,
    track: usize,
    bits: u64,
}

impl McapDecoder {
    /// Reads ahead. Returns the earliest sample.
    fn peek(&mut self) -> Result<Option<Sample>, Problem> {
        let ahead = if self.contents.is_own { 1 } else { SORTED };
        while self.messages.len() < ahead {
            let (contents, messages, read) = (&self.contents, &mut self.messages, &mut self.read);
            let more = self.records.next(|record| {
                let Record::Message { header, data } = record else { return };
                let Some(topic) = contents.topics.get(&header.channel_id) else { return };
                let mut push = |track, bits| {
                    *read += 1;
                    let (time, sequence) = (header.log_time, header.sequence);
                    messages.push(Reverse(Sample { time, order: *read, sequence, track, bits }));
                };
                match topic
                    .own
                    .and_then(|track| Some((track, parse_own(&data, contents.tracks[track].kind)?)))
                {
                    Some((track, bits)) => push(track, bits),
                    None => numbers(&data, &mut |path, number| {
                        if let Some(&track) = topic.paths.get(path) {
                            push(track, bits_as(number, contents.tracks[track].kind));
                        }
                    }),
                }
            });
            match more {
                Ok(true) => {}
                Ok(false) => break,
                // First deliver what was read.
                Err(_) if !self.messages.is_empty() => break,
                Err(problem) => return Err(problem),
            }
        }
        Ok(self.messages.peek().map(|sample| sample.0))
    }
}

impl Decoder for McapDecoder {
    fn next(&mut self, row: &mut Vec<Option<u64>>) -> Result<Option<u64>, Problem> {
        let Some(first) = self.peek()? else { return Ok(None) };
        let start = *self.contents.start.get_or_insert(first.time);
        row.resize(self.contents.tracks.len(), None);
        if let Some((time, sequence)) = self.last {
            if first.time < time {
                return Err(Problem::Damaged(
                    "its messages are not in the order of time. Sort them with `mcap sort`".to_owned(),
                ));
            }
            let missed = u64::from(first.sequence.wrapping_sub(sequence));
            if self.contents.is_own && missed > 1 && self.gap_until != Some(first.time) {
                self.gap_until = Some(first.time);
                let at = time + (first.time - time) / missed;
                return Ok(Some(at.saturating_sub(start)));
            }
        }
        while let Some(sample) = self.peek()?.filter(|sample| sample.time == first.time) {
            row[sample.track] = Some(sample.bits);
            self.last = Some((sample.time, sample.sequence));
            self.messages.pop();
        }
        Ok(Some(first.time.saturating_sub(start)))
    }

    fn is_cut_off(&self) -> bool {
        self.records.is_cut_off
    }

    fn figures(&self) -> Option<Figures> {
        self.records.figures
    }
}

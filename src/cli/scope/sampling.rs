//! The samples of the channels, from the engine.

use crate::cli::Failure;
use crate::cli::args::{ChannelArgs, SampleRate};
use crate::cli::out::warn;
use crate::cli::writers::Notes;
use crate::engine::{
    AtEveryWrite, Body, Delivery, Engine, Options, Report, Request, ScopeRequest, WatchedValue,
};
use crate::machine::Machine;
use crate::scope::expression::Expressions;
use crate::scope::text::segment_text;
use crate::scope::trigger::{Condition, Test};
use crate::scope::writers::WriterTable;
use crate::scope::{Batch, Channel, Event, EventKind, Source};
use crate::segment::{SegmentId, plain_error};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The time for the last samples to arrive.
const LAST_SAMPLES: Duration = Duration::from_millis(100);

/// The interval at which it is checked if the writers are watched.
const WATCHED: Duration = Duration::from_millis(20);

/// Advice about threads that were released.
const BY_TIME: &str = "Its later writes are missing: sample by time instead, with --rate or --burst";

/// Samples that are being taken.
pub struct Sampling {
    engine: Engine,
    news: Receiver<Option<News>>,
    expressions: Expressions,
    channels: Vec<Channel>,
    started: Instant,
    /// The last change of segments that was told.
    told: Option<(u64, String)>,
    has_sampled: bool,
    /// Set if a value is sampled at its writes.
    writers: Option<Writers>,
}

/// The threads that write to the value.
struct Writers {
    notes: Notes,
    last: WriterTable,
    is_watched: bool,
}

/// News of the engine.
enum News {
    Samples(Delivery),
    Writers(Box<WriterTable>),
    /// The segment whose writers were watched is gone.
    Gone(SegmentId),
}

impl Sampling {
    pub fn start(
        machine: &Arc<dyn Machine>,
        channels: Vec<Channel>,
        rate: SampleRate,
    ) -> Result<Self, Failure> {
        let expressions = Expressions::new(&channels).map_err(|error| Failure::Usage(error.to_string()))?;
        let values: Vec<_> = channels
            .iter()
            .filter_map(|channel| match &channel.source {
                Source::Value(value) => Some(value.clone()),
                Source::Expression(_) | Source::Recorded => None,
            })
            .collect();
        if values.is_empty() {
            return Err(no_values());
        }
        let mut writers = None;
        let request = match rate {
            SampleRate::Ticks(rate) => {
                Request::Scope(Some(Box::new(ScopeRequest { number: 0, values, rate })))
            }
            SampleRate::EveryWrite => {
                let watched = at_every_write(&channels)?;
                let value = format!("{}+{:#x}", watched.segment.id.short(), watched.range.start);
                let notes = Notes::new(value, BY_TIME);
                writers = Some(Writers { notes, last: WriterTable::default(), is_watched: false });
                Request::WatchWriters(Some(Box::new(watched)))
            }
        };
        let (sender, news) = mpsc::channel();
        let sink = move |report: Report| {
            let news = match report.body {
                Body::Samples(delivery) => Some(News::Samples(delivery)),
                Body::Writers(table) => Some(News::Writers(table)),
                Body::WritersEnded(id) => Some(News::Gone(id)),
                Body::Panicked => None,
                _ => return,
            };
            // The receiver is gone at the end.
            let _ = sender.send(news);
        };
        let mut engine = Engine::start(machine, Options::default(), sink).map_err(|error| failed(&error))?;
        engine.send(request);
        let started = Instant::now();
        Ok(Self { engine, news, expressions, channels, started, told: None, has_sampled: false, writers })
    }

    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The time since sampling was requested.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits for the first samples like [`Self::next`], but no longer than until the writers are watched.
    pub fn first(&mut self, timeout: Duration) -> Result<Option<Batch>, Failure> {
        let end = Instant::now() + timeout;
        let is_over = |sampling: &Self| {
            let is_watched = sampling.writers.as_ref().is_some_and(|writers| writers.is_watched);
            is_watched || Instant::now() >= end
        };
        loop {
            let interval = if self.writers.is_some() { WATCHED } else { timeout };
            let batch = self.next(interval)?;
            if batch.is_some() || is_over(self) {
                return Ok(batch);
            }
        }
    }

    /// Waits for samples, with a column for each channel. `None` if there are none in time.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Batch>, Failure> {
        let end = Instant::now() + timeout;
        loop {
            match self.news.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(Some(News::Samples(delivery))) => return self.take(delivery.into_batch()).map(Some),
                Ok(Some(News::Writers(table))) => self.tell_of_writers(*table)?,
                Ok(Some(News::Gone(id))) => return Err(Failure::Vanished { id }),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Ok(None) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Scope("failed to sample: a worker has panicked".to_owned()));
                }
            }
        }
    }

    /// Stops. Returns the samples that were taken meanwhile.
    pub fn stop(mut self) -> Result<Vec<Batch>, Failure> {
        let ended = self.elapsed();
        self.engine.send(Request::Scope(None));
        self.engine.send(Request::WatchWriters(None));
        let mut last = vec![];
        while let Some(batch) = self.next(LAST_SAMPLES)? {
            last.push(batch);
        }
        for (index, channel) in self.channels.iter().enumerate() {
            let undefined = self.expressions.undefined(index);
            if undefined > 0 {
                let name = &channel.name;
                warn(&format!("{name}: {undefined} results were not finite, as after a division by zero"));
            }
        }
        if let Some(Writers { notes, last, .. }) = self.writers.as_ref().filter(|_| !self.has_sampled) {
            warn(&notes.no_writes_text(last, ended));
        }
        self.engine.stop();
        Ok(last)
    }

    /// Tells why some writes are not seen. It is an error if none can be.
    fn tell_of_writers(&mut self, table: WriterTable) -> Result<(), Failure> {
        let Some(writers) = &mut self.writers else { return Ok(()) };
        writers.notes.take(&table, false)?.iter().for_each(|note| warn(note));
        (writers.last, writers.is_watched) = (table, true);
        Ok(())
    }

    fn take(&mut self, batch: Batch) -> Result<Batch, Failure> {
        let batch = self.expressions.extend(batch);
        self.has_sampled |= batch.timing.samples > 0;
        for event in &batch.events {
            self.tell(event)?;
        }
        Ok(batch)
    }

    /// Tells about a change of a segment, once for all its channels. A segment that cannot be read from
    /// the start is an error.
    fn tell(&mut self, event: &Event) -> Result<(), Failure> {
        let Some(Channel { source: Source::Value(value), .. }) = self.channels.get(event.channel) else {
            return Ok(());
        };
        // By its key, which the next one has, too.
        let id = segment_text(&value.segment);
        let text = match &event.kind {
            EventKind::Failed(reason) if !self.has_sampled => {
                return Err(Failure::Scope(format!("failed to sample {id}: {reason}")));
            }
            EventKind::Failed(reason) => format!("failed to sample {id}: {reason}"),
            EventKind::Gone => format!("{id} was removed; waiting for it to be made again"),
            EventKind::Short => format!("{id} no longer reaches to the value; waiting for it to grow"),
            EventKind::Replaced => format!("{id} was made again; sampling the new one"),
            EventKind::Back => format!("{id} is back"),
        };
        let told = Some((event.time, text));
        if self.told != told {
            self.told = told;
            self.told.iter().for_each(|(_, text)| warn(text));
        }
        Ok(())
    }
}

/// The channel that is sampled at every write.
pub fn written_channel<'a>(channels: impl IntoIterator<Item = &'a Channel>) -> Result<&'a Channel, Failure> {
    let mut values = channels.into_iter().filter(|channel| matches!(channel.source, Source::Value(_)));
    match (values.next(), values.next()) {
        (Some(channel), None) => Ok(channel),
        _ => Err(Failure::Usage(
            "--every-write samples one value: each value has writes of its own".to_owned(),
        )),
    }
}

/// Refuses a condition that samples at every write cannot meet.
pub fn check_condition(condition: Option<&Condition>, args: &ChannelArgs) -> Result<(), Failure> {
    let waits = condition.is_some_and(|condition| matches!(condition.test, Test::Stale(_)));
    if waits && args.every_write {
        return Err(Failure::Usage(
            "without a write there is no sample that could be stale: leave out --every-write".to_owned(),
        ));
    }
    Ok(())
}

/// The watch that samples a value at every write.
fn at_every_write(channels: &[Channel]) -> Result<WatchedValue, Failure> {
    let Source::Value(value) = written_channel(channels)?.source.clone() else {
        return Err(no_values());
    };
    let limit = Some(WatchedValue::LIMIT);
    let (segment, range) = ((*value.segment).clone(), value.place().range());
    Ok(WatchedValue { segment, range, limit, count: None, sample: Some(AtEveryWrite { number: 0, value }) })
}

fn no_values() -> Failure {
    Failure::Usage("no values to sample: expressions need channels such as v=/telemetry+0x10:f64".to_owned())
}

fn failed(error: &io::Error) -> Failure {
    Failure::Scope(format!("failed to sample: {}", plain_error(error)))
}

//! The samples of the channels, from the engine.

use crate::cli::Failure;
use crate::cli::args::SampleRate;
use crate::cli::out::warn;
use crate::engine::{Body, Delivery, Engine, Options, Report, Request, ScopeRequest, WatchedValue};
use crate::machine::Machine;
use crate::scope::expression::Expressions;
use crate::scope::writers::{WriteBatch, WriterTable};
use crate::scope::{Batch, Channel, Event, EventKind, SampledValue, Source};
use crate::segment::{SegmentId, plain_error};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The time for the last samples to arrive.
const LAST_SAMPLES: Duration = Duration::from_millis(100);

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
    /// Samples of writes whose value another write may have replaced.
    replaced: u64,
    /// The problems of watching writers that were told.
    problems: BTreeSet<String>,
    is_told_to_wait: bool,
}

/// News of the engine.
enum News {
    Samples(Delivery),
    Writes(Box<WriteBatch>),
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
            return Err(Failure::Usage(
                "no values to sample: expressions need channels such as v=/telemetry+0x10:f64".to_owned(),
            ));
        }
        let request = match rate {
            SampleRate::Ticks(rate) => {
                Request::Scope(Some(Box::new(ScopeRequest { number: 0, values, rate })))
            }
            SampleRate::EveryWrite => Request::WatchWriters(Some(Box::new(at_every_write(values)?))),
        };
        let (sender, news) = mpsc::channel();
        let sink = move |report: Report| {
            let news = match report.body {
                Body::Samples(delivery) => Some(News::Samples(delivery)),
                Body::WriteSamples(batch) => Some(News::Writes(batch)),
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
        Ok(Self {
            engine,
            news,
            expressions,
            channels,
            started,
            told: None,
            has_sampled: false,
            replaced: 0,
            problems: BTreeSet::new(),
            is_told_to_wait: false,
        })
    }

    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The time since sampling was requested.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits for samples, with a column for each channel. `None` if there are none in time.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Batch>, Failure> {
        let end = Instant::now() + timeout;
        loop {
            match self.news.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(Some(News::Samples(delivery))) => return self.take(delivery.into_batch()).map(Some),
                Ok(Some(News::Writes(found))) => {
                    self.replaced = found.replaced;
                    return self.take(found.batch).map(Some);
                }
                Ok(Some(News::Writers(table))) => self.tell_problems(&table)?,
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
        if self.replaced > 0 {
            warn(&format!("{} values may be those of a later write", self.replaced));
        }
        self.engine.stop();
        Ok(last)
    }

    /// Tells why some writes are not seen. It is an error if none can be.
    fn tell_problems(&mut self, table: &WriterTable) -> Result<(), Failure> {
        if table.threads == 0 && table.refused > 0 && !self.has_sampled {
            return Err(Failure::NotWatched(table.problems.first().cloned().unwrap_or_default()));
        }
        if table.threads == 0 && table.writes == 0 && !self.is_told_to_wait {
            self.is_told_to_wait = true;
            warn("no process maps the value for writing yet: waiting for one");
        }
        for problem in &table.problems {
            if self.problems.insert(problem.clone()) {
                warn(problem);
            }
        }
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
        let id = value.segment.id.short();
        let text = match &event.kind {
            EventKind::Failed(reason) if !self.has_sampled => {
                return Err(Failure::Scope(format!("failed to sample {id}: {reason}")));
            }
            EventKind::Failed(reason) => format!("failed to sample {id}: {reason}"),
            EventKind::Gone => format!("{id} is gone, or no longer reaches to the value; waiting for it"),
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

/// The watch that samples a value at every write.
fn at_every_write(values: Vec<SampledValue>) -> Result<WatchedValue, Failure> {
    let one = "--every-write samples one value: each value has writes of its own";
    let [value] = <[_; 1]>::try_from(values).map_err(|_| Failure::Usage(one.to_owned()))?;
    let limit = Some(WatchedValue::LIMIT);
    let (segment, range) = ((*value.segment).clone(), value.place().range());
    Ok(WatchedValue { segment, range, limit, count: None, sample: Some(value) })
}

fn failed(error: &io::Error) -> Failure {
    Failure::Scope(format!("failed to sample: {}", plain_error(error)))
}

//! The samples of the channels, from the engine.

use crate::cli::Failure;
use crate::cli::out::warn;
use crate::engine::{Body, Delivery, Engine, Options, Report, Request, ScopeRequest};
use crate::machine::Machine;
use crate::scope::expression::Expressions;
use crate::scope::recording::Epoch;
use crate::scope::{Batch, Channel, Event, EventKind, Rate, Source};
use crate::segment::plain_error;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The time for the last samples to arrive.
const LAST_SAMPLES: Duration = Duration::from_millis(100);

/// Samples that are being taken.
pub struct Sampling {
    engine: Engine,
    deliveries: Receiver<Option<Delivery>>,
    expressions: Expressions,
    channels: Vec<Channel>,
    started: Instant,
    /// The last change of segments that was told.
    told: Option<(u64, String)>,
    has_sampled: bool,
}

impl Sampling {
    pub fn start(machine: &Arc<dyn Machine>, channels: Vec<Channel>, rate: Rate) -> Result<Self, Failure> {
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
        let (sender, deliveries) = mpsc::channel();
        let sink = move |report: Report| match report.body {
            Body::Samples(delivery) => drop(sender.send(Some(delivery))),
            Body::Panicked => drop(sender.send(None)),
            _ => {}
        };
        let mut engine = Engine::start(machine, Options::default(), sink).map_err(|error| failed(&error))?;
        engine.send(Request::Scope(Some(Box::new(ScopeRequest { number: 0, values, rate }))));
        let started = Instant::now();
        Ok(Self { engine, deliveries, expressions, channels, started, told: None, has_sampled: false })
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
        match self.deliveries.recv_timeout(timeout) {
            Ok(Some(delivery)) => self.take(delivery).map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Ok(None) | Err(RecvTimeoutError::Disconnected) => {
                Err(Failure::Scope("failed to sample: a worker has panicked".to_owned()))
            }
        }
    }

    /// Stops. Returns the samples that were taken meanwhile.
    pub fn stop(mut self) -> Result<Vec<Batch>, Failure> {
        self.engine.send(Request::Scope(None));
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
        self.engine.stop();
        Ok(last)
    }

    fn take(&mut self, delivery: Delivery) -> Result<Batch, Failure> {
        let batch = self.expressions.extend(delivery.into_batch());
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
            EventKind::Gone => format!("{id} is gone; waiting for it to be made again"),
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

fn failed(error: &io::Error) -> Failure {
    Failure::Scope(format!("failed to sample: {}", plain_error(error)))
}

/// The current moment on both clocks.
pub fn epoch(machine: &dyn Machine) -> Epoch {
    let monotonic = u64::try_from(machine.monotonic_time().as_nanos()).unwrap_or(u64::MAX);
    Epoch::new(monotonic, machine.now().since_epoch())
}

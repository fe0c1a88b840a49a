//! Samples values at exact times.
//!
//! Two workers share the work: [`ScopeSources`] opens the segments and finds them again,
//! [`ScopeWorker`] reads the values and nothing else.

mod delivery;
mod exchange;
mod followed;
mod sources;

pub(in crate::engine) use delivery::Deliveries;
pub use delivery::Delivery;
pub use exchange::Exchange;
pub(in crate::engine) use followed::Followed;
pub use sources::ScopeSources;

use super::request::{Request, ScopeRequest};
use super::worker::{Job, Worker};
use super::{Body, Clock, Report, origin};
use crate::machine::Machine;
use crate::scope::Event;
use crate::scope::sampler::{Sampler, nanoseconds, plan};
use exchange::News;
use std::time::Duration;

/// The interval of deliveries.
const DELIVER_EVERY: Duration = Duration::from_millis(33);
/// The interval at which news are awaited while nothing can be sampled.
const AWAIT_EVERY: Duration = Duration::from_millis(10);
/// The interval of samples of a burst in virtual time.
const BURST_EVERY: Duration = Duration::from_micros(100);

/// The worker that samples.
#[derive(Default)]
pub struct ScopeWorker {
    exchange: Exchange,
    /// The number of the current request.
    request: u64,
    running: Option<Running>,
    deliveries: Deliveries,
}

struct Running {
    /// The number that the caller gave to the request.
    number: u64,
    sampler: Sampler,
    /// `None` in a burst.
    period: Option<Duration>,
    /// The time of `CLOCK_MONOTONIC` at which the engine started.
    origin: Option<Duration>,
    /// Set once all segments were looked for, since the start or the last pause.
    is_ready: bool,
    is_paused: bool,
    delivered: Clock,
    /// The time of the next work unless a tick is due.
    next: Clock,
}

impl ScopeWorker {
    pub fn new(exchange: Exchange) -> Self {
        Self { exchange, ..Self::default() }
    }
}

impl Worker for ScopeWorker {
    fn handle(&mut self, _: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        match job.request {
            Request::Scope(request) => {
                self.request += 1;
                let next = request.map(|request| Running::new(&request, now));
                let last = std::mem::replace(&mut self.running, next);
                let last = last.filter(|last| last.is_ready);
                return last.map(|mut last| last.deliver(&self.deliveries, now)).into_iter().collect();
            }
            Request::PauseScope(paused) => {
                if let Some(running) = &mut self.running {
                    for news in self.exchange.take(self.request) {
                        running.take(news);
                    }
                    running.set_paused(paused, now);
                    return vec![running.deliver(&self.deliveries, now)];
                }
            }
            _ => {}
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        let running = self.running.as_ref().filter(|running| !running.is_paused)?;
        Some(if self.deliveries.are_full() { running.next } else { running.deadline() })
    }

    fn is_precise(&self) -> bool {
        true
    }

    fn run(&mut self, machine: &dyn Machine, clock: &dyn Fn() -> Clock) -> Vec<Report> {
        let Some(running) = &mut self.running else { return vec![] };
        running.origin.get_or_insert_with(|| origin(|| machine.monotonic_time(), clock));
        for news in self.exchange.take(self.request) {
            running.take(news);
        }
        let start = clock();
        running.next = start + AWAIT_EVERY;
        if !running.is_ready {
            return vec![];
        }
        if self.deliveries.are_full() {
            let time = running.time(start);
            running.sampler.interrupt(time);
            return vec![];
        }
        running.sample(clock);
        let end = clock();
        if running.period.is_none() && running.sampler.is_open() {
            // In virtual time, reading takes none.
            running.next = if end > start { end } else { start + BURST_EVERY };
        }
        if running.is_delivery_due(end) {
            return vec![running.deliver(&self.deliveries, end)];
        }
        vec![]
    }
}

impl Running {
    fn new(request: &ScopeRequest, now: Clock) -> Self {
        let (plans, _) = plan(&request.values);
        Self {
            number: request.number,
            sampler: Sampler::new(&plans, request.values.len(), request.rate),
            period: request.rate.period(),
            origin: None,
            is_ready: false,
            is_paused: false,
            delivered: now,
            next: now,
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Memory(source, memory) => self.sampler.set_memory(source, memory),
            News::Event(at, channel, kind) => {
                let time = self.time(at);
                self.sampler.add_event(Event { time, channel, kind });
            }
            News::Ready => self.is_ready = true,
        }
    }

    /// Converts a time of the engine to nanoseconds of `CLOCK_MONOTONIC`.
    fn time(&self, at: Clock) -> u64 {
        nanoseconds(self.origin.unwrap_or_default() + at)
    }

    fn set_paused(&mut self, paused: bool, now: Clock) {
        if paused && !self.is_paused && self.is_ready {
            let time = self.time(now);
            self.sampler.pause(time);
        }
        // The segments may have been replaced in the meantime, so they are checked first.
        self.is_ready &= !self.is_paused || paused;
        (self.is_paused, self.next) = (paused, now);
    }

    fn deadline(&self) -> Clock {
        let due = self.sampler.due().map(Duration::from_nanos);
        match due.filter(|_| self.sampler.is_open()) {
            Some(due) => due.saturating_sub(self.origin.unwrap_or_default()),
            None => self.next,
        }
    }

    /// Takes the sample that is due, or many in a burst.
    fn sample(&mut self, clock: &dyn Fn() -> Clock) {
        let origin = self.origin.unwrap_or_default();
        self.sampler.run(&|| nanoseconds(origin + clock()));
    }

    /// Returns true if samples would wait too long until the next tick.
    fn is_delivery_due(&self, now: Clock) -> bool {
        let next = now + self.period.unwrap_or_default();
        self.sampler.is_full() || next >= self.delivered + DELIVER_EVERY
    }

    fn deliver(&mut self, deliveries: &Deliveries, now: Clock) -> Report {
        self.delivered = now;
        Report::new(now, Body::Samples(deliveries.add(self.number, self.sampler.take())))
    }
}

#[cfg(test)]
mod tests;

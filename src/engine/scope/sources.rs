//! Opens the segments of the scope, and finds them again when their writers restart. On a thread of
//! its own, so that no sample waits for it.

use super::exchange::{Exchange, News};
use crate::engine::contents::Lifetime;
use crate::engine::report::{Ended, is_gone, unreadable};
use crate::engine::request::{Request, ScopeRequest};
use crate::engine::worker::{Job, Worker};
use crate::engine::{Clock, Report};
use crate::machine::Machine;
use crate::memory::{OpenError, Reader};
use crate::scope::sampler::{Memory, Pages, Presence, Reach, SourcePlan, open, plan};
use crate::scope::{EventKind, Rate};
use crate::segment::{Segment, plain_error};
use crate::survey::current;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The interval of the checks.
const EVERY: Duration = Duration::from_millis(100);
/// The interval of attempts to open a segment that exists but cannot be read: looking for a holder
/// to read it through is expensive.
const RETRY: Duration = Duration::from_secs(1);

/// The worker that opens the segments of the scope.
#[derive(Default)]
pub struct ScopeSources {
    exchange: Exchange,
    /// The number of the current request.
    request: u64,
    sources: Vec<Source>,
    /// The channels that cannot be sampled, until this is reported.
    refused: Vec<usize>,
    /// The time of the next check; `None` if there is nothing to check.
    due: Option<Clock>,
    /// Set while nothing is sampled.
    is_paused: bool,
}

/// A segment, or its successor.
struct Source {
    plan: SourcePlan,
    rate: Rate,
    /// The last one that was found.
    segment: Box<Segment>,
    open: Option<Open>,
    reach: Reach,
    /// Set until the first attempt.
    is_new: bool,
    /// The time of the next attempt after a failed one, and its reason.
    failed: Option<(Clock, String)>,
}

struct Open {
    reader: Reader,
    lifetime: Lifetime,
    pages: Vec<Arc<Pages>>,
}

/// The memory of a segment, if it has changed: `None` if it was closed.
type NewMemory = Option<Option<Vec<Box<dyn Memory>>>>;

impl ScopeSources {
    pub fn new(exchange: Exchange) -> Self {
        Self { exchange, ..Self::default() }
    }

    fn start(&mut self, now: Clock, request: Option<Box<ScopeRequest>>) {
        self.request += 1;
        (self.is_paused, self.due) = (false, request.as_ref().map(|_| now));
        (self.sources, self.refused) = request.map_or_else(Default::default, |request| {
            let (plans, refused) = plan(&request.values);
            (plans.into_iter().map(|plan| Source::new(plan, request.rate)).collect(), refused)
        });
    }
}

impl Worker for ScopeSources {
    fn handle(&mut self, _: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        match job.request {
            Request::Scope(request) => self.start(now, request),
            Request::PauseScope(paused) => {
                self.is_paused = paused;
                self.due = self.due.map(|_| now);
            }
            _ => {}
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        self.due.filter(|_| !self.is_paused)
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        let Self { exchange, request, sources, refused, .. } = self;
        for channel in refused.drain(..) {
            let kind = EventKind::Failed("its type is not a number of at most 8 bytes".to_owned());
            exchange.send(*request, News::Event(now, channel, kind));
        }
        for (index, source) in sources.iter_mut().enumerate() {
            let (memory, changes) = source.check(machine, now);
            if let Some(memory) = memory {
                exchange.send(*request, News::Memory(index, memory));
            }
            for (channel, kind) in changes {
                exchange.send(*request, News::Event(now, channel, kind));
            }
        }
        exchange.send(*request, News::Ready);
        self.due = (!self.sources.is_empty()).then_some(now + EVERY);
        vec![]
    }
}

impl Source {
    fn new(plan: SourcePlan, rate: Rate) -> Self {
        let (segment, reach) = (plan.segment.clone(), Reach::new(&plan));
        Self { plan, rate, segment, open: None, reach, is_new: true, failed: None }
    }

    /// Checks the segment, and opens it if it is not open. Returns the changes of its channels.
    fn check(&mut self, machine: &dyn Machine, now: Clock) -> (NewMemory, Vec<(usize, EventKind)>) {
        let mut memory = None;
        let mut presence = self.open.as_mut().map_or(Presence::Gone, |open| open.check(machine, now));
        if !matches!(presence, Presence::Open { .. }) && self.open.take().is_some() {
            memory = Some(None);
        }
        let is_closed = self.open.is_none();
        if is_closed && presence == Presence::Gone {
            presence = self.find(machine, now);
        }
        if let Some(Open { reader, pages, .. }) = &mut self.open {
            let lost = pages.iter().filter(|pages| !pages.check(reader)).count();
            if is_closed || lost > 0 {
                let (memories, new) = open(&self.plan, reader, self.rate);
                *pages = new;
                memory = Some(Some(memories));
            }
        }
        (memory, self.reach.changes(&presence))
    }

    /// Opens the segment or its successor.
    fn find(&mut self, machine: &dyn Machine, now: Clock) -> Presence {
        if let Some((_, reason)) = self.failed.as_ref().filter(|(due, _)| now < *due) {
            return Presence::Failed(reason.clone());
        }
        self.failed = None;
        if std::mem::take(&mut self.is_new)
            && let Ok(reader) = Reader::open(machine, &self.segment)
        {
            return self.set_reader(reader, now);
        }
        match current(machine, &self.segment) {
            Ok(segment) => *self.segment = segment,
            Err(error) if is_gone(&error) || error.kind() == io::ErrorKind::NotFound => {
                return Presence::Gone;
            }
            Err(error) => {
                let reason = format!("failed to look for {}: {}", self.segment.id, plain_error(&error));
                return self.fail(now, reason);
            }
        }
        match Reader::open(machine, &self.segment) {
            Ok(reader) => self.set_reader(reader, now),
            Err(OpenError::Gone { .. } | OpenError::Replaced { .. }) => Presence::Gone,
            Err(error) => self.fail(now, error.to_string()),
        }
    }

    fn set_reader(&mut self, reader: Reader, now: Clock) -> Presence {
        let (id, identity) = (reader.id().clone(), *reader.identity());
        let size = reader.size().unwrap_or(self.segment.size.0);
        let lifetime = Lifetime::new(self.segment.clone(), now);
        self.open = Some(Open { reader, lifetime, pages: vec![] });
        Presence::Open { id, identity, size }
    }

    fn fail(&mut self, now: Clock, reason: String) -> Presence {
        self.failed = Some((now + RETRY, reason.clone()));
        Presence::Failed(reason)
    }
}

impl Open {
    fn check(&mut self, machine: &dyn Machine, now: Clock) -> Presence {
        let Self { reader, lifetime, .. } = self;
        match lifetime.check(machine, now, reader) {
            Ok(size) => Presence::Open { id: reader.id().clone(), identity: *reader.identity(), size },
            Err(Ended::Unreadable(error)) if !is_gone(&error) => {
                Presence::Failed(unreadable(reader.id(), &error).to_string())
            }
            Err(_) => Presence::Gone,
        }
    }
}

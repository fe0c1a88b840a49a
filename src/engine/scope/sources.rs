//! Opens the segments of the scope, and finds them again when their writers restart. On a thread of
//! its own, so that no sample waits for it.

use super::exchange::{Exchange, News};
use super::followed::Followed;
use crate::engine::request::{Request, ScopeRequest};
use crate::engine::worker::{Job, Worker};
use crate::engine::{Clock, Report};
use crate::machine::Machine;
use crate::scope::sampler::{Memory, Pages, Reach, SourcePlan, open, plan};
use crate::scope::{EventKind, Rate};
use std::sync::Arc;
use std::time::Duration;

/// The interval of the checks.
const EVERY: Duration = Duration::from_millis(100);

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

/// A segment with the pages of its values.
struct Source {
    plan: SourcePlan,
    rate: Rate,
    followed: Followed,
    pages: Vec<Arc<Pages>>,
    reach: Reach,
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
        let (followed, reach) = (Followed::new(plan.segment.clone()), Reach::new(&plan));
        Self { plan, rate, followed, pages: vec![], reach }
    }

    /// Checks the segment, and opens it if it is not open. Returns the changes of its channels.
    fn check(&mut self, machine: &dyn Machine, now: Clock) -> (NewMemory, Vec<(usize, EventKind)>) {
        let opened = self.followed.reader().map(|reader| (reader.id().clone(), *reader.identity()));
        let presence = self.followed.check(machine, now);
        let mut memory = None;
        if let Some(reader) = self.followed.reader() {
            let is_same = opened == Some((reader.id().clone(), *reader.identity()));
            let lost = self.pages.iter().filter(|pages| !pages.check(reader)).count();
            if !is_same || lost > 0 {
                let (memories, new) = open(&self.plan, reader, self.rate);
                self.pages = new;
                memory = Some(Some(memories));
            }
        } else {
            self.pages.clear();
            memory = opened.map(|_| None);
        }
        (memory, self.reach.changes(&presence))
    }
}

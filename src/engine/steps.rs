//! A single-threaded executor for tests, in virtual time.

use super::route::{Options, Router, workers};
use super::worker::Worker;
use super::{Clock, Report, Request};
use crate::machine::Machine;
use std::sync::Arc;
use std::time::Duration;

/// The workers of the engine, run step by step. Work takes no virtual time.
pub struct Steps {
    machine: Arc<dyn Machine>,
    workers: Vec<Box<dyn Worker>>,
    router: Router,
    now: Clock,
}

impl Steps {
    #[must_use]
    pub fn new(machine: Arc<dyn Machine>, options: Options) -> Self {
        let workers = workers(options, true).into_iter().map(|(_, worker)| worker).collect();
        Self { machine, workers, router: Router::default(), now: Clock::ZERO }
    }

    #[must_use]
    pub const fn now(&self) -> Clock {
        self.now
    }

    /// Returns the time of the next work; `None` if there is none before the next request.
    #[must_use]
    pub fn deadline(&self) -> Option<Clock> {
        self.workers.iter().filter_map(|worker| worker.deadline()).min()
    }

    /// Handles a request and does all work that is due.
    pub fn send(&mut self, request: Request) -> Vec<Report> {
        let mut reports = vec![];
        for (part, job) in self.router.route(request) {
            reports.extend(self.workers[part as usize].handle(&*self.machine, self.now, job));
        }
        reports.extend(self.advance(Duration::ZERO));
        reports
    }

    /// Advances the time. Work is done at the time it is due.
    pub fn advance(&mut self, time: Duration) -> Vec<Report> {
        let until = self.now + time;
        let mut reports = vec![];
        while let Some((due, worker)) = self
            .workers
            .iter_mut()
            .filter_map(|worker| Some((worker.deadline().filter(|&due| due <= until)?, worker)))
            .min_by_key(|(due, _)| *due)
        {
            self.now = self.now.max(due);
            let now = self.now;
            reports.extend(worker.run(&*self.machine, &|| now));
        }
        self.now = until;
        reports
    }
}

//! An executor without threads: every request and every wait is carried out by the
//! caller, in virtual time. Tests use it.

use super::route::{Options, Router, workers};
use super::worker::Worker;
use super::{Clock, Report, Request};
use crate::machine::Machine;
use std::sync::Arc;
use std::time::Duration;

/// The workers of the engine, driven step by step. Work takes no time.
pub struct Steps {
    machine: Arc<dyn Machine>,
    workers: Vec<Box<dyn Worker>>,
    router: Router,
    now: Clock,
}

impl Steps {
    /// An engine at the time 0.
    #[must_use]
    pub fn new(machine: Arc<dyn Machine>, options: Options) -> Self {
        let workers = workers(options, true).into_iter().map(|(_, worker)| worker).collect();
        Self { machine, workers, router: Router::default(), now: Clock::ZERO }
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Clock {
        self.now
    }

    /// When the next work is due; `None`: not before the next request.
    #[must_use]
    pub fn deadline(&self) -> Option<Clock> {
        self.workers.iter().filter_map(|worker| worker.deadline()).min()
    }

    /// Carries out a request, and all work that is due.
    pub fn send(&mut self, request: Request) -> Vec<Report> {
        let mut reports = vec![];
        for (part, job) in self.router.route(request) {
            reports.extend(self.workers[part as usize].handle(&*self.machine, self.now, job));
        }
        reports.extend(self.advance(Duration::ZERO));
        reports
    }

    /// Lets time pass, and carries out the work that is due meanwhile, each at its time.
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
            reports.extend(worker.work(&*self.machine, self.now));
            worker.took(Duration::ZERO);
        }
        self.now = until;
        reports
    }
}

//! The interface between workers and executors.

use super::request::Request;
use super::{Clock, Report};
use crate::machine::Machine;
use crate::memory::Progress;
use std::sync::Arc;
use std::time::Duration;

pub struct Job {
    pub request: Request,
    /// The progress of long work, which can be canceled before it starts.
    pub progress: Arc<Progress>,
}

impl Job {
    #[must_use]
    pub fn new(request: Request) -> Self {
        Self { request, progress: Arc::default() }
    }
}

/// A part of the engine. Workers neither read a clock of their own nor start threads nor own channels, so that
/// tests can run them step by step.
pub trait Worker: Send {
    /// Handles a request. Leaves work that a later request may make obsolete to [`Worker::work`].
    fn handle(&mut self, machine: &dyn Machine, now: Clock, job: Job) -> Vec<Report>;

    /// Returns the time of the next work. `None` if there is none before the next request.
    fn deadline(&self) -> Option<Clock> {
        None
    }

    /// Does the work that is due.
    fn work(&mut self, _: &dyn Machine, _now: Clock) -> Vec<Report> {
        vec![]
    }

    /// Does the work that is due. Only workers that measure times read the clock.
    fn run(&mut self, machine: &dyn Machine, clock: &dyn Fn() -> Clock) -> Vec<Report> {
        let now = clock();
        let reports = self.work(machine, now);
        self.took(clock().saturating_sub(now));
        reports
    }

    /// Returns true if the work has to begin at its deadline as exactly as the kernel allows.
    fn is_precise(&self) -> bool {
        false
    }

    /// Receives the duration of the last [`Worker::work`], so that expensive work is done less
    /// often.
    fn took(&mut self, _: Duration) {}
}

//! The interface between workers and the executors that run them.

use super::request::Request;
use super::{Clock, Report};
use crate::machine::Machine;
use crate::memory::Progress;
use std::sync::Arc;
use std::time::Duration;

/// A request on its way to a worker.
pub struct Job {
    /// The request.
    pub request: Request,
    /// The progress of long work. It can be cancelled before the work begins.
    pub progress: Arc<Progress>,
}

impl Job {
    /// A job for one worker.
    #[must_use]
    pub fn new(request: Request) -> Self {
        Self { request, progress: Arc::default() }
    }
}

/// Does a part of the engine's work. Never reads the clock, starts threads or owns
/// a channel, so that tests drive it step by step.
pub trait Worker: Send {
    /// Takes a request. Work that a later request may make pointless is left for
    /// [`Worker::work`].
    fn handle(&mut self, machine: &dyn Machine, now: Clock, job: Job) -> Vec<Report>;

    /// When it has something to do without a request; `None`: never.
    fn deadline(&self) -> Option<Clock> {
        None
    }

    /// Does what is due.
    fn work(&mut self, _: &dyn Machine, _now: Clock) -> Vec<Report> {
        vec![]
    }

    /// Says how long the last [`Worker::work`] took: what is costly is done less often.
    fn took(&mut self, _: Duration) {}
}

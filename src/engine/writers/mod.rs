//! Watches who writes to a value, in all threads of all holders of its segment.

mod process;
mod refusal;
mod sampling;
mod session;
#[cfg(test)]
mod tests;

use super::Clock;
use super::report::{Body, Report};
use super::request::Request;
use super::scope::Deliveries;
use super::worker::{Job, Worker};
use crate::machine::Machine;
use crate::scope::Batch;
use crate::scope::writers::WriterTable;
use session::Session;
use std::time::Duration;

/// The interval of reports.
const REPORT: Duration = Duration::from_millis(250);
/// The interval at which samples are delivered.
const SAMPLES: Duration = Duration::from_millis(33);

/// The worker that watches writers.
#[derive(Default)]
pub struct Writers {
    session: Option<Box<Session>>,
    reported: Option<Clock>,
    sampled: Option<Clock>,
    last: Option<WriterTable>,
    deliveries: Deliveries,
}

impl Writers {
    /// Takes the last records, ends the watch, and returns the final table.
    pub fn finish(&mut self, machine: &dyn Machine) -> Option<WriterTable> {
        let mut session = self.session.take()?;
        session.drain(machine);
        Some(session.table(machine))
    }
}

fn delivery(deliveries: &Deliveries, now: Clock, (number, batch): (u64, Batch)) -> Report {
    Report::new(now, Body::Samples(deliveries.add(number, batch)))
}

impl Worker for Writers {
    fn handle(&mut self, machine: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        let mut reports = vec![];
        if let Request::WatchWriters(watched) = job.request {
            let last = self.session.take().and_then(|mut session| session.last_samples(machine));
            reports.extend(last.map(|samples| delivery(&self.deliveries, now, samples)));
            self.session = watched.map(|watched| Box::new(Session::new(*watched, now)));
            (self.reported, self.sampled, self.last) = (None, None, None);
        }
        reports
    }

    fn deadline(&self) -> Option<Clock> {
        self.session.as_ref().map(|session| session.deadline())
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        let Some(session) = &mut self.session else { return vec![] };
        let is_gone = session.step(machine, now);
        let is_due = |last: Option<Clock>, interval| last.is_none_or(|last| now >= last + interval);
        let mut reports = vec![];
        // Samples wait for a caller that does not keep up.
        if is_due(self.sampled, SAMPLES) && !self.deliveries.are_full() {
            self.sampled = Some(now);
            let samples = session.take_samples();
            reports.extend(samples.map(|samples| delivery(&self.deliveries, now, samples)));
        }
        if !is_gone && !is_due(self.reported, REPORT) && !session.is_complete() {
            return reports;
        }
        self.reported = Some(now);
        let table = session.table(machine);
        if !self.last.as_ref().is_some_and(|last| last.has_same_facts(&table)) {
            self.last = Some(table.clone());
            reports.push(Report::new(now, Body::Writers(Box::new(table))));
        }
        if is_gone {
            reports.push(Report::new(now, Body::WritersEnded(session.segment().clone())));
            self.session = None;
        }
        reports
    }
}

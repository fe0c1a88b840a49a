//! Polls the change rates of many segments within a small share of the processor.
//!
//! Every poll opens, reads and closes: an open descriptor would pin removed memory and make the lease of another
//! program fail.

mod copies;

use super::Clock;
use super::lease::Lease;
use super::report::{Activity, Body, Report, Unread};
use super::request::Request;
use super::worker::{Job, Worker};
use crate::machine::{Machine, Method, Trace, TraceReason};
use crate::memory::{Forecast, OpenError, Reader, WriteLeases};
use crate::segment::{Segment, SegmentId, ShownError};
use copies::{Copies, Different, Effort, FRONT_EFFORT, OTHER_EFFORT};
use std::collections::BTreeMap;
use std::time::Duration;

/// The interval of polls.
const EVERY: Duration = Duration::from_millis(250);
/// The interval of polls of segments that stand still. A write must show within a second.
const QUIET_EVERY: Duration = Duration::from_millis(500);
/// The number of segments that are polled at every interval, before the others take turns.
const FRONT: usize = 64;
/// The number of zeros that are reported after a change, so that a sparkline runs out.
const HOT: u32 = 8;
/// The time without polls after a lease broke that was not listed.
const UNLISTED: Duration = Duration::from_secs(60);

/// The worker that polls change rates.
pub struct RatesWorker {
    entries: Vec<Entry>,
    /// The processor time per interval.
    budget: Duration,
    next: Option<Clock>,
    /// The start of the interval.
    began: Clock,
    /// The start of the next interval that polls all entries.
    all_next: Clock,
    /// The entries that are still to be polled in this interval, last first.
    queue: Vec<usize>,
    /// The first of the entries behind the front that was not polled.
    turn: usize,
    spent: Duration,
    /// The part of the last poll that waited for the list of leases, which takes little processor time.
    waited: Duration,
    leases: WriteLeases,
    polled: Vec<(SegmentId, Activity)>,
    /// The budget is spent: report what was polled.
    flush: bool,
}

struct Entry {
    segment: Segment,
    polled: Option<Clock>,
    copies: Copies,
    last: Option<Activity>,
    /// Reported polls without a change since the last change.
    quiet: u32,
    lease: Lease,
    resting_until: Option<Clock>,
}

impl RatesWorker {
    /// Returns a worker that takes at most this share of one processor. With a share of 0, it polls nothing.
    pub fn new(share: f64) -> Self {
        Self {
            entries: vec![],
            budget: EVERY.mul_f64(share.clamp(0.0, 1.0)),
            next: None,
            began: Clock::ZERO,
            all_next: Clock::ZERO,
            queue: vec![],
            turn: 0,
            spent: Duration::ZERO,
            waited: Duration::ZERO,
            leases: WriteLeases::default(),
            polled: vec![],
            flush: false,
        }
    }

    /// Replaces the segments. Those that stay keep their copies.
    fn set(&mut self, segments: Vec<Segment>, now: Clock) {
        if self.budget.is_zero() {
            return;
        }
        let before = std::mem::take(&mut self.entries).into_iter();
        let mut before: BTreeMap<SegmentId, Entry> =
            before.map(|one| (one.segment.id.clone(), one)).collect();
        self.entries = segments
            .into_iter()
            .map(|segment| match before.remove(&segment.id) {
                Some(entry) if entry.segment.identity().matches(&segment.identity()) => {
                    Entry { segment, ..entry }
                }
                _ => Entry {
                    segment,
                    polled: None,
                    copies: Copies::default(),
                    last: None,
                    quiet: 0,
                    lease: Lease::default(),
                    resting_until: None,
                },
            })
            .collect();
        self.queue.clear();
        // New entries do not wait for a long interval to end.
        let due = self.next.map_or(now, |next| next.min(self.began + EVERY));
        self.next = (!self.entries.is_empty()).then_some(due);
    }

    /// Starts an interval: the front is polled first, then the others in turn.
    fn begin(&mut self, now: Clock) {
        let all = now >= self.all_next;
        if all {
            self.all_next = now + QUIET_EVERY;
        }
        let count = self.entries.len();
        let front = count.min(FRONT);
        let others = count - front;
        let first = if others > 0 { self.turn % others } else { 0 };
        let turns = (0..others).map(|at| front + (first + at) % others);
        self.queue = (0..front).chain(turns).filter(|&at| all || !self.entries[at].is_quiet()).collect();
        self.queue.reverse();
        // Time beyond the budget counts for the next interval.
        let passed = now.saturating_sub(self.began).max(EVERY).div_duration_f64(EVERY);
        self.spent = self.spent.saturating_sub(self.budget.mul_f64(passed)).min(self.budget);
        self.began = now;
        self.next = Some(now + EVERY);
    }

    /// Ends an interval. If all entries are quiet, the next one is later.
    fn end(&mut self) {
        self.queue.clear();
        if self.entries.iter().all(Entry::is_quiet) && !self.entries.is_empty() {
            self.next = Some(self.all_next.max(self.began + EVERY));
        }
    }

    fn report(&mut self, now: Clock) -> Vec<Report> {
        let polled = std::mem::take(&mut self.polled);
        if polled.is_empty() { vec![] } else { vec![Report::new(now, Body::Rates(polled))] }
    }
}

impl Worker for RatesWorker {
    fn handle(&mut self, _: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        if let Request::SetRates(segments) = job.request {
            self.set(segments, now);
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        if self.queue.is_empty() && !self.flush { self.next } else { Some(Clock::ZERO) }
    }

    /// Polls one segment.
    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        if std::mem::take(&mut self.flush) {
            return self.report(now);
        }
        if self.queue.is_empty() {
            self.begin(now);
            if self.spent >= self.budget {
                self.end();
                return vec![];
            }
        }
        if let Some(at) = self.queue.pop()
            && let Some(entry) = self.entries.get_mut(at)
        {
            if entry.lease.is_checked() && entry.segment.posix().is_some() {
                let before = machine.monotonic_time();
                self.leases.refresh(machine);
                self.waited = machine.monotonic_time().saturating_sub(before);
            }
            let front = at < FRONT;
            if !front {
                self.turn = at - FRONT + 1;
            }
            let effort = if front { FRONT_EFFORT } else { OTHER_EFFORT };
            if let Some(activity) = entry.poll(machine, &mut self.leases, effort, now) {
                self.polled.push((entry.segment.id.clone(), activity));
            }
        }
        if !self.queue.is_empty() {
            return vec![];
        }
        self.end();
        self.report(now)
    }

    fn took(&mut self, time: Duration) {
        self.spent += time.saturating_sub(std::mem::take(&mut self.waited));
        if self.spent >= self.budget {
            self.end();
            self.flush = !self.polled.is_empty();
        }
    }
}

impl Entry {
    /// Returns true if the segment is polled less often: it stands still, or had a lease. A sampled segment changes
    /// where it is not looked at.
    fn is_quiet(&self) -> bool {
        let sampled = matches!(self.last, Some(Activity::Changing { sampled: true, .. }));
        self.quiet > HOT && !sampled || self.lease == Lease::Seen
    }

    /// Polls the segment. Returns its activity if it is new.
    fn poll(
        &mut self,
        machine: &dyn Machine,
        leases: &mut WriteLeases,
        effort: Effort,
        now: Clock,
    ) -> Option<Activity> {
        if self.resting_until.is_some_and(|until| now < until) {
            return None;
        }
        let different = self.different(machine, leases, effort);
        self.resting_until = (self.lease == Lease::Unlisted).then(|| now + UNLISTED);
        let activity = match different {
            Ok(Some(Different { bytes, sampled })) => {
                let since = self.polled.replace(now)?;
                let elapsed = now.saturating_sub(since).max(Duration::from_millis(1));
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "at most a thousand times the number of bytes compared"
                )]
                let bytes_per_second = (bytes as f64 / elapsed.as_secs_f64()).round() as u64;
                Activity::Changing { bytes_per_second, sampled }
            }
            // Its removal is reported by the next survey.
            Ok(None) => return None,
            Err(reason) => Activity::Unread(reason),
        };
        let changing =
            matches!(activity, Activity::Changing { bytes_per_second, .. } if bytes_per_second > 0);
        self.quiet = if changing { 0 } else { self.quiet.saturating_add(1) };
        let known = self.last.as_ref() == Some(&activity) && self.quiet > HOT;
        self.last = Some(activity.clone());
        (!known).then_some(activity)
    }

    /// Compares the segment with its copies. `None` if it is gone.
    fn different(
        &mut self,
        machine: &dyn Machine,
        leases: &mut WriteLeases,
        effort: Effort,
    ) -> Result<Option<Different>, Unread> {
        let open = || Reader::open_unattached(machine, &self.segment);
        let reader = match self.lease.open(leases, machine, &self.segment, open) {
            Ok(reader) => reader,
            Err(OpenError::Gone { .. } | OpenError::Replaced { .. }) => return Ok(None),
            Err(OpenError::NeedsAttach { reason, .. }) => {
                let forecast = Forecast { method: Method::Attach, reason: Some(reason) };
                return Err(Unread::Trace(forecast));
            }
            Err(OpenError::Leased { pid, .. }) => return Err(Unread::Leased(pid)),
            Err(error) => return Err(Unread::Failed(ShownError::of(error))),
        };
        if reader.trace() != Trace::None {
            return Err(Unread::Trace(Forecast {
                method: reader.method(),
                reason: Some(TraceReason::NotOwner),
            }));
        }
        self.copies.compare(&reader, effort).map(Some).map_err(|error| Unread::Failed(ShownError::of(error)))
    }
}

#[cfg(test)]
mod tests;

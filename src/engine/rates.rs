//! Polls the change rates of many segments within a small share of the processor.
//!
//! Every poll opens, reads and closes: an open descriptor would pin removed memory and make the lease of another
//! program fail.

use super::Clock;
use super::report::{Activity, Body, Report, Unread};
use super::request::Request;
use super::worker::{Job, Worker};
use crate::machine::{ExtentKind, Machine, Method, Trace, TraceReason};
use crate::memory::{Forecast, OpenError, PageBuffer, Reader};
use crate::segment::{Segment, SegmentId, ShownError};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// The interval of polls.
const EVERY: Duration = Duration::from_millis(250);
/// The number of segments that are polled at every interval, before the others take turns.
const FRONT: usize = 64;
/// The size of the parts that are copied from a sampled segment.
const PART: u64 = 4096;
/// The number of polls for which a changed part stays hot. Also the number of zeros that are
/// reported after a change, so that a sparkline runs out.
const HOT: u32 = 8;

/// The time without polls after another program's lease was found: each open asks its holder to release it.
const LEASED: Duration = Duration::from_secs(60);

/// Limits for the copies of one segment.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Segments larger than this are sampled.
    whole: u64,
    /// The maximum number of recently changed parts.
    hot: usize,
    /// The number of parts that take turns in each poll.
    turns: usize,
}

const FRONT_EFFORT: Effort = Effort { whole: 64 << 10, hot: 8, turns: 16 };
const OTHER_EFFORT: Effort = Effort { whole: 8 << 10, hot: 2, turns: 2 };

/// The worker that polls change rates.
pub struct RatesWorker {
    entries: Vec<Entry>,
    /// The processor time per interval.
    budget: Duration,
    next: Option<Clock>,
    /// The entries that are still to be polled in this interval, last first.
    queue: Vec<usize>,
    /// The first of the entries behind the front that was not polled.
    turn: usize,
    spent: Duration,
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
    /// Another program has a lease, which the next poll would break again.
    leased_until: Option<Clock>,
}

impl RatesWorker {
    /// Returns a worker that takes at most this share of one processor. With a share of 0, it polls nothing.
    pub fn new(share: f64) -> Self {
        Self {
            entries: vec![],
            budget: EVERY.mul_f64(share.clamp(0.0, 1.0)),
            next: None,
            queue: vec![],
            turn: 0,
            spent: Duration::ZERO,
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
                Some(entry) if entry.segment.identity().fits(&segment.identity()) => {
                    Entry { segment, ..entry }
                }
                _ => Entry {
                    segment,
                    polled: None,
                    copies: Copies::default(),
                    last: None,
                    quiet: 0,
                    leased_until: None,
                },
            })
            .collect();
        self.queue.clear();
        let due = self.next.unwrap_or(now);
        self.next = (!self.entries.is_empty()).then_some(due);
    }

    /// Starts an interval: the front is polled first, then the others in turn.
    fn begin(&mut self, now: Clock) {
        let count = self.entries.len();
        let front = count.min(FRONT);
        let others = count - front;
        let first = if others > 0 { self.turn % others } else { 0 };
        let turns = (0..others).map(|at| front + (first + at) % others);
        self.queue = (0..front).chain(turns).collect();
        self.queue.reverse();
        self.spent = Duration::ZERO;
        self.next = Some(now + EVERY);
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
        }
        if let Some(at) = self.queue.pop()
            && let Some(entry) = self.entries.get_mut(at)
        {
            let front = at < FRONT;
            if !front {
                self.turn = at - FRONT + 1;
            }
            let effort = if front { FRONT_EFFORT } else { OTHER_EFFORT };
            if let Some(activity) = entry.poll(machine, effort, now) {
                self.polled.push((entry.segment.id.clone(), activity));
            }
        }
        if self.queue.is_empty() { self.report(now) } else { vec![] }
    }

    fn took(&mut self, time: Duration) {
        self.spent += time;
        if self.spent >= self.budget {
            self.queue.clear();
            self.flush = !self.polled.is_empty();
        }
    }
}

impl Entry {
    /// Polls the segment. Returns its activity if it is new.
    fn poll(&mut self, machine: &dyn Machine, effort: Effort, now: Clock) -> Option<Activity> {
        if self.leased_until.take_if(|until| *until <= now).is_none() && self.leased_until.is_some() {
            return None;
        }
        let activity = match self.different(machine, effort, now) {
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
        effort: Effort,
        now: Clock,
    ) -> Result<Option<Different>, Unread> {
        let reader = match Reader::open_unattached(machine, &self.segment) {
            Ok(reader) => reader,
            Err(OpenError::Gone { .. } | OpenError::Replaced { .. }) => return Ok(None),
            Err(OpenError::NeedsAttach { reason, .. }) => {
                let forecast = Forecast { method: Method::Attach, reason: Some(reason) };
                return Err(Unread::Trace(forecast));
            }
            Err(error) => {
                if matches!(error, OpenError::Leased { .. }) {
                    self.leased_until = Some(now + LEASED);
                }
                return Err(Unread::Failed(ShownError::of(error)));
            }
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

struct Different {
    bytes: u64,
    sampled: bool,
}

/// The copies that the next poll is compared with.
#[derive(Default)]
struct Copies {
    /// The parts, by their offset.
    parts: BTreeMap<u64, Part>,
    /// The offset at which the next turn looks for data.
    turn: u64,
}

struct Part {
    bytes: Vec<u8>,
    /// The number of further polls that compare it.
    heat: u32,
}

impl Copies {
    fn compare(&mut self, reader: &Reader, effort: Effort) -> io::Result<Different> {
        let size = reader.size()?;
        let mut buffer = PageBuffer::default();
        let mut bytes = 0;
        for (&offset, part) in &mut self.parts {
            if !reader.swapped_in(offset..offset + part.bytes.len() as u64)?.is_empty() {
                continue;
            }
            reader.fill(&mut buffer, offset, part.bytes.len())?;
            let different = count_different(&part.bytes, &buffer);
            part.heat = if different > 0 { HOT } else { part.heat.saturating_sub(1) };
            bytes += different;
            if different > 0 || part.bytes.len() != buffer.len() {
                part.bytes.clear();
                part.bytes.extend_from_slice(&buffer);
            }
        }
        let sampled = size > effort.whole;
        if sampled {
            self.rotate(reader, size, effort, &mut buffer)?;
        } else if self.parts.get(&0).is_none_or(|part| part.bytes.len() as u64 != size) {
            self.parts.clear();
            self.copy(reader, 0, size, &mut buffer)?;
        }
        Ok(Different { bytes, sampled })
    }

    /// Keeps the first part and the hot ones, and copies the next parts that have data.
    fn rotate(
        &mut self,
        reader: &Reader,
        size: u64,
        effort: Effort,
        buffer: &mut PageBuffer,
    ) -> io::Result<()> {
        self.parts.retain(|&offset, part| part.heat > 0 && offset < size);
        while self.parts.len() > effort.hot {
            self.parts.pop_last();
        }
        let mut turns = 0;
        // Each seek either finds data or skips a hole.
        for _ in 0..2 * effort.turns {
            if turns == effort.turns {
                break;
            }
            self.turn = if self.turn >= size { 0 } else { self.turn };
            // Searching for the end of the data would visit all of its pages.
            let Some(extent) = reader.extent_at(self.turn, PART)? else { break };
            if extent.kind == ExtentKind::Hole {
                let hole = reader.extent_at(self.turn, size - self.turn)?;
                self.turn = hole.map_or(size, |hole| hole.end).next_multiple_of(PART);
                continue;
            }
            let offset = self.turn;
            self.turn += PART;
            turns += 1;
            self.copy(reader, offset, (size - offset).min(PART), buffer)?;
        }
        // Headers are at the start.
        self.copy(reader, 0, size.min(PART), buffer)
    }

    /// Copies a part that is not copied yet.
    fn copy(&mut self, reader: &Reader, offset: u64, length: u64, buffer: &mut PageBuffer) -> io::Result<()> {
        if !self.parts.contains_key(&offset) && reader.swapped_in(offset..offset + length)?.is_empty() {
            reader.fill(buffer, offset, usize::try_from(length).map_err(io::Error::other)?)?;
            self.parts.insert(offset, Part { bytes: buffer.to_vec(), heat: 0 });
        }
        Ok(())
    }
}

/// Counts the bytes that differ in the common part of two slices.
fn count_different(a: &[u8], b: &[u8]) -> u64 {
    if a == b {
        return 0;
    }
    a.iter().zip(b).filter(|(a, b)| a != b).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    fn segments(machine: &FakeMachine) -> Vec<Segment> {
        Survey::take(machine, &mut Names::default()).segments
    }

    /// Runs all polls of one interval, and returns the rates.
    fn interval(worker: &mut RatesWorker, machine: &FakeMachine, now: Clock) -> Vec<(String, Activity)> {
        let mut rates = vec![];
        while worker.deadline().is_some_and(|due| due <= now) {
            for report in worker.work(machine, now) {
                let Body::Rates(polled) = report.body else { panic!() };
                rates.extend(polled.into_iter().map(|(id, activity)| (id.to_string(), activity)));
            }
            worker.took(Duration::ZERO);
        }
        rates
    }

    fn started(machine: &FakeMachine) -> RatesWorker {
        let mut worker = RatesWorker::new(0.01);
        worker.handle(machine, Clock::ZERO, Job::new(Request::SetRates(segments(machine))));
        worker
    }

    fn changing(bytes_per_second: u64, sampled: bool) -> Activity {
        Activity::Changing { bytes_per_second, sampled }
    }

    #[test]
    fn rate_is_the_number_of_different_bytes_per_second() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(&[0; 100]));
        let mut worker = started(&machine);
        assert_eq!(interval(&mut worker, &machine, Clock::ZERO), []);
        machine.edit_object("a", |bytes| bytes.write(10, &[1, 2, 3]));
        let at = Duration::from_millis(250);
        assert_eq!(interval(&mut worker, &machine, at), [("posix:/a".to_owned(), changing(12, false))]);
        // The sparkline runs out, then there is silence.
        let zeros = (2..20).flat_map(|tick| interval(&mut worker, &machine, at * tick)).count();
        assert_eq!(zeros, HOT as usize);
    }

    #[test]
    fn change_in_a_large_segment_is_found_in_turn_and_then_followed() {
        let machine = FakeMachine::new();
        machine.add_object("large", FakeBytes::full(&vec![7; 1 << 20]));
        let mut worker = started(&machine);
        let at = |tick: u32| EVERY * tick;
        let mut found = vec![];
        for tick in 0..40u32 {
            machine.edit_object("large", |bytes| bytes.write(600 << 10, &tick.to_le_bytes()));
            found.extend(interval(&mut worker, &machine, at(tick)));
        }
        let (nonzero, all) = (found.iter().filter(|(_, one)| *one != changing(0, true)).count(), found.len());
        assert!(nonzero >= 20, "{nonzero} of {all}");
    }

    #[test]
    fn work_beyond_the_budget_waits_its_turn() {
        let machine = FakeMachine::new();
        for number in 0..FRONT + 20 {
            machine.add_object(&format!("o{number:03}"), FakeBytes::full(&[0; 10]));
        }
        let mut worker = started(&machine);
        let mut polled = std::collections::BTreeSet::new();
        for tick in 0..30u32 {
            let now = EVERY * tick;
            let mut count = 0;
            for object in 0..FRONT + 20 {
                machine.edit_object(&format!("o{object:03}"), |bytes| bytes.write(0, &tick.to_le_bytes()));
            }
            while worker.deadline().is_some_and(|due| due <= now) {
                for report in worker.work(&machine, now) {
                    let Body::Rates(rates) = report.body else { panic!() };
                    polled.extend(rates.into_iter().map(|(id, _)| id));
                }
                worker.took(worker.budget / 70);
                count += 1;
            }
            // The last call only reports.
            assert!(count <= 72, "{count} polls");
        }
        assert_eq!(polled.len(), FRONT + 20);
    }

    #[test]
    fn segments_that_cannot_be_read_without_a_trace_are_not_read() {
        let machine = FakeMachine::new();
        machine.add_sysv(7, 0, FakeBytes::full(b"x"));
        let mut worker = started(&machine);
        let rates = interval(&mut worker, &machine, Clock::ZERO);
        assert_eq!(
            rates,
            [(
                "sysv:7".to_owned(),
                Activity::Unread(Unread::Trace(Forecast {
                    method: Method::Attach,
                    reason: Some(TraceReason::NoHolder)
                }))
            )]
        );
        machine.edit(|facts| assert_eq!(facts.attached, 0));
    }

    #[test]
    fn share_of_0_polls_nothing() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        let mut worker = RatesWorker::new(0.0);
        worker.handle(&machine, Clock::ZERO, Job::new(Request::SetRates(segments(&machine))));
        assert_eq!(worker.deadline(), None);
    }

    #[test]
    fn object_with_a_lease_is_left_alone_for_a_minute() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        let mut worker = started(&machine);
        let entry = &mut worker.entries[0];
        entry.leased_until = Some(LEASED);
        assert!(entry.poll(&machine, FRONT_EFFORT, EVERY).is_none() && entry.polled.is_none());
        entry.poll(&machine, FRONT_EFFORT, LEASED);
        assert_eq!(entry.polled, Some(LEASED));
    }

    #[test]
    fn empty_list_ends_the_polls() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        let mut worker = started(&machine);
        assert!(worker.deadline().is_some());
        worker.handle(&machine, Clock::ZERO, Job::new(Request::SetRates(vec![])));
        assert_eq!(worker.deadline(), None);
    }
}

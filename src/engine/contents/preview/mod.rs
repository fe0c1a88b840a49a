//! Previews a segment without a trace, for the live strip: its first bytes, a map of all of it, and
//! its moving values.
//!
//! Each poll opens, reads and closes the segment, so that nothing stays open: a removed segment is
//! freed, other programs get leases, and a replacement is detected.

mod scan;

use super::structure::Structure;
use crate::decode::layouts::Built;
use crate::decode::moving::{BURST, Detector, Kind, Moment, MovingValue, Origin, POLLS, Sort};
use crate::engine::Clock;
use crate::engine::PreviewFields;
use crate::engine::lease::Lease;
use crate::engine::report::{Body, Ended, Look, Moving, Preview, Unread, unreadable};
use crate::machine::{Machine, Method, Trace, TraceReason};
use crate::memory::{Forecast, OpenError, Reader, WriteLeases, peek};
use crate::segment::{Segment, SegmentId, ShownError, Timestamp, local_time};
use scan::Scan;
use std::io;
use std::ops::Range;
use std::time::{Duration, SystemTime};

/// The part of a segment in which values are detected.
const DETECTED: u64 = 64 << 10;
/// The number of samples in a sparkline, and their interval.
const SAMPLES: u32 = 24;
const SAMPLE_EVERY: Duration = Duration::from_millis(250);
/// The mean of [`POLLS`].
const MEAN_POLL: Duration = Duration::from_millis(250);
/// Looks without a change after which the segment is looked at less often.
const QUIET: u32 = 8;
/// The factor of the intervals then. A write must show within a second.
const QUIET_PAUSE: f64 = 2.0;
/// The minimum confidence of a value that is shown.
const MIN_CONFIDENCE: f64 = 0.5;

/// Returns the reader of a segment that is open anyway.
pub type Held<'a> = dyn Fn(&SegmentId) -> Option<Reader> + 'a;

#[derive(Default)]
pub struct PreviewFeed {
    /// `None` before [`Self::show`].
    segment: Option<Box<Segment>>,
    /// The interval; `None` while paused.
    pub every: Option<Duration>,
    leases: WriteLeases,
    lease: Lease,
    /// The number of polls so far.
    looks: usize,
    /// Successive looks that found no change.
    quiet: u32,
    bytes: usize,
    cells: usize,
    /// The fields to report.
    ranges: Vec<Range<u64>>,
    /// The type that is built from the contents.
    structure: Option<Structure>,
    scan: Scan,
    detector: Detector,
    burst: Option<Burst>,
    /// The first bytes as they were reported.
    seen: Vec<u8>,
    /// The last report, without its changes.
    reported: Option<Preview>,
    /// `CLOCK_MONOTONIC` at time 0 of the engine.
    boot: Option<Duration>,
}

/// Several reads in quick succession, which show the slope of fast counters.
struct Burst {
    /// The number of reads after the first.
    step: usize,
    /// The first read found a change in the part in which values are detected. Values that stand still have no slope.
    moves: bool,
    look: Look,
}

impl PreviewFeed {
    /// Returns true if the feed shows this segment, possibly with other holders.
    pub fn shows(&self, segment: &Segment) -> bool {
        self.segment
            .as_ref()
            .is_some_and(|shown| shown.id == segment.id && shown.identity().matches(&segment.identity()))
    }

    /// Shows a segment, starting with the next poll.
    pub fn show(
        &mut self,
        segment: Box<Segment>,
        every: Option<Duration>,
        bytes: usize,
        cells: usize,
        fields: Option<PreviewFields>,
    ) {
        self.segment = Some(segment);
        let (ranges, layout) = fields.map_or((vec![], None), |fields| (fields.ranges, fields.layout));
        self.ranges = ranges;
        if self.structure.as_ref().map(Structure::layout) != layout {
            self.structure = layout.map(Structure::resident);
        }
        (self.every, self.bytes, self.cells) = (every, bytes, cells);
        self.reported = None;
        self.burst = None;
    }

    /// Returns the time until the next poll. Intervals differ, so that a value that changes at a
    /// multiple of the poll rate is not always seen in the same phase. `None` if the feed only
    /// needs to be read on request: it is paused, or this process will not gain privileges.
    pub fn next_interval(&mut self, held: &Held<'_>) -> Option<Duration> {
        let every = self.every.filter(|_| !self.is_idle(held))?;
        self.looks += 1;
        let pause = if self.quiet > QUIET || self.lease == Lease::Seen { QUIET_PAUSE } else { 1.0 };
        Some(POLLS[self.looks % POLLS.len()].mul_f64(pause * every.as_secs_f64() / MEAN_POLL.as_secs_f64()))
    }

    /// The time until the next read of a burst.
    pub fn next_step(&self) -> Option<Duration> {
        self.burst.as_ref().map(|burst| BURST[burst.step])
    }

    /// Polls the segment, or takes the next read of a burst, and reports changes. `live` adds a
    /// burst.
    pub fn read(&mut self, machine: &dyn Machine, now: Clock, held: &Held<'_>, live: bool) -> Vec<Body> {
        let Some(segment) = &mut self.segment else { return vec![] };
        let id = segment.id.clone();
        let opened = match held(&id) {
            // No other program can have a lease.
            Some(reader) => open(machine, segment, Some(reader)),
            None => self.lease.open(&mut self.leases, machine, segment, || open(machine, segment, None)),
        };
        let looked = match opened {
            Ok(reader) => match self.burst.take() {
                Some(burst) => self.observe(machine, now, &reader).map(|_| Some(burst)),
                None => self.begin(machine, now, &reader),
            },
            Err(OpenError::NeedsAttach { reason, .. }) => {
                if reason == TraceReason::Unreachable {
                    // Another process may have it attached by now.
                    segment.holders = None;
                }
                self.burst = None;
                let forecast = Forecast { method: Method::Attach, reason: Some(reason) };
                return self.report(Err(Unread::Trace(forecast)));
            }
            Err(OpenError::Gone { .. } | OpenError::Replaced { .. }) => {
                return vec![Body::Ended(Ended::Removed)];
            }
            Err(OpenError::Leased { pid, .. }) => {
                self.burst = None;
                return self.report(Err(Unread::Leased(pid)));
            }
            Err(error) => {
                self.burst = None;
                return self.report(Err(Unread::Failed(ShownError::of(error))));
            }
        };
        let mut burst = match looked {
            Ok(Some(burst)) => burst,
            Ok(None) => {
                let forecast = Forecast {
                    method: Method::Name { keeps_access_time: false },
                    reason: Some(TraceReason::NotOwner),
                };
                return self.report(Err(Unread::Trace(forecast)));
            }
            Err(error) => return self.report(Err(Unread::Failed(unreadable(&id, &error)))),
        };
        let first = self.reported.is_none();
        if live && burst.moves && burst.step < BURST.len() && !first && self.lease != Lease::Seen {
            burst.step += 1;
            if burst.step < BURST.len() {
                self.burst = Some(burst);
                return vec![];
            }
        }
        let mut look = burst.look;
        look.moving = self.moving();
        self.report(Ok(Box::new(look)))
    }

    fn is_idle(&self, held: &Held<'_>) -> bool {
        let unread = match &self.reported {
            Some(Preview { look: Err(Unread::Trace(forecast)), .. }) => {
                matches!(forecast.reason, Some(TraceReason::NotPrivileged | TraceReason::NotOwner))
            }
            _ => self.lease == Lease::Unlisted,
        };
        unread && self.segment.as_ref().is_some_and(|segment| held(&segment.id).is_none())
    }

    /// Takes the first read of a poll. `None` if it would leave a trace.
    fn begin(&mut self, machine: &dyn Machine, now: Clock, reader: &Reader) -> io::Result<Option<Burst>> {
        if reader.trace() == Trace::AccessTime {
            return Ok(None);
        }
        let size = reader.size()?;
        let first = peek(reader, 0..self.bytes as u64)?;
        let changed = differences(&self.seen, &first.bytes, &first.swapped);
        self.seen.clone_from(&first.bytes);
        let map = self.scan.look(reader, size, self.cells)?;
        let moves = self.observe(machine, now, reader)?;
        let is_quiet = !moves && changed.is_empty() && map.iter().all(|cell| !cell.changed);
        self.quiet = if is_quiet { self.quiet.saturating_add(1) } else { 0 };
        let (fields, built) = self.fields(reader)?;
        let look = Look {
            size,
            method: reader.method(),
            bytes: first.bytes,
            changed,
            swapped: first.swapped,
            map,
            moving: vec![],
            fields,
            built,
        };
        Ok(Some(Burst { step: 0, moves, look }))
    }

    /// Reads the fields, and checks the type that the contents have. The check comes last, so that
    /// the fields are those of the type unless it has just changed.
    #[expect(clippy::type_complexity, reason = "two parts of a look")]
    fn fields(
        &mut self,
        reader: &Reader,
    ) -> io::Result<(Vec<(u64, Vec<u8>)>, Option<Result<Built, ShownError>>)> {
        let mut fields = vec![];
        for range in &self.ranges {
            let seen = peek(reader, range.clone())?;
            // A swapped page would read as zeros.
            if seen.swapped.is_empty() {
                fields.push((range.start, seen.bytes));
            }
        }
        let Some(structure) = &mut self.structure else { return Ok((fields, None)) };
        if structure.check(reader)?.is_some() {
            fields.clear();
        }
        let built = structure.built().cloned();
        Ok((fields, built.map(|built| built.map_err(ShownError::of))))
    }

    /// Feeds the detector with the part of the segment that changes. Returns true if it has changed.
    fn observe(&mut self, machine: &dyn Machine, now: Clock, reader: &Reader) -> io::Result<bool> {
        let boot = *self.boot.get_or_insert_with(|| machine.monotonic_time().saturating_sub(now));
        let start = self.scan.active().map_or(0, |offset| offset / DETECTED * DETECTED);
        let seen = peek(reader, start..start + DETECTED)?;
        // A swapped page would read as zeros.
        let end = seen
            .swapped
            .first()
            .map_or(seen.bytes.len(), |run| usize::try_from(run.start - start).unwrap_or(0));
        let wall = machine.now().since_epoch();
        Ok(self.detector.observe(Moment { monotonic: boot + now, wall }, start, &seen.bytes[..end]))
    }

    fn moving(&mut self) -> Vec<Moving> {
        let values = self.detector.values().into_iter();
        values.filter(|value| value.confidence >= MIN_CONFIDENCE).map(|value| moving(&value)).collect()
    }

    /// Reports the result of a poll unless it is the same as the last one.
    fn report(&mut self, look: Result<Box<Look>, Unread>) -> Vec<Body> {
        let Some(segment) = &self.segment else { return vec![] };
        let preview = Preview { id: segment.id.clone(), look };
        let same = self.reported.as_ref() == Some(&preview);
        self.reported = Some(preview.unchanged());
        if same { vec![] } else { vec![Body::Preview(preview)] }
    }
}

/// Returns the reader that the user keeps open, or opens the segment without attaching it.
fn open(machine: &dyn Machine, segment: &Segment, held: Option<Reader>) -> Result<Reader, OpenError> {
    match held {
        Some(reader) if reader.method() == Method::Attach => Ok(reader),
        held => match (Reader::open_unattached(machine, segment), held) {
            // It was removed, and Inspect still has it open.
            (Err(OpenError::Gone { .. } | OpenError::Replaced { .. }), Some(reader)) => Ok(reader),
            (opened, _) => opened,
        },
    }
}

/// Returns the bytes that differ from the last poll.
fn differences(before: &[u8], now: &[u8], swapped: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = vec![];
    for (at, (before, now)) in (0..).zip(before.iter().zip(now)) {
        if before == now || swapped.iter().any(|run| run.contains(&at)) {
            continue;
        }
        match ranges.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => ranges.push(at..at + 1),
        }
    }
    ranges
}

/// Prepares a value for display.
fn moving(value: &MovingValue) -> Moving {
    let last = value.history.last().map_or(Duration::ZERO, |(at, _)| *at);
    let sample = |back: u32| {
        let at = last.saturating_sub(SAMPLE_EVERY * back);
        value.history.iter().rev().find(|(time, _)| *time <= at).map(|(_, number)| *number)
    };
    let rate = match (value.kind, value.rate) {
        (Kind::Counter | Kind::Index { .. }, Some(rate)) if rate != 0.0 => value_rate(rate),
        (Kind::Clock { unit, .. }, _) => format!("clock {}", unit.word()),
        (Kind::Flag, _) => "flag".to_owned(),
        _ => String::new(),
    };
    Moving {
        offset: value.offset,
        kind: value.type_text(),
        value: short_text(value),
        history: (0..SAMPLES).rev().filter_map(sample).collect(),
        rate,
    }
}

/// Formats a value in a few characters: floats with six digits, times without the date.
fn short_text(value: &MovingValue) -> String {
    let number = value.history.last().map_or(0.0, |(_, number)| *number);
    match (value.kind, value.sort) {
        (Kind::Clock { unit, origin: Origin::Epoch }, _) => {
            let time = unit.duration(number);
            // Drop the digits after the milliseconds.
            local_time::of_day(Timestamp::from(SystemTime::UNIX_EPOCH + time)).chars().take(12).collect()
        }
        (_, Sort::Float) if number != 0.0 && !(1e-4..1e6).contains(&number.abs()) => format!("{number:.4e}"),
        (_, Sort::Float) => {
            let digits = number.abs().log10().floor().clamp(-4.0, 5.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 9")]
            let decimals = if number == 0.0 { 1 } else { (5.0 - digits) as usize };
            format!("{number:.decimals$}")
        }
        _ => value.value().to_string(),
    }
}

/// Formats the change of a value per second: `+50/s`, `+12k/s`.
#[must_use]
pub fn value_rate(rate: f64) -> String {
    let (scaled, unit) = match rate.abs() {
        small if small < 1e4 => (rate, ""),
        large if large < 1e7 => (rate / 1e3, "k"),
        huge if huge < 1e10 => (rate / 1e6, "M"),
        _ => (rate / 1e9, "G"),
    };
    if scaled.abs() < 10.0 { format!("{scaled:+.1}{unit}/s") } else { format!("{scaled:+.0}{unit}/s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_runs_without_swapped_bytes() {
        assert_eq!(differences(b"abcdef", b"aXXdeX", &[]), [1..3, 5..6]);
        assert_eq!(differences(b"abcdef", b"aXXdeX", &[0..3, 6..7]), vec![5..6; 1]);
        assert_eq!(differences(b"", b"new", &[]), []);
    }

    #[test]
    fn rates_are_short() {
        for (rate, text) in
            [(50.0, "+50/s"), (-2.5, "-2.5/s"), (12_345.0, "+12k/s"), (2.5e6, "+2500k/s"), (3e7, "+30M/s")]
        {
            assert_eq!(value_rate(rate), text);
        }
    }
}

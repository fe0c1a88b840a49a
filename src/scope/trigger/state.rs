//! Checks samples against a trigger.

use super::check::{Check, Predicate};
use super::condition::{Signal, Time};
use super::{Mode, Trigger, TriggerError};
use crate::scope::expression::{Breaks, Names, Program, Samples, parse};
use crate::scope::{Batch, Channel, Grade, Number, NumberKind};
use crate::segment::quote;
use std::fmt;
use std::time::Duration;

/// The time without a trigger after which a trigger in automatic mode fires, unless
/// [`TriggerState::set_auto_timeout`] sets another.
pub const AUTO_TIMEOUT: Duration = Duration::from_millis(500);

/// A trigger with its memory of earlier samples.
#[derive(Debug, Clone)]
pub struct TriggerState {
    input: Input,
    check: Check,
    mode: Mode,
    /// Nanoseconds, like all times.
    holdoff: u64,
    auto_timeout: u64,
    /// The last sample that was not missing.
    last: Option<(u64, Number)>,
    /// A sample since then was missing.
    is_after_gap: bool,
    changed_at: u64,
    /// The level has fired and not been false since.
    is_spent: bool,
    fired_at: Option<u64>,
    /// The last trigger of any reason, or the first sample.
    auto_since: Option<u64>,
    is_armed: bool,
}

/// The origin of the numbers.
#[derive(Debug, Clone)]
enum Input {
    Channel { index: usize, kind: NumberKind },
    Expression(Box<Computed>),
}

#[derive(Debug, Clone)]
struct Computed {
    program: Program,
    kinds: Vec<NumberKind>,
    breaks: Breaks,
}

/// A trigger that fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// The row of the batch.
    pub row: usize,
    pub reason: Reason,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The condition was met by this number, which came after samples that were missing for a time.
    Met { value: Number, gap: Option<Duration> },
    /// The condition was not met for so long, and the mode is automatic.
    Timeout(Duration),
}

impl TriggerState {
    /// The channel that is checked. `None` for an expression.
    #[must_use]
    pub const fn channel(&self) -> Option<usize> {
        match self.input {
            Input::Channel { index, .. } => Some(index),
            Input::Expression(_) => None,
        }
    }

    /// Prepares a trigger for batches with a column for each channel.
    ///
    /// # Errors
    /// Fails if a channel or an enumerator does not exist, or if the test does not fit the channel.
    pub fn new(trigger: &Trigger, channels: &[Channel]) -> Result<Self, TriggerError> {
        let failed = |problem: String| TriggerError { text: trigger.condition.to_string(), problem };
        let names = Names::new(channels).map_err(|error| failed(error.to_string()))?;
        let (input, kind, channel) = match &trigger.condition.signal {
            Signal::Channel(name) => {
                let index = names.find(name).map_err(|problem| {
                    if name.contains(['+', '-', '*', '/', '%']) && !name.starts_with('/') {
                        let name = quote(name.as_bytes());
                        return failed(format!("put an expression in parentheses, as in ({name}) > 0"));
                    }
                    failed(problem)
                })?;
                let kind = channels[index].kind;
                (Input::Channel { index, kind }, kind, channels.get(index))
            }
            Signal::Expression(text) => {
                let program =
                    parse(text, &names).map_err(|error| failed(format!("in the parentheses, {error}")))?;
                let kinds = channels.iter().map(|channel| channel.kind).collect();
                let computed = Computed { program, kinds, breaks: Breaks::new(channels.len()) };
                (Input::Expression(Box::new(computed)), NumberKind::Float, None)
            }
        };
        let check = Check::new(&trigger.condition.test, kind, channel).map_err(failed)?;
        Ok(Self {
            input,
            check,
            mode: trigger.mode,
            holdoff: nanos(trigger.holdoff),
            auto_timeout: nanos(AUTO_TIMEOUT),
            last: None,
            is_after_gap: false,
            changed_at: 0,
            is_spent: false,
            fired_at: None,
            auto_since: None,
            is_armed: true,
        })
    }

    /// Sets the time without a trigger after which automatic mode fires: the span of the plot.
    pub fn set_auto_timeout(&mut self, timeout: Duration) {
        self.auto_timeout = nanos(timeout).max(1);
    }

    /// Returns false after a single trigger fired.
    #[must_use]
    pub const fn is_armed(&self) -> bool {
        self.is_armed
    }

    /// Lets a single trigger fire again. A level fires at the next sample if it holds.
    pub const fn rearm(&mut self) {
        self.is_armed = true;
        self.is_spent = false;
    }

    /// Checks the samples of a batch, which follows the last one, and returns the triggers in it.
    pub fn feed(&mut self, batch: &Batch) -> Vec<Fired> {
        let numbers = self.input.numbers(batch);
        let mut fired = vec![];
        for (row, (&time, number)) in batch.times.iter().zip(numbers).enumerate() {
            let met = number.and_then(|number| self.meets(time, number));
            if number.is_none() {
                self.is_after_gap = true;
            }
            if !self.is_armed {
                continue;
            }
            let auto_since = *self.auto_since.get_or_insert(time);
            let reason = if let Some(reason) = met {
                self.fired_at = Some(time);
                self.is_armed = self.mode != Mode::Single;
                reason
            } else if self.mode == Mode::Auto && time.saturating_sub(auto_since) >= self.auto_timeout {
                Reason::Timeout(Duration::from_nanos(time - auto_since))
            } else {
                continue;
            };
            self.auto_since = Some(time);
            fired.push(Fired { time, row, reason });
        }
        fired
    }

    /// Takes the next sample.
    fn meets(&mut self, time: u64, number: Number) -> Option<Reason> {
        let before = self.last.replace((time, number));
        let was_gap = std::mem::take(&mut self.is_after_gap);
        if before.is_none_or(|(_, before)| before.bits() != number.bits()) {
            self.changed_at = time;
        }
        let is_held_off = self.fired_at.is_some_and(|fired| time.saturating_sub(fired) < self.holdoff);
        let may_fire = self.is_armed && !is_held_off;
        let happens = |predicate: Predicate, wanted: bool| {
            before.is_some_and(|(_, before)| predicate.holds(before) != wanted)
                && predicate.holds(number) == wanted
        };
        let is_met = match self.check {
            Check::Holds(predicate) => self.level(predicate.holds(number), may_fire),
            Check::Stale(limit) => self.level(time.saturating_sub(self.changed_at) >= limit, may_fire),
            Check::Becomes(predicate) => may_fire && happens(predicate, true),
            Check::Ends(predicate) => may_fire && happens(predicate, false),
            Check::Changes => may_fire && before.is_some_and(|(_, before)| before.bits() != number.bits()),
        };
        let gap = before.filter(|_| was_gap).map(|(then, _)| Duration::from_nanos(time.saturating_sub(then)));
        is_met.then_some(Reason::Met { value: number, gap })
    }

    /// Returns true if a level fires: once each time that it becomes true.
    const fn level(&mut self, holds: bool, may_fire: bool) -> bool {
        let fires = holds && !self.is_spent && may_fire;
        self.is_spent = holds && (self.is_spent || fires);
        fires
    }
}

impl Input {
    /// The number of each row; `None` where it is missing.
    fn numbers(&mut self, batch: &Batch) -> Vec<Option<Number>> {
        match self {
            Self::Channel { index, kind } => {
                let Some(column) = batch.columns.get(*index) else { return vec![None; batch.len()] };
                let number =
                    |(bits, grade): (&u64, &Grade)| (*grade != Grade::Missing).then(|| kind.number(*bits));
                column.bits.iter().zip(&column.grades).map(number).collect()
            }
            Self::Expression(computed) => computed.numbers(batch),
        }
    }
}

impl Computed {
    fn numbers(&mut self, batch: &Batch) -> Vec<Option<Number>> {
        self.breaks.update(batch);
        let mut samples: Vec<Samples> = self.kinds.iter().map(|_| Samples::default()).collect();
        for index in self.program.channels() {
            if let Some(column) = batch.columns.get(index) {
                samples[index] = Samples::of(column, self.kinds[index], self.breaks.of(index));
            }
        }
        let result = self.program.run(&batch.times, &samples);
        let number = |row| result.point(row).map(|(point, _)| Number::Float(point.value));
        (0..batch.len()).map(number).collect()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Met { value, gap } => {
                match value {
                    Number::Unsigned(value) => write!(f, "value {value}")?,
                    Number::Signed(value) => write!(f, "value {value}")?,
                    Number::Single(value) => write!(f, "value {value}")?,
                    Number::Float(value) => write!(f, "value {value}")?,
                }
                gap.map_or(Ok(()), |gap| write!(f, ", after {} without samples", Time(gap)))
            }
            Self::Timeout(time) => write!(f, "no trigger for {}", Time(*time)),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

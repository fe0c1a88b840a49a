//! `scope --headless`: samples values until a condition is met.

use super::exec::Ended;
use super::sampling::{Sampling, check_condition};
use super::statistics::{ChannelJson, statistics_table};
use super::summary::{TimingJson, sampled};
use super::{ScopeTerms, channels, exec};
use crate::cli::args::ScopeArgs;
use crate::cli::out::{Out, warn};
use crate::cli::progress::Interrupt;
use crate::cli::{Failure, Status};
use crate::machine::Machine;
use crate::scope::recording::Epoch;
use crate::scope::trigger::{Condition, Fired, Mode, Reason, Trigger, TriggerState};
use crate::scope::writers::Write;
use crate::scope::{Batch, Channel, Number, Statistics, Timing};
use crate::segment::{Timestamp, local_time, quote};
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The interval at which Ctrl-C is noticed.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

const VERSION: u32 = 1;

/// Samples until the condition is met, the time is over, or the command is stopped.
pub fn run(
    machine: &Arc<dyn Machine>,
    args: &ScopeArgs,
    terms: &ScopeTerms,
    out: &mut Out,
) -> Result<Status, Failure> {
    if args.exec.is_some() && terms.read_only {
        return Err(Failure::Scope("--exec is disabled (read-only)".to_owned()));
    }
    let channels = channels::find(&**machine, &args.sampled, terms)?;
    check_condition(args.until.as_ref(), &args.sampled)?;
    let trigger = args.until.as_ref().map(|condition| {
        let trigger = Trigger { mode: Mode::Single, ..Trigger::new(condition.clone()) };
        TriggerState::new(&trigger, &channels).map_err(|error| Failure::Usage(error.to_string()))
    });
    let mut watch = Watch {
        trigger: trigger.transpose()?,
        statistics: channels.iter().map(|channel| Statistics::new(channel.kind)).collect(),
        timing: Timing::default(),
        fired: None,
        writer: None,
    };
    let mut sampling = Sampling::start(machine, channels, args.sampled.rate())?;
    let epoch = Epoch::of(&**machine);
    let interrupt = Interrupt::listen();
    if io::stderr().is_terminal() && args.timeout.is_none() {
        warn("sampling; press Ctrl-C to stop");
    }
    let is_over = |elapsed| args.timeout.is_some_and(|timeout| elapsed >= timeout);
    while watch.fired.is_none() && !interrupt.is_set() && !is_over(sampling.elapsed()) {
        let left = args.timeout.map_or(CHECK_INTERVAL, |timeout| timeout.saturating_sub(sampling.elapsed()));
        if let Some(batch) = sampling.next(left.min(CHECK_INTERVAL))? {
            watch.take(&batch);
        }
    }
    let channels = sampling.channels().to_vec();
    for batch in sampling.stop()? {
        watch.take(&batch);
    }
    watch.finish(&Finished { args, channels, epoch, interrupt }, out)
}

struct Watch {
    trigger: Option<TriggerState>,
    statistics: Vec<Statistics>,
    timing: Timing,
    fired: Option<Fired>,
    /// The write that met the condition, if the value is sampled at every write.
    writer: Option<Write>,
}

/// A write, in the format of `--json`.
#[derive(Serialize)]
struct WriterJson {
    pid: u32,
    tid: u32,
    function: String,
    late: bool,
}

impl WriterJson {
    fn new(write: &Write) -> Self {
        let Write { thread, place, is_late } = write;
        Self { pid: thread.process.pid, tid: thread.tid, function: place.name(), late: *is_late }
    }
}

/// The facts at the end.
struct Finished<'a> {
    args: &'a ScopeArgs,
    channels: Vec<Channel>,
    epoch: Epoch,
    interrupt: Interrupt,
}

/// The result, in the format of `--json`.
#[derive(Serialize)]
struct ScopeJson<'a> {
    version: u32,
    /// `null` without a condition.
    fired: Option<bool>,
    time: Option<String>,
    value: Option<Number>,
    /// The name of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    enumerator: Option<String>,
    /// The write that met the condition, with --every-write.
    #[serde(skip_serializing_if = "Option::is_none")]
    writer: Option<WriterJson>,
    #[serde(flatten)]
    timing: TimingJson,
    channels: Vec<ChannelJson<'a>>,
}

impl Watch {
    fn take(&mut self, batch: &Batch) {
        if self.fired.is_some() {
            return;
        }
        self.timing = batch.timing;
        for (statistics, column) in self.statistics.iter_mut().zip(&batch.columns) {
            statistics.push(&batch.times, column);
        }
        if let Some(trigger) = &mut self.trigger {
            self.fired = trigger.feed(batch).into_iter().next();
            let row = self.fired.as_ref().and_then(|fired| batch.times.binary_search(&fired.time).ok());
            self.writer = row.and_then(|row| batch.writes.get(row)?.clone());
        }
    }

    fn finish(&self, end: &Finished<'_>, out: &mut Out) -> Result<Status, Failure> {
        let Finished { args, channels, epoch, .. } = end;
        let channel =
            self.trigger.as_ref().and_then(TriggerState::channel).and_then(|index| channels.get(index));
        let fired = self.fired.as_ref().map(|fired| Met::new(fired, channel, *epoch));
        if args.json {
            let json = ScopeJson {
                version: VERSION,
                fired: args.until.as_ref().map(|_| fired.is_some()),
                time: fired.as_ref().and_then(|met| local_time::rfc3339_micros(met.time())),
                value: fired.as_ref().and_then(|met| met.value),
                enumerator: fired.as_ref().and_then(|met| met.enumerator.clone()),
                writer: self.writer.as_ref().map(WriterJson::new),
                timing: TimingJson::new(&self.timing, args.sampled.rate()),
                channels: channels.iter().zip(&self.statistics).map(ChannelJson::new).collect(),
            };
            serde_json::to_writer(&mut *out, &json).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        match (&args.until, &fired) {
            (Some(condition), Some(met)) => {
                if !args.json {
                    met.print(condition, self.writer.as_ref(), out)?;
                }
                out.flush()?;
                if let Some(command) = &args.exec {
                    return met.run(command, condition, &end.interrupt);
                }
                return Ok(Status::Success);
            }
            (Some(condition), None) => {
                let why = if end.interrupt.is_set() { "interrupted" } else { "timed out" };
                warn(&format!("{why}: '{}' was not met", quote(condition.to_string().as_bytes())));
            }
            (None, _) if !args.json => statistics_table(channels, &self.statistics).print(true, out)?,
            (None, _) => {}
        }
        out.flush()?;
        if self.timing.ticks > 0 || !args.sampled.every_write {
            warn(&sampled(&self.timing, args.sampled.rate()));
        }
        // As for `writers`, no write at all is nothing found.
        let has_nothing = args.sampled.every_write && self.timing.samples == 0;
        Ok(if args.until.is_none() && !has_nothing { Status::Success } else { Status::Failed })
    }
}

/// A condition that was met.
struct Met {
    /// Nanoseconds since 1970.
    at: u64,
    value: Option<Number>,
    enumerator: Option<String>,
}

impl Met {
    fn new(fired: &Fired, channel: Option<&Channel>, epoch: Epoch) -> Self {
        let value = match fired.reason {
            Reason::Met { value, .. } => Some(value),
            Reason::Timeout(_) => None,
        };
        let enumerator = value.and_then(|value| channel?.enumerator(value.bits()));
        Self { at: epoch.realtime_of(fired.time), value, enumerator }
    }

    fn time(&self) -> Timestamp {
        const NANOSECONDS: u64 = 1_000_000_000;
        Timestamp {
            seconds: (self.at / NANOSECONDS).cast_signed(),
            nanos: u32::try_from(self.at % NANOSECONDS).unwrap_or(0),
        }
    }

    /// `12:01:09.250000 +01:00  tick > 1000  (1001)`, or `(Running, 4)` for an enumeration; and the writer if it is
    /// known: `Motor::step, thread 4123 of 4121`.
    fn print(&self, condition: &Condition, writer: Option<&Write>, out: &mut Out) -> io::Result<()> {
        let time = local_time::of_day(self.time());
        let name = self.enumerator.as_ref().map_or_else(String::new, |name| format!("{name}, "));
        let value = self.value.map_or_else(String::new, |value| format!("  ({name}{value})"));
        let writer = writer.map_or_else(String::new, |Write { thread, place, .. }| {
            format!("  {}, thread {} of process {}", place.name(), thread.tid, thread.process.pid)
        });
        writeln!(out, "{time}  {}{value}{writer}", quote(condition.to_string().as_bytes()))
    }

    /// Runs the command of `--exec`.
    fn run(&self, command: &str, condition: &Condition, interrupt: &Interrupt) -> Result<Status, Failure> {
        let value = self.value.map_or_else(String::new, |value| value.to_string());
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .env("SHMLENS_TRIGGER", condition.to_string())
            .env("SHMLENS_VALUE", value)
            .env("SHMLENS_TIME", self.at.to_string());
        let Ended { status, is_interrupted } = exec::run(shell, interrupt)?;
        if is_interrupted {
            warn("interrupted: the command of --exec was ended");
            return Ok(Status::Failed);
        }
        if !status.success() {
            warn(&format!("the command of --exec ended with {status}"));
        }
        Ok(Status::Success)
    }
}

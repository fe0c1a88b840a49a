//! `record`: records values to a file.

use super::sampling::{Sampling, check_condition};
use super::summary::{SummaryJson, recorded, sampled};
use super::{ScopeTerms, channels};
use crate::act::SaveError;
use crate::cli::args::RecordArgs;
use crate::cli::out::{Out, warn};
use crate::cli::progress::Interrupt;
use crate::cli::{Failure, Status};
use crate::machine::Machine;
use crate::scope::recording::{
    Epoch, Recording, RecordingError, RecordingFormat, RecordingOptions, RecordingSummary, TriggerWindow,
};
use crate::scope::trigger::{Mode, Trigger, TriggerState};
use crate::scope::{Batch, Timing, units};
use crate::segment::escape;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::Duration;

/// The interval at which Ctrl-C is noticed.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The time for the segments to be opened.
const OPEN_TIMEOUT: Duration = Duration::from_secs(2);
/// The time after the end for the last samples to arrive. Those of a segment that is gone never do.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// Records until the command is stopped, the time is over, or the condition was met and its time is over.
pub fn run(
    machine: &Arc<dyn Machine>,
    args: &RecordArgs,
    terms: &ScopeTerms,
    out: &mut Out,
) -> Result<Status, Failure> {
    // The format is checked before anything else is done.
    RecordingFormat::of(&args.output)?;
    let channels = channels::find(&**machine, &args.sampled, terms)?;
    check_condition(args.on.as_ref(), &args.sampled)?;
    let trigger = match &args.on {
        Some(condition) => {
            let trigger = Trigger { mode: Mode::Single, ..Trigger::new(condition.clone()) };
            let state = TriggerState::new(&trigger, &channels);
            let window = TriggerWindow::new(args.pre.unwrap_or_default(), args.post, terms.settings.history);
            Some((state.map_err(|error| Failure::Usage(error.to_string()))?, window))
        }
        None => None,
    };
    let options = RecordingOptions {
        path: args.output.clone(),
        replace: args.force,
        max_size: args.max_size,
        writers: args.sampled.every_write,
    };
    let mut sampling = Sampling::start(machine, channels, args.sampled.rate())?;
    // A segment that cannot be read leaves no file.
    let first = sampling.first(OPEN_TIMEOUT)?;
    let recording = Recording::create(options, sampling.channels(), Epoch::of(&**machine))?;
    let interrupt = Interrupt::listen();
    if io::stderr().is_terminal() {
        warn(&format!("recording to {}; press Ctrl-C to stop", escape(args.output.as_os_str().as_bytes())));
    }
    let mut session =
        Session { recording, trigger, end: End::new(args), timing: Timing::default(), error: None };
    if let Some(batch) = first {
        session.take(batch);
    }
    while !interrupt.is_set() && !session.is_over(sampling.elapsed()) {
        session.pass(machine.monotonic_time());
        match sampling.next(CHECK_INTERVAL) {
            Ok(Some(batch)) => session.take(batch),
            Ok(None) => {}
            Err(failure) => session.error = Some(failure),
        }
    }
    match sampling.stop() {
        Ok(last) => last.into_iter().for_each(|batch| session.take(batch)),
        Err(failure) => session.error = session.error.or(Some(failure)),
    }
    let is_interrupted = interrupt.is_set();
    session.finish(args, is_interrupted, out)
}

/// The time at which the recording ends.
struct End {
    duration: Option<Duration>,
    /// The time begins at the start, because a write may never come.
    is_from_start: bool,
    /// The time of the first sample.
    first: Option<u64>,
    is_reached: bool,
}

impl End {
    const fn new(args: &RecordArgs) -> Self {
        Self {
            duration: args.duration,
            is_from_start: args.sampled.every_write,
            first: None,
            is_reached: false,
        }
    }

    /// Cuts off what is after the end.
    fn cut(&mut self, batch: Batch) -> Batch {
        let Some(duration) = self.duration.filter(|_| !self.is_from_start) else { return batch };
        let Some(&first) = batch.times.first() else { return batch };
        let end = self.first.get_or_insert(first).saturating_add(nanoseconds(duration));
        let rows = batch.times.partition_point(|&time| time < end);
        self.is_reached |= rows < batch.len();
        if self.is_reached { batch.part(0..rows) } else { batch }
    }

    /// Returns true if no more samples are needed, or if none come.
    fn is_over(&self, elapsed: Duration) -> bool {
        let timeout = if self.is_from_start { Duration::ZERO } else { END_TIMEOUT };
        self.is_reached || self.duration.is_some_and(|duration| elapsed >= duration + timeout)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

struct Session {
    recording: Recording,
    trigger: Option<(TriggerState, TriggerWindow)>,
    end: End,
    timing: Timing,
    /// The first error, which ends the recording.
    error: Option<Failure>,
}

impl Session {
    /// Returns true when all was recorded, or after an error.
    fn is_over(&self, elapsed: Duration) -> bool {
        let is_complete = self.trigger.as_ref().is_some_and(|(_, window)| window.is_complete());
        is_complete || self.error.is_some() || self.end.is_over(elapsed)
    }

    /// Ends the time after a trigger if no samples come that would.
    fn pass(&mut self, now: Duration) {
        if let Some((_, window)) = &mut self.trigger {
            window.pass(nanoseconds(now.saturating_sub(END_TIMEOUT)));
        }
    }

    fn take(&mut self, batch: Batch) {
        if self.error.is_some() {
            return;
        }
        self.timing = batch.timing;
        let batch = self.end.cut(batch);
        let batches = match &mut self.trigger {
            Some((state, window)) => {
                let fired = state.feed(&batch).first().map(|fired| fired.time);
                window.feed(batch, fired)
            }
            None => vec![batch],
        };
        for batch in batches {
            if let Err(error) = self.recording.write(&batch) {
                self.error = Some(error.into());
                return;
            }
        }
    }

    /// Completes the file, and reports what is in it.
    fn finish(self, args: &RecordArgs, is_interrupted: bool, out: &mut Out) -> Result<Status, Failure> {
        let (summary, error) = match self.recording.finish() {
            Ok(summary) => (summary, self.error),
            Err((error, summary)) => (summary, self.error.or(Some(error.into()))),
        };
        if let Some(error) = &error {
            warn(&error.to_string());
        }
        report(&summary, &self.timing, args, out)?;
        // As for `writers`, no write at all is nothing found.
        let has_nothing = args.sampled.every_write && summary.samples == 0;
        let mut status = if error.is_some() || has_nothing { Status::Failed } else { Status::Success };
        if let Some((_, window)) = &self.trigger {
            if window.is_short() {
                warn("the samples of --pre did not fit into `history` of the config: some are missing");
            } else if let Some(past) = window.short_past() {
                let past = units::duration(past.as_secs_f64() * 1e9);
                warn(&format!("the condition was met {past} after the start: less of --pre exists"));
            }
            if window.has_fired() && args.post.is_some() && !window.is_complete() && !is_interrupted {
                warn("the recording ended before the time of --post was over");
            }
            if !window.has_fired() {
                warn("the condition of --on was not met");
                if !is_interrupted {
                    status = Status::Failed;
                }
            }
        }
        Ok(status)
    }
}

fn report(
    summary: &RecordingSummary,
    timing: &Timing,
    args: &RecordArgs,
    out: &mut Out,
) -> Result<(), Failure> {
    let rate = args.sampled.rate();
    let sampled = if timing.ticks == 0 { String::new() } else { format!("; {}", sampled(timing, rate)) };
    warn(&format!("recorded {}{sampled}", recorded(summary)));
    if args.json {
        let json = SummaryJson::new(summary, timing, rate);
        serde_json::to_writer(&mut *out, &json).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Self {
        match error {
            RecordingError::File(SaveError::Exists { path }) => Self::Scope(format!(
                "{} already exists. Use --force to replace it",
                escape(path.as_os_str().as_bytes())
            )),
            RecordingError::File(_) | RecordingError::Ended | RecordingError::Segment { .. } => {
                Self::Scope(error.to_string())
            }
            error => Self::Usage(error.to_string()),
        }
    }
}

//! Arguments of the commands for values over time.

use super::{TypeArgument, duration, size, type_name};
use crate::scope::Rate;
use crate::scope::trigger::{Condition, TriggerError};
use crate::segment::Bytes;
use clap::Subcommand;
use std::path::PathBuf;
use std::time::Duration;

/// Commands that sample values.
#[derive(Debug, Subcommand)]
pub enum ScopeCommand {
    /// Show values over time, or wait for a condition
    Scope(Box<ScopeArgs>),
    /// Record values to a file: MCAP, CSV or NPZ
    Record(Box<RecordArgs>),
    /// Show a recording
    Replay(ReplayArgs),
}

/// The values, and how often they are sampled.
#[derive(Debug, clap::Args)]
pub struct ChannelArgs {
    /// Values to sample: SEGMENT:FIELD, SEGMENT+OFFSET:TYPE, NAME=VALUE, an expression of other channels
    /// ('power = v * i', 'rate(tick)'), or @SET of the config. The terminal UI takes arrays of numbers too
    #[arg(value_name = "CHANNEL", required = true)]
    pub channels: Vec<String>,
    /// Samples per second, 1 to 10000
    #[arg(long, value_name = "HZ", value_parser = hertz, default_value = "1000", conflicts_with = "burst")]
    pub rate: Rate,
    /// Sample as fast as one processor can
    #[arg(long)]
    pub burst: bool,
    /// Sample one value at every write, as `writers` sees them, instead of by time. The time and the writer
    /// of each write are exact; its value is read a moment later, and marked as late if another write may
    /// have come first
    #[arg(long, conflicts_with_all = ["rate", "burst"])]
    pub every_write: bool,
    /// Type of the segments whose fields are named, in any form that `dump` takes [default: the type that is
    /// known with certainty]
    #[arg(long = "as", id = "as", value_name = "TYPE", value_parser = type_name::parse)]
    pub kinds: Vec<TypeArgument>,
}

/// The times of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SampleRate {
    Ticks(Rate),
    EveryWrite,
}

impl ChannelArgs {
    #[must_use]
    pub const fn rate(&self) -> SampleRate {
        match (self.every_write, self.burst) {
            (true, _) => SampleRate::EveryWrite,
            (false, true) => SampleRate::Ticks(Rate::Burst),
            (false, false) => SampleRate::Ticks(self.rate),
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = SCOPE_EXAMPLES)]
pub struct ScopeArgs {
    #[command(flatten)]
    pub sampled: ChannelArgs,
    /// Sample without the terminal UI
    #[arg(long)]
    pub headless: bool,
    /// Exit when a condition is met: 'NAME > 50 rising', 'NAME == 7', 'NAME changes', 'NAME leaves 0..10',
    /// 'NAME stale 500ms', 'NAME & 0x4', '(EXPRESSION) < 3'
    #[arg(long, value_name = "TRIGGER", value_parser = condition, requires = "headless")]
    pub until: Option<Condition>,
    /// Exit after this time, with status 1 if the condition was not met: 500ms, 10s
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "headless")]
    pub timeout: Option<Duration>,
    #[arg(long, value_name = "CMD", requires = "until", help = EXEC)]
    pub exec: Option<String>,
    /// Print JSON
    #[arg(long, requires = "headless")]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = REPLAY_HELP)]
pub struct ReplayArgs {
    /// A recording: MCAP, CSV or NPZ
    pub file: PathBuf,
}

const REPLAY_HELP: &str = "\
Reads the recordings of shmlens, and MCAP files of other programs with numbers as JSON. `a` adds
expressions over the channels, `T` finds all times at which a condition is met, `n` and `N` go to
them, and `R` saves the part on screen. Of a recording that takes more memory than `history` in
the config, the last part is shown.";

const EXEC: &str = "\
Run a shell command when the condition is met, with SHMLENS_TRIGGER, SHMLENS_VALUE and SHMLENS_TIME \
(ns since 1970) in its environment";

const SCOPE_EXAMPLES: &str = "\
EXAMPLES
  shmlens scope /telemetry:tick 'rate(tick)'
                                  open the terminal UI on two channels
  shmlens scope /telemetry:tick --headless --until 'tick > 1000' --timeout 10s
                                  wait for a value, in a script
  shmlens scope /adc:samples '/q:ring[*].price'
                                  plot an array, and a field of each record, across
                                  their indices
  shmlens scope /telemetry:mode --every-write
                                  each value that is written, with its time
  shmlens scope head=/q+0:u64 tail=/q+8:u64 --headless --until '(head - tail) > 60'
  shmlens scope /telemetry+0x10:f64 --headless --timeout 5s
                                  statistics of a value over 5 seconds

Exits with status 0 when the condition is met, and with status 1 if it is not met in
time or sampling fails. Without --until, samples until Ctrl-C or --timeout, and prints
the statistics of each channel. With --every-write, tells who wrote the value that met
the condition, and exits with status 1 if nothing wrote. Names in conditions are those of channels or, if
unique, the last part of their text.";

#[derive(Debug, clap::Args)]
#[command(after_help = RECORD_EXAMPLES)]
pub struct RecordArgs {
    #[command(flatten)]
    pub sampled: ChannelArgs,
    /// File to write; its suffix determines the format: .mcap, .csv or .npz
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Stop after this time: 500ms, 10s, 2h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Continue in the next file (run-2.csv after run.csv) before one gets larger than SIZE, at least 64K
    #[arg(long, value_name = "SIZE", value_parser = file_size)]
    pub max_size: Option<Bytes>,
    /// Record only around the first time that a condition is met, as in `scope --until`
    #[arg(long, value_name = "TRIGGER", value_parser = condition)]
    pub on: Option<Condition>,
    /// With --on, record this time before the condition was met [default: none]
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "on")]
    pub pre: Option<Duration>,
    /// With --on, stop this time after the condition was met [default: on Ctrl-C or after --duration]
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "on")]
    pub post: Option<Duration>,
    /// Replace existing files
    #[arg(long)]
    pub force: bool,
    /// Print a summary as JSON
    #[arg(long)]
    pub json: bool,
}

const RECORD_EXAMPLES: &str = "\
EXAMPLES
  shmlens record /telemetry:tick '/telemetry:gain[1][2]' -o run.mcap
                                                 until Ctrl-C, 1000 times per second
  shmlens record v=/t+0:f64 i=/t+8:f64 'p = v * i' -o run.csv --rate 100 --duration 10s
  shmlens record /telemetry:tick -o run.csv --every-write --duration 1s
                                                 each value that is written
  shmlens record @motor -o run.npz --on 'rpm > 9000 rising' --pre 2s --post 5s
                                                 7 seconds around an event

MCAP is read by Foxglove and PlotJuggler: a topic for each channel with messages
{\"value\":...}. CSV has a column time, in seconds since the first sample, and one for each
channel. NPZ, for numpy.load, has arrays time, start (ns since 1970) and one for each
channel; it appears when the recording ends. Its rows wait in a file without a name in
the same directory, which a kill removes.

A sample that was not taken is a gap, never a value: an empty cell in CSV, NaN in NPZ,
no message in MCAP. Integers are exact. In NPZ, an integer channel with gaps becomes
floats, unless it has values beyond 2^53: then gaps are 0, and an array NAME.valid tells
them apart.

With --every-write, each sample has its writer: pid, tid, function and late in the
messages of MCAP, columns writer.pid, writer.tid, writer.function and writer.late in
CSV, and arrays with these names in NPZ, where writer.function is an index into
writer.functions. Exits with status 1 if nothing wrote.

A channel goes on with the segment that is made again under its name. Ctrl-C ends the
recording, with status 0. Exits with status 1 if the condition of --on was not met, and
after an error, such as a full disk; the file keeps what was recorded before.";

fn hertz(text: &str) -> Result<Rate, &'static str> {
    const EXPECTED: &str = "expected samples per second from 1 to 10000; --burst is faster";
    let rate = text.parse().ok().filter(|rate: &f64| (1.0..=10_000.0).contains(rate));
    rate.map(Rate::Hertz).ok_or(EXPECTED)
}

/// Parses a condition. The caller quotes the text.
fn condition(text: &str) -> Result<Condition, String> {
    text.parse().map_err(|error: TriggerError| error.problem)
}

fn file_size(text: &str) -> Result<Bytes, &'static str> {
    const SMALLEST: Bytes = Bytes(64 << 10);
    let size = size(text)?;
    if size < SMALLEST { Err("expected at least 64K") } else { Ok(size) }
}

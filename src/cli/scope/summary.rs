//! The summary of a recording.

use crate::cli::args::SampleRate;
use crate::scope::Timing;
use crate::scope::recording::RecordingSummary;
use crate::scope::units;
use crate::segment::{Bytes, escape, json_text};
use serde::Serialize;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

const VERSION: u32 = 1;

/// The summary, in the format of `--json`.
#[derive(Serialize)]
pub struct SummaryJson {
    version: u32,
    #[serde(flatten)]
    timing: TimingJson,
    files: Vec<String>,
}

/// The counts of samples.
#[derive(Serialize)]
pub struct TimingJson {
    samples: u64,
    missed: u64,
    achieved_hz: f64,
    jitter_us: u64,
    /// Samples that may be torn.
    #[serde(skip_serializing_if = "is_zero")]
    unverified: u64,
    /// Values that may be those of a later write, if they are sampled at every write.
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl SummaryJson {
    pub fn new(summary: &RecordingSummary, timing: &Timing, rate: SampleRate) -> Self {
        Self {
            version: VERSION,
            timing: TimingJson { samples: summary.samples, ..TimingJson::new(timing, rate) },
            files: summary
                .files
                .iter()
                .map(|file| json_text(&escape(file.as_os_str().as_bytes())).into_owned())
                .collect(),
        }
    }
}

impl TimingJson {
    pub fn new(timing: &Timing, rate: SampleRate) -> Self {
        Self {
            samples: timing.samples,
            missed: timing.missed,
            achieved_hz: (timing.achieved() * 10.0).round() / 10.0,
            jitter_us: u64::try_from((timing.jitter.as_nanos() + 500) / 1000).unwrap_or(u64::MAX),
            unverified: timing.unverified,
            late: (rate == SampleRate::EveryWrite).then_some(timing.late),
        }
    }
}

/// `20000 samples in run.mcap (1.2 MiB)`
pub fn recorded(summary: &RecordingSummary) -> String {
    let files = summary.files.iter().map(|file| {
        let size = fs::metadata(file).map(|facts| format!(" ({})", Bytes(facts.len()))).unwrap_or_default();
        format!("{}{size}", escape(file.as_os_str().as_bytes()))
    });
    let files = match summary.files.len() {
        0 => "no file".to_owned(),
        1..=3 => files.collect::<Vec<_>>().join(", "),
        count => {
            let first = &summary.files[0];
            let total =
                summary.files.iter().filter_map(|file| fs::metadata(file).ok()).map(|facts| facts.len());
            format!("{count} files from {} on ({})", escape(first.as_os_str().as_bytes()), Bytes(total.sum()))
        }
    };
    format!("{} in {files}", samples(summary.samples))
}

/// `998.7 samples per second, jitter 40 µs, 12 missed`, or `198.7 writes per second, values read 40 µs later,
/// 0 lost, 2 may be of a later write`.
pub fn sampled(timing: &Timing, rate: SampleRate) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let jitter = units::duration(timing.jitter.as_nanos() as f64);
    let Timing { missed, late, .. } = timing;
    if rate == SampleRate::EveryWrite {
        return format!(
            "{:.1} writes per second, values read {jitter} later, {missed} lost, {late} may be of a later write",
            timing.achieved()
        );
    }
    let torn = match timing.unverified {
        0 => String::new(),
        count => format!(", {count} values may be torn (not verified)"),
    };
    format!("{:.1} samples per second, jitter {jitter}, {missed} missed{torn}", timing.achieved())
}

pub fn samples(count: u64) -> String {
    if count == 1 { "1 sample".to_owned() } else { format!("{count} samples") }
}

//! Figures of sampling that a recording carries, because its samples do not show them.

use crate::scope::{Batch, Timing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The figures of a file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub samples: u64,
    /// Ticks at which no sample was taken.
    pub missed: u64,
    pub achieved_hz: f64,
    /// The mean deviation of the samples from their ticks.
    pub jitter_us: f64,
}

impl Figures {
    /// The name in the metadata of MCAP.
    pub(super) const NAME: &str = "shmlens.sampling";

    /// Returns the figures as JSON, which is the comment of NPZ.
    pub(super) fn json(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// Reads the comment of NPZ. `None` if it is another.
    pub(super) fn of_json(comment: &str) -> Option<Self> {
        serde_json::from_str(comment).ok()
    }

    /// Returns the figures as the metadata of MCAP.
    pub(super) fn entries(self) -> BTreeMap<String, String> {
        let json = serde_json::to_value(self).unwrap_or_default();
        let entries = json.as_object().into_iter().flatten();
        entries.map(|(name, number)| (name.clone(), number.to_string())).collect()
    }

    /// Reads the metadata of MCAP. `None` if there are no such figures.
    pub(super) fn of_entries(entries: &BTreeMap<String, String>) -> Option<Self> {
        let number = |(name, text): (&String, &String)| {
            serde_json::from_str(text).ok().map(|number: serde_json::Number| (name.clone(), number.into()))
        };
        let object: serde_json::Map<_, _> = entries.iter().filter_map(number).collect();
        serde_json::from_value(object.into()).ok()
    }

    #[must_use]
    pub fn jitter(self) -> Duration {
        Duration::try_from_secs_f64(self.jitter_us / 1e6).unwrap_or_default()
    }
}

/// Follows the counts of the sampler, for the file that is being written.
#[derive(Debug, Default)]
pub(super) struct FiguresTally {
    last: Option<Timing>,
    samples: u64,
    missed: u64,
    elapsed: Duration,
    /// The sum of all deviations in nanoseconds.
    deviations: u128,
}

impl FiguresTally {
    pub fn add(&mut self, batch: &Batch) {
        let now = batch.timing;
        let before = match self.last.replace(now) {
            Some(last) if last.ticks <= now.ticks && last.elapsed <= now.elapsed => last,
            // Sampling was started again, at another rate or with other values.
            Some(_) => Timing::default(),
            None => before(batch),
        };
        self.samples += now.samples.saturating_sub(before.samples);
        self.missed += now.missed.saturating_sub(before.missed);
        self.elapsed += now.elapsed.saturating_sub(before.elapsed);
        self.deviations += deviations(&now).saturating_sub(deviations(&before));
    }

    /// Begins the next file.
    pub fn restart(&mut self) {
        *self = Self { last: self.last, ..Self::default() };
    }

    /// Returns the figures of a file with this many samples. `None` if the sampler counted nothing.
    pub fn figures(&self, recorded: u64) -> Option<Figures> {
        let Self { samples, missed, elapsed, deviations, .. } = *self;
        let timing = Timing { samples, elapsed, ..Timing::default() };
        let rounded = |number: f64| (number * 10.0).round() / 10.0;
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let jitter = deviations as f64 / samples.max(1) as f64 / 1e3;
        (samples + missed > 0).then(|| Figures {
            samples: recorded,
            missed,
            achieved_hz: rounded(timing.achieved()),
            jitter_us: rounded(jitter),
        })
    }
}

/// The counts before a batch.
fn before(batch: &Batch) -> Timing {
    let now = batch.timing;
    let has_sample = |row: &usize| batch.columns.iter().any(|column| column.has_sample(*row));
    let samples = (0..batch.len()).filter(has_sample).count() as u64;
    let elapsed = batch.times.last().zip(batch.times.first()).map_or(0, |(last, first)| last - first);
    Timing {
        samples: now.samples.saturating_sub(samples),
        missed: now.missed.saturating_sub(batch.len() as u64 - samples),
        elapsed: now.elapsed.saturating_sub(Duration::from_nanos(elapsed)),
        jitter: now.jitter,
        ..now
    }
}

fn deviations(timing: &Timing) -> u128 {
    timing.jitter.as_nanos() * u128::from(timing.samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{Column, Grade};

    /// Rows at 1 kHz from a millisecond on, with the counts at their end.
    fn batch(rows: std::ops::Range<u64>, timing: Timing) -> Batch {
        let column =
            Column { bits: rows.clone().collect(), grades: rows.clone().map(|_| Grade::Whole).collect() };
        let times = rows.map(|row| row * 1_000_000).collect();
        Batch { times, columns: vec![column], timing, ..Batch::default() }
    }

    const fn timing(samples: u64, missed: u64, jitter: u64) -> Timing {
        Timing {
            late: 0,
            ticks: samples + missed,
            samples,
            missed,
            elapsed: Duration::from_millis(samples + missed - 1),
            jitter: Duration::from_micros(jitter),
            gaps: 0,
            unverified: 0,
            worst: Duration::ZERO,
        }
    }

    #[test]
    fn samples_before_the_recording_and_other_rates_do_not_count() {
        let mut tally = FiguresTally::default();
        assert_eq!(tally.figures(0), None);
        // 900 samples were taken before.
        tally.add(&batch(900..1000, timing(1000, 7, 40)));
        tally.add(&batch(1000..1100, timing(1100, 9, 40)));
        let figures = tally.figures(200).unwrap();
        assert_eq!((figures.samples, figures.missed, figures.jitter_us), (200, 2, 40.0));
        assert!((figures.achieved_hz - 990.0).abs() < 15.0, "{figures:?}");
        // Another rate: the sampler counts anew.
        tally.add(&batch(1100..1200, timing(100, 3, 10)));
        let figures = tally.figures(300).unwrap();
        assert_eq!((figures.missed, figures.jitter_us), (5, 30.0));
        tally.restart();
        tally.add(&batch(1200..1300, timing(200, 4, 10)));
        let figures = tally.figures(100).unwrap();
        assert_eq!(
            (figures.missed, figures.jitter_us, figures.jitter()),
            (1, 10.0, Duration::from_micros(10))
        );
    }

    #[test]
    fn recordings_carry_their_figures() {
        use crate::scope::recording::{Epoch, Recording, RecordingOptions, open};
        use crate::scope::{Channel, NumberKind, Source};
        let directory = tempfile::tempdir().unwrap();
        let source = Source::Expression(String::new());
        let channels = [Channel { name: "tick".to_owned(), kind: NumberKind::Unsigned, source }];
        for (suffix, carries) in [("mcap", true), ("npz", true), ("csv", false)] {
            let path = directory.path().join("run").with_extension(suffix);
            let options =
                RecordingOptions { path: path.clone(), replace: false, max_size: None, writers: false };
            let mut recording =
                Recording::create(options, &channels, Epoch { monotonic: 0, realtime: 1 }).unwrap();
            recording.write(&batch(0..100, timing(100, 0, 40))).unwrap();
            recording.write(&batch(110..200, timing(190, 10, 40))).unwrap();
            recording.finish().unwrap();
            let mut replay = open(&path).unwrap();
            while replay.next_batch().unwrap().is_some() {}
            let found = replay.figures().map(|figures| (figures.samples, figures.missed, figures.jitter()));
            assert_eq!(found, carries.then_some((190, 10, Duration::from_micros(40))), "{suffix}");
        }
    }

    #[test]
    fn figures_are_read_back() {
        let figures = Figures { samples: 20_000, missed: 12, achieved_hz: 998.7, jitter_us: 40.0 };
        assert_eq!(Figures::of_entries(&figures.entries()), Some(figures));
        assert_eq!(Figures::of_json(&figures.json()), Some(figures));
        assert_eq!(figures.json(), r#"{"samples":20000,"missed":12,"achieved_hz":998.7,"jitter_us":40.0}"#);
        for wrong in ["", "[]", r#"{"samples":"many","missed":-1}"#] {
            assert_eq!(Figures::of_json(wrong), None);
        }
        let mut entries = figures.entries();
        entries.insert("missed".to_owned(), "\u{7f}".to_owned());
        assert_eq!(Figures::of_entries(&entries), None);
    }
}

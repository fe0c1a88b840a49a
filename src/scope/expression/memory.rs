//! Functions of a channel that remember earlier samples: `rate`, `delta` and `avg`.

use super::samples::{Point, Samples};
use super::window::Window;
use crate::scope::Grade;
use std::time::Duration;

/// A function with its memory. A gap is skipped: the next sample is compared with the last one before
/// it. When the segment is made again, everything is forgotten.
#[derive(Debug, Clone)]
pub enum Memory {
    /// The difference to the previous sample.
    Delta(Option<Last>),
    /// The change per second since the previous sample.
    Rate(Option<Last>),
    /// The change per second over the last moments, or since the first sample.
    RateOver(Window),
    /// The mean of the samples of the last moments.
    Average(Window),
}

/// The previous sample.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    time: u64,
    point: Point,
    grade: Grade,
}

impl Memory {
    pub const fn delta() -> Self {
        Self::Delta(None)
    }

    /// The rate between two samples, or over a time.
    pub fn rate(over: Option<Duration>) -> Self {
        over.map_or(Self::Rate(None), |over| Self::RateOver(window(over)))
    }

    pub fn average(over: Duration) -> Self {
        Self::Average(window(over))
    }

    /// Applies the function to samples that follow the earlier ones.
    pub fn apply(&mut self, times: &[u64], samples: &Samples) -> Samples {
        let mut out = Samples { breaks: samples.breaks.clone(), ..Samples::default() };
        let mut breaks = samples.breaks.iter().peekable();
        for (row, &time) in times.iter().enumerate() {
            while breaks.next_if(|&&at| at <= row).is_some() {
                self.forget();
            }
            let sample = samples.point(row).filter(|(point, _)| point.value.is_finite());
            out.push(sample.and_then(|(point, grade)| self.next(Last { time, point, grade })));
        }
        out
    }

    fn forget(&mut self) {
        match self {
            Self::Delta(last) | Self::Rate(last) => *last = None,
            Self::RateOver(window) | Self::Average(window) => window.clear(),
        }
    }

    fn next(&mut self, now: Last) -> Option<(f64, Grade)> {
        match self {
            Self::Delta(last) => {
                let before = last.replace(now)?;
                Some((now.point.minus(before.point), now.grade.min(before.grade)))
            }
            Self::Rate(last) => {
                let before = last.replace(now)?;
                let rate = per_second(now.point.minus(before.point), now.time.saturating_sub(before.time))?;
                Some((rate, now.grade.min(before.grade)))
            }
            Self::RateOver(window) => {
                window.push(now.time, now.point, now.grade);
                let (time, point) = window.oldest()?;
                let rate = per_second(now.point.minus(point), now.time.saturating_sub(time))?;
                Some((rate, window.total().grade))
            }
            Self::Average(window) => {
                window.push(now.time, now.point, now.grade);
                let total = window.total();
                #[expect(clippy::cast_precision_loss, reason = "only a mean")]
                Some((total.sum / total.count as f64, total.grade))
            }
        }
    }
}

fn window(over: Duration) -> Window {
    Window::new(u64::try_from(over.as_nanos()).unwrap_or(u64::MAX))
}

/// `None` if no time has passed.
#[expect(clippy::cast_precision_loss, reason = "only a rate")]
fn per_second(difference: f64, nanos: u64) -> Option<f64> {
    (nanos > 0).then(|| difference / (nanos as f64 / 1e9))
}

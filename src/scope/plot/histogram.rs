//! The frequency of each value.

use super::axis::{Axis, Unit};
use super::picture::Picture;
use super::raster::{Pen, Raster, as_f64, as_index};
use super::{Frame, Labels, Marker};
use crate::scope::History;

/// The values of a channel, counted in ranges of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The range of the values, the width of which is that of all bins.
    pub range: [f64; 2],
    pub bins: Vec<u64>,
    /// The values that were counted: every one of a short time, a part of those of a long one.
    pub counted: u64,
    /// Of the values.
    unit: Unit,
}

/// Values that are counted at most, to take a few milliseconds.
const MAX_COUNTED: usize = 200_000;

impl History {
    /// Counts the values of a channel in a time range, in as many ranges at most. `None` if it has none.
    #[must_use]
    pub fn histogram(&self, channel: usize, from: u64, to: u64, bins: usize) -> Option<Histogram> {
        let ticks = self.ticks(from, to);
        let is_integer = self.kind(channel)?.is_integer();
        let values: Vec<f64> =
            self.thinned(ticks, MAX_COUNTED).filter_map(|tick| self.value(channel, tick)).collect();
        Histogram::of(&values, bins, is_integer)
    }
}

impl Histogram {
    /// Counts finite values in at most some ranges. Those of integers all have the same number of them, and
    /// their values in the middle. `None` if there are no values.
    #[must_use]
    pub fn of(values: &[f64], most: usize, is_integer: bool) -> Option<Self> {
        let (min, max) = (values.iter().copied().reduce(f64::min)?, values.iter().copied().reduce(f64::max)?);
        let ([low, high], bins) =
            if is_integer { whole([min, max], most) } else { (around([min, max]), most) };
        let range = [low, high];
        let mut counts = vec![0; bins.max(1)];
        for value in values {
            let share = (value - low) / (high - low);
            let bin = as_index((share * as_f64(counts.len())).floor()).min(counts.len() - 1);
            counts[bin] += 1;
        }
        let unit = if is_integer { Unit::Index } else { Unit::Number };
        Some(Self { range, bins: counts, counted: values.len() as u64, unit })
    }

    /// Draws a plot of some width and height in cells, with a bar for each bin.
    #[must_use]
    pub fn draw(&self, size: [usize; 2], marker: Marker) -> Picture {
        let frame = self.frame(size);
        let mut raster = Raster::new(frame.width(), frame.height());
        let [width, height] = frame.dots();
        for x in 0..width {
            let count = self.bins[x * self.bins.len() / width.max(1)];
            if count > 0 {
                let top = frame.y_position(as_f64(usize::try_from(count).unwrap_or(usize::MAX)), &frame.y);
                let bottom = as_f64(height) - 1.0;
                raster.fill(x, [top.min(bottom), bottom], Pen::default());
            }
        }
        Picture::new(&frame, &raster, marker)
    }

    /// Lays out a plot of some width and height in cells.
    #[must_use]
    pub fn frame(&self, size: [usize; 2]) -> Frame {
        let [low, high] = self.range;
        let most = self.bins.iter().copied().max().unwrap_or(0).max(1);
        let most = as_f64(usize::try_from(most).unwrap_or(usize::MAX));
        let y = Axis { low: 0.0, high: most, unit: Unit::Index };
        Frame::new(size, Axis { low, high, unit: self.unit }, y, Labels::Numbers)
    }
}

fn around(extent: [f64; 2]) -> [f64; 2] {
    let Axis { low, high, .. } = Axis::around(extent);
    [low, high]
}

/// A range from one half below an integer to one half above another, and the number of its parts, which
/// have a whole width.
fn whole([min, max]: [f64; 2], most: usize) -> ([f64; 2], usize) {
    let count = max - min + 1.0;
    let width = (count / as_f64(most.max(1))).ceil().max(1.0);
    let bins = as_index((count / width).ceil());
    let low = min - 0.5;
    ([low, low + width * as_f64(bins)], bins)
}

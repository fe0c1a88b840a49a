//! Plots of channels over time.

use super::axis::{Axis, Unit};
use super::curve::Curve;
use super::picture::{Ink, Picture};
use super::raster::Raster;
use super::{Frame, Marker, Names};
use crate::scope::History;

/// A plot of channels over time.
#[derive(Clone, Copy)]
pub struct TimePlot<'a> {
    pub history: &'a History,
    /// The first is in front of the others, and its values label a y axis of its own.
    pub traces: &'a [Trace],
    /// The visible times, both included.
    pub from: u64,
    pub to: u64,
    /// The time that the axis calls 0: that of the trigger, or now.
    pub zero: u64,
    pub scale: Scale,
    pub cursors: [Option<u64>; 2],
    pub trigger: Option<u64>,
    /// The times of changes of segments.
    pub marks: &'a [u64],
    /// Names the values of the first trace.
    pub names: Option<Names<'a>>,
}

/// A channel in a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trace {
    /// The index of the channel in the history.
    pub channel: usize,
    /// A fixed range on an axis of its own.
    pub range: Option<[f64; 2]>,
    /// Holds each value up to the next one, as suits states and flags.
    pub has_steps: bool,
}

/// The y axes of a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// One for all traces, with a fixed range or one that fits the visible values.
    Shared(Option<[f64; 2]>),
    /// One for each trace.
    Own,
}

impl TimePlot<'_> {
    /// Lays out a plot of some width and height in cells.
    #[must_use]
    pub fn frame(&self, size: [usize; 2]) -> Frame {
        let low = relative(self.from, self.zero);
        let high = relative(self.to, self.zero).max(low + 1.0);
        Frame::new(size, Axis { low, high, unit: Unit::Time }, self.y(self.traces.first()), self.names)
    }

    /// Draws a plot of some width and height in cells.
    #[must_use]
    pub fn draw(&self, size: [usize; 2], marker: Marker) -> Picture {
        let frame = self.frame(size);
        let mut raster = Raster::new(frame.width(), frame.height());
        let buckets = self.history.buckets(self.from, self.to, frame.dots()[0]);
        let shared = frame.y;
        for (index, trace) in self.traces.iter().enumerate().rev() {
            let columns = self.history.columns(trace.channel, &buckets);
            let y = if index == 0 || matches!(self.scale, Scale::Shared(_)) {
                shared
            } else {
                self.y(Some(trace))
            };
            Curve { columns: &columns, trace: index, y, zero: self.zero, has_steps: trace.has_steps }
                .draw(&frame, &mut raster);
        }
        let mut picture = Picture::new(&frame, &raster, marker);
        for time in self.marks {
            picture.mark(&frame, relative(*time, self.zero));
        }
        if let Some(time) = self.trigger {
            picture.line(&frame, relative(time, self.zero), Ink::Trigger);
        }
        for (index, time) in self.cursors.iter().enumerate() {
            if let Some(time) = time {
                picture.line(&frame, relative(*time, self.zero), Ink::Cursor(index));
            }
        }
        picture
    }

    /// The axis of a trace.
    fn y(&self, trace: Option<&Trace>) -> Axis {
        let extent = |trace: &Trace| self.history.extent(trace.channel, self.from, self.to);
        let fixed = match self.scale {
            Scale::Shared(range) => range,
            Scale::Own => trace.and_then(|trace| trace.range),
        };
        if let Some(axis) = Axis::fixed(fixed) {
            return axis;
        }
        let found = match self.scale {
            Scale::Shared(_) => {
                self.traces.iter().filter_map(extent).reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])])
            }
            Scale::Own => trace.and_then(extent),
        };
        Axis::around(found.unwrap_or([0.0, 1.0]))
    }
}

/// The nanoseconds from one time to another.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "exact for 100 days")]
pub const fn relative(time: u64, zero: u64) -> f64 {
    (time as i128 - zero as i128) as f64
}

//! Plots of channels over time.

use super::axis::{Axis, Unit};
use super::curve::Curve;
use super::frame::rows_of;
use super::levels::Levels;
use super::picture::{Ink, Picture};
use super::raster::Raster;
use super::{Frame, Labels, Marker, Names};
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
    /// The trigger that is shown.
    pub trigger: Option<u64>,
    /// The times of the others, oldest first.
    pub fired: &'a [u64],
    /// The times of changes of segments.
    pub marks: &'a [u64],
    /// Names the values of the first trace.
    pub names: Option<Names<'a>>,
    /// The values of each trace that have names. Empty if they are quantities.
    pub named: &'a [Vec<f64>],
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
        let levels = self.levels(0, rows_of(size));
        let y = levels.as_ref().map_or_else(|| self.y(self.traces.first()), Levels::axis);
        let name =
            |&value: &f64| self.names.and_then(|name| name(value)).unwrap_or_else(|| value.to_string());
        let texts: Option<Vec<String>> = levels.map(|levels| levels.values().iter().map(name).collect());
        let labels = match (&texts, self.names) {
            (Some(texts), _) => Labels::Levels(texts),
            (None, Some(names)) => Labels::Names(names),
            (None, None) => Labels::Numbers,
        };
        let frame = |[from, to]: [u64; 2]| {
            let low = relative(from, self.zero);
            let high = relative(to, self.zero).max(low + 1.0);
            Frame::new(size, Axis { low, high, unit: Unit::Time }, y, labels)
        };
        let dots = frame([self.from, self.to]).dots()[0];
        frame(self.aligned(dots))
    }

    /// The visible times, moved by less than a dot so that dots begin at multiples of their length. Curves
    /// that scroll move by whole dots then, and keep their shape.
    fn aligned(&self, dots: usize) -> [u64; 2] {
        let length = u128::from(self.to.saturating_sub(self.from)) + 1;
        let dot = length.div_ceil(dots.max(1) as u128);
        let end = (u128::from(self.to) + 1).next_multiple_of(dot);
        let start = end.saturating_sub(dot * dots as u128);
        [start, end - 1].map(|time| u64::try_from(time).unwrap_or(u64::MAX))
    }

    /// The time that a column of the plot shows. `None` beside the curves.
    #[must_use]
    pub fn time_at(&self, size: [usize; 2], column: usize) -> Option<u64> {
        let x = self.frame(size).x_at(column)?;
        #[expect(clippy::cast_possible_truncation, reason = "the nearest time")]
        let time = i128::from(self.zero) + x.round() as i128;
        u64::try_from(time).ok()
    }

    /// Draws a plot of some width and height in cells.
    #[must_use]
    pub fn draw(&self, size: [usize; 2], marker: Marker) -> Picture {
        let frame = self.frame(size);
        let mut raster = Raster::new(frame.width(), frame.height());
        let [dots, _] = frame.dots();
        let [from, to] = self.aligned(dots);
        let buckets = self.history.buckets(from, to, dots);
        for (index, trace) in self.traces.iter().enumerate().rev() {
            let columns = self.history.columns(trace.channel, &buckets);
            let is_shared = index == 0 || matches!(self.scale, Scale::Shared(_));
            let levels = self.levels(index, frame.height());
            let y = match &levels {
                _ if is_shared => frame.y,
                Some(levels) => levels.axis(),
                None => self.y(Some(trace)),
            };
            let curve = Curve {
                columns: &columns,
                trace: index,
                y,
                zero: self.zero,
                has_steps: trace.has_steps,
                levels: levels.as_ref(),
            };
            curve.draw(&frame, &mut raster);
        }
        let mut picture = Picture::new(&frame, &raster, marker);
        let x = |time: u64| relative(time, self.zero);
        let mut fired = self.fired;
        while let Some(&time) = fired.first() {
            picture.mark(&frame, x(time), Ink::Trigger);
            // Many may be in one column.
            let column = frame.column(x(time));
            let next = fired.partition_point(|&time| frame.column(x(time)) == column);
            fired = &fired[next.max(1)..];
        }
        self.marks.iter().for_each(|&time| picture.mark(&frame, x(time), Ink::Mark));
        if let Some(time) = self.trigger {
            picture.line(&frame, x(time), Ink::Trigger);
        }
        for (index, time) in self.cursors.into_iter().enumerate() {
            if let Some(time) = time {
                picture.line(&frame, x(time), Ink::Cursor(index));
            }
        }
        picture
    }

    /// The levels of a trace of states on an axis of its own. `None` if there are too many for some rows.
    fn levels(&self, index: usize, rows: usize) -> Option<Levels> {
        let trace = self.traces.get(index)?;
        if !trace.has_steps || trace.range.is_some() || self.scale != Scale::Own {
            return None;
        }
        let states = self.history.states(trace.channel, [self.from, self.to], rows);
        Levels::new(states, self.named.get(index).map_or(&[], Vec::as_slice), rows)
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

//! Plots of one channel against another.

use super::axis::Axis;
use super::picture::Picture;
use super::raster::{Pen, Raster};
use super::{Frame, Labels, Marker};
use crate::scope::{Grade, History};

/// A plot of the values that two channels had at the same ticks.
#[derive(Clone, Copy)]
pub struct XyPlot<'a> {
    pub history: &'a History,
    /// The channels across and up.
    pub channels: [usize; 2],
    /// The times, both included.
    pub from: u64,
    pub to: u64,
}

/// Pairs that are drawn at most, to take a few milliseconds.
const MAX_PAIRS: usize = 50_000;

impl XyPlot<'_> {
    /// Lays out a plot of some width and height in cells.
    #[must_use]
    pub fn frame(&self, size: [usize; 2]) -> Frame {
        let [x, y] = self.channels.map(|channel| {
            Axis::around(self.history.extent(channel, self.from, self.to).unwrap_or([0.0, 1.0]))
        });
        Frame::new(size, x, y, Labels::Numbers)
    }

    /// Draws a plot of some width and height in cells. Pairs that follow each other are joined if all of
    /// them are drawn.
    #[must_use]
    pub fn draw(&self, size: [usize; 2], marker: Marker) -> Picture {
        let frame = self.frame(size);
        let mut raster = Raster::new(frame.width(), frame.height());
        let ticks = self.history.ticks(self.from, self.to);
        let are_joined = ticks.len() <= MAX_PAIRS;
        let mut before = None;
        for tick in self.history.thinned(ticks, MAX_PAIRS) {
            let [x, y] = self.channels.map(|channel| self.history.value(channel, tick));
            let point =
                x.zip(y).map(|(x, y)| [frame.x.position(x, frame.dots()[0]), frame.y_position(y, &frame.y)]);
            if let Some(point) = point {
                raster.line(before.filter(|_| are_joined).unwrap_or(point), point, self.pen(tick));
            }
            before = point;
        }
        Picture::new(&frame, &raster, marker)
    }

    fn pen(&self, tick: usize) -> Pen {
        let is_unverified = |channel: usize| {
            self.history.sample(channel, tick).is_some_and(|sample| sample.grade == Grade::Unverified)
        };
        Pen { trace: 0, is_dim: self.channels.into_iter().any(is_unverified) }
    }
}

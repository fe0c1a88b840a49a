//! Curves as dots.

use super::axis::Axis;
use super::levels::Levels;
use super::raster::{Pen, Raster, as_f64};
use super::{Frame, relative};
use crate::scope::{Columns, Edge, Grade};

/// A curve: bars from the least to the greatest value of each column of dots, joined by lines.
pub(super) struct Curve<'a> {
    pub columns: &'a Columns,
    pub trace: usize,
    pub y: Axis,
    /// The time at which the x axis is 0.
    pub zero: u64,
    /// Holds each value up to the next one.
    pub has_steps: bool,
    /// The levels of states.
    pub levels: Option<&'a Levels>,
}

impl Curve<'_> {
    pub fn draw(&self, frame: &Frame, raster: &mut Raster) {
        let y = |value: f64| frame.y_position(self.levels.map_or(value, |levels| levels.of(value)), &self.y);
        let outside = |edge: Edge| {
            let x = frame.x.position(relative(edge.time, self.zero), frame.dots()[0]);
            [x, y(edge.value)]
        };
        let mut pen = Pen { trace: self.trace, is_dim: false };
        let mut before = self.columns.before.map(outside);
        for (column, span) in self.columns.spans.iter().enumerate() {
            let Some(span) = span else { continue };
            pen.is_dim = span.lowest == Grade::Unverified;
            if let Some(before) = before.filter(|_| span.is_joined) {
                self.join(before, [as_f64(column), y(span.first)], pen, raster);
            }
            raster.fill(column, [y(span.min), y(span.max)], pen);
            before = Some([as_f64(column), y(span.last)]);
        }
        if let (Some(before), Some(after)) = (before, self.columns.after) {
            self.join(before, outside(after), pen, raster);
        }
    }

    fn join(&self, from: [f64; 2], to: [f64; 2], pen: Pen, raster: &mut Raster) {
        if self.has_steps {
            let corner = [to[0], from[1]];
            raster.line(from, corner, pen);
            raster.line(corner, to, pen);
        } else {
            raster.line(from, to, pen);
        }
    }
}

//! A plot of an array across its indices.

use super::axis::{Axis, Unit};
use super::curve::Curve;
use super::picture::Picture;
use super::raster::{Raster, as_f64};
use super::{Frame, Marker};
use crate::scope::{Columns, Grade, Span};

/// A plot of numbers across their indices, such as a waveform. Those that are not finite are gaps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArrayPlot<'a> {
    pub values: &'a [f64],
    /// The index of the first one.
    pub first: usize,
    /// The range of the y axis. `None` fits the values.
    pub range: Option<[f64; 2]>,
}

impl ArrayPlot<'_> {
    /// Draws a plot of some width and height in cells.
    #[must_use]
    pub fn draw(&self, size: [usize; 2], marker: Marker) -> Picture {
        let frame = self.frame(size);
        let mut raster = Raster::new(frame.width(), frame.height());
        let columns = self.columns(frame.dots()[0]);
        Curve { columns: &columns, trace: 0, y: frame.y, zero: 0, has_steps: false }
            .draw(&frame, &mut raster);
        Picture::new(&frame, &raster, marker)
    }

    /// Lays out a plot of some width and height in cells.
    #[must_use]
    pub fn frame(&self, size: [usize; 2]) -> Frame {
        let low = as_f64(self.first);
        let x =
            Axis { low, high: low + as_f64(self.values.len().saturating_sub(1).max(1)), unit: Unit::Number };
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        let found = finite().reduce(f64::min).zip(finite().reduce(f64::max)).map(|(min, max)| [min, max]);
        let y = Axis::fixed(self.range).unwrap_or_else(|| Axis::around(found.unwrap_or([0.0, 1.0])));
        Frame::new(size, x, y, None)
    }

    /// The values in each of some columns of dots. The first and the last value are in the first and the
    /// last column.
    fn columns(&self, count: usize) -> Columns {
        let last = self.values.len().saturating_sub(1).max(1);
        // Rounded as positions on the axis are.
        let column = |index: usize| (2 * index * count.saturating_sub(1) + last) / (2 * last);
        let mut spans: Vec<Option<Span>> = vec![None; count];
        let mut before = false;
        for (index, &value) in self.values.iter().enumerate() {
            let is_finite = value.is_finite();
            if let (true, Some(span)) = (is_finite, spans.get_mut(column(index))) {
                let (lowest, is_joined) = (Grade::Whole, before);
                let new = Span {
                    min: value,
                    max: value,
                    first: value,
                    last: value,
                    lowest,
                    has_gap: false,
                    is_joined,
                };
                let span = span.get_or_insert(new);
                (span.min, span.max, span.last) = (span.min.min(value), span.max.max(value), value);
            }
            before = is_finite;
        }
        Columns { spans, before: None, after: None }
    }
}

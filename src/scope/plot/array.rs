//! A plot of an array across its indices.

use super::axis::{Axis, Unit};
use super::curve::Curve;
use super::picture::{Ink, Picture};
use super::raster::{Raster, as_f64};
use super::{Frame, Labels, Marker, Names};
use crate::scope::{Columns, Grade, Span};

/// A plot of numbers across their indices, such as a waveform. Those that are not finite are gaps.
#[derive(Clone, Copy)]
pub struct ArrayPlot<'a> {
    pub values: &'a [f64],
    /// The index of the first one.
    pub first: usize,
    /// The range of the y axis. `None` fits the values.
    pub range: Option<[f64; 2]>,
    /// Holds each value up to the next one, as suits states and flags.
    pub has_steps: bool,
    /// The indices at which there are cursors.
    pub cursors: [Option<usize>; 2],
    pub names: Option<Names<'a>>,
}

impl ArrayPlot<'_> {
    /// Draws a plot of some width and height in cells.
    #[must_use]
    pub fn draw(&self, size: [usize; 2], marker: Marker) -> Picture {
        let frame = self.frame(size);
        let mut raster = Raster::new(frame.width(), frame.height());
        let columns = array_columns(self.values, frame.dots()[0]);
        let has_steps = self.has_steps;
        Curve { columns: &columns, trace: 0, y: frame.y, zero: 0, has_steps, levels: None }
            .draw(&frame, &mut raster);
        let mut picture = Picture::new(&frame, &raster, marker);
        for (index, at) in self.cursors.into_iter().enumerate() {
            if let Some(at) = at {
                picture.line(&frame, as_f64(at), Ink::Cursor(index));
            }
        }
        picture
    }

    /// Lays out a plot of some width and height in cells.
    #[must_use]
    pub fn frame(&self, size: [usize; 2]) -> Frame {
        let low = as_f64(self.first);
        let x =
            Axis { low, high: low + as_f64(self.values.len().saturating_sub(1).max(1)), unit: Unit::Index };
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        let found = finite().reduce(f64::min).zip(finite().reduce(f64::max)).map(|(min, max)| [min, max]);
        let y = Axis::fixed(self.range).unwrap_or_else(|| Axis::around(found.unwrap_or([0.0, 1.0])));
        Frame::new(size, x, y, self.names.map_or(Labels::Numbers, Labels::Names))
    }
}

/// The values of an array in each of some columns. The first and the last value are in the first and the
/// last column.
#[must_use]
pub fn array_columns(values: &[f64], count: usize) -> Columns {
    let last = values.len().saturating_sub(1).max(1);
    let steps = count.saturating_sub(1);
    // The first value whose position on the axis is rounded to a column.
    let start = |column: usize| match (column, steps) {
        (0, _) => 0,
        (_, 0) => values.len(),
        _ => ((2 * column - 1) * last).div_ceil(2 * steps).min(values.len()),
    };
    let mut before = false;
    let mut span = |column: usize| {
        let end = if column + 1 == count { values.len() } else { start(column + 1) };
        let mut found: Option<Span> = None;
        for &value in values.get(start(column)..end).unwrap_or_default() {
            let is_joined = std::mem::replace(&mut before, value.is_finite());
            if let (true, Some(span)) = (value.is_finite(), &mut found) {
                (span.min, span.max, span.last) = (span.min.min(value), span.max.max(value), value);
            } else if value.is_finite() {
                let lowest = Grade::Whole;
                found = Some(Span {
                    min: value,
                    max: value,
                    first: value,
                    last: value,
                    lowest,
                    has_gap: false,
                    is_joined,
                });
            }
        }
        found
    };
    Columns { spans: (0..count).map(&mut span).collect(), before: None, after: None }
}

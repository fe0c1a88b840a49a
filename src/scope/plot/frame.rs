//! The layout of a plot: the area of the curves, and the labels beside it.

use super::axis::{Axis, Ticks};
use super::marker::DOTS;
use super::raster::{as_f64, as_index};

/// The layout of a plot of some size.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Cells across and down, with the axes.
    pub size: [usize; 2],
    pub x: Axis,
    pub y: Axis,
    /// The width of the labels on the left and of their axis.
    gutter: usize,
    /// The height of the area of the curves.
    height: usize,
    /// The row and text of each label.
    y_labels: Vec<(usize, String)>,
    x_labels: Vec<XLabel>,
}

/// A label of the x axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct XLabel {
    /// The column of its tick.
    pub tick: usize,
    /// The column of its first character.
    pub start: usize,
    pub text: String,
}

/// Names the values of an axis, such as those of an enumeration.
pub type Names<'a> = &'a dyn Fn(f64) -> Option<String>;

/// The labels of the y axis.
#[derive(Clone, Copy, Default)]
pub enum Labels<'a> {
    #[default]
    Numbers,
    /// The names of values at round numbers.
    Names(Names<'a>),
    /// Those of the values 0, 1 and so on.
    Levels(&'a [String]),
}

/// The rows of the area of the curves in a plot of some size.
pub(super) const fn rows_of(size: [usize; 2]) -> usize {
    if size[1] < MIN_HEIGHT_FOR_X_AXIS { size[1] } else { size[1] - 2 }
}

/// Narrower plots have no y axis.
const MIN_WIDTH_FOR_Y_AXIS: usize = 20;
/// Lower plots have no x axis.
const MIN_HEIGHT_FOR_X_AXIS: usize = 4;
/// The least room for labels of the y axis, so that curves do not move when a label gets longer.
const MIN_Y_LABEL: usize = 5;
const MAX_Y_LABEL: usize = 16;
/// Cells between ticks of the x axis, with their labels.
const X_TICK_GAP: usize = 4;

impl Frame {
    #[must_use]
    pub fn new(size: [usize; 2], x: Axis, y: Axis, labels: Labels<'_>) -> Self {
        let height = rows_of(size);
        let mut frame = Self { size, x, y, gutter: 0, height, y_labels: vec![], x_labels: vec![] };
        if size[0] >= MIN_WIDTH_FOR_Y_AXIS {
            frame.y_labels = match labels {
                Labels::Levels(texts) => frame.level_labels(texts),
                Labels::Names(names) => frame.make_y_labels(Some(names)),
                Labels::Numbers => frame.make_y_labels(None),
            };
            let longest = frame.y_labels.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
            frame.gutter = longest.max(MIN_Y_LABEL) + 1;
        }
        if height < size[1] {
            frame.x_labels = frame.make_x_labels();
        }
        frame
    }

    /// The columns of the area of the curves.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.size[0].saturating_sub(self.gutter)
    }

    /// The rows of the area of the curves.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The first column of the area of the curves.
    #[must_use]
    pub const fn gutter(&self) -> usize {
        self.gutter
    }

    /// The dots of the area across and down.
    #[must_use]
    pub const fn dots(&self) -> [usize; 2] {
        [self.width() * DOTS[0], self.height * DOTS[1]]
    }

    /// The x value at the middle of a column of the plot. `None` outside of the area of the curves.
    #[must_use]
    pub fn x_at(&self, column: usize) -> Option<f64> {
        let column = column.checked_sub(self.gutter).filter(|column| *column < self.width())?;
        Some(self.x.value(as_f64(column * DOTS[0]) + 0.5, self.dots()[0]))
    }

    /// The y value at the middle of a row of the plot.
    #[must_use]
    pub fn y_at(&self, row: usize) -> Option<f64> {
        let dots = self.dots()[1];
        (row < self.height).then(|| self.y.value(as_f64(dots - 1 - row * DOTS[1]) - 1.5, dots))
    }

    /// The column of the plot that shows an x value.
    #[must_use]
    pub fn column(&self, x: f64) -> Option<usize> {
        let position = self.x.position(x, self.dots()[0]).round();
        let is_inside = position >= 0.0 && position < as_f64(self.dots()[0]);
        is_inside.then(|| self.gutter + as_index(position) / DOTS[0])
    }

    /// The row of the plot that shows a y value.
    #[must_use]
    pub fn row(&self, y: f64) -> Option<usize> {
        let position = self.y_position(y, &self.y).round();
        (position >= 0.0 && position < as_f64(self.dots()[1])).then(|| as_index(position) / DOTS[1])
    }

    /// The row of dots of a value, from the top.
    pub(super) fn y_position(&self, value: f64, axis: &Axis) -> f64 {
        let dots = self.dots()[1];
        as_f64(dots) - 1.0 - axis.position(value, dots)
    }

    pub(super) fn y_labels(&self) -> impl Iterator<Item = (usize, &str)> {
        self.y_labels.iter().map(|(row, label)| (*row, &**label))
    }

    pub(super) fn x_labels(&self) -> &[XLabel] {
        &self.x_labels
    }

    fn level_labels(&self, texts: &[String]) -> Vec<(usize, String)> {
        let cut = |text: &String| text.chars().take(MAX_Y_LABEL).collect();
        let label = |(level, text): (usize, &String)| Some((self.row(as_f64(level))?, cut(text)));
        texts.iter().enumerate().filter_map(label).collect()
    }

    fn make_y_labels(&self, names: Option<Names<'_>>) -> Vec<(usize, String)> {
        let mut labels: Vec<(usize, String)> = vec![];
        // Finer ticks if fewer than two fall into the range.
        let most = self.height.div_ceil(2).max(2);
        let fine = [most, most + 2, 2 * most + 2].map(|most| self.y.ticks(most));
        let found = fine.iter().find(|ticks| ticks.ticks.len() >= 2).unwrap_or(&fine[2]);
        for tick in found.ticks.iter().rev() {
            let Some(row) = self.row(tick.value) else { continue };
            if labels.last().is_some_and(|(last, _)| *last == row) {
                continue;
            }
            // Values that have names are whole.
            if names.is_some() && tick.value.fract() != 0.0 {
                continue;
            }
            let name = names.and_then(|name| name(tick.value));
            // Other characters may take more than a cell.
            let name = name.filter(|name| name.len() <= MAX_Y_LABEL && name.is_ascii());
            labels.push((row, name.unwrap_or_else(|| tick.label.clone())));
        }
        labels
    }

    /// Labels below their ticks. The first one that is shown has the unit.
    fn make_x_labels(&self) -> Vec<XLabel> {
        let Ticks { ticks, unit } = self.x_ticks();
        let mut labels: Vec<XLabel> = vec![];
        for tick in ticks {
            let Some(column) = self.column(tick.value) else { continue };
            let suffix =
                if labels.is_empty() && !unit.is_empty() { format!(" {unit}") } else { String::new() };
            let length = tick.label.chars().count();
            let text = format!("{}{suffix}", tick.label);
            let Some(room) = self.size[0].checked_sub(text.chars().count()) else { continue };
            let start = column.saturating_sub(length / 2).min(room);
            let is_free = labels.last().is_none_or(|last| last.start + last.text.chars().count() < start);
            if is_free {
                labels.push(XLabel { tick: column, start, text });
            }
        }
        labels
    }

    /// As many ticks as their labels leave room for.
    fn x_ticks(&self) -> Ticks {
        let mut most = (self.width() / (X_TICK_GAP + 5)).max(1);
        loop {
            let ticks = self.x.ticks(most);
            let longest = ticks.ticks.iter().map(|tick| tick.label.chars().count()).max().unwrap_or(0);
            if most == 1 || ticks.ticks.len() * (longest + X_TICK_GAP) <= self.width() + longest {
                return ticks;
            }
            most -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::plot::Unit;

    fn frame(size: [usize; 2]) -> Frame {
        let x = Axis { low: -1e9, high: 0.0, unit: Unit::Time };
        Frame::new(size, x, Axis::around([0.0, 3.0]), Labels::Numbers)
    }

    #[test]
    fn small_plots_have_no_axes() {
        assert_eq!((frame([10, 3]).width(), frame([10, 3]).height()), (10, 3));
        assert_eq!((frame([60, 10]).width(), frame([60, 10]).height()), (54, 8));
        assert_eq!((frame([0, 0]).width(), frame([20, 1]).height()), (0, 1));
    }

    #[test]
    fn position_of_a_cell_is_that_of_its_value() {
        let frame = frame([60, 10]);
        for column in 6..60 {
            assert_eq!(frame.column(frame.x_at(column).unwrap()), Some(column));
        }
        for row in 0..8 {
            assert_eq!(frame.row(frame.y_at(row).unwrap()), Some(row));
        }
        assert_eq!((frame.x_at(5), frame.x_at(60), frame.y_at(8)), (None, None, None));
        assert_eq!((frame.column(5e7), frame.row(-1.0)), (None, None));
    }

    #[test]
    fn values_are_named() {
        let names = |value: f64| ((value - 1.0).abs() < 0.1).then(|| "Running".to_owned());
        let frame = Frame::new(
            [40, 10],
            Axis { low: 0.0, high: 1.0, unit: Unit::Number },
            Axis::around([0.0, 2.0]),
            Labels::Names(&names),
        );
        let labels: Vec<&str> = frame.y_labels().map(|(_, label)| label).collect();
        assert_eq!(labels, ["2", "Running", "0"]);
    }
}

//! The frequency of each state, as bars from left to right that have room for names.

use super::axis::{Axis, Unit};
use super::frame::rows_of;
use super::levels::levels_axis;
use super::marker::DOTS;
use super::picture::{Ink, Picture};
use super::raster::{Pen, Raster, as_f64, as_index};
use super::{Frame, Labels, Marker, Names};
use crate::scope::History;
use std::cmp::Reverse;

/// The samples of a channel, counted by their states.
#[derive(Debug, Clone, PartialEq)]
pub struct StateCounts {
    /// The name or value and the count of each state, by value.
    pub states: Vec<(String, u64)>,
    /// The samples that were counted: every one of a short time, a part of those of a long one.
    pub counted: u64,
}

/// Samples that are counted at most, to take a few milliseconds.
const MAX_COUNTED: usize = 200_000;
/// Cells for the count and the share behind the longest bar, in plots that are more than twice as wide.
const TEXT: usize = 16;
/// Cells for names at most.
const NAMES: usize = 18;

impl History {
    /// Counts the states of a channel in a time range. `None` if it has no samples.
    #[must_use]
    pub fn state_counts(
        &self,
        channel: usize,
        [from, to]: [u64; 2],
        names: Names<'_>,
    ) -> Option<StateCounts> {
        let ticks = self.thinned(self.ticks(from, to), MAX_COUNTED);
        let mut values: Vec<f64> = ticks.filter_map(|tick| self.value(channel, tick)).collect();
        values.sort_unstable_by(f64::total_cmp);
        let counted = values.len() as u64;
        let name = |value: f64| names(value).unwrap_or_else(|| value.to_string());
        let same = values.chunk_by(|a, b| a.total_cmp(b).is_eq());
        let states = same.map(|same| (name(same[0]), same.len() as u64)).collect();
        (counted > 0).then_some(StateCounts { states, counted })
    }
}

impl StateCounts {
    /// Draws a plot of some width and height in cells, with a bar for each state.
    #[must_use]
    pub fn draw(&self, size: [usize; 2], marker: Marker) -> Picture {
        let (frame, states) = self.layout(size);
        let mut raster = Raster::new(frame.width(), frame.height());
        let end = |count: u64| as_index(frame.x.position(float(count), frame.dots()[0]));
        let rows = (0..states.len()).map(|level| frame.row(as_f64(level)));
        let bars: Vec<(usize, u64)> =
            rows.zip(&states).filter_map(|(row, (_, count))| Some((row?, *count))).collect();
        for &(row, count) in bars.iter().filter(|(_, count)| *count > 0) {
            let dots = [as_f64(row * DOTS[1]), as_f64(row * DOTS[1] + DOTS[1] - 1)];
            (0..=end(count)).for_each(|x| raster.fill(x, dots, Pen::default()));
        }
        let mut picture = Picture::new(&frame, &raster, marker);
        for (row, count) in bars {
            let text = format!("{count} ({:.1}%)", float(count) / float(self.counted) * 100.0);
            let start = frame.gutter() + end(count) / DOTS[0] + 2;
            if start + text.len() <= size[0] {
                picture.text(start, row, &text, Ink::Label);
            }
        }
        picture
    }

    /// Lays out a plot of some width and height in cells.
    #[must_use]
    pub fn frame(&self, size: [usize; 2]) -> Frame {
        self.layout(size).0
    }

    fn layout(&self, size: [usize; 2]) -> (Frame, Vec<(String, u64)>) {
        let states = self.shown(rows_of(size));
        let most = states.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let width = size[0].saturating_sub(NAMES);
        let bars = if width > 2 * TEXT { width - TEXT } else { width.max(1) };
        let high = float(most).max(1.0) * as_f64(width.max(1)) / as_f64(bars);
        let x = Axis { low: 0.0, high, unit: Unit::Number };
        let labels: Vec<String> = states.iter().map(|(name, _)| name.clone()).collect();
        (Frame::new(size, x, levels_axis(states.len()), Labels::Levels(&labels)), states)
    }

    /// The states of which each has a row. If there are too many, the rarest are counted together.
    fn shown(&self, rows: usize) -> Vec<(String, u64)> {
        if self.states.len() <= rows {
            return self.states.clone();
        }
        let mut order: Vec<usize> = (0..self.states.len()).collect();
        order.sort_by_key(|&index| Reverse(self.states[index].1));
        let (shown, others) = order.split_at_mut(rows.saturating_sub(1));
        shown.sort_unstable();
        let count = others.iter().map(|&index| self.states[index].1).sum();
        let mut all = vec![(format!("{} others", others.len()), count)];
        all.extend(shown.iter().map(|&index| self.states[index].clone()));
        all
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
const fn float(count: u64) -> f64 {
    count as f64
}

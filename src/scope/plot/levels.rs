//! States, which are names rather than quantities: each has a level of its own on the y axis.

use super::axis::{Axis, Unit};
use super::raster::as_f64;
use crate::scope::History;

/// Samples that are searched for states at most, to take a millisecond.
const MAX_SEARCHED: usize = 20_000;

/// The states of a channel by their values, ascending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels(Vec<f64>);

impl History {
    /// Returns the different values of a channel in a time range, and the one before it, ascending. `None`
    /// if there are more than `most`.
    pub(super) fn states(&self, channel: usize, [from, to]: [u64; 2], most: usize) -> Option<Vec<f64>> {
        let ticks = self.ticks(from, to);
        let ends = self.extent(channel, from, to).into_iter().flatten();
        let values = self.thinned(ticks, MAX_SEARCHED).filter_map(|tick| self.value(channel, tick));
        let mut states: Vec<f64> = vec![];
        let mut last = f64::NAN;
        for value in ends.chain(values).filter(|value| value.is_finite()) {
            if value.total_cmp(&last).is_eq() {
                continue;
            }
            last = value;
            if let Err(at) = states.binary_search_by(|state| state.total_cmp(&value)) {
                if states.len() == most {
                    return None;
                }
                states.insert(at, value);
            }
        }
        Some(states)
    }
}

impl Levels {
    /// The levels of the visible states. Those that have names are there, too, if that makes no more than
    /// `most`, so that levels stay where they are. `None` if there are too many states.
    pub fn new(states: Option<Vec<f64>>, named: &[f64], most: usize) -> Option<Self> {
        let states = states.filter(|states| !states.is_empty())?;
        let mut all = [&states, named].concat();
        all.sort_unstable_by(f64::total_cmp);
        all.dedup();
        let levels = if all.len() <= most { all } else { states };
        (levels.len() <= most).then_some(Self(levels))
    }

    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The level of a value. A value that is no state is between two.
    pub fn of(&self, value: f64) -> f64 {
        match self.0.binary_search_by(|state| state.total_cmp(&value)) {
            Ok(level) => as_f64(level),
            Err(above) => as_f64(above) - 0.5,
        }
    }

    pub fn axis(&self) -> Axis {
        levels_axis(self.0.len())
    }
}

/// An axis with some levels at 0, 1 and so on.
pub(super) fn levels_axis(count: usize) -> Axis {
    Axis { low: -0.5, high: as_f64(count.max(1)) - 0.5, unit: Unit::Number }
}

//! The time for which nothing is sampled, because the screen is closed.

use super::{Armed, Scope};
use crate::scope::Batch;
use crate::scope::plot::relative;
use crate::scope::units::duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pause {
    #[default]
    None,
    /// The screen is closed.
    Lasts,
    /// Samples were asked for again, by the request of this number.
    Ends(u64),
}

impl Pause {
    /// Notes a request for samples.
    pub(super) fn request(&mut self, number: u64) {
        if *self != Self::None {
            *self = Self::Ends(number);
        }
    }
}

impl Scope {
    /// Notes that sampling stopped because the screen was closed.
    pub(in crate::app) fn pause(&mut self) {
        self.is_requested = false;
        self.pause = if self.history.is_empty() { Pause::None } else { Pause::Lasts };
    }

    /// Marks a pause as a gap once the samples after it are there. It is no miss.
    pub(super) fn end_pause(&mut self, batch: &Batch) {
        let Some(&first) = batch.times.first() else { return };
        if self.pause != Pause::Ends(self.number) {
            return;
        }
        self.pause = Pause::None;
        let Some(newest) = self.history.newest().filter(|newest| *newest < first) else { return };
        self.history.push(&Batch { times: vec![newest + 1], ..Batch::default() });
        self.mark(first, format!("paused {}: Scope was closed", duration(relative(first, newest))));
    }

    /// Returns true if samples are needed while other screens are shown.
    #[must_use]
    pub fn is_sampled_behind(&self) -> bool {
        self.recorder.is_some() || self.trigger.as_ref().is_some_and(Armed::needs_samples)
    }
}

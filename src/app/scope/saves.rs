//! Samples that are saved to files of their own: those around a trigger, and those on screen.

use super::Scope;
use crate::engine::{RecordRequest, Request};
use crate::scope::recording::Epoch;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

/// Files that a trigger writes before it has to be armed again.
pub const MAX_SAVES: usize = 100;

/// The files of a trigger: `run.mcap`, `run-2.mcap` and so on.
#[derive(Debug)]
pub struct TriggerSaves {
    pub path: PathBuf,
    /// The times of the samples to save, both included, once they are there.
    waiting: VecDeque<[u64; 2]>,
    begun: usize,
}

impl TriggerSaves {
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, waiting: VecDeque::new(), begun: 0 }
    }

    /// Saves the samples around a trigger, unless those of the last one are not complete yet.
    pub(super) fn fired(&mut self, time: u64, [before, after]: [u64; 2]) {
        let is_free = self.waiting.back().is_none_or(|[_, to]| time > *to);
        if is_free && self.begun < MAX_SAVES {
            self.begun += 1;
            self.waiting.push_back([time.saturating_sub(before), time.saturating_add(after)]);
        }
    }

    /// Returns true while samples are awaited.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns true if no more files are written.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.begun >= MAX_SAVES
    }

    pub(super) const fn rearm(&mut self) {
        self.begun = 0;
    }
}

impl Scope {
    /// Returns the requests to save the samples around triggers that are complete, or all that are there so
    /// far.
    pub(in crate::app) fn due_saves(&mut self, is_last: bool) -> Vec<Request> {
        let newest = self.history.newest().unwrap_or(0);
        let Some(saves) = self.trigger.as_mut().and_then(|armed| armed.saves.as_mut()) else { return vec![] };
        let mut due = vec![];
        while let Some(range) = saves.waiting.front().copied().filter(|[_, to]| is_last || *to <= newest) {
            saves.waiting.pop_front();
            due.push((saves.path.clone(), range));
        }
        due.into_iter().filter_map(|(path, range)| self.save(path, range, true)).collect()
    }

    /// Returns the request to save the samples in a time range. `None` if there are none.
    pub(in crate::app) fn save(
        &self,
        path: PathBuf,
        [from, to]: [u64; 2],
        is_numbered: bool,
    ) -> Option<Request> {
        let ticks = self.history.ticks(from, to);
        if ticks.is_empty() {
            return None;
        }
        // The times of a recording are since its start.
        let epoch = self
            .recording
            .as_ref()
            .map(|recording| Epoch { monotonic: 0, realtime: recording.start.unwrap_or(0) });
        let request = RecordRequest { is_numbered, epoch, ..RecordRequest::new(path, self.all_channels()) };
        Some(Request::SaveSamples(Box::new(request), self.history.batches(ticks).map(Arc::new).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_trigger_are_limited() {
        let mut saves = TriggerSaves::new(PathBuf::from("run.csv"));
        let fire = |saves: &mut TriggerSaves, times: std::ops::Range<u64>| {
            times.for_each(|time| saves.fired(time * 10, [3, 19]));
            saves.waiting.drain(..).collect::<Vec<_>>()
        };
        // Each has to be complete before the next.
        assert_eq!(fire(&mut saves, 0..5), [[0, 19], [17, 39], [37, 59]]);
        assert_eq!(fire(&mut saves, 100..1000).len(), MAX_SAVES - 3);
        assert!(saves.is_full());
        assert_eq!(fire(&mut saves, 1000..1100).len(), 0);
        saves.rearm();
        assert_eq!(fire(&mut saves, 1100..1101).len(), 1);
    }
}

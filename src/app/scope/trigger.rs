//! The trigger of the screen: a condition, and what happens when it fires.

use super::{Scope, TriggerSaves};
use crate::scope::trigger::{Fired, Mode, Reason, Trigger, TriggerError, TriggerState};
use crate::scope::{Batch, Channel, History};

/// Actions when a trigger fires. The plot shows the samples around it in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerAction {
    Freeze,
    Bell,
    /// A notification of the terminal, OSC 9.
    Notify,
}

impl TriggerAction {
    pub const ALL: [Self; 3] = [Self::Freeze, Self::Bell, Self::Notify];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Bell => "bell",
            Self::Notify => "notify",
        }
    }
}

/// The most times of triggers that are kept.
const MAX_TIMES: usize = 1 << 20;

/// A trigger that checks samples.
#[derive(Debug)]
pub struct Armed {
    pub trigger: Trigger,
    pub actions: Vec<TriggerAction>,
    /// Set to save the samples around it to files.
    pub saves: Option<TriggerSaves>,
    state: TriggerState,
    /// The times at which its condition was met, oldest first.
    times: Vec<u64>,
    /// The older times that are not kept.
    dropped: u64,
    pub count: u64,
}

impl Armed {
    pub fn new(
        trigger: Trigger,
        actions: Vec<TriggerAction>,
        channels: &[Channel],
    ) -> Result<Self, TriggerError> {
        let state = TriggerState::new(&trigger, channels)?;
        Ok(Self { trigger, actions, saves: None, state, times: vec![], dropped: 0, count: 0 })
    }

    /// Prepares the trigger for other channels.
    pub(super) fn rebuild(&mut self, channels: &[Channel]) -> Result<(), TriggerError> {
        self.state = TriggerState::new(&self.trigger, channels)?;
        Ok(())
    }

    pub(super) fn feed(&mut self, batch: &Batch) -> Vec<Fired> {
        let fired = self.state.feed(batch);
        let before = self.times.len();
        self.times.extend(met(&fired));
        self.count += (self.times.len() - before) as u64;
        if self.times.len() > MAX_TIMES {
            let dropped = self.times.len() - MAX_TIMES / 2;
            self.times.drain(..dropped);
            self.dropped += dropped as u64;
        }
        fired
    }

    /// Checks samples that are complete: finds all times at which the condition is met, of which it keeps
    /// the first.
    pub(super) fn find(&mut self, history: &History) {
        (self.dropped, self.count) = (0, 0);
        self.times.clear();
        for batch in history.batches(0..history.len()) {
            for time in met(&self.state.feed(&batch)) {
                self.count += 1;
                if self.times.len() < MAX_TIMES {
                    self.times.push(time);
                }
            }
        }
    }

    /// Saves the samples around triggers, before and after them.
    pub(super) fn save(&mut self, fired: &[Fired], around: [u64; 2]) {
        if let Some(saves) = &mut self.saves {
            met(fired).for_each(|time| saves.fired(time, around));
        }
    }

    /// Returns true while it waits for its condition, or for the samples after it.
    #[must_use]
    pub fn needs_samples(&self) -> bool {
        self.state.is_armed() || self.saves.as_ref().is_some_and(TriggerSaves::is_waiting)
    }

    /// The times from one to another, both included, at which the condition was met.
    #[must_use]
    pub fn times(&self, from: u64, to: u64) -> &[u64] {
        let start = self.times.partition_point(|&time| time < from);
        let end = self.times.partition_point(|&time| time <= to);
        &self.times[start..end.max(start)]
    }

    /// The number of the trigger at a time, from 1.
    #[must_use]
    pub fn number_of(&self, time: u64) -> Option<u64> {
        self.times.binary_search(&time).ok().map(|index| self.dropped + index as u64 + 1)
    }

    /// The part of the plot before the trigger, in percent.
    #[must_use]
    pub const fn pre(&self) -> u8 {
        self.trigger.pre
    }

    /// Lets a single trigger fire again, and write files again.
    pub const fn rearm(&mut self) {
        self.state.rearm();
        if let Some(saves) = &mut self.saves {
            saves.rearm();
        }
    }

    /// The state: `armed`, `fired 3 times`.
    #[must_use]
    pub fn status(&self) -> String {
        match (self.count, self.state.is_armed(), self.trigger.mode) {
            (0, ..) => "armed".to_owned(),
            (_, false, Mode::Single) => "fired".to_owned(),
            (1, ..) => "fired once".to_owned(),
            (count, ..) => format!("fired {count} times"),
        }
    }
}

/// The times at which the condition was met. A timeout only moves the plot on.
fn met(fired: &[Fired]) -> impl Iterator<Item = u64> {
    fired.iter().filter(|fired| matches!(fired.reason, Reason::Met { .. })).map(|fired| fired.time)
}

impl Scope {
    /// The state of the trigger: the number of the one that is shown, or that of [`Armed::status`].
    #[must_use]
    pub fn trigger_status(&self) -> Option<String> {
        let armed = self.trigger.as_ref()?;
        let shown = self.view.fired.filter(|_| self.view.is_frozen);
        let is_replay = self.recording.is_some();
        Some(match shown.and_then(|time| armed.number_of(time)) {
            Some(number) if is_replay || armed.count > 1 => format!("{number} of {}", armed.count),
            _ if !is_replay => armed.status(),
            _ if armed.count == 0 => "none found".to_owned(),
            _ => format!("{} found", armed.count),
        })
    }

    /// Sets the trigger. In a recording, finds the times at which it fires.
    pub(in crate::app) fn set_trigger(&mut self, armed: Armed) {
        self.trigger = Some(armed);
        self.find_triggers();
        self.leave_trigger();
    }

    pub(in crate::app) fn clear_trigger(&mut self) {
        self.trigger = None;
        self.leave_trigger();
    }

    /// Shows live samples instead of a trigger. The view of a recording stays.
    const fn leave_trigger(&mut self) {
        if self.recording.is_none() {
            self.view.follow();
        } else {
            self.view.fired = None;
        }
    }

    /// Shows the next trigger after the one that is shown, or the previous one; without one, the first or
    /// the last that is kept. Returns false if there is none.
    pub fn show_trigger(&mut self, is_next: bool) -> bool {
        let (Some(armed), Some(oldest)) = (&self.trigger, self.history.oldest()) else { return false };
        // A live sweep moves on.
        let shown = self.view.fired.filter(|_| self.view.is_frozen);
        let found = match (shown, is_next) {
            (Some(shown), true) => armed.times(shown.saturating_add(1), u64::MAX).first(),
            (Some(0), false) => None,
            (Some(shown), false) => armed.times(oldest, shown - 1).last(),
            (None, true) => armed.times(oldest, u64::MAX).first(),
            (None, false) => armed.times(oldest, u64::MAX).last(),
        };
        let Some(&time) = found else { return false };
        self.view.show_trigger(time, armed.pre());
        true
    }
}

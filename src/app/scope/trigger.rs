//! The trigger of the screen: a condition, and what happens when it fires.

use crate::scope::trigger::{Fired, Mode, Reason, Trigger, TriggerError, TriggerState};
use crate::scope::{Batch, Channel};

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

/// A trigger that checks samples.
#[derive(Debug)]
pub struct Armed {
    pub trigger: Trigger,
    pub actions: Vec<TriggerAction>,
    state: TriggerState,
    pub count: u64,
}

impl Armed {
    pub fn new(
        trigger: Trigger,
        actions: Vec<TriggerAction>,
        channels: &[Channel],
    ) -> Result<Self, TriggerError> {
        let state = TriggerState::new(&trigger, channels)?;
        Ok(Self { trigger, actions, state, count: 0 })
    }

    /// Prepares the trigger for other channels.
    pub(super) fn rebuild(&mut self, channels: &[Channel]) -> Result<(), TriggerError> {
        self.state = TriggerState::new(&self.trigger, channels)?;
        Ok(())
    }

    pub(super) fn feed(&mut self, batch: &Batch) -> Vec<Fired> {
        let fired = self.state.feed(batch);
        // A timeout only moves the plot on.
        let is_met = |fired: &&Fired| matches!(fired.reason, Reason::Met { .. });
        self.count += fired.iter().filter(is_met).count() as u64;
        fired
    }

    /// The part of the plot before the trigger, in percent.
    #[must_use]
    pub const fn pre(&self) -> u8 {
        self.trigger.pre
    }

    /// Lets a single trigger fire again.
    pub const fn rearm(&mut self) {
        self.state.rearm();
    }

    /// The state for the title: `armed`, `fired 3 times`.
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

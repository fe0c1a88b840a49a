//! Triggers: conditions on a channel, and when they fire.
//!
//! A condition is either a *level* (`x > 50`, `x == 7`, `x & 0x4`, `x stale 1s`), which fires when it
//! becomes true, at the first sample, too; or an *event* between two samples (`x > 50 rising`, `x changes`,
//! `x leaves 0..10`, `x enters 0..10`).
//!
//! - After it fired, it is not fired again during the holdoff. An event during the holdoff is lost. A level
//!   that became false and true again fires at the end of the holdoff if it still holds.
//! - A missing sample says nothing. The next sample is compared with the last one before the gap, so that
//!   an event in a gap is found at its end. The time of `stale` passes during gaps, but it fires only at a
//!   sample.
//! - `rising` and `falling` mean the value, not the condition: `x < 3 falling` fires when the value falls
//!   below 3.

mod check;
mod condition;
mod error;
mod level;
mod parse;
mod state;
#[cfg(test)]
mod tests;

pub use condition::{Comparison, Condition, Edge, Signal, Test};
pub use error::TriggerError;
pub use level::Operand;
pub use state::{AUTO_TIMEOUT, Fired, Reason, TriggerState};

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A condition, and what follows when it fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    pub condition: Condition,
    pub mode: Mode,
    /// The time after a trigger during which there is no other.
    pub holdoff: Duration,
    /// The part of the plot or recording before the trigger, in percent.
    pub pre: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Fires without the condition when it is not met for a while, so that the plot moves on.
    Auto,
    /// Fires whenever the condition is met.
    #[default]
    Normal,
    /// Fires once.
    Single,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Normal, Self::Single];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Normal => "normal",
            Self::Single => "single",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|mode| mode.word() == text);
        found.ok_or_else(|| "expected auto, normal or single".to_owned())
    }
}

impl Trigger {
    /// A trigger in normal mode, without holdoff, in the middle of the plot.
    #[must_use]
    pub const fn new(condition: Condition) -> Self {
        Self { condition, mode: Mode::Normal, holdoff: Duration::ZERO, pre: 50 }
    }
}

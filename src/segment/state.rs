//! The state of a segment and its reasons.

use std::time::Duration;

/// The state of a segment: the first of these that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Marked for removal or unlinked, but still held.
    Removed,
    InUse,
    /// There may be holders that were not found.
    Unknown,
    /// No holders, but must not be removed.
    Protected,
    /// No holders, which is normal for this segment.
    Idle,
    /// No holders, and nothing will use the segment again.
    Leaked(Certainty),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The creator is known to have exited.
    Certain,
    /// The creator is unknown, and nothing suggests that the segment normally has no holders.
    Likely,
}

impl State {
    /// All states, in the order in which they are checked.
    pub const ALL: [Self; 7] = [
        Self::Removed,
        Self::InUse,
        Self::Unknown,
        Self::Protected,
        Self::Idle,
        Self::Leaked(Certainty::Certain),
        Self::Leaked(Certainty::Likely),
    ];

    /// The distinct results of [`State::keyword`].
    pub const WORDS: [&str; 6] = ["removed", "in-use", "unknown", "protected", "idle", "leaked"];

    /// The word in JSON and filters.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::InUse => "in-use",
            Self::Unknown => "unknown",
            Self::Protected => "protected",
            Self::Idle => "idle",
            Self::Leaked(_) => "leaked",
        }
    }

    /// The label on screen.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::InUse => "in use",
            Self::Leaked(Certainty::Likely) => "leaked?",
            other => other.keyword(),
        }
    }

    #[must_use]
    pub const fn certainty(self) -> Option<Certainty> {
        match self {
            Self::Leaked(certainty) => Some(certainty),
            _ => None,
        }
    }

    /// Returns true for leaks, certain or likely.
    #[must_use]
    pub const fn is_leaked(self) -> bool {
        matches!(self, Self::Leaked(_))
    }
}

impl Certainty {
    /// The word in JSON.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    /// The conclusion, followed by the steps that led to it, each with its evidence.
    pub reasons: Vec<String>,
    /// The time until a segment that was used recently counts as leaked.
    pub leaked_in: Option<Duration>,
}

impl Verdict {
    #[must_use]
    pub fn new(state: State, reason: impl Into<String>) -> Self {
        Self { state, reasons: vec![reason.into()], leaked_in: None }
    }

    /// Adds a step to the reasons.
    #[must_use]
    pub fn with_reason(mut self, step: impl Into<String>) -> Self {
        self.reasons.push(step.into());
        self
    }
}

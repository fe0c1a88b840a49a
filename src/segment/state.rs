//! The state of a segment, and the reasons for it.

/// The state of a segment: the first one that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Marked for removal or unlinked, but still held.
    Removed,
    /// The segment has a holder.
    InUse,
    /// The segment may have holders that were not found.
    Unknown,
    /// The segment has no holders, but must not be removed.
    Protected,
    /// The segment has no holders, which is normal for it.
    Idle,
    /// The segment has no holders, and nothing will use it again.
    Leaked(Certainty),
}

/// The certainty of a leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The creator is known to have exited.
    Certain,
    /// The creator is unknown, and nothing indicates that the segment normally exists without holders.
    Likely,
}

impl State {
    /// Every state, in the order in which the states are checked.
    pub const ALL: [Self; 7] = [
        Self::Removed,
        Self::InUse,
        Self::Unknown,
        Self::Protected,
        Self::Idle,
        Self::Leaked(Certainty::Certain),
        Self::Leaked(Certainty::Likely),
    ];

    /// The distinct words that [`State::word`] returns.
    pub const WORDS: [&str; 6] = ["removed", "in-use", "unknown", "protected", "idle", "leaked"];

    /// The word in JSON and filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::InUse => "in-use",
            Self::Unknown => "unknown",
            Self::Protected => "protected",
            Self::Idle => "idle",
            Self::Leaked(_) => "leaked",
        }
    }

    /// The label in the user interface.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::InUse => "in use",
            Self::Leaked(Certainty::Likely) => "leaked?",
            other => other.word(),
        }
    }

    /// The certainty of a leak, if the segment is leaked.
    #[must_use]
    pub const fn certainty(self) -> Option<Certainty> {
        match self {
            Self::Leaked(certainty) => Some(certainty),
            _ => None,
        }
    }

    /// Returns whether the segment is leaked, certain or likely.
    #[must_use]
    pub const fn is_leaked(self) -> bool {
        matches!(self, Self::Leaked(_))
    }
}

impl Certainty {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
        }
    }
}

/// A state with at least one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    /// The reasons: the first is a summary, the others are the steps that led to it, with the evidence for
    /// each.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// Creates a verdict with its first reason.
    #[must_use]
    pub fn new(state: State, reason: impl Into<String>) -> Self {
        Self { state, reasons: vec![reason.into()] }
    }

    /// Adds a step to the reasons.
    #[must_use]
    pub fn because(mut self, step: impl Into<String>) -> Self {
        self.reasons.push(step.into());
        self
    }
}

//! What may be said of a segment, and why.

/// The state of a segment: the first that fits, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Marked for removal or unlinked, and kept alive by who holds it.
    Removed,
    /// Somebody holds it.
    InUse,
    /// That nobody holds it is not settled.
    Unknown,
    /// Nobody holds it, and it must not be removed all the same.
    Protected,
    /// Nobody holds it, and that is nothing to worry about.
    Idle,
    /// Nobody holds it, and nobody will come back for it.
    Leaked(Certainty),
}

/// How sure it is that a segment is leaked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Its maker is known to be dead.
    Certain,
    /// Nothing tells who made it, or that it is normal for it to lie around.
    Likely,
}

impl State {
    /// Every state, in the order in which they are tried.
    pub const ALL: [Self; 7] = [
        Self::Removed,
        Self::InUse,
        Self::Unknown,
        Self::Protected,
        Self::Idle,
        Self::Leaked(Certainty::Certain),
        Self::Leaked(Certainty::Likely),
    ];

    /// The words of [`State::word`], each once.
    pub const WORDS: [&str; 6] = ["removed", "in-use", "unknown", "protected", "idle", "leaked"];

    /// The word that JSON and filters use.
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

    /// The words that people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::InUse => "in use",
            Self::Leaked(Certainty::Likely) => "leaked?",
            other => other.word(),
        }
    }

    /// How sure it is, of a leaked one.
    #[must_use]
    pub const fn certainty(self) -> Option<Certainty> {
        match self {
            Self::Leaked(certainty) => Some(certainty),
            _ => None,
        }
    }

    /// Whether it is leaked, surely or likely.
    #[must_use]
    pub const fn is_leaked(self) -> bool {
        matches!(self, Self::Leaked(_))
    }
}

impl Certainty {
    /// The word that JSON uses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
        }
    }
}

/// A state with its reasons. It is never given without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// Why, in words: the first says it all, the others are the steps that led
    /// to it, each with what was looked at.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// A verdict with its first reason.
    #[must_use]
    pub fn new(state: State, reason: impl Into<String>) -> Self {
        Self { state, reasons: vec![reason.into()] }
    }

    /// The same with one more step.
    #[must_use]
    pub fn because(mut self, step: impl Into<String>) -> Self {
        self.reasons.push(step.into());
        self
    }
}

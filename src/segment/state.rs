//! What may be said of a segment, and why.

/// The state of a segment: the first that fits, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Marked for removal, and kept alive by who holds it.
    Removed,
    /// Somebody holds it.
    InUse,
    /// That nobody holds it, or whether it may go, is not settled.
    Unknown,
}

impl State {
    /// Every state, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::Removed, Self::InUse, Self::Unknown];

    /// The word that JSON and filters use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::InUse => "in-use",
            Self::Unknown => "unknown",
        }
    }

    /// The words that people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::InUse => "in use",
            other => other.word(),
        }
    }
}

/// A state with its reasons. It is never given without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// Why, in words, the weightiest first.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// A verdict with its first reason.
    #[must_use]
    pub fn new(state: State, reason: impl Into<String>) -> Self {
        Self { state, reasons: vec![reason.into()] }
    }
}

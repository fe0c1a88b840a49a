//! An error that is only displayed.

use std::fmt::Display;

/// The reason why an input is invalid or something is unavailable, for a caller that only displays
/// it. Safe to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShownError(String);

impl ShownError {
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// Returns the message of another error.
    #[must_use]
    pub fn of(error: impl Display) -> Self {
        Self(error.to_string())
    }

    /// Lists the valid words.
    #[must_use]
    pub fn expected_one_of(words: &[&str]) -> Self {
        Self(format!("expected one of {}", words.join(", ")))
    }
}

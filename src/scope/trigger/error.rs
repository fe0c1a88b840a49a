//! Errors in triggers.

use crate::segment::quote;

/// The reason that a trigger cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid trigger '{}': {problem}", quote(.text.as_bytes()))]
pub struct TriggerError {
    pub text: String,
    /// Safe to print.
    pub problem: String,
}

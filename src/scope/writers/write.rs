//! The write at which a sample was taken.

use super::tally::ThreadId;
use crate::identify::source::CodePlace;
use std::sync::Arc;

/// A write: its thread, and its place in the code.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    pub thread: ThreadId,
    pub place: Arc<CodePlace>,
    /// The value that was read may be that of a later write.
    pub is_late: bool,
}

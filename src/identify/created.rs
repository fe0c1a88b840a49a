//! The log of the segments that this program created or restored. The user asked for them, so the exit of
//! their maker does not make them certain leaks.

use crate::machine::{LastUse, Machine};
use crate::segment::{Segment, Timestamp};
use std::fmt::Debug;

/// The last use of a System V segment before this program attached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    pub last: LastUse,
    /// The times count too. Times noted by another user could make a segment look older.
    pub trusted: bool,
}

/// Remembers the segments that this program created or restored.
pub trait Created: Debug + Send + Sync {
    /// Returns whether this program created or restored a segment. Logs are read again for each survey time.
    fn has(&self, machine: &dyn Machine, segment: &Segment, at: Timestamp) -> bool;

    /// Returns the last use of a System V segment before the run of this program with that pid attached it;
    /// `None` if no such run is known.
    fn before(&self, machine: &dyn Machine, segment: &Segment, pid: u32, at: Timestamp) -> Option<Before>;

    /// Returns whether the attachments of earlier runs are remembered.
    fn keeps_uses(&self) -> bool;
}

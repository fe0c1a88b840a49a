//! Which segments this program created or restored. Who asked for one wants it back, so its dead maker
//! does not make it a certain leak.

use crate::machine::{LastUse, Machine};
use crate::segment::{Segment, Timestamp};
use std::fmt::Debug;

/// The last use of a System V segment before this program attached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// The last use.
    pub last: LastUse,
    /// Whether its times count too: those that another user noted could make a segment look older.
    pub trusted: bool,
}

/// Remembers the segments that this program created or restored.
pub trait Created: Debug + Send + Sync {
    /// Returns whether this program created or restored a segment that a survey of this time listed.
    fn has(&self, machine: &dyn Machine, segment: &Segment, at: Timestamp) -> bool;

    /// Returns the last use of a System V segment before the run of this program with that pid attached it;
    /// `None` if that was no run of this program, as far as is known.
    fn before(
        &self,
        _machine: &dyn Machine,
        _segment: &Segment,
        _pid: u32,
        _at: Timestamp,
    ) -> Option<Before> {
        None
    }

    /// Returns whether the attachments of earlier runs are remembered.
    fn keeps_uses(&self) -> bool {
        true
    }
}

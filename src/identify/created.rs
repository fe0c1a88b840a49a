//! The segments that shmlens created or restored. The user asked for them, so they are not certain
//! leaks when their maker exits.

use crate::machine::{LastUse, Machine};
use crate::segment::{Segment, Timestamp};
use std::fmt::Debug;

/// The last use of a System V segment before shmlens attached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviousUse {
    pub last: LastUse,
    /// Set if the times can be trusted. Another user could record times that make a segment look
    /// older.
    pub trusted: bool,
}

/// Reports which segments shmlens created or restored.
pub trait CreationLog: Debug + Send + Sync {
    /// Returns true if shmlens created or restored a segment. Rereads the logs for each survey
    /// time.
    fn contains(&self, machine: &dyn Machine, segment: &Segment, at: Timestamp) -> bool;

    /// Returns the last use of a System V segment before the shmlens run with that pid attached it;
    /// `None` if no such run is known.
    fn previous_use(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        pid: u32,
        at: Timestamp,
    ) -> Option<PreviousUse>;

    /// Returns true if the attachments of earlier runs are recorded.
    fn records_uses(&self) -> bool;
}

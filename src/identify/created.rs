//! Which segments this program created or restored. Who asked for one wants it back, so its dead maker
//! does not make it a certain leak.

use crate::machine::Machine;
use crate::segment::{Segment, Timestamp};
use std::fmt::Debug;

/// Remembers the segments that this program created or restored.
pub trait Created: Debug + Send + Sync {
    /// Returns whether this program created or restored a segment that a survey of this time listed.
    fn has(&self, machine: &dyn Machine, segment: &Segment, at: Timestamp) -> bool;
}

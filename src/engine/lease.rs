//! Avoids breaking the write leases of other programs while a segment is read again and again.

use crate::machine::Machine;
use crate::memory::{OpenError, Reader, WriteLeases};
use crate::segment::Segment;

/// The lease that was found on a segment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Not checked yet.
    #[default]
    Unchecked,
    /// None at the first look. A lease that is taken later breaks once: checking every time would
    /// delay all programs that lock files.
    None,
    /// Listed or broken before. Checked every time.
    Seen,
    /// Broken although it was not listed: its holder is outside of this pid namespace.
    Unlisted,
}

impl Lease {
    /// Returns true if the next [`Self::open`] checks the leases.
    pub const fn is_checked(self) -> bool {
        matches!(self, Self::Unchecked | Self::Seen)
    }

    /// Opens a segment unless another program has a lease on it.
    pub fn open(
        &mut self,
        leases: &mut WriteLeases,
        machine: &dyn Machine,
        segment: &Segment,
        open: impl FnOnce() -> Result<Reader, OpenError>,
    ) -> Result<Reader, OpenError> {
        let checked = if self.is_checked() { leases.check(machine, segment) } else { Ok(()) };
        let opened = checked.and_then(|()| open());
        *self = match (&opened, *self) {
            (Err(OpenError::Leased { .. }), _)
            | (Err(OpenError::LeaseBroken { .. }), Self::None)
            | (Ok(_), Self::Unlisted) => Self::Seen,
            (Err(OpenError::LeaseBroken { .. }), _) => Self::Unlisted,
            (Ok(_), Self::Unchecked) => Self::None,
            (_, same) => same,
        };
        opened
    }
}

//! Access to the contents of segments for finding their types, without leaving a trace.

use super::contents::Readers;
use crate::identify::typing::{Knowledge, Subject};
use crate::machine::{Machine, Trace};
use crate::memory::{Reader, WriteLeases, fill_resident};
use crate::segment::{Segment, ShownError};

/// The sources of types, and the segments that are open.
pub struct Evidence {
    pub knowledge: Knowledge,
    readers: Readers,
    leases: WriteLeases,
}

impl Evidence {
    pub fn new(knowledge: Knowledge, readers: Readers) -> Self {
        Self { knowledge, readers, leases: WriteLeases::default() }
    }

    /// Examines a segment that a subscription has open. Another one is read only if that leaves no
    /// trace, breaks no lease and brings no page back from swap.
    pub fn examine<T>(
        &mut self,
        machine: &dyn Machine,
        segment: &Segment,
        found: impl FnOnce(&Subject<'_>, &Knowledge) -> T,
    ) -> Result<T, ShownError> {
        if let Some(reader) = self.readers.of(&segment.id) {
            let peek = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
            return Ok(found(&Subject { segment, size: size(&reader)?, peek: &peek }, &self.knowledge));
        }
        let reader = Reader::open_unleased(machine, segment, &mut self.leases).map_err(ShownError::of)?;
        if reader.trace() != Trace::None {
            return Err(ShownError::new(
                "its contents are not read here, because that leaves a trace: inspect it first",
            ));
        }
        let peek = |offset: u64, into: &mut [u8]| fill_resident(&reader, offset, into);
        Ok(found(&Subject { segment, size: size(&reader)?, peek: &peek }, &self.knowledge))
    }
}

fn size(reader: &Reader) -> Result<u64, ShownError> {
    reader.size().map_err(|error| super::report::unreadable(reader.id(), &error))
}

//! The other holders of an unlinked object. Our own descriptor keeps the object
//! alive, so the watch itself has to notice when nobody else holds it any more.

use crate::machine::Machine;
use crate::segment::{Holder, Segment, SegmentId};
use crate::survey::{Depth, Holdings, Names};
use std::time::{Duration, Instant};

/// Minimum interval between two checks: each reads the mappings of a holder.
const EVERY: Duration = Duration::from_secs(1);

/// The holders that were found last.
pub struct Kept {
    segment: Segment,
    device: u64,
    inode: u64,
    holders: Vec<Holder>,
    checked: Instant,
}

impl Kept {
    /// Starts with the holders of the survey; `None` for a segment with a name.
    pub fn new(segment: &Segment) -> Option<Self> {
        let SegmentId::Deleted { device, inode } = segment.id else { return None };
        let holders = others(segment.holders.as_deref());
        Some(Self { segment: segment.clone(), device, inode, holders, checked: Instant::now() })
    }

    /// Returns whether another process still holds it, as of the last second.
    pub fn is_held(&mut self, machine: &dyn Machine) -> bool {
        if self.checked.elapsed() < EVERY {
            return true;
        }
        if machine.open_unlinked(self.device, self.inode, &self.holders).is_err() {
            // A child or a receiver of the descriptor may hold it instead.
            let holdings = Holdings::look(machine, Depth::Private, &[], &mut Names::default());
            self.holders = others(holdings.of(&self.segment).as_deref());
        }
        self.checked = Instant::now();
        !self.holders.is_empty()
    }
}

/// The holders without this program.
fn others(holders: Option<&[Holder]>) -> Vec<Holder> {
    holders.unwrap_or_default().iter().filter(|holder| !holder.ourselves).cloned().collect()
}

//! Detects the end of a segment that a subscription keeps open.
//!
//! The descriptor or attachment of the subscription keeps the segment alive, so the subscription
//! has to check whether any other process still holds it.

use crate::engine::{Clock, Ended};
use crate::machine::{Machine, Method};
use crate::memory::{Presence, Reader};
use crate::segment::{Holder, Segment, SegmentId};
use crate::survey::{Depth, Holdings, Names};
use std::time::Duration;

/// The minimum interval between two checks of the holders: each check reads the mappings of a
/// process.
const INTERVAL: Duration = Duration::from_secs(1);

/// Detects that no other process holds a segment.
pub struct Lifetime {
    segment: Box<Segment>,
    /// Set if the segment was already marked for removal when the subscription started. Programs
    /// mark segments early so that they disappear at exit.
    marked: bool,
    /// The other holders at the last check.
    holders: Vec<Holder>,
    checked: Clock,
}

impl Lifetime {
    /// `segment` has the holders from the survey.
    pub fn new(segment: Box<Segment>, now: Clock) -> Self {
        let holders = others(segment.holders.as_deref());
        let marked = segment.sysv().is_some_and(|facts| facts.marked);
        Self { segment, marked, holders, checked: now }
    }

    /// Returns the size of the segment, or the reason why it ended.
    pub fn check(&mut self, machine: &dyn Machine, now: Clock, reader: &Reader) -> Result<u64, Ended> {
        let presence = reader.presence(machine).map_err(Ended::Unreadable)?;
        let gone = match (presence, &self.segment.id) {
            (Presence::Present { .. }, _) => false,
            (Presence::Removed { .. }, SegmentId::Sysv(_)) => {
                !self.marked || has_no_other_attachment(machine, reader)
            }
            (Presence::Removed { .. }, &SegmentId::Deleted { device, inode }) => {
                if !self.is_held(machine, now, device, inode) {
                    return Err(Ended::Released);
                }
                false
            }
            (Presence::Removed { .. } | Presence::Replaced { .. }, _) => true,
        };
        if gone { Err(Ended::Removed) } else { Ok(presence.size()) }
    }

    /// Returns true if another process still holds the segment. Checks at most once a second.
    fn is_held(&mut self, machine: &dyn Machine, now: Clock, device: u64, inode: u64) -> bool {
        if now.saturating_sub(self.checked) < INTERVAL {
            return true;
        }
        if machine.open_unlinked(device, inode, &self.holders).is_err() {
            // A child process or a receiver of the descriptor may hold the segment instead.
            let holdings = Holdings::scan(machine, Depth::Private, &[], &mut Names::default());
            self.holders = others(holdings.of(&self.segment).as_deref());
        }
        self.checked = now;
        !self.holders.is_empty()
    }
}

/// Returns the holders except shmlens itself.
fn others(holders: Option<&[Holder]>) -> Vec<Holder> {
    holders.unwrap_or_default().iter().filter(|holder| !holder.ourselves).cloned().collect()
}

/// Returns true if no other process is attached to a System V segment.
fn has_no_other_attachment(machine: &dyn Machine, reader: &Reader) -> bool {
    let Ok(table) = machine.sysv_rows() else { return false };
    let row = table.rows.iter().find(|row| SegmentId::Sysv(row.shmid) == *reader.id());
    let own = u64::from(reader.method() == Method::Attach);
    row.is_none_or(|row| row.nattch <= own)
}

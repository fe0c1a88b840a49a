//! Removes the segments of killed demos.
//!
//! A name or a key alone never proves that a segment belongs to a demo. Owner and size must match
//! before a segment is opened at all. Then its contents must start with a demo's mark, the process
//! in the mark must have exited, and exactly the opened segment is removed.

use super::key;
use super::mark::{self, Maker, PREFIX, may_have_lived};
use super::part::Part;
use crate::machine::control::{Control as _, Removal, SysvStat};
use crate::machine::real::RealMachine;
use crate::machine::{Machine as _, ObjectStat};
use crate::segment::{Key, ObjectName, SegmentId};
use crate::sys::unlink::REMOVING_PREFIX;
use std::io;

#[derive(Debug, Clone, Copy)]
pub enum Targets {
    /// Segments of demos whose process has exited.
    Gone,
    /// Segments of this demo.
    Own(Maker),
}

impl Targets {
    fn matches(&self, maker: &Maker) -> bool {
        match self {
            Self::Gone => maker.is_gone(),
            Self::Own(own) => own == maker,
        }
    }

    /// Returns true if the segment with that key may belong to a demo.
    fn may_fit(&self, key: Key, changed: i64) -> bool {
        match self {
            Self::Gone => key::pid(key).is_some_and(|pid| !may_have_lived(pid, changed)),
            Self::Own(own) => [Part::State, Part::Orphan].iter().any(|part| key::of(*part, own) == key),
        }
    }
}

/// Removes segments of demos and returns their ids. Skips those that cannot be checked or removed.
pub fn remove_leftovers(targets: Targets) -> Vec<SegmentId> {
    let mut removed = vec![];
    let table = RealMachine.sysv_rows().unwrap_or_default();
    for row in &table.rows {
        if may_be_ours(row, targets) && remove_sysv(row, targets).unwrap_or(false) {
            removed.push(SegmentId::Sysv(row.shmid));
        }
    }
    let listing = RealMachine.list_objects().unwrap_or_default();
    for (name, stat) in listing.objects {
        if may_be_ours_by_name(&name, &stat) && remove_object(&name, targets).unwrap_or(false) {
            removed.push(SegmentId::Posix(name));
        }
    }
    removed
}

/// Attaching is visible to other processes, so check the table first.
fn may_be_ours(row: &SysvStat, targets: Targets) -> bool {
    let caller = RealMachine.effective_uid();
    let changed = row.change.map_or(i64::MAX, |change| change.seconds);
    targets.may_fit(row.key, changed)
        && row.uid == caller
        && row.creator_uid == caller
        && !row.marked
        && size_of_ours(true, row.size.0)
}

fn may_be_ours_by_name(name: &ObjectName, stat: &ObjectStat) -> bool {
    let called = |prefix: &str| name.as_bytes().starts_with(prefix.as_bytes());
    (called(PREFIX) || called(REMOVING_PREFIX))
        && !name.as_bytes().contains(&b'/')
        && stat.links == 1
        && stat.uid == RealMachine.effective_uid()
        && size_of_ours(false, stat.size.0)
}

fn size_of_ours(sysv: bool, size: u64) -> bool {
    let mut parts = Part::ALL.into_iter().filter(|part| part.is_sysv() == sysv);
    parts.any(|part| part.fixed_size().is_none_or(|fixed| fixed == size))
}

fn remove_sysv(row: &SysvStat, targets: Targets) -> io::Result<bool> {
    let open = RealMachine.attach(row.shmid)?;
    // While attached, the id cannot be reused: the checked segment is removed.
    if open.stat()?.identity != row.identity() {
        return Ok(false);
    }
    let mut bytes = [0; mark::LENGTH];
    open.read_at(0, &mut bytes)?;
    let ours = Maker::read(&bytes)
        .is_some_and(|(maker, part)| matches(&part, &maker, row.size.0, true) && targets.matches(&maker));
    if ours {
        RealMachine.sysv_remove(row.shmid)?;
    }
    Ok(ours)
}

fn remove_object(name: &ObjectName, targets: Targets) -> io::Result<bool> {
    let open = RealMachine.open_object(name)?;
    let stat = open.stat()?;
    for part in Part::ALL.into_iter().filter(|part| !part.is_sysv()) {
        let mut bytes = [0; mark::LENGTH];
        open.read_at(part.mark_at(), &mut bytes)?;
        let Some((maker, word)) = Maker::read(&bytes) else { continue };
        let called = format!("{}{word}", maker.prefix());
        let named =
            name.as_bytes() == called.as_bytes() || name.as_bytes().starts_with(REMOVING_PREFIX.as_bytes());
        if word == part.name() && named && matches(&word, &maker, stat.size, false) && targets.matches(&maker)
        {
            // While the object is open, its inode number cannot be reused.
            let held = RealMachine.open_handle(name)?;
            return Ok(held.stat()?.identity() == stat.identity
                && RealMachine.unlink(name, held.as_ref(), &|_| true)? == Removal::Removed);
        }
    }
    Ok(false)
}

fn matches(part: &str, maker: &Maker, size: u64, sysv: bool) -> bool {
    Part::from_name(part).is_some_and(|part| part.is_sysv() == sysv && part.size(maker) == size)
}

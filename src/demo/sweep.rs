//! Takes away what a killed demo left behind.
//!
//! Nothing is taken for a demo's because of its name or its key. Owner and
//! size must fit before it is looked into at all; then its contents must begin
//! with a demo's mark, the process that the mark names must be gone, and what is
//! removed is exactly what was looked into.

use super::key;
use super::mark::{self, Maker, PREFIX, may_have_lived};
use super::part::Part;
use crate::machine::control::SysvStat;
use crate::machine::real::{DEV_SHM, RealMachine};
use crate::machine::{Machine as _, ObjectStat, sysv_table};
use crate::segment::{Key, ObjectName, SegmentId};
use crate::sys::unlink::{ASIDE, Removal, unlink_exactly};
use crate::sys::{object, shm, statx_fd};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Whose segments are to go.
#[derive(Debug, Clone, Copy)]
pub enum Whose {
    /// Those of demos whose process is gone.
    Gone,
    /// Those of this demo.
    Own(Maker),
}

impl Whose {
    fn fits(&self, maker: &Maker) -> bool {
        match self {
            Self::Gone => maker.is_gone(),
            Self::Own(own) => own == maker,
        }
    }

    /// Whether a segment with that key is worth attaching.
    fn may_fit(&self, key: Key, changed: i64) -> bool {
        match self {
            Self::Gone => key::pid(key).is_some_and(|pid| !may_have_lived(pid, changed)),
            Self::Own(own) => [Part::State, Part::Orphan].iter().any(|part| key::of(*part, own) == key),
        }
    }
}

/// Removes what demos left, and tells what that was. What cannot be looked at
/// or removed stays.
pub fn leavings(whose: Whose) -> Vec<SegmentId> {
    let mut removed = vec![];
    let table = RealMachine.sysv_table().map(|text| sysv_table::parse(&text)).unwrap_or_default();
    for row in &table.rows {
        if may_be_ours(row, whose) && remove_sysv(row, whose).unwrap_or(false) {
            removed.push(SegmentId::Sysv(row.shmid));
        }
    }
    let listing = RealMachine.list_objects().unwrap_or_default();
    for (name, stat) in listing.objects {
        if may_be_ours_by_name(&name, &stat) && remove_object(&name, whose).unwrap_or(false) {
            removed.push(SegmentId::Posix(name));
        }
    }
    removed
}

/// Attaching leaves its mark, so all that the table tells must fit before.
fn may_be_ours(row: &SysvStat, whose: Whose) -> bool {
    let me = RealMachine.effective_uid();
    let changed = row.change.map_or(i64::MAX, |change| change.seconds);
    whose.may_fit(row.key, changed)
        && row.uid == me
        && row.creator_uid == me
        && !row.marked
        && size_of_ours(true, row.size.0)
}

fn may_be_ours_by_name(name: &ObjectName, stat: &ObjectStat) -> bool {
    let called = |prefix: &str| name.as_bytes().starts_with(prefix.as_bytes());
    (called(PREFIX) || called(ASIDE))
        && !name.as_bytes().contains(&b'/')
        && stat.links == 1
        && stat.uid == RealMachine.effective_uid()
        && size_of_ours(false, stat.size.0)
}

fn size_of_ours(sysv: bool, size: u64) -> bool {
    let mut parts = Part::ALL.into_iter().filter(|part| part.is_sysv() == sysv);
    parts.any(|part| part.fixed_size().is_none_or(|fixed| fixed == size))
}

fn remove_sysv(row: &SysvStat, whose: Whose) -> io::Result<bool> {
    let open = shm::Attachment::read_only(row.shmid.0)?;
    // While it is attached its id cannot pass to another segment, so what is
    // looked at from here on is what is removed.
    let stat = shm::stat(row.shmid.0)?;
    let same = stat.key == row.key.0
        && stat.size == row.size.0
        && stat.uid == row.uid
        && stat.creator_uid == row.creator_uid
        && stat.creator_pid.unsigned_abs() == row.creator_pid;
    let mut resident = [0];
    open.resident(0, &mut resident)?;
    let swapped = row.swapped.is_some_and(|swapped| swapped.0 > 0);
    // A page that was never written holds no mark, and reading would allocate it.
    if !same || (resident[0] & 1 == 0 && !swapped) {
        return Ok(false);
    }
    let mut bytes = [0; mark::LENGTH];
    let _ = open.copy_to(0, &mut bytes);
    let ours = Maker::read(&bytes)
        .is_some_and(|(maker, part)| fits(&part, &maker, stat.size, true) && whose.fits(&maker));
    if ours {
        shm::remove(row.shmid.0)?;
    }
    Ok(ours)
}

fn remove_object(name: &ObjectName, whose: Whose) -> io::Result<bool> {
    let root = Path::new(DEV_SHM);
    let open = object::open_object(root, name.as_path())?;
    let stat = statx_fd(open.file.as_fd())?;
    for part in Part::ALL.into_iter().filter(|part| !part.is_sysv()) {
        let mut bytes = [0; mark::LENGTH];
        open.file.read_at(&mut bytes, part.mark_at())?;
        let Some((maker, word)) = Maker::read(&bytes) else { continue };
        let called = format!("{}{word}", maker.prefix());
        let named = name.as_bytes() == called.as_bytes() || name.as_bytes().starts_with(ASIDE.as_bytes());
        if word == part.name() && named && fits(&word, &maker, stat.size, false) && whose.fits(&maker) {
            // It is open, so its inode number cannot pass to another object.
            let removal = unlink_exactly(root, name.as_path(), stat.device, stat.inode)?;
            return Ok(removal == Removal::Removed);
        }
    }
    Ok(false)
}

fn fits(part: &str, maker: &Maker, size: u64, sysv: bool) -> bool {
    Part::named(part).is_some_and(|part| part.is_sysv() == sysv && part.size(maker) == size)
}

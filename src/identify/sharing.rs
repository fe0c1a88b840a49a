//! Findings about the programs of a segment, in C++ and Python, that keep them from sharing it.

use super::about::SegmentDetails;
use crate::machine::Machine;
use crate::segment::{Access, Bytes, Holder, Kind, Mode, ObjectName, Segment, SegmentId};
use std::collections::{BTreeSet, HashSet};

/// The helper of Python's multiprocessing that unlinks objects.
const TRACKER: &[u8] = b"resource_tracker";
/// Holders whose children are checked.
const MAX_HOLDERS: usize = 10_000;
/// Processes of them.
const MAX_PROCESSES: usize = 256;

/// Returns the holders of objects that have a resource tracker of Python as a child.
#[must_use]
pub fn trackers(machine: &dyn Machine, segments: &[Segment]) -> HashSet<u32> {
    let objects = segments.iter().filter(|segment| segment.kind() == Kind::Posix);
    let holders = objects.flat_map(|segment| segment.holders.as_deref().unwrap_or_default());
    let pids: BTreeSet<u32> = holders.map(|holder| holder.pid).take(MAX_HOLDERS).collect();
    pids.into_iter().take(MAX_PROCESSES).filter(|&pid| has_tracker(machine, pid)).collect()
}

fn has_tracker(machine: &dyn Machine, pid: u32) -> bool {
    let is_tracker = |child| machine.process(child).is_some_and(|child| *child.command == *TRACKER);
    machine.children(pid).into_iter().any(is_tracker)
}

/// The key of a System V segment, or the key that the name of an object spells out in decimal or
/// hexadecimal digits.
#[must_use]
pub fn key_of(segment: &Segment) -> Option<u32> {
    let key = match &segment.id {
        SegmentId::Sysv(_) => segment.sysv()?.key.0,
        SegmentId::Posix(name) => spelled_key(name)?,
        SegmentId::Deleted { .. } => return None,
    };
    (key != 0).then_some(key)
}

fn spelled_key(name: &ObjectName) -> Option<u32> {
    let text = std::str::from_utf8(name.as_bytes()).ok()?;
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_hex.then(|| u32::from_str_radix(hex, 16).ok())?;
    }
    // A key_t is signed.
    let is_decimal = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    let key = text.parse::<i64>().ok().filter(|_| is_decimal)?;
    u32::try_from(key).ok().or_else(|| i32::try_from(key).ok().map(i32::cast_unsigned))
}

/// Returns the segments of the other kind whose key is the name of this one, or whose name is its
/// key.
#[must_use]
pub fn twins<'a>(segment: &Segment, segments: &'a [Segment]) -> Vec<&'a Segment> {
    let Some(key) = key_of(segment) else { return vec![] };
    segments.iter().filter(|other| is_twin(segment, key, other)).collect()
}

#[must_use]
pub fn is_twin(segment: &Segment, key: u32, other: &Segment) -> bool {
    other.kind() != segment.kind() && key_of(other) == Some(key)
}

/// Describes what keeps programs from sharing the segment, and the remedy.
#[must_use]
pub fn warnings(about: &SegmentDetails<'_>) -> Vec<String> {
    let segment = about.segment;
    let mut warnings: Vec<String> = about.twins.iter().map(|twin| twin_text(segment, twin)).collect();
    if segment.is_concealed() {
        return warnings;
    }
    let holders = segment.holders.as_deref().unwrap_or_default();
    if let SegmentId::Posix(name) = &segment.id {
        warnings.extend(holders.iter().filter_map(|holder| tracker_text(about, holder, name)));
        warnings.extend(python_mode_text(about));
        warnings.extend(holders.iter().filter_map(|holder| partial_text(about, holder)));
    }
    warnings.extend(holders.iter().filter_map(|holder| locked_out_text(segment, holder)));
    warnings
}

/// Explains that a key and a name are not the same segment.
fn twin_text(segment: &Segment, twin: &Segment) -> String {
    let (sysv, object) = if segment.kind() == Kind::Sysv { (segment, twin) } else { (twin, segment) };
    let (key, name) = (sysv.sysv().map_or_else(String::new, |facts| facts.key.to_string()), object.label());
    let bare = name.trim_start_matches('/');
    if segment.kind() == Kind::Sysv {
        return format!(
            "the object {name} is named like its key {key}, but is another segment, the one that Python's \
             SharedMemory(\"{bare}\") opens. To share one, use shm_open(\"{name}\") in C++, or attach to this one \
             from Python as 'shmlens info {} --code python' prints",
            segment.id
        );
    }
    format!(
        "{} has this name as its key {key}, but is another segment: Python's SharedMemory does not open System V \
         segments. To share one, use shm_open(\"{name}\") in C++ in place of shmget, or attach to that one from \
         Python as 'shmlens info {} --code python' prints",
        twin.id, twin.id
    )
}

/// Reports a Python program that will unlink an object which it did not create.
fn tracker_text(about: &SegmentDetails<'_>, holder: &Holder, name: &ObjectName) -> Option<String> {
    /// Start times are rounded to clock ticks.
    const TICK: f64 = 0.05;
    let birth = about.segment.times.birth?;
    let is_younger = holder.started.seconds_since(birth) > TICK;
    if !is_younger || !about.probe.trackers.contains(&holder.pid) {
        return None;
    }
    let program = named(holder);
    Some(format!(
        "{program} did not create it, but its resource tracker unlinks it when it exits, unless the program \
         unregistered it: use SharedMemory(…, track=False) (Python 3.13 and later), or \
         resource_tracker.unregister(\"{name}\", \"shared_memory\") after attaching"
    ))
}

/// Reports permissions that suffice for C++, but not for Python's `SharedMemory`, which always opens
/// for writing.
fn python_mode_text(about: &SegmentDetails<'_>) -> Option<String> {
    let segment = about.segment;
    let is_python = !about.probe.trackers.is_empty()
        || segment.made_by.as_ref().is_some_and(|maker| maker.id().starts_with("cpython"));
    let reads_only = |shift: u32| segment.mode.bits() >> shift & 0o6 == 0o4;
    let who = match (reads_only(3), reads_only(0)) {
        (_, true) => "other users",
        (true, false) => "users of its group",
        _ => return None,
    };
    is_python.then(|| {
        format!(
            "{who} may only read it (mode {}), but Python's SharedMemory needs write permission: they have to map \
             it with mmap and PROT_READ, or its owner grants it with chmod",
            segment.mode
        )
    })
}

/// Reports a holder that maps less than others do.
fn partial_text(about: &SegmentDetails<'_>, holder: &Holder) -> Option<String> {
    let segment = about.segment;
    let page = about.survey.limits.page_size.max(1);
    let end = segment.size.0.checked_next_multiple_of(page)?;
    let has_all = |other: &Holder| other.mappings > 0 && other.mapped_to >= end;
    let is_partial = holder.mappings > 0 && !holder.ourselves && holder.mapped_to < end;
    (is_partial && segment.holders.as_deref()?.iter().any(has_all)).then(|| {
        format!(
            "{} maps only the first {} of {}: it attached before the object grew, or takes it for a smaller type",
            named(holder),
            Bytes(holder.mapped_to),
            segment.size
        )
    })
}

/// Reports a holder that could not open the segment again.
fn locked_out_text(segment: &Segment, holder: &Holder) -> Option<String> {
    let uid = holder.owner.uid;
    let is_owner = uid == segment.owner.uid || segment.sysv().is_some_and(|facts| facts.creator.uid == uid);
    if uid == 0 || is_owner || holder.ourselves {
        return None;
    }
    let needed = if holder.access == Access::Read { 0o4 } else { 0o6 };
    let allows = |mode: Mode, shift: u32| mode.bits() >> shift & needed == needed;
    // The supplementary groups of the holder are unknown.
    if allows(segment.mode, 0) || allows(segment.mode, 3) {
        return None;
    }
    Some(format!(
        "{} runs as {} and could not open it again: mode {} of {} locks other users out. Its owner can allow it \
         with chmod, or with chgrp and a mode for the group",
        named(holder),
        holder.owner.user_text(),
        segment.mode,
        segment.owner.user_text()
    ))
}

/// `reader.py (4121)`
fn named(holder: &Holder) -> String {
    format!("{} ({})", holder.command_text(), holder.pid)
}

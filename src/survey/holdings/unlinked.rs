//! Unlinked objects that processes still hold.

use super::{Hold, Holdings, Outcome};
use crate::machine::Machine;
use crate::machine::process::Object;
use crate::segment::{
    Bytes, Facts, Mode, ObjectName, Owner, PosixFacts, Segment, SegmentId, Unlinked, Unlinker,
};
use crate::survey::{Names, logout, posix};
use std::collections::{HashMap, HashSet};
use std::io;

/// The kernel adds this to the name of an unlinked file.
const DELETED: &[u8] = b" (deleted)";

/// Adds a segment for each unlinked object. `segments` must be newer than the scan, so that it
/// contains all linked objects.
pub fn add(holdings: &Holdings, machine: &dyn Machine, names: &mut Names, segments: &mut Vec<Segment>) {
    let listed: HashSet<(u64, u64)> = segments
        .iter()
        .filter_map(|segment| segment.posix())
        .map(|facts| (facts.device, facts.inode))
        .collect();
    let mut found: HashMap<(u64, u64), Vec<(u32, &Hold)>> = HashMap::new();
    for (&pid, entry) in &holdings.processes {
        let Outcome::Holds(_, holds) = &*entry.outcome else { continue };
        for hold in holds {
            if let Object::File { device, inode } = hold.of
                && !listed.contains(&(device, inode))
            {
                found.entry((device, inode)).or_default().push((pid, hold));
            }
        }
    }
    let new = found.into_iter().filter_map(|(file, ways)| segment(holdings, file, &ways, machine, names));
    let mut new: Vec<Segment> = new.collect();
    new.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    segments.extend(new);
}

/// Describes an object through one of its holders.
fn segment(
    holdings: &Holdings,
    (device, inode): (u64, u64),
    ways: &[(u32, &Hold)],
    machine: &dyn Machine,
    names: &mut Names,
) -> Option<Segment> {
    let mut denied = None;
    let mut stat = |pid, place| match machine.stat_held(pid, place) {
        Ok(stat) => ((stat.device, stat.inode) == (device, inode)).then_some((pid, place, stat)),
        Err(error) => {
            if error.kind() == io::ErrorKind::PermissionDenied {
                denied = denied.or(Some((pid, place)));
            }
            None
        }
    };
    let mut found = ways.iter().find_map(|(pid, hold)| stat(*pid, hold.place));
    if found.is_none() {
        found = ways.iter().find_map(|(pid, hold)| {
            machine.other_threads(*pid).into_iter().find_map(|thread| stat(thread, hold.place))
        });
    }
    let Some((pid, place, stat)) = found else {
        let (pid, place) = denied?;
        // Without "(deleted)", the object has a name in a directory that is not listed.
        let path = machine.name_held(pid, place).ok().filter(|path| path.ends_with(DELETED))?;
        return concealed_segment(holdings, (device, inode), ways, former_name(&path), machine, names);
    };
    // The object was linked again, or is in a directory that this user may not list.
    if stat.links > 0 {
        return None;
    }
    let mut former = ways.iter().filter_map(|(pid, hold)| {
        let name = former_name(&machine.name_held(*pid, hold.place).ok()?)?;
        let temporary = stat.size == SEMAPHORE && is_temporary(name.as_bytes());
        (!temporary).then_some(name)
    });
    let first = former_name(&machine.name_held(pid, place).unwrap_or_default());
    // Names differ between holders only if the object was renamed, or created by glibc under a
    // temporary name.
    let name = match first {
        Some(name) if !(stat.size == SEMAPHORE && is_temporary(name.as_bytes())) => Some(name),
        _ => former.next(),
    };
    // shmlens renames an object before it removes it.
    let name = name.map(|name| machine.name_before(&name).unwrap_or(name));
    let id = SegmentId::Deleted { device, inode };
    let owner = names.owner(machine, stat.uid, stat.gid);
    let by = unlinkers(holdings, ways, name.as_ref(), &owner, machine);
    Some(posix::from_stat(id, &stat, Some(Unlinked { name, by, concealed: false }), machine, names))
}

/// Describes an object that its holders have only mapped: only root may follow
/// `/proc/PID/map_files` (`proc_map_files_get_link` in fs/proc/base.c).
fn concealed_segment(
    holdings: &Holdings,
    (device, inode): (u64, u64),
    ways: &[(u32, &Hold)],
    name: Option<ObjectName>,
    machine: &dyn Machine,
    names: &mut Names,
) -> Option<Segment> {
    let holder = ways.iter().find_map(|(pid, _)| holdings.process(*pid))?;
    let id = SegmentId::Deleted { device, inode };
    let size = Bytes(ways.iter().map(|(_, hold)| hold.mapped_to).max().unwrap_or(0));
    let owner = names.owner(machine, holder.uid, holder.gid);
    let unlinked = Some(Unlinked { name, by: vec![], concealed: true });
    let facts = Facts::Posix(PosixFacts { device, inode, links: 0, unlinked });
    Some(Segment::new(id, size, Mode::new(0), owner, facts))
}

/// Returns the programs that probably unlinked the object, most likely first. The kernel does not
/// record them.
fn unlinkers(
    holdings: &Holdings,
    ways: &[(u32, &Hold)],
    name: Option<&ObjectName>,
    owner: &Owner,
    machine: &dyn Machine,
) -> Vec<Unlinker> {
    let mut by = vec![];
    // At logout systemd unlinks all objects of the user, held or not.
    if logout::is_ordinary(owner) && machine.removes_at_logout(owner.uid) == Some(true) {
        by.push(Unlinker::Logout);
    }
    let held_by_python = || {
        let mut processes = ways.iter().filter_map(|(pid, _)| holdings.process(*pid));
        processes.any(|process| is_python(&process.command))
    };
    if name.is_some_and(is_python_name) || held_by_python() {
        by.push(Unlinker::PythonTracker);
    }
    by
}

/// Returns true for a name such as `/psm_1f09ab2c`, as chosen by `_make_filename` of
/// `multiprocessing/shared_memory.py` (`wnsm_` on Windows, and in code ported from there).
fn is_python_name(name: &ObjectName) -> bool {
    let name = name.as_bytes();
    let digits = name.strip_prefix(b"psm_").or_else(|| name.strip_prefix(b"wnsm_"));
    digits.is_some_and(|digits| digits.len() == 8 && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Returns true if the process runs Python: an interpreter without a script, or a script.
fn is_python(command: &[u8]) -> bool {
    command.starts_with(b"python") || command.starts_with(b"pypy") || command.ends_with(b".py")
}

/// The size of glibc's named semaphores on 64-bit machines.
const SEMAPHORE: Bytes = Bytes(32);

/// Returns true if glibc may have chosen the name: it creates a semaphore as `sem.` plus six random
/// letters and digits, links it to its final name and unlinks the temporary one (`sem_open`). The
/// creator's mapping still shows the temporary name. Six lower-case letters are most likely a word
/// chosen by a program (200 to 1).
fn is_temporary(name: &[u8]) -> bool {
    let random = name.strip_prefix(b"sem.").filter(|rest| rest.len() == 6);
    random.is_some_and(|rest| {
        rest.iter().all(u8::is_ascii_alphanumeric) && !rest.iter().all(u8::is_ascii_lowercase)
    })
}

/// Extracts the former name: `/dev/shm/psm_1 (deleted)` was `/psm_1`.
fn former_name(path: &[u8]) -> Option<ObjectName> {
    let path = path.strip_suffix(DELETED)?;
    ObjectName::new(path.strip_prefix(b"/dev/shm/")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::Access;
    use crate::survey::{Depth, Survey};

    /// Returns the probable unlinkers of an object that a process holds.
    fn unlinkers_of(name: &str, command: &str, change: impl FnOnce(&FakeMachine)) -> (Vec<Unlinker>, String) {
        let machine = FakeMachine::new();
        machine.add_object(name, FakeBytes::full(b"x"));
        machine.add_process(7, command);
        machine.open_in(7, name, Access::Read);
        machine.remove_object(name);
        change(&machine);
        let mut names = Names::default();
        let holdings = Holdings::scan(&machine, Depth::Private, &[], &mut names);
        let mut survey = Survey::take(&machine, &mut names);
        survey.join(&holdings, &machine, &mut names);
        let [segment] = survey.segments.as_slice() else { panic!("{:#?}", survey.segments) };
        let by = segment.posix().unwrap().unlinked.clone().unwrap().by;
        let texts: Vec<String> = by.iter().map(|by| by.text(&segment.owner)).collect();
        (by, texts.join("; or by "))
    }

    #[test]
    fn probable_unlinker_follows_from_name_holders_and_session() {
        use Unlinker::{Logout, PythonTracker};
        let nothing = |_: &FakeMachine| {};
        assert_eq!(unlinkers_of("a", "grabber", nothing).0, []);
        assert_eq!(unlinkers_of("psm_1f09ab2c", "grabber", nothing).0, [PythonTracker]);
        assert_eq!(unlinkers_of("psm_no_number", "grabber", nothing).0, []);
        for python in ["reader.py", "python3", "python3.12"] {
            assert_eq!(unlinkers_of("a", python, nothing).0, [PythonTracker], "{python}");
        }
        let logged_out = |setting: Option<bool>, uid: u32| {
            move |machine: &FakeMachine| {
                machine.edit(|facts| {
                    facts.limits.remove_ipc = setting;
                    facts.logged_out.insert(uid);
                });
            }
        };
        let (by, text) = unlinkers_of("a", "grabber", logged_out(Some(true), 1000));
        assert_eq!(by, [Logout]);
        assert!(text.contains("systemd when the last session of ann ended"), "{text}");
        let (by, text) = unlinkers_of("psm_1f09ab2c", "grabber", logged_out(Some(true), 1000));
        assert_eq!(by, [Logout, PythonTracker]);
        assert!(text.contains("; or by Python's resource tracker"), "{text}");
        assert_eq!(unlinkers_of("a", "grabber", logged_out(Some(false), 1000)).0, []);
        assert_eq!(unlinkers_of("a", "grabber", logged_out(None, 1000)).0, []);
        // The user ann still has a session.
        assert_eq!(unlinkers_of("a", "grabber", logged_out(Some(true), 1001)).0, []);
    }
}

//! The processes that have segments mapped or open. Scanned separately from the segment table,
//! because the scan takes longer.

mod scan;
mod unlinked;

pub use scan::Depth;
pub use unlinked::add as add_unlinked;

use super::Names;
use crate::machine::Machine;
use crate::machine::process::{Claim, FileLock, Object, Process, Processes, ScanOptions, Use, Visibility};
use crate::segment::{Access, Holder, ObjectName, Place, Segment, SegmentId, Timestamp, escape, plain_error};
use crate::sys::page_size;
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

/// The result of a process scan.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// The start of the scan, which did not look for newer segments.
    pub at: Timestamp,
    pub coverage: Coverage,
    /// Set if private mappings were scanned too.
    pub private: bool,
    wanted: ScanOptions,
    processes: HashMap<u32, Entry>,
    objects: HashMap<Object, Holders>,
    locks: HashMap<(u64, u64), Vec<FileLock>>,
    /// Mount points of objects that are bind-mounted elsewhere.
    mounted: HashMap<ObjectName, Vec<u8>>,
}

/// Processes that could be examined, and those that could not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Visible processes.
    pub processes: usize,
    /// Visible processes that could not be examined.
    pub unreadable: usize,
    pub visibility: Visibility,
    /// Users that the unreadable processes run as or can become; `None` if unknown for a process.
    pub users: HashSet<Option<u32>>,
    /// The error of the scan itself, safe to print.
    pub failed: Option<String>,
}

/// A scanned process.
#[derive(Debug, Clone)]
struct Entry {
    /// Distinguishes processes with the same pid.
    serial: u64,
    /// The CPU time just before the scan.
    ran: Option<u64>,
    at: Timestamp,
    outcome: Arc<Outcome>,
}

/// The holders of one object, by pid.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holders {
    all: Arc<[Holder]>,
    claims: Box<[HolderClaim]>,
}

/// The facts about a System V segment that its mappings in a holder reveal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HolderClaim {
    claim: Option<Claim>,
    reaches: u64,
}

impl HolderClaim {
    /// Returns true if the mapping probably belongs to this segment.
    fn is_of(&self, segment: &Segment) -> bool {
        self.claim.is_none_or(|claim| claim.here) && self.matches(segment)
    }

    /// Returns true if the mapping can belong to this segment: it ends with the last page, and has
    /// the key, unless marking the segment for removal cleared it.
    fn matches(&self, segment: &Segment) -> bool {
        let (Some(facts), Some(claim)) = (segment.sysv(), self.claim) else { return true };
        let pages = segment.size.0.checked_next_multiple_of(page_size()).unwrap_or(u64::MAX);
        (facts.marked || claim.key == facts.key.0) && (!claim.normal_pages || self.reaches <= pages)
    }
}

/// The result of examining a process.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Exhausted,
    Unreadable(Vec<u32>),
    Nothing,
    Holds(Box<Process>, Box<[Hold]>),
}

/// All mappings and descriptors of one segment in one process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hold {
    of: Object,
    access: Access,
    mappings: u32,
    descriptors: u32,
    private: bool,
    place: Place,
    reaches: u64,
    /// Like `reaches`, but for mappings only.
    mapped_to: u64,
    claim: Option<Claim>,
}

impl Coverage {
    /// Returns true if every process could be examined.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.unreadable == 0 && self.shows_all()
    }

    /// Returns true if a POSIX object without known holders certainly has none: all processes were
    /// examined, or only the owner can open the object and all processes of the owner and root were
    /// examined. (With an ACL, the group bits are the maximum that it grants.)
    #[must_use]
    pub fn proves_unheld(&self, segment: &Segment) -> bool {
        const OTHERS_BITS: u32 = 0o077;
        self.is_whole() || (segment.mode.bits() & OTHERS_BITS == 0 && self.examined_all_of(segment.owner.uid))
    }

    /// Returns true if all processes that run as root or this user, or can become them, were
    /// examined.
    #[must_use]
    pub fn examined_all_of(&self, uid: u32) -> bool {
        let missing = [None, Some(0), Some(uid)].iter().any(|user| self.users.contains(user));
        !missing && self.shows_all()
    }

    fn shows_all(&self) -> bool {
        self.failed.is_none() && !self.visibility.hides && !self.visibility.outside
    }
}

impl Holdings {
    /// Returns the holders of a segment; `None` if the scan did not look for it, because it is
    /// newer or not on the file system of `/dev/shm` itself.
    #[must_use]
    pub fn of(&self, segment: &Segment) -> Option<Arc<[Holder]>> {
        // The holders have detached since, or attached a segment in another IPC namespace.
        if segment.sysv().is_some_and(|facts| facts.nattch == 0) {
            return Some(Arc::from([]));
        }
        let found = Object::of(segment).and_then(|object| self.objects.get(&object));
        let found = found.map(|found| found.of(segment)).filter(|found| !found.is_empty());
        found.or_else(|| (!self.is_younger(segment) && !self.is_elsewhere(segment)).then(|| Arc::from([])))
    }

    /// Returns true if the segment was created after the start of the scan.
    #[must_use]
    pub fn is_younger(&self, segment: &Segment) -> bool {
        let created = segment.times.birth.or_else(|| segment.posix().and(segment.times.change));
        created.is_some_and(|created| created > self.at) && !self.is_elsewhere(segment)
    }

    fn is_elsewhere(&self, segment: &Segment) -> bool {
        segment.posix().is_some_and(|facts| Some(facts.device) != self.wanted.segment_devices.objects)
    }

    /// Returns true if a System V segment has attachments that were not found, and was attached
    /// after the scan. The kernel records whole seconds.
    #[must_use]
    pub fn misses_attachments(&self, segment: &Segment) -> bool {
        let Some(facts) = segment.sysv() else { return false };
        let found = Object::of(segment).and_then(|object| self.objects.get(&object));
        let found = found.map_or(0, |found| found.max_mappings(segment));
        found < facts.nattch && segment.times.attach.is_some_and(|attach| attach.seconds >= self.at.seconds)
    }

    #[must_use]
    pub fn locks(&self, segment: &Segment) -> &[FileLock] {
        let file = segment.posix().and_then(|facts| self.locks.get(&(facts.device, facts.inode)));
        file.map_or(&[], Vec::as_slice)
    }

    /// Returns the locks on all objects.
    pub fn all_locks(&self) -> impl Iterator<Item = &FileLock> {
        self.locks.values().flatten()
    }

    /// Returns where an object is mounted outside of `/dev/shm`.
    #[must_use]
    pub fn mount_point(&self, segment: &Segment) -> Option<&[u8]> {
        let SegmentId::Posix(name) = &segment.id else { return None };
        self.mounted.get(name).map(Vec::as_slice)
    }

    /// Returns the objects that a process holds.
    #[must_use]
    pub fn held_by(&self, pid: u32) -> Vec<Object> {
        match self.outcome(pid) {
            Some(Outcome::Holds(_, holds)) => holds.iter().map(|hold| hold.of).collect(),
            _ => vec![],
        }
    }

    /// Returns true if another scan had the same result for every segment.
    #[must_use]
    pub fn has_same_results(&self, other: &Self) -> bool {
        self.coverage == other.coverage && self.locks == other.locks && self.objects == other.objects
    }

    #[must_use]
    pub fn process(&self, pid: u32) -> Option<&Process> {
        match self.outcome(pid) {
            Some(Outcome::Holds(process, _)) => Some(process),
            _ => None,
        }
    }

    /// Returns a process that has not run since the scan, and therefore still exists.
    #[must_use]
    pub fn unchanged(&self, processes: &dyn Processes, pid: u32) -> Option<&Process> {
        let ran = self.processes.get(&pid)?.ran?;
        self.process(pid).filter(|_| processes.cpu_time(pid) == Some(ran))
    }

    fn outcome(&self, pid: u32) -> Option<&Outcome> {
        self.processes.get(&pid).map(|entry| &*entry.outcome)
    }

    /// Groups the results by segment.
    fn new(machine: &dyn Machine, found: ScanResult, names: &mut Names) -> Self {
        let ScanResult { at, wanted, processes, locks, mut failed } = found;
        let locks = locks.unwrap_or_else(|error| {
            failed.get_or_insert_with(|| problem("failed to read /proc/locks", &error));
            vec![]
        });
        let coverage = coverage(&processes, machine.visibility(), failed);
        let objects = holders(machine, &processes, names);
        let locks = locks.into_iter().filter(|lock| Some(lock.device) == wanted.segment_devices.objects);
        let mut by_file: HashMap<(u64, u64), Vec<FileLock>> = HashMap::new();
        for lock in locks {
            by_file.entry((lock.device, lock.inode)).or_default().push(lock);
        }
        let mounted = machine.mounted_objects().into_iter().collect();
        Self { at, coverage, private: wanted.private, wanted, processes, objects, locks: by_file, mounted }
    }
}

/// The raw results of a scan.
struct ScanResult {
    at: Timestamp,
    wanted: ScanOptions,
    processes: HashMap<u32, Entry>,
    locks: io::Result<Vec<FileLock>>,
    failed: Option<String>,
}

fn problem(message: &str, error: &io::Error) -> String {
    format!("{message}: {}", escape(plain_error(error).as_bytes()))
}

fn coverage(processes: &HashMap<u32, Entry>, visibility: Visibility, failed: Option<String>) -> Coverage {
    let mut coverage = Coverage { processes: processes.len(), visibility, failed, ..Coverage::default() };
    for entry in processes.values() {
        let users = match &*entry.outcome {
            Outcome::Unreadable(users) => users.as_slice(),
            Outcome::Exhausted => {
                coverage.failed.get_or_insert_with(|| {
                    "out of file descriptors or memory during the scan of processes. Raise `ulimit -n`"
                        .to_owned()
                });
                &[]
            }
            Outcome::Nothing | Outcome::Holds(..) => continue,
        };
        coverage.unreadable += 1;
        coverage.users.extend(users.iter().copied().map(Some));
        if users.is_empty() {
            coverage.users.insert(None);
        }
    }
    coverage
}

fn holders(
    machine: &dyn Machine,
    processes: &HashMap<u32, Entry>,
    names: &mut Names,
) -> HashMap<Object, Holders> {
    let own = machine.own_pid();
    let mut objects: HashMap<Object, Vec<(Holder, HolderClaim)>> = HashMap::new();
    for (&pid, entry) in processes {
        let Outcome::Holds(process, holds) = &*entry.outcome else { continue };
        let owner = names.owner(machine, process.uid, process.gid);
        for hold in holds {
            let holder = Holder {
                pid,
                command: process.command.clone(),
                owner: owner.clone(),
                started: process.started,
                start: process.id.start,
                access: hold.access,
                mappings: hold.mappings,
                mapped_to: hold.mapped_to,
                descriptors: hold.descriptors,
                place: hold.place,
                private: hold.private,
                ourselves: pid == own,
            };
            let claimed = HolderClaim { claim: hold.claim, reaches: hold.reaches };
            objects.entry(hold.of).or_default().push((holder, claimed));
        }
    }
    let sorted = objects.into_iter().map(|(object, mut found)| {
        found.sort_by_key(|(holder, _)| holder.pid);
        let (all, claims): (Vec<Holder>, Vec<HolderClaim>) = found.into_iter().unzip();
        (object, Holders { all: all.into(), claims: claims.into() })
    });
    sorted.collect()
}

impl Holders {
    /// Counts the mappings that can belong to this segment, including mappings of processes that
    /// have left our IPC namespace.
    fn max_mappings(&self, segment: &Segment) -> u64 {
        let all = self.all.iter().zip(&self.claims).filter(|(_, claimed)| claimed.matches(segment));
        all.map(|(holder, _)| u64::from(holder.mappings)).sum()
    }

    /// Returns the holders that probably hold this segment.
    fn of(&self, segment: &Segment) -> Arc<[Holder]> {
        if self.claims.iter().all(|claimed| claimed.is_of(segment)) {
            return Arc::clone(&self.all);
        }
        let matching = self.all.iter().zip(&self.claims).filter(|(_, claimed)| claimed.is_of(segment));
        matching.map(|(holder, _)| holder.clone()).collect()
    }
}

/// Groups the mappings and descriptors of a process by segment.
fn group(mut uses: Vec<Use>) -> Box<[Hold]> {
    uses.sort_by_key(|one| (one.of, one.claim));
    let mut holds: Vec<Hold> = vec![];
    for one in uses {
        let new = Hold {
            of: one.of,
            access: one.access,
            mappings: 0,
            descriptors: 0,
            private: false,
            place: one.place,
            reaches: 0,
            mapped_to: 0,
            claim: one.claim,
        };
        let same = holds.last().is_some_and(|last| (last.of, last.claim) == (one.of, one.claim));
        if !same {
            holds.push(new);
        }
        let Some(hold) = holds.last_mut() else { continue };
        hold.access = hold.access.max(one.access);
        hold.private |= one.private;
        hold.reaches = hold.reaches.max(one.reaches);
        match one.place {
            Place::Mapping { .. } => {
                hold.mappings += 1;
                hold.mapped_to = hold.mapped_to.max(one.reaches);
            }
            Place::Descriptor(_) => {
                hold.descriptors += 1;
                // Users can read through their own descriptors, but only root can read through a
                // mapping.
                hold.place = one.place;
            }
        }
    }
    holds.into()
}

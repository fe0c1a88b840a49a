//! Sums of shared memory by user, by process, and in total, compared with `Shmem` in
//! `/proc/meminfo`.

use super::Survey;
use crate::machine::Machine;
use crate::segment::{Bytes, CreatorLife, Holder, Kind, Segment, escape};
use std::collections::{BTreeMap, HashSet};

/// Returns the POSIX objects, including unlinked ones. An object with several names (hard links) is
/// returned once.
pub(super) fn objects(survey: &Survey) -> impl Iterator<Item = &Segment> {
    let mut seen = HashSet::new();
    survey
        .segments
        .iter()
        .filter(move |segment| segment.posix().is_some_and(|facts| seen.insert((facts.device, facts.inode))))
}

/// Returns the total size of all objects: the memory that they take once every page is written.
#[must_use]
pub fn promised_memory(survey: &Survey) -> Bytes {
    objects(survey).map(|segment| segment.size).sum()
}

/// Returns the memory that removing all of these segments frees at once. An object with several
/// names (hard links) is freed with the last one.
#[must_use]
pub fn freed<'a>(segments: impl IntoIterator<Item = &'a Segment>) -> Bytes {
    let mut removed: BTreeMap<(u64, u64), u32> = BTreeMap::new();
    let is_last = |segment: &&Segment| {
        segment.posix().is_none_or(|facts| {
            let count = removed.entry((facts.device, facts.inode)).or_default();
            *count += 1;
            *count == facts.links.max(1)
        })
    };
    segments.into_iter().filter(is_last).filter_map(|segment| segment.resident).sum()
}

impl Survey {
    /// Returns a warning if `/dev/shm` is too small for the full object.
    #[must_use]
    pub fn too_large(&self, segment: &Segment) -> Option<String> {
        let missing = segment.size.0.saturating_sub(segment.resident?.0);
        segment.posix().and_then(|_| self.limits.dev_shm?.too_large(Bytes(missing)))
    }
}

/// The shared memory of the machine, and the part of it in listed segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shmem {
    /// `Shmem` in `/proc/meminfo`.
    pub total: Bytes,
    /// The memory of all listed segments.
    pub listed: Bytes,
}

impl Shmem {
    /// Compares the kernel's total with a survey; `None` without `/proc/meminfo`.
    #[must_use]
    pub fn new(machine: &dyn Machine, survey: &Survey) -> Option<Self> {
        let sysv = survey.segments.iter().filter(|segment| segment.kind() == Kind::Sysv);
        let listed = sysv.chain(objects(survey)).filter_map(|segment| segment.resident).sum();
        machine.shmem().map(|total| Self { total, listed })
    }

    /// Returns the memory that is in no listed segment.
    #[must_use]
    pub fn rest(&self) -> Bytes {
        Bytes(self.total.0.saturating_sub(self.listed.0))
    }

    /// Explains the difference: `Shmem in /proc/meminfo is 79 MiB; the segments listed here take 18
    /// MiB of it. …`.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { total, listed } = self;
        let note = if self.rest().0 > 0 {
            " of it. The rest is memfds, anonymous shared memory, unlinked objects without a visible holder, \
             other tmpfs mounts and namespaces"
        } else if listed > total {
            ". Shmem does not count swapped-out and huge pages"
        } else {
            " of it"
        };
        format!("Shmem in /proc/meminfo is {total}; the segments listed here take {listed}{note}")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// System V segments.
    pub ids: u64,
    /// Size of the System V segments.
    pub bytes: Bytes,
    /// POSIX objects.
    pub objects: u64,
    /// Memory of the POSIX objects.
    pub object_bytes: Bytes,
}

impl Sum {
    fn add(&mut self, segment: &Segment) {
        let (count, bytes, more) = match segment.kind() {
            Kind::Sysv => (&mut self.ids, &mut self.bytes, segment.size),
            _ => (&mut self.objects, &mut self.object_bytes, segment.resident.unwrap_or_default()),
        };
        *count += 1;
        *bytes = Bytes(bytes.0.saturating_add(more.0));
    }

    /// Returns the sort key.
    fn weight(&self) -> (u64, u64) {
        (self.bytes.0.saturating_add(self.object_bytes.0), self.ids + self.objects)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessUsage {
    pub pid: u32,
    /// Safe to print.
    pub command: String,
    /// Safe to print.
    pub user: String,
    pub sum: Sum,
}

/// Totals by user and by process, the largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// The owners: uid, name if known, and total.
    pub users: Vec<(u32, Option<String>, Sum)>,
    pub processes: Vec<ProcessUsage>,
}

/// Adds up segments by user and by process.
///
/// A segment counts in full for its owner and for each holder, regardless of the number of
/// mappings. An unattached System V segment counts for its creator while the creator runs, to find
/// programs that create segments and never attach them.
#[must_use]
pub fn usage(machine: &dyn Machine, survey: &Survey) -> Usage {
    let mut users: BTreeMap<u32, (Option<String>, Sum)> = BTreeMap::new();
    let mut processes: BTreeMap<u32, (String, String, Sum)> = BTreeMap::new();
    let sysv = survey.segments.iter().filter(|segment| segment.kind() == Kind::Sysv);
    for segment in sysv.chain(objects(survey)) {
        let owner = &segment.owner;
        let name = || owner.user.as_ref().map(|_| owner.user_text());
        if !segment.is_concealed() {
            users.entry(owner.uid).or_insert_with(|| (name(), Sum::default())).1.add(segment);
        }
        // Our own attachments are only for inspection.
        let holders = segment.holders.as_deref().unwrap_or_default().iter();
        for holder in holders.filter(|holder| !holder.is_observer()) {
            let new = || (Holder::command_text(holder), holder.owner.user_text(), Sum::default());
            processes.entry(holder.pid).or_insert_with(new).2.add(segment);
        }
        if let Some((pid, command, user)) = idle_creator(machine, segment) {
            processes.entry(pid).or_insert_with(|| (command, user, Sum::default())).2.add(segment);
        }
    }
    let mut usage = Usage {
        users: users.into_iter().map(|(uid, (name, sum))| (uid, name, sum)).collect(),
        processes: processes
            .into_iter()
            .map(|(pid, (command, user, sum))| ProcessUsage { pid, command, user, sum })
            .collect(),
    };
    usage.users.sort_by_key(|(uid, _, sum)| (std::cmp::Reverse(sum.weight()), *uid));
    usage.processes.sort_by_key(|one| (std::cmp::Reverse(one.sum.weight()), one.pid));
    usage
}

/// Returns the running creator of an unattached System V segment.
fn idle_creator(machine: &dyn Machine, segment: &Segment) -> Option<(u32, String, String)> {
    let facts = segment.sysv().filter(|facts| facts.nattch == 0)?;
    if segment.creator_life != CreatorLife::Running {
        return None;
    }
    let process = machine.process(facts.creator_pid)?;
    let user = machine.user_name(process.uid);
    let user = user.map_or_else(|| process.uid.to_string(), |user| escape(user.as_bytes()));
    Some((facts.creator_pid, escape(&process.command), user))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::machine::process::Processes as _;
    use crate::segment::Access;
    use crate::survey::{Depth, Holdings, Names};

    fn survey(machine: &FakeMachine) -> Survey {
        let mut names = Names::default();
        let holdings = Holdings::scan(machine, Depth::Private, &[], &mut names);
        let mut survey = Survey::take(machine, &mut names);
        survey.join(&holdings, machine, &mut names);
        for segment in &mut survey.segments {
            let creator = segment.sysv().map(|facts| facts.creator_pid);
            if creator.is_some_and(|pid| machine.process(pid).is_some()) {
                segment.creator_life = CreatorLife::Running;
            }
        }
        survey
    }

    const fn sum(ids: u64, bytes: u64, objects: u64, object_bytes: u64) -> Sum {
        Sum { ids, bytes: Bytes(bytes), objects, object_bytes: Bytes(object_bytes) }
    }

    #[test]
    fn segment_counts_for_each_holder_or_for_its_running_creator() {
        let machine = FakeMachine::new();
        for (pid, name) in [(7, "writer"), (8, "reader"), (9, "maker")] {
            machine.add_process(pid, name);
        }
        for (shmid, size, creator) in [(1, 5000, 9), (2, 1000, 9), (3, 1 << 20, 4121)] {
            let index = machine.add_sysv(shmid, 0, FakeBytes::hole(size));
            machine.edit(|facts| facts.sysv[index].row.creator_pid = creator);
        }
        machine.edit(|facts| facts.sysv[2].row.uid = 1001);
        // Mapped twice in one process and once in another.
        for pid in [7, 7, 8] {
            machine.attach_in(pid, 1, Access::ReadWrite);
        }
        machine.add_object("a", FakeBytes::full(&[1; 8192]));
        machine.open_in(8, "a", Access::Read);
        let usage = usage(&machine, &survey(&machine));
        let users = [(1001, "bob", sum(1, 1 << 20, 0, 0)), (1000, "ann", sum(2, 6000, 1, 8192))];
        assert_eq!(usage.users, users.map(|(uid, name, sum)| (uid, Some(name.to_owned()), sum)));
        let processes = [
            (8, "reader", sum(1, 5000, 1, 8192)),
            (7, "writer", sum(1, 5000, 0, 0)),
            // Segment 1 is held by others, and the creator of segment 3 has exited.
            (9, "maker", sum(1, 1000, 0, 0)),
        ];
        let found = usage.processes.iter().map(|one| (one.pid, one.command.as_str(), one.sum));
        assert_eq!(found.collect::<Vec<_>>(), processes);
        assert!(usage.processes.iter().all(|one| one.user == "ann"), "{usage:?}");
    }

    #[test]
    fn shmem_may_exceed_or_fall_short_of_the_listed_segments() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(&[1; 8192]));
        let text = |shmem: Option<u64>| {
            machine.edit(|facts| facts.shmem = shmem.map(Bytes));
            Shmem::new(&machine, &survey(&machine)).map(|shmem| shmem.text())
        };
        assert_eq!(text(None), None);
        assert_eq!(
            text(Some(8192)).unwrap(),
            "Shmem in /proc/meminfo is 8.0 KiB; the segments listed here take 8.0 KiB of it"
        );
        assert_eq!(
            text(Some(1 << 20)).unwrap(),
            "Shmem in /proc/meminfo is 1.0 MiB; the segments listed here take 8.0 KiB of it. The rest is memfds, \
             anonymous shared memory, unlinked objects without a visible holder, other tmpfs mounts and \
             namespaces"
        );
        let less = "Shmem in /proc/meminfo is 4.0 KiB; the segments listed here take 8.0 KiB. \
                    Shmem does not count swapped-out and huge pages";
        assert_eq!(text(Some(4096)).unwrap(), less);
    }
}

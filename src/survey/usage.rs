//! Sums of shared memory: by user, by process, and in total, compared with `Shmem` in `/proc/meminfo`.

use super::Survey;
use crate::machine::Machine;
use crate::segment::{Bytes, CreatorLife, Holder, Kind, Segment, escape};
use std::collections::{BTreeMap, HashSet};

/// Returns all POSIX objects, including unlinked ones, each once even if it has two names (hard links).
pub(super) fn objects(survey: &Survey) -> impl Iterator<Item = &Segment> {
    let mut seen = HashSet::new();
    survey
        .segments
        .iter()
        .filter(move |segment| segment.posix().is_some_and(|facts| seen.insert((facts.device, facts.inode))))
}

/// Returns the sum of the sizes of all objects: the memory that they use once every page has been written.
#[must_use]
pub fn promised(survey: &Survey) -> Bytes {
    objects(survey).map(|segment| segment.size).sum()
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

    /// Returns the part that no listed segment accounts for.
    #[must_use]
    pub fn rest(&self) -> Bytes {
        Bytes(self.total.0.saturating_sub(self.listed.0))
    }

    /// `Shmem 79 MiB, listed 18 MiB; the rest is …`
    #[must_use]
    pub fn text(&self) -> String {
        let Self { total, listed } = self;
        let note = if self.rest().0 > 0 {
            "; the rest is memfds, anonymous shared memory, other tmpfs mounts and namespaces"
        } else if listed > total {
            "; Shmem excludes swapped-out and huge pages"
        } else {
            ""
        };
        format!("Shmem {total}, listed {listed}{note}")
    }
}

/// Counts and sums of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// System V segments.
    pub ids: u64,
    /// Their sizes.
    pub bytes: Bytes,
    /// POSIX objects.
    pub objects: u64,
    /// Their memory.
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

    /// Returns the sort key: bytes, then segments.
    fn weight(&self) -> (u64, u64) {
        (self.bytes.0.saturating_add(self.object_bytes.0), self.ids + self.objects)
    }
}

/// Segments by user and by process, the largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// By owner: uid, name where it has one, sum.
    pub users: Vec<(u32, Option<String>, Sum)>,
    /// By process: pid, command, sum.
    pub processes: Vec<(u32, String, Sum)>,
}

/// Adds up segments by user and by process.
///
/// A segment counts in full for its owner and for each holder, however often it is mapped. A System V segment that
/// is not attached counts for its creator while that runs, to find programs that create ids and never attach them.
#[must_use]
pub fn usage(machine: &dyn Machine, survey: &Survey) -> Usage {
    let mut users: BTreeMap<u32, (Option<String>, Sum)> = BTreeMap::new();
    let mut processes: BTreeMap<u32, (String, Sum)> = BTreeMap::new();
    let sysv = survey.segments.iter().filter(|segment| segment.kind() == Kind::Sysv);
    for segment in sysv.chain(objects(survey)) {
        let owner = &segment.owner;
        let name = || owner.user.as_ref().map(|_| owner.user_text());
        if !segment.is_concealed() {
            users.entry(owner.uid).or_insert_with(|| (name(), Sum::default())).1.add(segment);
        }
        // Our own attachments only look on.
        let holders = segment.holders.as_deref().unwrap_or_default().iter();
        for holder in holders.filter(|holder| !holder.looks_on()) {
            let new = || (Holder::command_text(holder), Sum::default());
            processes.entry(holder.pid).or_insert_with(new).1.add(segment);
        }
        if let Some((pid, command)) = idle_creator(machine, segment) {
            processes.entry(pid).or_insert_with(|| (command, Sum::default())).1.add(segment);
        }
    }
    let mut usage = Usage {
        users: users.into_iter().map(|(uid, (name, sum))| (uid, name, sum)).collect(),
        processes: processes.into_iter().map(|(pid, (command, sum))| (pid, command, sum)).collect(),
    };
    usage.users.sort_by_key(|(uid, _, sum)| (std::cmp::Reverse(sum.weight()), *uid));
    usage.processes.sort_by_key(|(pid, _, sum)| (std::cmp::Reverse(sum.weight()), *pid));
    usage
}

/// Returns the running creator of a System V segment that is not attached.
fn idle_creator(machine: &dyn Machine, segment: &Segment) -> Option<(u32, String)> {
    let facts = segment.sysv().filter(|facts| facts.nattch == 0)?;
    if segment.creator_life != CreatorLife::Running {
        return None;
    }
    let process = machine.process(facts.creator_pid)?;
    Some((facts.creator_pid, escape(&process.command)))
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
        let holdings = Holdings::look(machine, Depth::Private, &[], &mut names);
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
    fn a_segment_counts_for_each_holder_or_for_its_running_creator() {
        let machine = FakeMachine::new();
        for (pid, name) in [(7, "writer"), (8, "reader"), (9, "maker")] {
            machine.add_process(pid, name);
        }
        for (shmid, size, creator) in [(1, 5000, 9), (2, 1000, 9), (3, 1 << 20, 4121)] {
            let at = machine.add_sysv(shmid, 0, FakeBytes::hole(size));
            machine.edit(|facts| facts.sysv[at].row.creator_pid = creator);
        }
        machine.edit(|facts| facts.sysv[2].row.uid = 1001);
        // Twice in one process, and once in another.
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
        assert_eq!(usage.processes, processes.map(|(pid, name, sum)| (pid, name.to_owned(), sum)));
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
        assert_eq!(text(Some(8192)).unwrap(), "Shmem 8.0 KiB, listed 8.0 KiB");
        assert_eq!(
            text(Some(1 << 20)).unwrap(),
            "Shmem 1.0 MiB, listed 8.0 KiB; the rest is memfds, anonymous shared memory, other tmpfs mounts \
             and namespaces"
        );
        let less = "Shmem 4.0 KiB, listed 8.0 KiB; Shmem excludes swapped-out and huge pages";
        assert_eq!(text(Some(4096)).unwrap(), less);
    }
}

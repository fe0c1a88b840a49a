//! Reads from the change log which segments shmlens created or restored. Root also reads the logs
//! of the owners and creators of segments.

use super::log::{BEFORE, Entry, NOW};
use super::state::{StateDirectory, directory_of, open_for_user};
use super::uses::UseHistory;
use crate::identify::{CreationLog, PreviousUse};
use crate::machine::Machine;
use crate::segment::{Segment, SegmentId, Timestamp};
use crate::sys::regular::read_at_most;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::{iter, mem};

/// The maximum size to read: shmlens writes no larger logs.
const MAX_SIZE: u64 = 4 << 20;
/// The maximum number of seconds by which the kernel's clock may lag behind ours.
const MAX_LAG: f64 = 0.1;

/// The segments in the logs, by user; `None` stands for the current user. Reads a log when a
/// verdict depends on it, and again after it has changed.
#[derive(Debug, Default)]
pub struct LoggedSegments {
    logs: Mutex<HashMap<Option<u32>, Logs>>,
    uses: UseHistory,
}

#[derive(Debug, Default)]
struct Logs {
    /// The time of the last survey that checked the logs for changes.
    checked: Option<Timestamp>,
    files: [Option<Log>; 2],
}

#[derive(Debug)]
struct Log {
    /// The inode, length and change time of the file.
    stamp: (u64, u64, i64, i64),
    /// The last creation or restore of each segment.
    created: HashMap<String, Creation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Creation {
    at: Timestamp,
    pid: Option<u32>,
    birth: Option<Timestamp>,
}

impl LoggedSegments {
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: std::sync::LazyLock<LoggedSegments> =
            std::sync::LazyLock::new(LoggedSegments::default);
        &SHARED
    }

    fn parse_created(&self, user: Option<u32>, id: &str, at: Timestamp) -> Option<Creation> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let logs = logs.entry(user).or_default();
        if logs.checked != Some(at) {
            let directory = directory_of(user);
            let check = |name, log| Log::read(user, &directory.as_ref()?.join(name), log);
            let [now, before] = mem::take(&mut logs.files);
            *logs = Logs { checked: Some(at), files: [check(NOW, now), check(BEFORE, before)] };
        }
        logs.files.iter().flatten().find_map(|log| log.created.get(id).copied())
    }
}

impl Log {
    /// Reads a log, or returns `previous_use` if the file has not changed.
    fn read(user: Option<u32>, path: &Path, before: Option<Self>) -> Option<Self> {
        let file = open_for_user(user, path)?;
        let stat = file.metadata().ok()?;
        let stamp = (stat.ino(), stat.len(), stat.mtime(), stat.mtime_nsec());
        before.filter(|log| log.stamp == stamp).or_else(|| {
            let text = read_at_most(&file, MAX_SIZE).ok().flatten().unwrap_or_default();
            Some(Self { stamp, created: parse_created(&text) })
        })
    }
}

/// Returns the users other than the current one whose logs may mention the segment. For root, these
/// are its owner and its creator.
fn owners(machine: &dyn Machine, segment: &Segment) -> impl Iterator<Item = u32> {
    let creator = segment.sysv().map_or(segment.owner.uid, |facts| facts.creator.uid);
    let owners = [Some(segment.owner.uid), Some(creator).filter(|&uid| uid != segment.owner.uid)];
    let is_root = machine.effective_uid() == 0;
    owners.into_iter().flatten().filter(move |&uid| is_root && uid != 0)
}

impl CreationLog for LoggedSegments {
    fn previous_use(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        pid: u32,
        at: Timestamp,
    ) -> Option<PreviousUse> {
        let SegmentId::Sysv(shmid) = segment.id else { return None };
        let boot = machine.clock().boot;
        let users = iter::once(None).chain(owners(machine, segment).map(Some));
        users.into_iter().find_map(|user| {
            let record = self.uses.find(user, (shmid, pid), at)?;
            record
                .matches(&segment.identity(), boot)
                .then(|| PreviousUse { last: record.last(), trusted: user.is_none() })
        })
    }

    fn records_uses(&self) -> bool {
        StateDirectory::find().is_ok_and(|state| state.is_usable())
    }

    fn contains(&self, machine: &dyn Machine, segment: &Segment, at: Timestamp) -> bool {
        let id = segment.id.to_string();
        let mut users = iter::once(None).chain(owners(machine, segment).map(Some));
        let Some(created) = users.find_map(|user| self.parse_created(user, &id, at)) else { return false };
        // Segments do not survive a reboot, and ids are reused after a removal and in other
        // namespaces. The kernel records the creator's pid of System V segments and the birth time
        // of POSIX objects.
        let this_boot = created.at.seconds_since(machine.clock().boot) > 0.0;
        let same = match (segment.sysv(), segment.times.birth) {
            (None, Some(birth)) if created.birth.is_some() => created.birth == Some(birth),
            (Some(facts), _) => created.pid == Some(facts.creator_pid),
            (None, Some(birth)) => birth.seconds_since(created.at) <= MAX_LAG,
            (None, None) => true,
        };
        this_boot && same
    }
}

/// Returns the segments that a log records as created or restored, each with its last entry.
fn parse_created(log: &[u8]) -> HashMap<String, Creation> {
    let mut created = HashMap::new();
    let lines = log.split(|&byte| byte == b'\n');
    // Parse only the lines that matter.
    let is_relevant = |line: &&[u8]| {
        [&b"\"create\""[..], b"\"restore\"", b"\"rm\"", b"\"clean\""]
            .iter()
            .any(|word| memchr::memmem::find(line, word).is_some())
    };
    for entry in lines.filter(is_relevant).filter_map(|line| serde_json::from_slice::<Entry>(line).ok()) {
        if !entry.done {
            continue;
        }
        match entry.action.as_str() {
            "create" | "restore" => {
                let Some(at) = timestamp(&entry.time) else { continue };
                let birth = entry.birth.as_deref().and_then(timestamp);
                created.insert(entry.segment, Creation { at, pid: entry.pid, birth });
            }
            _ => {
                created.remove(&entry.segment);
            }
        }
    }
    created
}

fn timestamp(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond().unsigned_abs() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_entry_of_a_segment_counts() {
        let line = |action: &str, segment: &str, done: bool| {
            format!(
                "{{\"time\":\"2026-01-05T11:01:00.5Z\",\"user\":\"ann\",\"action\":\"{action}\",\
                 \"segment\":\"{segment}\",\"done\":{done},\"result\":\"create\"}}\n"
            )
        };
        let log = [
            line("create", "sysv:1", true),
            line("restore", "posix:/a", true),
            line("restore", "posix:/b", false),
            line("lock", "posix:/c", true),
            "torn".to_owned(),
            line("create", "sysv:2", true),
            line("rm", "sysv:2", true),
            line("rm", "sysv:1", false),
        ];
        let created = parse_created(log.concat().as_bytes());
        let mut ids: Vec<&str> = created.keys().map(String::as_str).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["posix:/a", "sysv:1"]);
        assert_eq!(created["sysv:1"].at, Timestamp { seconds: 1_767_610_860, nanos: 500_000_000 });
    }
}

//! Records the last use of each System V segment in the state directory before shmlens attaches it.
//! Attaching replaces the pid of the last user with ours, which would look like proof that the
//! segment is no longer used.

use super::state::{StateDirectory, directory_of, open_for_user};
use crate::machine::{LastUse, UseLog};
use crate::segment::{Bytes, Identity, Key, ShmId, Timestamp};
use crate::sys::regular::{Links, open_regular, read_at_most};
use crate::sys::{pidfd, shm};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

const FILE_NAME: &str = "attached.jsonl";
/// The size at which the file is compacted.
const COMPACT_SIZE: u64 = 1 << 20;
/// The maximum size to read: shmlens writes no larger files.
const MAX_SIZE: u64 = 16 << 20;
/// Seconds between recording the last use and attaching the segment, at most.
const MAX_DELAY: i64 = 60;

/// The last use of a segment before shmlens attached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UseRecord {
    shmid: i32,
    key: u32,
    creator_uid: u32,
    creator_pid: u32,
    size: u64,
    /// The process that wrote the record, and the time of the record.
    own_pid: u32,
    time: i64,
    /// The previous use.
    last_pid: u32,
    attach: Option<i64>,
    detach: Option<i64>,
}

/// The records, by shmid and pid of the process that wrote them.
type Uses = HashMap<(i32, u32), UseRecord>;

impl UseRecord {
    /// Returns true if the record is about that segment and from the current boot.
    pub fn matches(&self, identity: &Identity, boot: Timestamp) -> bool {
        let Self { key, creator_uid, creator_pid, size, .. } = *self;
        let record = Identity::Sysv { key: Key(key), creator_uid, creator_pid, size: Bytes(size) };
        self.time > boot.seconds && record.matches(identity)
    }

    pub fn last(&self) -> LastUse {
        let time = |seconds: Option<i64>| seconds.map(Timestamp::from_seconds);
        LastUse { pid: self.last_pid, attach: time(self.attach), detach: time(self.detach) }
    }
}

fn read(text: &[u8]) -> Uses {
    let lines = text.split(|&byte| byte == b'\n');
    let records = lines.filter_map(|line| serde_json::from_slice::<UseRecord>(line).ok());
    records.map(|record| ((record.shmid, record.own_pid), record)).collect()
}

#[derive(Debug, Default)]
pub struct UseRecorder(Mutex<Option<Flock<File>>>);

impl UseRecorder {
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: UseRecorder = UseRecorder(Mutex::new(None));
        &SHARED
    }

    fn write(&self, state: &StateDirectory, record: &UseRecord) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_none() {
            *open = Some(open_log(&state.subdirectory("").map_err(io::Error::other)?)?);
        }
        let Some(file) = open.as_mut() else { return Ok(()) };
        file.write_all(&line)
    }
}

impl UseLog for UseRecorder {
    fn note(&self, shmid: ShmId, identity: &Identity, last: LastUse) {
        let Identity::Sysv { key, creator_uid, creator_pid, size } = *identity else { return };
        let Ok(state) = StateDirectory::find() else { return };
        let record = UseRecord {
            shmid: shmid.0,
            key: key.0,
            creator_uid,
            creator_pid,
            size: size.0,
            own_pid: process::id(),
            time: Timestamp::from(SystemTime::now()).seconds,
            last_pid: last.pid,
            attach: last.attach.map(|time| time.seconds),
            detach: last.detach.map(|time| time.seconds),
        };
        // Without the record, no verdict relies on the last use, see [`StateDirectory::is_usable`].
        let _ = self.write(&state, &record);
    }
}

/// Opens the file for appending, and locks it against compaction.
fn open_log(directory: &Path) -> io::Result<Flock<File>> {
    const MAX_TRIES: usize = 100;
    let path = directory.join(FILE_NAME);
    let mut options = File::options();
    let options = options.read(true).append(true).create(true).mode(0o600);
    for _ in 0..MAX_TRIES {
        let file = open_regular(&path, options, Links::Refuse)?;
        let file = if file.metadata()?.len() < COMPACT_SIZE {
            file
        } else {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(file) if file.metadata()?.nlink() > 0 => {
                    compact(&file, directory)?;
                    continue;
                }
                Ok(_) => continue,
                // Another process has the file open, so it cannot be compacted now.
                Err((file, _)) => file,
            }
        };
        let file = Flock::lock(file, FlockArg::LockShared).map_err(|(_, error)| error)?;
        // Another process may have replaced the file before we got the lock.
        if file.metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Compacts a long file: keeps only the records of segments that shmlens used last.
fn compact(file: &File, directory: &Path) -> io::Result<()> {
    let uses = read(&read_at_most(file, MAX_SIZE)?.unwrap_or_default());
    let now = Timestamp::from(SystemTime::now()).seconds;
    let mut kept: Vec<UseRecord> =
        uses.values().filter(|record| now - record.time < MAX_DELAY).copied().collect();
    for listed in shm::all().unwrap_or_default() {
        let Some(first) = uses.get(&(listed.shmid, listed.last_pid.cast_unsigned())) else { continue };
        let mut last = *first;
        for _ in 0..uses.len() {
            match uses.get(&(listed.shmid, last.last_pid)) {
                Some(before) if !pidfd::exists(last.last_pid) => last = *before,
                _ => break,
            }
        }
        kept.push(UseRecord { own_pid: first.own_pid, ..last });
    }
    let mut text = vec![];
    for record in kept {
        serde_json::to_writer(&mut text, &record)?;
        text.push(b'\n');
    }
    let new = directory.join(format!("{FILE_NAME}.{}", process::id()));
    let mut options = File::options();
    open_regular(&new, options.write(true).create(true).truncate(true).mode(0o600), Links::Refuse)?
        .write_all(&text)?;
    fs::rename(new, directory.join(FILE_NAME))
}

/// The records of this user and of others. Reads a file when a verdict depends on it, and again
/// after it has changed.
#[derive(Debug, Default)]
pub(super) struct UseHistory(Mutex<HashMap<Option<u32>, CachedUses>>);

#[derive(Debug)]
struct CachedUses {
    /// The last survey that checked the file for changes.
    at: Timestamp,
    /// The inode, length and change time of the file.
    stamp: Option<(u64, u64, i64, i64)>,
    uses: Uses,
}

impl UseHistory {
    /// Returns the record that a process of `user` with that pid wrote before it attached the
    /// segment. `None` stands for the current user.
    pub fn find(&self, user: Option<u32>, segment: (ShmId, u32), at: Timestamp) -> Option<UseRecord> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.remove(&user);
        let checked = match before {
            Some(checked) if checked.at == at => checked,
            before => CachedUses::read(user, at, before),
        };
        let (shmid, pid) = segment;
        let found = checked.uses.get(&(shmid.0, pid)).copied();
        known.insert(user, checked);
        found
    }
}

impl CachedUses {
    fn read(user: Option<u32>, at: Timestamp, before: Option<Self>) -> Self {
        let file = directory_of(user).and_then(|directory| open_for_user(user, &directory.join(FILE_NAME)));
        let stat = file.as_ref().and_then(|file| file.metadata().ok());
        let stamp = stat.map(|stat| (stat.ino(), stat.len(), stat.mtime(), stat.mtime_nsec()));
        let unchanged = before.filter(|before| before.stamp == stamp);
        let text = || file.and_then(|file| read_at_most(&file, MAX_SIZE).ok()?).unwrap_or_default();
        Self { at, stamp, uses: unchanged.map_or_else(|| read(&text()), |before| before.uses) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_file_is_compacted() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path());
        let old = UseRecord {
            shmid: i32::MAX,
            key: 1,
            creator_uid: 2,
            creator_pid: 3,
            size: 4,
            own_pid: 5,
            time: 6,
            last_pid: 7,
            attach: Some(8),
            detach: None,
        };
        let recent = UseRecord { own_pid: 9, time: i64::MAX, ..old };
        let notes = UseRecorder::default();
        notes.write(&state, &recent).unwrap();
        for _ in 0..COMPACT_SIZE / 100 {
            notes.write(&state, &old).unwrap();
        }
        let path = directory.path().join(FILE_NAME);
        assert!(fs::metadata(&path).unwrap().len() > COMPACT_SIZE);
        // Another process has the file open: it must not be compacted.
        let other = UseRecorder::default();
        other.write(&state, &recent).unwrap();
        assert!(fs::metadata(&path).unwrap().len() > COMPACT_SIZE);
        drop((notes, other));
        UseRecorder::default().write(&state, &UseRecord { own_pid: 10, ..recent }).unwrap();
        let uses = read(&fs::read(&path).unwrap());
        assert_eq!(uses.keys().map(|key| key.1).collect::<std::collections::BTreeSet<u32>>(), [9, 10].into());
        assert!(fs::metadata(&path).unwrap().len() < 1000);
        let identity = Identity::Sysv { key: Key(1), creator_uid: 2, creator_pid: 3, size: Bytes(4) };
        let boot = Timestamp::from_seconds(5);
        assert!(old.matches(&identity, boot) && !old.matches(&identity, Timestamp::from_seconds(6)));
        let other = Identity::Sysv { key: Key(1), creator_uid: 2, creator_pid: 4, size: Bytes(4) };
        assert!(!old.matches(&other, boot));
    }
}

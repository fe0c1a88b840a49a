//! The record: what was done to segments, a line of JSON for each act, in the
//! state directory. It never grows beyond two files of a set size.

use super::state::{StateDirectory, StateError};
use crate::machine::Machine;
use crate::segment::{Timestamp, plain_error};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a file of it may become, in bytes.
const LONGEST: u64 = 1 << 20;
/// How long a line may wait for others, and how much is written at once.
const SOON: Duration = Duration::from_millis(10);
const LARGEST_WRITE: usize = 32 << 10;
/// How long a line waits for somebody who turns the record over and does not come to it.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(1);
/// The longest text of a result that is kept, in bytes.
const LONGEST_RESULT: usize = 4096;

const NOW: &str = "record.jsonl";
const BEFORE: &str = "record.1.jsonl";
const LOCK: &str = "record.lock";

/// The record of this user.
#[derive(Debug)]
pub struct Record {
    state: StateDirectory,
    longest: u64,
    /// Open from the first act on: thousands may be done at once.
    open: Mutex<Option<File>>,
    /// Whose acts these are, asked once.
    user: OnceLock<String>,
    /// Lines that are about to be written, and since when.
    waiting: Mutex<Option<(Instant, Vec<u8>)>>,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, RFC 3339 in UTC.
    pub time: String,
    /// Who: the name of the user, or the number.
    pub user: String,
    /// What: the word of the command.
    pub action: String,
    /// To which segment.
    pub segment: String,
    /// Whether it was done.
    pub done: bool,
    /// What came of it, in words.
    pub result: String,
}

/// Why an act is not in the record. It was done all the same.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no place for it.
    #[error("this is not in the record: {0}")]
    State(#[from] StateError),
    /// It cannot be written.
    #[error("this is not in the record: it cannot be written: {}", plain_error(.0))]
    Write(#[from] io::Error),
}

impl Entry {
    /// An act of this user, now.
    #[must_use]
    pub fn new(machine: &dyn Machine, action: &str, segment: &str, done: bool, result: &str) -> Self {
        Self::by(user(machine), machine, action, segment, done, result)
    }

    fn by(
        user: String,
        machine: &dyn Machine,
        action: &str,
        segment: &str,
        done: bool,
        result: &str,
    ) -> Self {
        let mut result = result.to_owned();
        while result.len() > LONGEST_RESULT {
            result.pop();
        }
        Self {
            time: rfc3339(machine.now()),
            user,
            action: action.to_owned(),
            segment: segment.to_owned(),
            done,
            result,
        }
    }
}

/// Who this is: by name, or by number.
fn user(machine: &dyn Machine) -> String {
    let uid = machine.effective_uid();
    machine.user_name(uid).unwrap_or_else(|| uid.to_string())
}

/// An entry as it stands in the file.
fn line(entry: &Entry) -> Result<Vec<u8>, RecordError> {
    let mut line = serde_json::to_vec(entry).map_err(io::Error::from)?;
    line.push(b'\n');
    Ok(line)
}

fn rfc3339(time: Timestamp) -> String {
    let nanos = i32::try_from(time.nanos).unwrap_or(0);
    jiff::Timestamp::new(time.seconds, nanos).unwrap_or_default().to_string()
}

impl Record {
    /// The one in a state directory.
    #[must_use]
    pub const fn new(state: StateDirectory) -> Self {
        Self {
            state,
            longest: LONGEST,
            open: Mutex::new(None),
            user: OnceLock::new(),
            waiting: Mutex::new(None),
        }
    }

    /// Adds an act of this user, now: [`Record::add`].
    ///
    /// # Errors
    /// As [`Record::add`].
    pub fn note(
        &self,
        machine: &dyn Machine,
        action: &str,
        segment: &str,
        done: bool,
        result: &str,
    ) -> Result<(), RecordError> {
        let user = self.user.get_or_init(|| user(machine)).clone();
        self.add(&Entry::by(user, machine, action, segment, done, result))
    }

    /// As [`Record::note`], for one of a great many that follow each other at
    /// once: it may be written with those that come within milliseconds.
    ///
    /// # Errors
    /// As [`Record::add`].
    pub fn note_soon(
        &self,
        machine: &dyn Machine,
        action: &str,
        segment: &str,
        done: bool,
        result: &str,
    ) -> Result<(), RecordError> {
        let user = self.user.get_or_init(|| user(machine)).clone();
        let entry = Entry::by(user, machine, action, segment, done, result);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, lines) = waiting.get_or_insert_with(|| (Instant::now(), vec![]));
        lines.extend(line(&entry)?);
        if lines.len() < LARGEST_WRITE && since.elapsed() < SOON {
            return Ok(());
        }
        drop(waiting);
        self.flush()
    }

    /// Writes what waits to be written.
    ///
    /// # Errors
    /// As [`Record::add`].
    pub fn flush(&self) -> Result<(), RecordError> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        waiting.map_or(Ok(()), |(_, lines)| self.write(&lines))
    }

    /// Adds a line, whole, whatever other processes add meanwhile.
    ///
    /// # Errors
    /// When it cannot be written. That is to be told and stops nothing.
    pub fn add(&self, entry: &Entry) -> Result<(), RecordError> {
        self.flush()?;
        self.write(&line(entry)?)
    }

    /// Adds whole lines.
    fn write(&self, lines: &[u8]) -> Result<(), RecordError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // A file is turned over only when it is full, so that one that is not is still the one.
        if let Some(file) = open.as_mut()
            && file.metadata()?.len() < self.longest
        {
            file.write_all(lines)?;
            return Ok(());
        }
        let folder = self.state.folder("")?;
        self.turn_over(&folder)?;
        let file = own(File::options().append(true).create(true)).open(folder.join(NOW))?;
        // One write: with O_APPEND the kernel puts it behind all others.
        open.insert(file).write_all(lines)?;
        Ok(())
    }

    /// The last acts, the latest last. Lines that do not read are passed over.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Entry> {
        let mut entries: Vec<Entry> = [BEFORE, NOW]
            .into_iter()
            .filter_map(|name| fs::read(self.state.path().join(name)).ok())
            .flat_map(|text| {
                let lines = text.split(|&byte| byte == b'\n');
                lines.filter_map(|line| serde_json::from_slice(line).ok()).collect::<Vec<Entry>>()
            })
            .collect();
        entries.drain(..entries.len().saturating_sub(count));
        entries
    }

    /// When the file is full it becomes the one before, in place of that.
    fn turn_over(&self, folder: &Path) -> io::Result<()> {
        let is_full = || fs::metadata(folder.join(NOW)).is_ok_and(|stat| stat.len() >= self.longest);
        if !is_full() {
            return Ok(());
        }
        let mut lock = own(File::options().write(true).create(true)).open(folder.join(LOCK))?;
        let began = Instant::now();
        loop {
            lock = match Flock::lock(lock, FlockArg::LockExclusiveNonblock) {
                // Somebody may have done it since.
                Ok(_lock) if is_full() => return fs::rename(folder.join(NOW), folder.join(BEFORE)),
                // Somebody is about to: what is added before would make it longer still.
                Err((lock, Errno::EWOULDBLOCK)) if is_full() && began.elapsed() < PATIENCE => lock,
                Ok(_) | Err((_, Errno::EWOULDBLOCK)) => return Ok(()),
                Err((_, error)) => return Err(error.into()),
            };
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Told by nobody; who has to know has called `flush`.
        let _ = self.flush();
    }
}

/// For this user only, and never through a link.
fn own(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::MadeMachine;
    use std::os::unix::fs::PermissionsExt as _;

    fn sized(state: StateDirectory, longest: u64) -> Record {
        let mut record = Record::new(state);
        record.longest = longest;
        record
    }

    fn record(longest: u64) -> (tempfile::TempDir, Record) {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path().join("shmlens"));
        (directory, sized(state, longest))
    }

    #[test]
    fn an_act_is_a_line() {
        let (_directory, record) = record(LONGEST);
        let entry = Entry::new(&MadeMachine::new(), "rm", r"posix:/a\x1b", true, "removed\nwhole");
        record.add(&entry).unwrap();
        let path = record.state.path().join(NOW);
        insta::assert_snapshot!(
            fs::read_to_string(&path).unwrap().trim_end(),
            @r#"{"time":"2026-01-05T11:01:00Z","user":"root","action":"rm","segment":"posix:/a\\x1b","done":true,"result":"removed\nwhole"}"#
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"time\": torn\n").unwrap();
        record.add(&entry).unwrap();
        assert_eq!(record.last(5), [entry.clone(), entry.clone()]);
        assert_eq!(record.last(1), [entry]);
    }

    #[test]
    fn many_at_once_lose_nothing_and_it_stays_small() {
        let (_directory, record) = record(20_000);
        let machine = MadeMachine::new();
        thread::scope(|scope| {
            for who in 0..4 {
                let record = sized(record.state.clone(), record.longest);
                let machine = machine.clone();
                scope.spawn(move || {
                    for at in 0..200 {
                        let segment = format!("sysv:{who}{at:03}");
                        record.add(&Entry::new(&machine, "rm", &segment, true, "removed")).unwrap();
                    }
                });
            }
        });
        for name in [NOW, BEFORE] {
            let text = fs::read_to_string(record.state.path().join(name)).unwrap();
            assert!(text.len() < 40_000, "{}", text.len());
            assert!(text.lines().all(|line| serde_json::from_str::<Entry>(line).is_ok()), "{text}");
        }
        // What one writer added stands in its order, with no gap.
        let last = record.last(usize::MAX);
        let mut latest = None;
        for who in 0..4u32 {
            let theirs: Vec<u32> = last
                .iter()
                .filter_map(|entry| entry.segment.strip_prefix(&format!("sysv:{who}"))?.parse().ok())
                .collect();
            assert!(theirs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{theirs:?}");
            latest = latest.max(theirs.last().copied());
        }
        assert_eq!(latest, Some(199));
    }

    #[test]
    fn nothing_is_added_to_a_full_one_while_somebody_turns_it_over() {
        let (_directory, record) = record(100);
        let entry = Entry::new(&MadeMachine::new(), "rm", "sysv:1", true, "removed");
        record.add(&entry).unwrap();
        let path = |name: &str| record.state.path().join(name);
        let full = fs::metadata(path(NOW)).unwrap().len();
        assert!(full >= 100);
        let lock = own(File::options().write(true).create(true)).open(path(LOCK)).unwrap();
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).unwrap();
        thread::scope(|scope| {
            let adding = scope.spawn(|| record.add(&entry));
            // So long it would have taken to add it at once.
            thread::sleep(SOON * 5);
            drop(lock);
            adding.join().unwrap().unwrap();
        });
        assert_eq!([NOW, BEFORE].map(|name| fs::metadata(path(name)).unwrap().len()), [full; 2]);
        // Who does not come to it stops nobody.
        let lock = File::open(path(LOCK)).unwrap();
        let _lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).unwrap();
        record.add(&entry).unwrap();
        assert_eq!(record.last(5).len(), 3);
    }

    #[test]
    fn lines_that_wait_are_written_in_their_order() {
        let (_directory, record) = record(LONGEST);
        let machine = MadeMachine::new();
        for at in 0..1000 {
            record.note_soon(&machine, "rm", &format!("sysv:{at}"), true, "it is removed").unwrap();
        }
        record.note(&machine, "lock", "sysv:1000", true, "it is locked in memory").unwrap();
        let places = |record: &Record| -> Vec<String> {
            record.last(usize::MAX).into_iter().map(|entry| entry.segment).collect()
        };
        let expected: Vec<String> = (0..=1000).map(|at| format!("sysv:{at}")).collect();
        assert_eq!(places(&record), expected);
        record.note_soon(&machine, "rm", "sysv:1001", true, "it is removed").unwrap();
        let other = Record::new(record.state.clone());
        drop(record);
        assert_eq!(places(&other).last().unwrap(), "sysv:1001");
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let (directory, record) = record(LONGEST);
        let outside = directory.path().join("outside");
        fs::write(&outside, b"mine").unwrap();
        record.state.folder("").unwrap();
        std::os::unix::fs::symlink(&outside, record.state.path().join(NOW)).unwrap();
        let entry = Entry::new(&MadeMachine::new(), "rm", "sysv:1", true, "removed");
        assert!(record.add(&entry).unwrap_err().to_string().contains("not in the record"));
        assert_eq!(fs::read(&outside).unwrap(), b"mine");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told() {
        let (directory, record) = record(LONGEST);
        fs::write(directory.path().join("shmlens"), b"a file").unwrap();
        let entry = Entry::new(&MadeMachine::new(), "rm", "sysv:1", true, &"é".repeat(5000));
        assert!(entry.result.len() <= LONGEST_RESULT);
        assert!(record.add(&entry).unwrap_err().to_string().contains("not in the record"));
    }
}

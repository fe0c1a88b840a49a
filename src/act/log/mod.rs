//! The change log in the state directory: a line of JSON for each change to a segment. The log is
//! append-only and limited to two files of a fixed maximum size.

mod entry;

use super::save::printable;
use super::state::{StateDirectory, StateError};
use crate::machine::Machine;
use crate::segment::plain_error;
use crate::sys::regular::{Links, open_regular};
pub use entry::Entry;
use entry::user;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The maximum size of a log file, in bytes.
const MAX_SIZE: u64 = 1 << 20;
/// The longest time that a line stays in the buffer, and the size at which the buffer is written.
const FLUSH_INTERVAL: Duration = Duration::from_millis(10);
const MAX_WRITE: usize = 32 << 10;
/// The longest wait for a process that holds the lock without rotating the log.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(1);
pub(in crate::act) const NOW: &str = "log.jsonl";
pub(in crate::act) const BEFORE: &str = "log.1.jsonl";
const LOCK_FILE: &str = "log.lock";

#[derive(Debug)]
pub struct ChangeLog {
    state: StateDirectory,
    max_size: u64,
    /// Kept open: a batch may have thousands of entries.
    open: Mutex<Option<File>>,
    user: OnceLock<String>,
    /// The buffered lines, and the time of the first one.
    buffered: Mutex<Option<(Instant, Vec<u8>)>>,
}

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(transparent)]
    State(#[from] StateError),
    /// The file cannot be opened, or a full file cannot be renamed.
    #[error(
        "failed to open the log {}: {}. {}et XDG_STATE_HOME to another directory",
        printable(.path), plain_error(.source), if is_conflict(.source) { "Move the file away or s" } else { "S" }
    )]
    Open { path: PathBuf, source: io::Error },
    #[error("failed to write to the log {}: {}", printable(.path), plain_error(.source))]
    Write { path: PathBuf, source: io::Error },
}

impl LogError {
    #[must_use]
    pub fn is_homeless(&self) -> bool {
        matches!(self, Self::State(error) if error.is_homeless())
    }
}

/// Returns true if moving the file away would resolve the error.
fn is_conflict(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    !matches!(
        error.kind(),
        Kind::StorageFull | Kind::QuotaExceeded | Kind::ReadOnlyFilesystem | Kind::PermissionDenied
    )
}

impl ChangeLog {
    /// Creates a log without opening its file.
    #[must_use]
    pub const fn new(state: StateDirectory) -> Self {
        Self {
            state,
            max_size: MAX_SIZE,
            open: Mutex::new(None),
            user: OnceLock::new(),
            buffered: Mutex::new(None),
        }
    }

    /// Opens or creates the log. Call this before a change, so that an unusable log fails before
    /// anything is changed.
    pub fn open(&self) -> Result<(), LogError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.file_to_append(&mut open).map(drop)
    }

    /// Returns an entry for a change that the current user made just now, with the cached user
    /// name.
    pub fn entry(
        &self,
        machine: &dyn Machine,
        action: &str,
        segment: impl Into<String>,
        done: bool,
        result: impl Into<String>,
    ) -> Entry {
        let user = self.user.get_or_init(|| user(machine)).clone();
        Entry::by(user, machine, action, segment.into(), done, result.into())
    }

    /// Appends an entry like [`ChangeLog::add`], but may keep the line in a buffer for a few
    /// milliseconds.
    pub fn add_buffered(&self, entry: &Entry) -> Result<(), LogError> {
        let mut buffered = self.buffered.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, lines) = buffered.get_or_insert_with(|| (Instant::now(), vec![]));
        self.serialize(entry, lines)?;
        if lines.len() < MAX_WRITE && since.elapsed() < FLUSH_INTERVAL {
            return Ok(());
        }
        drop(buffered);
        self.flush()
    }

    pub fn flush(&self) -> Result<(), LogError> {
        let buffered = self.buffered.lock().unwrap_or_else(PoisonError::into_inner).take();
        buffered.map_or(Ok(()), |(_, lines)| self.write(&lines))
    }

    /// Appends an entry as one whole line, even while other processes append to the log. After an
    /// error, the change has been made but is not logged.
    pub fn add(&self, entry: &Entry) -> Result<(), LogError> {
        self.flush()?;
        let mut line = vec![];
        self.serialize(entry, &mut line)?;
        self.write(&line)
    }

    fn serialize(&self, entry: &Entry, lines: &mut Vec<u8>) -> Result<(), LogError> {
        serde_json::to_writer(&mut *lines, entry).map_err(|error| self.write_error(error.into()))?;
        lines.push(b'\n');
        Ok(())
    }

    fn write(&self, lines: &[u8]) -> Result<(), LogError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // With `O_APPEND`, a single write does not interleave with writes by other processes.
        let written = self.file_to_append(&mut open)?.write_all(lines);
        written.map_err(|error| {
            // Reopen the file for the next line, to repair a partial one.
            *open = None;
            self.write_error(error)
        })
    }

    /// Returns the file to append to, after rotating a full log. Only full files are renamed, so an
    /// open file that is not full is still the current log.
    fn file_to_append<'a>(&self, open: &'a mut Option<File>) -> Result<&'a mut File, LogError> {
        let full = |file: &File| file.metadata().map_or(true, |stat| stat.len() >= self.max_size);
        if let Some(file) = open.take().filter(|file| !full(file)) {
            return Ok(open.insert(file));
        }
        let directory = self.state.subdirectory("")?;
        let failed = |source| LogError::Open { path: directory.join(NOW), source };
        self.rotate(&directory).map_err(failed)?;
        let mut options = File::options();
        let options = options.read(true).append(true).create(true).mode(0o600);
        let file = open_regular(&directory.join(NOW), options, Links::Refuse).map_err(failed)?;
        end_torn_line(&file).map_err(failed)?;
        Ok(open.insert(file))
    }

    fn write_error(&self, source: io::Error) -> LogError {
        LogError::Write { path: self.state.path().join(NOW), source }
    }

    /// Returns the last `count` entries, newest last. Skips lines that do not parse.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Entry> {
        let mut entries: Vec<Entry> = [BEFORE, NOW]
            .into_iter()
            .filter_map(|name| self.read_end(name).ok())
            .flat_map(|text| {
                let lines = text.split(|&byte| byte == b'\n');
                lines.filter_map(|line| serde_json::from_slice(line).ok()).collect::<Vec<Entry>>()
            })
            .collect();
        entries.drain(..entries.len().saturating_sub(count));
        entries
    }

    /// Returns the end of a log file. shmlens writes files short enough to be returned almost in
    /// full.
    fn read_end(&self, name: &str) -> io::Result<Vec<u8>> {
        let path = self.state.path().join(name);
        let mut file = open_regular(&path, File::options().read(true), Links::Refuse)?;
        let max_size = self.max_size.saturating_add(MAX_SIZE);
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(max_size)))?;
        let mut text = vec![];
        file.take(max_size).read_to_end(&mut text)?;
        Ok(text)
    }

    /// Renames a full log and replaces the previous one.
    fn rotate(&self, directory: &Path) -> io::Result<()> {
        let is_full = || {
            let stat = fs::symlink_metadata(directory.join(NOW));
            stat.is_ok_and(|stat| stat.is_file() && stat.len() >= self.max_size)
        };
        if !is_full() {
            return Ok(());
        }
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let mut lock = open_regular(&directory.join(LOCK_FILE), options, Links::Refuse)?;
        let started = Instant::now();
        loop {
            lock = match Flock::lock(lock, FlockArg::LockExclusiveNonblock) {
                // Another process may have rotated the log before we got the lock.
                Ok(_lock) if is_full() => return fs::rename(directory.join(NOW), directory.join(BEFORE)),
                // Another process is about to rotate the log. Adding a line now would make the old
                // file even longer.
                Err((lock, Errno::EWOULDBLOCK)) if is_full() && started.elapsed() < LOCK_TIMEOUT => lock,
                Ok(_) | Err((_, Errno::EWOULDBLOCK)) => return Ok(()),
                Err((_, error)) => return Err(error.into()),
            };
            thread::sleep(POLL_INTERVAL);
        }
    }
}

/// Ends a line that was cut off by a full disk, so that the next line parses.
fn end_torn_line(mut file: &File) -> io::Result<()> {
    let mut last = [b'\n'];
    if let Some(at) = file.metadata()?.len().checked_sub(1) {
        file.read_exact_at(&mut last, at)?;
    }
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

impl Drop for ChangeLog {
    fn drop(&mut self) {
        // Callers that report errors call `flush` first.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::entry::MAX_RESULT;
    use super::*;
    use crate::machine::fake::FakeMachine;
    use std::os::unix::fs::PermissionsExt as _;

    fn log_of_size(state: StateDirectory, max_size: u64) -> ChangeLog {
        let mut log = ChangeLog::new(state);
        log.max_size = max_size;
        log
    }

    fn log(max_size: u64) -> (tempfile::TempDir, ChangeLog) {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path().join("shmlens"));
        (directory, log_of_size(state, max_size))
    }

    #[test]
    fn each_change_is_one_line() {
        let (_directory, log) = log(MAX_SIZE);
        let entry = Entry::new(&FakeMachine::new(), "rm", r"posix:/a\x1b", true, "removed\nwhole");
        log.add(&entry).unwrap();
        let path = log.state.path().join(NOW);
        insta::assert_snapshot!(
            fs::read_to_string(&path).unwrap().trim_end(),
            @r#"{"time":"2026-01-05T11:01:00Z","user":"root","action":"rm","segment":"posix:/a\\x1b","done":true,"result":"removed\nwhole"}"#
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"time\": torn\n").unwrap();
        log.add(&entry).unwrap();
        assert_eq!(log.last(5), [entry.clone(), entry.clone()]);
        assert_eq!(log.last(1), [entry]);
    }

    #[test]
    fn parallel_writers_lose_no_line() {
        let (_directory, log) = log(20_000);
        let machine = FakeMachine::new();
        thread::scope(|scope| {
            for who in 0..4 {
                let log = log_of_size(log.state.clone(), log.max_size);
                let machine = machine.clone();
                scope.spawn(move || {
                    for at in 0..200 {
                        let segment = format!("sysv:{who}{at:03}");
                        log.add(&Entry::new(&machine, "rm", &segment, true, "removed")).unwrap();
                    }
                });
            }
        });
        for name in [NOW, BEFORE] {
            let text = fs::read_to_string(log.state.path().join(name)).unwrap();
            assert!(text.len() < 40_000, "{}", text.len());
            assert!(text.lines().all(|line| serde_json::from_str::<Entry>(line).is_ok()), "{text}");
        }
        // The entries of each writer are in order, without gaps.
        let last = log.last(usize::MAX);
        let mut latest = None;
        for who in 0..4u32 {
            let numbers: Vec<u32> = last
                .iter()
                .filter_map(|entry| entry.segment.strip_prefix(&format!("sysv:{who}"))?.parse().ok())
                .collect();
            assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
            latest = latest.max(numbers.last().copied());
        }
        assert_eq!(latest, Some(199));
    }

    #[test]
    fn full_log_waits_for_its_rotation() {
        let (_directory, log) = log(100);
        let entry = Entry::new(&FakeMachine::new(), "rm", "sysv:1", true, "removed");
        log.add(&entry).unwrap();
        let path = |name: &str| log.state.path().join(name);
        let full = fs::metadata(path(NOW)).unwrap().len();
        assert!(full >= 100);
        let lock = File::options().write(true).create(true).truncate(false).open(path(LOCK_FILE)).unwrap();
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).unwrap();
        thread::scope(|scope| {
            let adding = scope.spawn(|| log.add(&entry));
            // Long enough for a write without the lock to succeed.
            thread::sleep(FLUSH_INTERVAL * 5);
            drop(lock);
            adding.join().unwrap().unwrap();
        });
        assert_eq!([NOW, BEFORE].map(|name| fs::metadata(path(name)).unwrap().len()), [full; 2]);
        // A process that holds the lock but never rotates the log does not block the others.
        let lock = File::open(path(LOCK_FILE)).unwrap();
        let _lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).unwrap();
        log.add(&entry).unwrap();
        assert_eq!(log.last(5).len(), 3);
    }

    #[test]
    fn buffered_lines_keep_their_order() {
        let (_directory, log) = log(MAX_SIZE);
        let machine = FakeMachine::new();
        for at in 0..1000 {
            log.add_buffered(&log.entry(&machine, "rm", format!("sysv:{at}"), true, "removed")).unwrap();
        }
        log.add(&log.entry(&machine, "lock", "sysv:1000", true, "locked")).unwrap();
        let places = |log: &ChangeLog| -> Vec<String> {
            log.last(usize::MAX).into_iter().map(|entry| entry.segment).collect()
        };
        let expected: Vec<String> = (0..=1000).map(|at| format!("sysv:{at}")).collect();
        assert_eq!(places(&log), expected);
        log.add_buffered(&log.entry(&machine, "rm", "sysv:1001", true, "removed")).unwrap();
        let other = ChangeLog::new(log.state.clone());
        drop(log);
        assert_eq!(places(&other).last().unwrap(), "sysv:1001");
    }

    #[test]
    fn symlinks_are_not_followed() {
        let (directory, log) = log(MAX_SIZE);
        let outside = directory.path().join("outside");
        fs::write(&outside, b"mine").unwrap();
        log.state.subdirectory("").unwrap();
        std::os::unix::fs::symlink(&outside, log.state.path().join(NOW)).unwrap();
        let error = log.open().unwrap_err().to_string();
        assert!(
            error.contains("is a symbolic link, not a regular file. Move the file away or set XDG_"),
            "{error}"
        );
        assert_eq!(fs::read(&outside).unwrap(), b"mine");
    }

    #[test]
    fn special_files_are_refused_without_blocking() {
        let fifo = |path: &Path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let entry = Entry::new(&FakeMachine::new(), "rm", "sysv:1", true, "removed");
        for kind in ["a FIFO (named pipe)", "a directory"] {
            let (_directory, log) = log(100);
            let path = |name: &str| log.state.path().join(name);
            let create_file = |name| {
                if kind == "a directory" { fs::create_dir(path(name)).unwrap() } else { fifo(&path(name)) }
            };
            log.state.subdirectory("").unwrap();
            create_file(NOW);
            let error = log.open().unwrap_err().to_string();
            assert!(error.starts_with("failed to open the log /") && error.contains(kind), "{error}");
            assert_eq!(log.last(1), []);
            // Rotating a full log must not replace a directory.
            fs::rename(path(NOW), path(if kind == "a directory" { BEFORE } else { LOCK_FILE })).unwrap();
            log.add(&entry).unwrap();
            let error = log.open().unwrap_err().to_string();
            assert!(error.contains("directory"), "{error}");
            assert_eq!(log.last(2), std::slice::from_ref(&entry));
        }
    }

    #[test]
    fn reading_is_limited_to_the_end_of_a_file() {
        let (_directory, log) = log(MAX_SIZE);
        let entry = Entry::new(&FakeMachine::new(), "rm", "sysv:1", true, "removed");
        log.add(&entry).unwrap();
        let before = File::create(log.state.path().join(BEFORE)).unwrap();
        before.set_len(1 << 40).unwrap();
        assert_eq!(log.last(5), std::slice::from_ref(&entry));
        File::options().write(true).open(log.state.path().join(NOW)).unwrap().set_len(1 << 40).unwrap();
        log.add(&entry).unwrap();
        assert_eq!(log.last(5), [entry]);
    }

    #[test]
    fn partial_line_is_repaired() {
        let (_directory, log) = log(MAX_SIZE);
        log.state.subdirectory("").unwrap();
        let entry = Entry::new(&FakeMachine::new(), "rm", "sysv:1", true, "removed");
        fs::write(log.state.path().join(NOW), b"{\"time\":\"2026").unwrap();
        log.add(&entry).unwrap();
        assert_eq!(log.last(5), [entry]);
    }

    #[test]
    fn unusable_directory_is_an_error() {
        let (directory, log) = log(MAX_SIZE);
        fs::write(directory.path().join("shmlens"), b"a file").unwrap();
        let entry = Entry::new(&FakeMachine::new(), "rm", "sysv:1", true, "é".repeat(5000));
        assert!(entry.result.len() <= MAX_RESULT);
        let error = log.open().unwrap_err().to_string();
        assert!(error.contains("not a directory"), "{error}");
        assert!(log.add(&entry).is_err());
    }
}

//! Marks of System V segments that are being filled.

use super::{DIRECTORY, SUFFIX, is_homeless};
use crate::act::save::printable;
use crate::act::{Actor, StateDirectory, StateError};
use crate::machine::control::NewSysv;
use crate::machine::{Machine, SegmentBuilder, UNFINISHED_MODE};
use crate::segment::{Bytes, Facts, Key, Mode, Segment, SegmentId, ShmId, Timestamp};
use crate::sys::regular::{Links, open_regular, read_at_most};
use crate::sys::unnamed::UnnamedFile;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;

/// The maximum size of a mark: each line has at most one path.
const MAX_SIZE: u64 = 1 << 20;
/// Seconds between a mark and the creation of its segment, at most, if the shmid is unknown. Both
/// times are in whole seconds.
const MAX_DELAY_SECONDS: f64 = 2.0;

/// A line of a mark. The last line is current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The boot and namespace in which the shmid is valid:
    /// [`Control::id_scope`](crate::machine::control::Control::id_scope).
    #[serde(rename = "world")]
    pub scope: String,
    /// The source file, safe to print.
    file: String,
    /// The command that fills the segment.
    command: Command,
    shmid: Option<i32>,
    key: u32,
    size: u64,
    /// The mode of the finished segment.
    mode: u32,
    creator_pid: u32,
    creator_uid: u32,
    /// The change time of the segment, in seconds since 1970; before its creation, the time of the
    /// mark.
    change: i64,
    /// Set if the contents are complete, and only owner and mode remain to be set.
    whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    Restore,
    Create,
}

/// The source of a segment that is being filled, and its final mode.
pub(in crate::act) struct Origin {
    command: Command,
    file: String,
    mode: Mode,
}

impl Origin {
    /// Returns the origin of a segment that `restore` fills; `file` is safe to print.
    pub fn restore(file: String, mode: Mode) -> Self {
        Self { command: Command::Restore, file, mode }
    }

    /// Returns the origin of a segment that `create --from` fills.
    pub fn create(file: &Path, mode: Mode) -> Self {
        Self { command: Command::Create, file: absolute(file), mode }
    }
}

/// Returns the absolute path, safe to print.
pub(in crate::act) fn absolute(path: &Path) -> String {
    printable(&fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}

/// A System V segment that is being filled, with its mark. Dropping a `Filling` removes both,
/// unless the segment was finished.
pub(in crate::act) struct Filling {
    // Dropped in this order: the mark must outlive the incomplete segment.
    builder: Box<dyn SegmentBuilder>,
    mark: Option<Mark>,
}

impl Filling {
    /// Creates a segment that only its creator can attach, with a mark unless this user has no
    /// state directory ([`reason_without_mark`]).
    pub fn begin(actor: &Actor<'_>, new: &NewSysv, origin: &Origin) -> Result<Self, BeginError> {
        let (machine, what) = (actor.machine, (new.key, new.size));
        let mut mark = match actor.state.map(|state| (state, Mark::begin(state, machine, what, origin))) {
            None => None,
            Some((_, Ok(mark))) => Some(mark),
            Some((state, Err(error))) if is_homeless(state, &error) => None,
            Some((_, Err(error))) => return Err(BeginError::NoMark(error)),
        };
        let builder = machine.build_sysv(new).map_err(BeginError::Refused)?;
        if let Some((mark, id)) = mark.as_mut().zip(builder.id()) {
            mark.record_shmid(machine, &id);
        }
        Ok(Self { builder, mark })
    }

    pub fn builder(&mut self) -> &mut dyn SegmentBuilder {
        self.builder.as_mut()
    }

    pub fn mark_filled(&mut self) {
        if let Some(mark) = &mut self.mark {
            mark.record_filled();
        }
    }
}

#[derive(Debug)]
pub(in crate::act) enum BeginError {
    /// The mark cannot be written. Without it, a kill would leave an incomplete segment that
    /// nothing finds.
    NoMark(StateError),
    Refused(io::Error),
}

/// The mark of a segment that is being filled. Dropping the mark removes its file.
pub struct Mark {
    pub(super) path: PathBuf,
    file: File,
    pub(super) line: Line,
    _lock: Flock<File>,
}

impl Mark {
    /// Writes the mark of a segment that is about to be created.
    pub fn begin(
        state: &StateDirectory,
        machine: &dyn Machine,
        (key, size): (Key, Bytes),
        origin: &Origin,
    ) -> Result<Self, StateError> {
        let directory = state.subdirectory(DIRECTORY)?;
        let now = machine.now();
        let path = directory.join(format!("{:020}-{}{SUFFIX}", now.seconds, process::id()));
        let line = Line {
            scope: machine.id_scope(),
            file: origin.file.clone(),
            command: origin.command,
            shmid: None,
            key: key.0,
            size: size.0,
            mode: origin.mode.bits() & 0o777,
            creator_pid: process::id(),
            creator_uid: machine.effective_uid(),
            change: now.seconds,
            whole: false,
        };
        let publish = || -> io::Result<Self> {
            let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            let mut unnamed = UnnamedFile::create(&directory, Path::new(name), 0o600)?;
            let file = unnamed.file.try_clone()?;
            let lock = Flock::lock(unnamed.file.try_clone()?, FlockArg::LockExclusiveNonblock);
            let lock = lock.map_err(|(_, error)| io::Error::from(error))?;
            let mut mark = Self { path: path.clone(), file, line, _lock: lock };
            mark.write()?;
            // Lock the mark before other processes can see it.
            unnamed.publish()?;
            Ok(mark)
        };
        publish().map_err(|source| StateError::Unusable { path: path.clone(), source })
    }

    /// Adds the shmid of the new segment. A write error is not fatal: the other attributes still
    /// identify the segment, though less reliably.
    pub fn record_shmid(&mut self, machine: &dyn Machine, id: &SegmentId) {
        let SegmentId::Sysv(shmid) = id else { return };
        self.line.shmid = Some(shmid.0);
        if let Some(change) = machine.sysv_stat(*shmid).ok().and_then(|stat| stat.change) {
            self.line.change = change.seconds;
        }
        let _ = self.write();
    }

    pub fn record_filled(&mut self) {
        self.line.whole = true;
        let _ = self.write();
    }

    fn write(&mut self) -> io::Result<()> {
        let mut line = serde_json::to_vec(&self.line)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // An outdated mark would describe the segment incorrectly.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns the last line of a mark whose process has exited.
pub fn read_abandoned(path: &Path) -> Option<Line> {
    let file = open_regular(path, File::options().read(true), Links::Refuse).ok()?;
    let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).ok()?;
    let text = read_at_most(&lock, MAX_SIZE).ok()??;
    text.split(|&byte| byte == b'\n').rev().find_map(|line| serde_json::from_slice(line).ok())
}

/// Returns the boot id, the first word of a scope.
pub fn boot(scope: &str) -> Option<&str> {
    scope.split(' ').next()
}

impl Line {
    /// Returns the command and its file, as in `restore of a.saved`.
    pub fn origin(&self) -> String {
        match self.command {
            Command::Restore => format!("restore of {}", self.file),
            Command::Create => format!("create --from {}", self.file),
        }
    }

    /// Returns true if the line describes this segment and the segment is unfinished.
    pub fn describes(&self, segment: &Segment) -> bool {
        let (SegmentId::Sysv(ShmId(shmid)), Facts::Sysv(facts)) = (&segment.id, &segment.facts) else {
            return false;
        };
        let created = Timestamp::from_seconds(self.change);
        let changed_in_time = segment.times.change.is_some_and(|change| match self.shmid {
            Some(own) => own == *shmid && change == created,
            // Killed before it recorded the shmid.
            None => (0.0..=MAX_DELAY_SECONDS).contains(&change.seconds_since(created)),
        });
        // The contents are complete and the mode is final: only the owner may be missing.
        let done = self.whole && self.mode == UNFINISHED_MODE.bits();
        changed_in_time
            && !done
            && !facts.marked
            && segment.mode == UNFINISHED_MODE
            && (facts.key, segment.size) == (Key(self.key), Bytes(self.size))
            && (facts.creator_pid, facts.creator.uid) == (self.creator_pid, self.creator_uid)
    }
}

//! Copies of removed segments in the state directory. The newest are kept up to a total size, and
//! the last one can be restored.

use super::Actor;
use super::archive::MAGIC;
use super::copy_forecast::{Batch, CopyForecast, DiskSpace, needs};
use super::destination::Destination;
use super::save::{SaveError, SaveResult, printable};
use super::state::{StateDirectory, StateError};
use crate::memory::OpenError;
use crate::segment::{Bytes, Segment, plain_error};
use crate::sys::regular::{Links, open_regular};
use crate::sys::unfinished::{UnfinishedFiles, count_unfinished, remove_abandoned};
use nix::unistd::geteuid;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

const DIRECTORY: &str = "copies";
/// The suffix of a copy's file name, after the time in nanoseconds and the pid.
const SUFFIX: &str = ".shmlens";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    state: StateDirectory,
    limit: Bytes,
    /// The other removals of the batch, which need disk space too.
    batch: Batch,
    /// The plan's forecast. Only the copies that it lists may be deleted, for disk space or for the
    /// limit.
    forecast: CopyForecast,
}

/// An existing copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldCopy {
    pub path: PathBuf,
    /// The length in bytes, which counts toward the limit.
    pub length: u64,
    /// The disk space that deleting the copy would free.
    pub frees: u64,
}

/// The reason why no copy was saved. No partial copy is left behind.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The segment has more data than the limit for all copies.
    #[error("too large to copy: {held} of data exceeds the copy limit of {limit}{}", in_progress(*.unfinished))]
    TooLarge {
        /// The amount of data in the segment, or a lower bound.
        held: Bytes,
        /// The limit for all copies.
        limit: Bytes,
        unfinished: Bytes,
    },
    #[error("no copy saved: {0}")]
    Unreadable(OpenError),
    #[error(
        "not enough disk space for a copy: {held} of data, but {} has only {free_space} free{}",
        printable(.directory), even_without(*.old)
    )]
    NoSpace {
        held: Bytes,
        directory: PathBuf,
        free_space: Bytes,
        /// The space that deleting older copies would free.
        old: Bytes,
    },
    #[error("no copy saved: {0}")]
    Save(SaveError),
    #[error(transparent)]
    State(#[from] StateError),
}

fn in_progress(bytes: Bytes) -> String {
    if bytes.0 == 0 { String::new() } else { format!(", {bytes} of it used by unfinished copies") }
}

fn even_without(old: Bytes) -> String {
    if old.0 == 0 { String::new() } else { format!("; deleting older copies would free {old}") }
}

impl Copies {
    /// Opens the copies in a state directory. `limit` is their maximum total size.
    #[must_use]
    pub fn new(state: StateDirectory, limit: Bytes) -> Self {
        Self { state, limit, batch: Batch::default(), forecast: CopyForecast::default() }
    }

    #[must_use]
    pub const fn limit(&self) -> Bytes {
        self.limit
    }

    /// Predicts the cost of a copy of this segment, or the error of [`Copies::keep`], without
    /// reading the segment. Segments planned with clones of these copies form one batch.
    pub fn predict(&self, segment: &Segment) -> Result<CopyForecast, KeepError> {
        let directory = self.state.existing_subdirectory(DIRECTORY)?;
        let unfinished = directory.as_deref().map(count_unfinished).unwrap_or_default();
        let space = DiskSpace {
            limit: self.limit,
            // Removing the segment deletes abandoned copies first.
            free_space: self
                .free_space()
                .map(|free_space| Bytes(free_space.0.saturating_add(unfinished.abandoned.bytes))),
            directory: directory.clone().unwrap_or_else(|| self.state.path().join(DIRECTORY)),
            in_progress: Bytes(unfinished.in_progress.bytes),
            old: directory.map_or_else(Vec::new, |directory| old_copies(&directory)),
        };
        self.batch.predict(segment, space)
    }

    /// Returns the free disk space. The directory may not exist yet, and a prediction must not
    /// create it, so look at its nearest existing ancestor.
    fn free_space(&self) -> Option<Bytes> {
        let directory = self.state.path().join(DIRECTORY);
        directory.ancestors().find(|path| path.exists()).and_then(free_space)
    }

    /// Allows deleting the copies that the plan listed if disk space is short. The rest of the
    /// batch treats them as deleted from now on.
    pub(super) fn with_plan(&self, segment: &Segment, forecast: &CopyForecast) -> Self {
        self.batch.plan(segment, forecast);
        Self { forecast: forecast.clone(), ..self.clone() }
    }

    #[must_use]
    pub const fn forecast(&self) -> &CopyForecast {
        &self.forecast
    }

    /// Tells the batch that the copy of this segment is on disk.
    pub(super) fn record_kept(&self, segment: &Segment, copy: &Path) {
        self.batch.record_saved(segment, copy);
    }

    /// Tells the batch that this segment has no copy.
    pub(super) fn forget(&self, segment: &Segment) {
        self.batch.forget(segment);
    }

    /// Returns the copies to delete to make room for a copy of this segment, all of which the plan
    /// listed. Fails if deleting them would not free enough space.
    pub(super) fn to_delete(&self, segment: &Segment) -> Result<Vec<PathBuf>, KeepError> {
        self.batch.begin(segment);
        if let Some(directory) = self.state.existing_subdirectory(DIRECTORY)? {
            let _ = remove_abandoned(&directory);
        }
        // Usually there is enough space: do not list the old copies.
        if self.free_space().is_some_and(|free_space| free_space.0 >= needs(held(segment))) {
            return Ok(vec![]);
        }
        // Look at the current disk usage only, without the rest of the batch.
        let without_batch = Self { batch: Batch::default(), ..self.clone() };
        let needed = without_batch.predict(segment)?.for_space;
        match needed.iter().find(|old| self.forecast.for_space.iter().all(|named| named.path != old.path)) {
            None => Ok(needed.into_iter().map(|old| old.path).collect()),
            Some(_) => Err(KeepError::NoSpace {
                held: held(segment),
                directory: self.state.path().join(DIRECTORY),
                free_space: self.free_space().unwrap_or_default(),
                old: Bytes(0),
            }),
        }
    }

    /// Saves and syncs a copy of a segment. Deletes no older copy: [`Copies::enforce_limit`] does,
    /// once the segment is removed.
    pub fn keep(&self, actor: &Actor<'_>, segment: &Segment) -> Result<SaveResult, KeepError> {
        let directory = self.state.subdirectory(DIRECTORY)?;
        let UnfinishedFiles { abandoned, in_progress } = count_unfinished(&directory);
        let unfinished = Bytes(abandoned.bytes.saturating_add(in_progress.bytes));
        let limit = Bytes(self.limit.0.saturating_sub(unfinished.0));
        let held = held(segment);
        if held > limit {
            return Err(KeepError::TooLarge { held, limit: self.limit, unfinished });
        }
        if let Some(free_space) = free_space(&directory).filter(|free_space| free_space.0 < needs(held)) {
            return Err(KeepError::NoSpace { held, directory, free_space, old: Bytes(0) });
        }
        loop {
            let path = directory.join(self.next_name());
            match actor.save_as(segment, Destination { path: &path, replace: false }, Some(limit)) {
                // Another process took the name: retry with a new one.
                Err(SaveError::Exists { .. }) => {}
                outcome => return outcome.map_err(|error| self.explain_error(error, &directory, unfinished)),
            }
        }
    }

    fn explain_error(&self, error: SaveError, directory: &Path, unfinished: Bytes) -> KeepError {
        match error {
            SaveError::Open(error) => KeepError::Unreadable(error),
            SaveError::TooLarge { held, .. } => KeepError::TooLarge { held, limit: self.limit, unfinished },
            SaveError::Write { source, path } if source.kind() == io::ErrorKind::StorageFull => {
                let free_space = free_space(directory)
                    .map_or_else(|| "nothing".to_owned(), |free_space| free_space.to_string());
                let source =
                    io::Error::new(source.kind(), format!("{} ({free_space} free)", plain_error(&source)));
                KeepError::Save(SaveError::Write { path, source })
            }
            error => KeepError::Save(error),
        }
    }

    /// Deletes the oldest copies beyond the limit, after the segment of `newest` was removed. Keeps
    /// `newest`, files that shmlens did not write, and copies of the same batch that the plan did
    /// not list. Returns the deleted copies.
    pub(super) fn enforce_limit(&self, newest: &Path) -> Vec<PathBuf> {
        let Ok(Some(directory)) = self.state.existing_subdirectory(DIRECTORY) else { return vec![] };
        let UnfinishedFiles { abandoned, in_progress } = count_unfinished(&directory);
        let mut total = abandoned.bytes.saturating_add(in_progress.bytes);
        let mut deleted = vec![];
        let mut kept: Vec<PathBuf> = vec![newest.to_owned()];
        let from_batch = self.batch.copies().into_iter();
        kept.extend(
            from_batch.filter(|(id, _)| !self.forecast.from_batch.contains(id)).map(|(_, copy)| copy),
        );
        for old in old_copies(&directory) {
            total = total.saturating_add(old.length);
            if total > self.limit.0 && !kept.contains(&old.path) && fs::remove_file(&old.path).is_ok() {
                deleted.push(old.path);
            }
        }
        deleted
    }

    /// Returns the existing copies, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<PathBuf> {
        let Ok(Some(directory)) = self.state.existing_subdirectory(DIRECTORY) else { return vec![] };
        old_copies(&directory).into_iter().map(|old| old.path).collect()
    }

    /// Returns the newest copy.
    #[must_use]
    pub fn last(&self) -> Option<PathBuf> {
        self.list().into_iter().next()
    }

    /// Returns a file name that sorts after all existing copies, even if the clock was set back.
    fn next_name(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let newest = self.last().and_then(|path| stamp(path.file_name()?.to_str()?));
        let time = newest.map_or(now, |(newest, _)| now.max(newest + 1));
        format!("{time:020}-{}{SUFFIX}", process::id())
    }
}

/// Returns the amount of data that a copy would contain, according to the survey.
pub(super) fn held(segment: &Segment) -> Bytes {
    let swapped = segment.sysv().and(segment.swapped).unwrap_or_default();
    Bytes(segment.resident.unwrap_or_default().0.saturating_add(swapped.0))
}

fn old_copies(directory: &Path) -> Vec<OldCopy> {
    let Ok(entries) = fs::read_dir(directory) else { return vec![] };
    let mut found: Vec<(Stamp, OldCopy)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((stamp(entry.file_name().to_str()?)?, OldCopy::find(entry.path())?)))
        .collect();
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    found.into_iter().map(|(_, copy)| copy).collect()
}

impl OldCopy {
    /// Returns the copy at this path, if shmlens wrote it for this user.
    fn find(path: PathBuf) -> Option<Self> {
        let mut file = open_regular(&path, File::options().read(true), Links::Refuse).ok()?;
        let stat = file.metadata().ok()?;
        let mut beginning = [0; MAGIC.len()];
        let is_ours =
            stat.uid() == geteuid().as_raw() && file.read_exact(&mut beginning).is_ok() && beginning == MAGIC;
        // The data remains if there is another hard link.
        let frees = if stat.nlink() > 1 { 0 } else { stat.blocks().saturating_mul(512) };
        is_ours.then_some(Self { path, length: stat.len(), frees })
    }
}

/// The time of a copy, in nanoseconds since 1970, and the pid of the process that wrote it.
type Stamp = (u128, u32);

/// Parses the file name of a copy.
fn stamp(name: &str) -> Option<Stamp> {
    let (time, pid) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if time.len() != 20 || !digits(time) || !digits(pid) {
        return None;
    }
    Some((time.parse().ok()?, pid.parse().ok()?))
}

fn free_space(directory: &Path) -> Option<Bytes> {
    let stat = nix::sys::statvfs::statvfs(directory).ok()?;
    // Some file systems do not report their size.
    if stat.blocks() == 0 {
        return None;
    }
    Some(Bytes(stat.blocks_available().saturating_mul(stat.fragment_size())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::RestoreError;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::memory::Progress;
    use crate::survey::{Names, Survey};
    use std::os::unix::fs::PermissionsExt as _;

    fn segment(machine: &FakeMachine, name: &str) -> Segment {
        let segments = Survey::take(machine, &mut Names::default()).segments;
        segments.into_iter().find(|segment| segment.id.to_string() == format!("posix:/{name}")).unwrap()
    }

    fn keep(copies: &Copies, machine: &FakeMachine, segment: &Segment) -> Result<SaveResult, KeepError> {
        copies.keep(&Actor::new(machine, &Progress::new()), segment)
    }

    fn copies(limit: u64) -> (tempfile::TempDir, Copies) {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path().join("shmlens"));
        (directory, Copies::new(state, Bytes(limit)))
    }

    #[test]
    fn undo_restores_the_selected_copy() {
        let (_directory, copies) = copies(1 << 20);
        let machine = FakeMachine::new();
        let progress = Progress::new();
        let actor = Actor::new(&machine, &progress);
        let paths = ["a", "b"].map(|name| {
            machine.add_object(name, FakeBytes::full(name.as_bytes()));
            let kept = copies.keep(&actor, &segment(&machine, name)).unwrap();
            assert_eq!(copies.last().unwrap(), kept.path);
            assert_eq!(fs::metadata(&kept.path).unwrap().permissions().mode() & 0o777, 0o600);
            kept.path
        });
        let undo = |path: &Path| actor.restore_copy(path);
        assert!(matches!(undo(&paths[0]), Err(RestoreError::Taken { .. })));
        machine.remove_object("a");
        machine.remove_object("b");
        assert_eq!(undo(&paths[0]).unwrap().id.to_string(), "posix:/a");
        assert_eq!(undo(&paths[1]).unwrap().id.to_string(), "posix:/b");
        assert!(matches!(undo(&paths[0]), Err(RestoreError::Open { .. })));
    }

    #[test]
    fn limit_deletes_only_old_copies() {
        let (_directory, copies) = copies(25_000);
        let machine = FakeMachine::new();
        let keep = |name: &str| {
            machine.add_object(name, FakeBytes::full(&[7; 10_000]));
            keep(&copies, &machine, &segment(&machine, name)).unwrap().path
        };
        let first = keep("a");
        let directory = first.parent().unwrap().to_owned();
        // These names look like old copies, but shmlens did not write the files.
        let others = ["00000000000000000001-1.shmlens", "notes.txt", "00000000000000000002-1"];
        for name in others {
            fs::write(directory.join(name), vec![0; 50_000]).unwrap();
        }
        std::os::unix::fs::symlink(&first, directory.join("00000000000000000003-1.shmlens")).unwrap();
        assert!(copies.enforce_limit(&keep("b")).is_empty());
        let newest = keep("c");
        // No copy is deleted before the segment is removed.
        assert_eq!(copies.list().len(), 3);
        assert_eq!(copies.enforce_limit(&newest), std::slice::from_ref(&first));
        // A total of exactly the limit is allowed.
        let within = Copies {
            limit: Bytes(old_copies(&directory).iter().map(|old| old.length).sum()),
            ..copies.clone()
        };
        assert!(within.enforce_limit(&newest).is_empty());
        assert!(!first.exists() && others.iter().all(|name| directory.join(name).exists()));
        assert_eq!(copies.list().len(), 2);
    }

    #[test]
    fn copies_of_another_user_are_ignored() {
        if !crate::sys::skip::is_root_or_skip() {
            return;
        }
        let (_directory, copies) = copies(1 << 20);
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        let kept = keep(&copies, &machine, &segment(&machine, "a")).unwrap();
        assert_eq!(copies.last().as_ref(), Some(&kept.path));
        std::os::unix::fs::chown(&kept.path, Some(1000), None).unwrap();
        assert_eq!(copies.last(), None);
    }

    #[test]
    fn refusals_are_explained_and_delete_nothing() {
        let (_directory, copies) = copies(25_000);
        let machine = FakeMachine::new();
        machine.add_object("small", FakeBytes::full(&[7; 10_000]));
        keep(&copies, &machine, &segment(&machine, "small")).unwrap();
        machine.add_object("large", FakeBytes::full(&vec![7; 30_000]));
        let large = segment(&machine, "large");
        let error = keep(&copies, &machine, &large).unwrap_err();
        assert!(matches!(error, KeepError::TooLarge { .. }), "{error}");
        assert!(error.to_string().contains("copy limit of"), "{error}");
        // The segment has grown since the survey.
        machine.add_object("grown", FakeBytes::hole(30_000));
        let grown = segment(&machine, "grown");
        machine.edit_object("grown", |bytes| bytes.write(0, &vec![7; 30_000]));
        let error = keep(&copies, &machine, &grown).unwrap_err();
        assert!(matches!(error, KeepError::TooLarge { .. }), "{error}");
        machine.edit(|facts| facts.effective_uid = 1001);
        let error = keep(&copies, &machine, &segment(&machine, "small")).unwrap_err();
        assert!(matches!(error, KeepError::Unreadable(_)), "{error}");
        assert_eq!(copies.list().len(), 1);
        assert_eq!(fs::read_dir(copies.state.path().join(DIRECTORY)).unwrap().count(), 1);
    }

    #[test]
    fn copies_stay_in_order_when_the_clock_goes_back() {
        let (_directory, copies) = copies(1 << 20);
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"x"));
        let keep = || keep(&copies, &machine, &segment(&machine, "a")).unwrap().path;
        let early = keep();
        let late = early.with_file_name("09999999999999999999-1.shmlens");
        fs::rename(&early, &late).unwrap();
        let newest = keep();
        assert_eq!(copies.list(), [newest, late]);
    }
}

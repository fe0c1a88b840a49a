//! Predicts the cost of copies of removed segments: the older copies that must be deleted, or not
//! enough disk space. The removals of a batch are predicted in order, each after the costs of the
//! previous ones.

use super::archive::Name;
use super::copies::{KeepError, OldCopy, held};
use super::restore::read_metadata;
use crate::segment::{Bytes, Segment, SegmentId, Timestamp, age_text};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Older copies listed by name in a plan.
const MAX_NAMED: usize = 3;
/// Overhead of run headers: at most 16 bytes per page.
const HEADER_SHARE: u64 = 4096 / 16;
/// Upper bound on the overhead of the metadata and the file system.
const MAX_METADATA: u64 = 16 << 10;

/// The predicted cost of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopyForecast {
    /// Older copies to delete first, for disk space.
    pub for_space: Vec<OldCopy>,
    /// Older copies to delete once the segment is removed, for the limit.
    pub for_limit: Vec<OldCopy>,
    /// Segments of the same batch whose copies are deleted again, for the limit.
    pub from_batch: Vec<SegmentId>,
    pub limit: Bytes,
    held: Bytes,
}

impl CopyForecast {
    /// Describes the older copies to delete, for a plan.
    #[must_use]
    pub fn sentences(&self, now: Timestamp) -> Vec<String> {
        let mut sentences = vec![];
        if !self.for_space.is_empty() {
            let copies = copy_names(&self.for_space, now);
            sentences.push(format!("{copies} deleted first, to free disk space"));
        }
        if !self.for_limit.is_empty() {
            let copies = copy_names(&self.for_limit, now);
            sentences.push(format!("{copies} deleted afterward (limit for copies: {})", self.limit));
        }
        let from_batch = self.from_batch.len();
        if from_batch > 0 {
            let copies = if from_batch == 1 {
                "the copy of the first segment is".to_owned()
            } else {
                format!("the copies of the first {from_batch} segments are")
            };
            sentences.push(format!("{copies} deleted afterward (limit for copies: {})", self.limit));
        }
        sentences
    }
}

/// Names the copies, as in `the oldest copy (/a 4.0 KiB, saved 3d ago) is`.
fn copy_names(copies: &[OldCopy], now: Timestamp) -> String {
    let one = |copy: &OldCopy| {
        let Ok(saved) = read_metadata(&copy.path) else {
            return copy.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        };
        let age = age_text(now.seconds_since(saved.saved));
        let name = match &saved.name {
            Name::Posix(name) => name.to_string(),
            Name::Sysv { shmid, .. } => format!("sysv:{shmid}"),
        };
        format!("{name} {}, saved {age} ago", saved.size)
    };
    let mut names: Vec<String> = copies.iter().take(MAX_NAMED).map(one).collect();
    if copies.len() > MAX_NAMED {
        names.push(format!("{} more", copies.len() - MAX_NAMED));
    }
    let names = names.join("; ");
    match copies.len() {
        1 => format!("the oldest copy ({names}) is"),
        many => format!("the {many} oldest copies ({names}) are"),
    }
}

/// Returns the maximum disk space for a copy of this much data.
pub(super) const fn needs(held: Bytes) -> u64 {
    held.0.saturating_add(held.0 / HEADER_SHARE).saturating_add(MAX_METADATA)
}

/// The disk space available for a copy.
pub(super) struct DiskSpace {
    pub limit: Bytes,
    /// The free disk space; `None` if unknown.
    pub free_space: Option<Bytes>,
    pub directory: PathBuf,
    pub in_progress: Bytes,
    /// The existing copies, newest first.
    pub old: Vec<OldCopy>,
}

/// The removals of a batch with the cost of their copies. Clones share one list; comparisons ignore
/// it.
#[derive(Debug, Clone, Default)]
pub struct Batch(Arc<Mutex<Vec<BatchEntry>>>);

#[derive(Debug)]
struct BatchEntry {
    id: SegmentId,
    forecast: CopyForecast,
    stage: Stage,
}

/// The stage of a removal in a batch.
#[derive(Debug)]
enum Stage {
    Planned,
    Writing,
    Saved(PathBuf),
}

impl PartialEq for Batch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Batch {}

impl Batch {
    /// Predicts the cost of a copy after those that were planned before.
    pub(super) fn predict(&self, segment: &Segment, space: DiskSpace) -> Result<CopyForecast, KeepError> {
        let held = held(segment);
        let DiskSpace { limit, free_space, directory, in_progress: unfinished, mut old } = space;
        if held > Bytes(limit.0.saturating_sub(unfinished.0)) {
            return Err(KeepError::TooLarge { held, limit, unfinished });
        }
        let needs = needs(held);
        let mut free_space = free_space.map(|free_space| free_space.0);
        // Copies of this batch are newer than all others, so they are deleted last.
        let mut batch = vec![];
        let before = self.all();
        for BatchEntry { id, forecast: planned, stage } in before.iter().filter(|one| one.id != segment.id) {
            match stage {
                Stage::Writing => continue,
                // The only copy of a segment that this batch removed: never deleted for disk space.
                Stage::Saved(copy) => old.retain(|old| old.path != *copy),
                Stage::Planned => {
                    let deleted = planned.for_space.iter().chain(&planned.for_limit);
                    let frees: u64 = deleted.map(|old| old.frees).sum();
                    free_space = free_space.map(|free_space| {
                        free_space.saturating_add(frees).saturating_sub(self::needs(planned.held))
                    });
                    old.retain(|old| !planned.for_space.contains(old) && !planned.for_limit.contains(old));
                }
            }
            batch.push((id.clone(), planned.held.0));
        }
        drop(before);
        let mut forecast = CopyForecast { limit, held, ..CopyForecast::default() };
        if let Some(free_space) = free_space {
            let all: u64 = old.iter().map(|old| old.frees).sum();
            if free_space.saturating_add(all) < needs {
                return Err(KeepError::NoSpace {
                    held,
                    directory,
                    free_space: Bytes(free_space),
                    old: Bytes(all),
                });
            }
            let mut free = free_space;
            while free < needs {
                let Some(oldest) = old.pop() else { break };
                free = free.saturating_add(oldest.frees);
                forecast.for_space.push(oldest);
            }
        }
        let mut total: u64 = unfinished.0.saturating_add(held.0);
        for (id, copy) in batch.into_iter().rev() {
            total = total.saturating_add(copy);
            if total > limit.0 {
                forecast.from_batch.push(id);
            }
        }
        let mut from_batch = vec![];
        for copy in old {
            total = total.saturating_add(copy.length);
            if total > limit.0 {
                from_batch.push(copy);
            }
        }
        from_batch.reverse();
        forecast.for_limit = from_batch;
        Ok(forecast)
    }

    /// Adds a planned removal to the batch.
    pub(super) fn plan(&self, segment: &Segment, forecast: &CopyForecast) {
        self.forget(segment);
        let planned =
            BatchEntry { id: segment.id.clone(), forecast: forecast.clone(), stage: Stage::Planned };
        self.all().push(planned);
    }

    pub(super) fn begin(&self, segment: &Segment) {
        self.set(segment, Stage::Writing);
    }

    pub(super) fn record_saved(&self, segment: &Segment, copy: &Path) {
        self.set(segment, Stage::Saved(copy.to_owned()));
    }

    /// Records that the segment was not removed and has no copy.
    pub(super) fn forget(&self, segment: &Segment) {
        self.all().retain(|one| one.id != segment.id);
    }

    pub(super) fn copies(&self) -> Vec<(SegmentId, PathBuf)> {
        let saved = |one: &BatchEntry| match &one.stage {
            Stage::Saved(copy) => Some((one.id.clone(), copy.clone())),
            Stage::Planned | Stage::Writing => None,
        };
        self.all().iter().filter_map(saved).collect()
    }

    fn set(&self, segment: &Segment, stage: Stage) {
        if let Some(one) = self.all().iter_mut().find(|one| one.id == segment.id) {
            one.stage = stage;
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<BatchEntry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

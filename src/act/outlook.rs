//! Predicts the cost of copies of removed segments: the older copies that must be deleted, or not
//! enough disk space. The removals of a batch are predicted in order, each after the costs of the
//! previous ones.

use super::archive::Name;
use super::copies::{KeepError, OldCopy, held};
use super::restore::look_into;
use crate::segment::{Bytes, Segment, SegmentId, Timestamp, age_text};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Older copies listed by name in a plan.
const NAMED: usize = 3;
/// Overhead of run headers: at most 16 bytes per page.
const HEADERS: u64 = 4096 / 16;
/// Upper bound on the overhead of the metadata and the file system.
const METADATA: u64 = 16 << 10;

/// The predicted cost of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outlook {
    /// Older copies to delete first, for disk space.
    pub for_room: Vec<OldCopy>,
    /// Older copies to delete once the segment is removed, for the limit.
    pub for_limit: Vec<OldCopy>,
    /// Segments of the same batch whose copies are deleted again, for the limit.
    pub of_batch: Vec<SegmentId>,
    pub limit: Bytes,
    held: Bytes,
}

impl Outlook {
    /// Describes the older copies to delete, for a plan.
    #[must_use]
    pub fn sentences(&self, now: Timestamp) -> Vec<String> {
        let mut sentences = vec![];
        if !self.for_room.is_empty() {
            let copies = named(&self.for_room, now);
            sentences.push(format!("{copies} deleted first, to free disk space"));
        }
        if !self.for_limit.is_empty() {
            let copies = named(&self.for_limit, now);
            sentences.push(format!("{copies} deleted afterwards (limit for copies: {})", self.limit));
        }
        let of_batch = self.of_batch.len();
        if of_batch > 0 {
            let copies = if of_batch == 1 {
                "the copy of the first segment is".to_owned()
            } else {
                format!("the copies of the first {of_batch} segments are")
            };
            sentences.push(format!("{copies} deleted afterwards (limit for copies: {})", self.limit));
        }
        sentences
    }
}

/// Names the copies, as in `the oldest copy (/a 4.0 KiB, saved 3d ago) is`.
fn named(copies: &[OldCopy], now: Timestamp) -> String {
    let one = |copy: &OldCopy| {
        let Ok(saved) = look_into(&copy.path) else {
            return copy.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        };
        let age = age_text(now.seconds_since(saved.saved));
        let name = match &saved.name {
            Name::Posix(name) => name.to_string(),
            Name::Sysv { shmid, .. } => format!("sysv:{shmid}"),
        };
        format!("{name} {}, saved {age} ago", saved.size)
    };
    let mut names: Vec<String> = copies.iter().take(NAMED).map(one).collect();
    if copies.len() > NAMED {
        names.push(format!("{} more", copies.len() - NAMED));
    }
    let names = names.join("; ");
    match copies.len() {
        1 => format!("the oldest copy ({names}) is"),
        many => format!("the {many} oldest copies ({names}) are"),
    }
}

/// Returns the maximum disk space for a copy of this much data.
pub(super) const fn needs(held: Bytes) -> u64 {
    held.0.saturating_add(held.0 / HEADERS).saturating_add(METADATA)
}

/// The destination of a copy.
pub(super) struct Place {
    pub limit: Bytes,
    /// The free disk space; `None` if unknown.
    pub room: Option<Bytes>,
    pub folder: PathBuf,
    pub in_progress: Bytes,
    /// The existing copies, newest first.
    pub old: Vec<OldCopy>,
}

/// The removals of a batch with the cost of their copies. Clones share one list; comparisons ignore
/// it.
#[derive(Debug, Clone, Default)]
pub struct Batch(Arc<Mutex<Vec<Planned>>>);

#[derive(Debug)]
struct Planned {
    id: SegmentId,
    outlook: Outlook,
    stage: Stage,
}

/// The stage of a removal in a batch.
#[derive(Debug)]
enum Stage {
    Waiting,
    Begun,
    Kept(PathBuf),
}

impl PartialEq for Batch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Batch {}

impl Batch {
    /// Predicts the cost of a copy after those that were planned before.
    pub(super) fn foresee(&self, segment: &Segment, place: Place) -> Result<Outlook, KeepError> {
        let held = held(segment);
        let Place { limit, room, folder, in_progress: unfinished, mut old } = place;
        if held > Bytes(limit.0.saturating_sub(unfinished.0)) {
            return Err(KeepError::TooLarge { held, limit, unfinished });
        }
        let needs = needs(held);
        let mut room = room.map(|room| room.0);
        // Copies of this batch are newer than all others, so they are deleted last.
        let mut batch = vec![];
        let before = self.all();
        for Planned { id, outlook: planned, stage } in before.iter().filter(|one| one.id != segment.id) {
            match stage {
                Stage::Begun => continue,
                // The only copy of a segment that this batch removed: never deleted for disk space.
                Stage::Kept(copy) => old.retain(|old| old.path != *copy),
                Stage::Waiting => {
                    let deleted = planned.for_room.iter().chain(&planned.for_limit);
                    let frees: u64 = deleted.map(|old| old.frees).sum();
                    room =
                        room.map(|room| room.saturating_add(frees).saturating_sub(self::needs(planned.held)));
                    old.retain(|old| !planned.for_room.contains(old) && !planned.for_limit.contains(old));
                }
            }
            batch.push((id.clone(), planned.held.0));
        }
        drop(before);
        let mut outlook = Outlook { limit, held, ..Outlook::default() };
        if let Some(room) = room {
            let all: u64 = old.iter().map(|old| old.frees).sum();
            if room.saturating_add(all) < needs {
                return Err(KeepError::NoRoom { held, folder, room: Bytes(room), old: Bytes(all) });
            }
            let mut free = room;
            while free < needs {
                let Some(oldest) = old.pop() else { break };
                free = free.saturating_add(oldest.frees);
                outlook.for_room.push(oldest);
            }
        }
        let mut total: u64 = unfinished.0.saturating_add(held.0);
        for (id, copy) in batch.into_iter().rev() {
            total = total.saturating_add(copy);
            if total > limit.0 {
                outlook.of_batch.push(id);
            }
        }
        let mut over = vec![];
        for copy in old {
            total = total.saturating_add(copy.length);
            if total > limit.0 {
                over.push(copy);
            }
        }
        over.reverse();
        outlook.for_limit = over;
        Ok(outlook)
    }

    /// Adds a planned removal to the batch.
    pub(super) fn plan(&self, segment: &Segment, outlook: &Outlook) {
        self.forget(segment);
        let planned = Planned { id: segment.id.clone(), outlook: outlook.clone(), stage: Stage::Waiting };
        self.all().push(planned);
    }

    pub(super) fn begin(&self, segment: &Segment) {
        self.set(segment, Stage::Begun);
    }

    pub(super) fn kept(&self, segment: &Segment, copy: &Path) {
        self.set(segment, Stage::Kept(copy.to_owned()));
    }

    /// Records that the segment was not removed and has no copy.
    pub(super) fn forget(&self, segment: &Segment) {
        self.all().retain(|one| one.id != segment.id);
    }

    pub(super) fn copies(&self) -> Vec<(SegmentId, PathBuf)> {
        let kept = |one: &Planned| match &one.stage {
            Stage::Kept(copy) => Some((one.id.clone(), copy.clone())),
            Stage::Waiting | Stage::Begun => None,
        };
        self.all().iter().filter_map(kept).collect()
    }

    fn set(&self, segment: &Segment, stage: Stage) {
        if let Some(one) = self.all().iter_mut().find(|one| one.id == segment.id) {
            one.stage = stage;
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Planned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

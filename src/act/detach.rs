//! Detaches a segment that shmlens keeps open, and describes the effects: closing the last handle
//! of a segment that is marked for removal frees its memory.

use super::ActError;
use crate::machine::{Machine, Method};
use crate::memory::{Presence, Reader};
use crate::segment::{Bytes, SegmentId, ShmId};
use std::thread;
use std::time::{Duration, Instant};

/// The time a canceled search has to release the segment.
const TIMEOUT: Duration = Duration::from_millis(200);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A segment that shmlens keeps attached or open, as the kernel reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAttachment {
    pub id: SegmentId,
    pub size: Bytes,
    /// The number of attachments, including ours; `None` for an open file, which is not attached.
    pub nattch: Option<u64>,
    /// Set if the segment is marked for removal or unlinked, so that it exists only as long as it
    /// is held.
    pub removed: bool,
}

/// A segment that shmlens has released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The state right before the release.
    pub before: OwnAttachment,
    /// The number of attachments now; `None` for an open file, and for a System V segment that is
    /// gone.
    pub nattch: Option<u64>,
}

impl OwnAttachment {
    #[must_use]
    pub fn of(machine: &dyn Machine, reader: &Reader) -> Self {
        let id = reader.id().clone();
        if let SegmentId::Sysv(shmid) = id
            && reader.method() == Method::Attach
            && let Ok(stat) = machine.sysv_stat(shmid)
        {
            return Self { id, size: stat.size, nattch: Some(stat.nattch), removed: stat.marked };
        }
        let presence = reader.presence(machine).unwrap_or(Presence::Present { size: 0 });
        let removed = !matches!(presence, Presence::Present { .. });
        Self { id, size: Bytes(presence.size()), nattch: None, removed }
    }

    /// Returns true if ours is the last handle, so that releasing it frees the segment.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.removed && self.nattch == Some(1)
    }

    /// Describes the effect of a release, without a final period, safe to print.
    #[must_use]
    pub fn effect(&self) -> String {
        match (self.nattch, self.removed) {
            (Some(_), true) if self.is_last() => format!(
                "marked for removal and this is its last attachment: frees {}. Cannot be undone",
                self.size
            ),
            (Some(nattch), true) => format!(
                "nattch {nattch} → {}; marked for removal, freed when the last attachment detaches",
                nattch.saturating_sub(1)
            ),
            (Some(nattch), false) => {
                format!("nattch {nattch} → {}; the segment remains", nattch.saturating_sub(1))
            }
            (None, true) => {
                format!("already unlinked: frees {} unless another process holds it", self.size)
            }
            (None, false) => "closes the descriptor; the segment remains".to_owned(),
        }
    }
}

impl Released {
    /// Returns true if our release freed the segment, as far as is known.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.before.nattch.is_some() && self.nattch.is_none()
    }

    /// Describes the result, without a final period, safe to print.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.before.nattch, self.nattch) {
            (Some(before), Some(now)) => format!("detached; nattch {before} → {now}"),
            (Some(_), None) => format!("detached; {} freed with the last attachment", self.before.size),
            (None, _) if self.before.removed => {
                "closed; already unlinked, freed when its last holder detaches".to_owned()
            }
            (None, _) => "closed".to_owned(),
        }
    }
}

/// Releases a segment. `release` must drop all of our readers of the segment. Fails, without
/// releasing anything, if the release would free the segment now but would not have when the user
/// confirmed it.
pub fn detach(
    machine: &dyn Machine,
    shown: &OwnAttachment,
    now: OwnAttachment,
    release: impl FnOnce(),
) -> Result<Released, ActError> {
    if now.is_last() && !shown.is_last() {
        let how = "it was marked for removal and this is its last attachment".to_owned();
        return Err(ActError::NotTheSame { id: now.id, how });
    }
    release();
    let nattch = match (&now.id, now.nattch) {
        (SegmentId::Sysv(shmid), Some(before)) => nattch_after(machine, *shmid, &now, before),
        _ => None,
    };
    Ok(Released { before: now, nattch })
}

/// Waits until our attachment has ended. Returns the number of other attachments, or `None` if the
/// segment is gone.
fn nattch_after(machine: &dyn Machine, shmid: ShmId, before: &OwnAttachment, nattch: u64) -> Option<u64> {
    let started = Instant::now();
    loop {
        // The shmid may belong to another segment by now, but that segment is not marked.
        let stat = machine.sysv_stat(shmid).ok();
        let now = stat.filter(|stat| stat.size == before.size && (stat.marked || !before.removed))?.nattch;
        if now < nattch || started.elapsed() > TIMEOUT {
            return Some(now);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

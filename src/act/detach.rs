//! Letting go of a segment that we hold ourselves: what that means, and what
//! the kernel says of it before and after. The last hold on a segment that is
//! marked for removal takes its memory with it.

use super::ActError;
use crate::machine::Machine;
use crate::memory::{Presence, Reader};
use crate::segment::{Bytes, SegmentId, ShmId};
use std::thread;
use std::time::{Duration, Instant};

/// So long a search that was just given up may still hold the segment.
const PATIENCE: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(2);

/// A segment that we hold, as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Which segment.
    pub id: SegmentId,
    /// Its size.
    pub size: Bytes,
    /// How many attachments it has, ours counted in; a System V segment only.
    pub nattch: Option<u64>,
    /// Marked for removal, or without a name: it lives as long as it is held.
    pub removed: bool,
}

/// A segment that we have let go of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// What it was just before.
    pub before: Hold,
    /// How many attachments it has now; `None` for a POSIX object, and for a
    /// System V segment that is gone.
    pub nattch: Option<u64>,
}

impl Hold {
    /// What the kernel says of a segment that is open here. Leaves no mark.
    #[must_use]
    pub fn of(machine: &dyn Machine, reader: &Reader) -> Self {
        let id = reader.id().clone();
        if let SegmentId::Sysv(shmid) = id
            && let Ok(stat) = machine.sysv_stat(shmid)
        {
            return Self { id, size: stat.size, nattch: Some(stat.nattch), removed: stat.marked };
        }
        let presence = reader.presence(machine).unwrap_or(Presence::Present { size: 0 });
        let removed = !matches!(presence, Presence::Present { .. });
        Self { id, size: Bytes(presence.size()), nattch: None, removed }
    }

    /// Whether it goes when we let go.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.removed && self.nattch == Some(1)
    }

    /// What letting go of it does: a sentence without a full stop, safe to print.
    #[must_use]
    pub fn will(&self) -> String {
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
    /// Whether the segment has gone with our hold on it, as far as is known.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.before.nattch.is_some() && self.nattch.is_none()
    }

    /// What was done: a sentence without a full stop, safe to print.
    #[must_use]
    pub fn said(&self) -> String {
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

/// Lets go of a segment that was shown so. `release` drops every reader of it
/// that we have.
///
/// # Errors
/// When it would go now, and would not when it was shown; nothing is done then.
pub fn detach(
    machine: &dyn Machine,
    shown: &Hold,
    now: Hold,
    release: impl FnOnce(),
) -> Result<Released, ActError> {
    if now.is_last() && !shown.is_last() {
        let how = "it was marked for removal and this is its last attachment".to_owned();
        return Err(ActError::NotTheSame { id: now.id, how });
    }
    release();
    let nattch = match (&now.id, now.nattch) {
        (SegmentId::Sysv(shmid), Some(before)) => settled(machine, *shmid, &now, before),
        _ => None,
    };
    Ok(Released { before: now, nattch })
}

/// Its attachments once ours is gone; `None` when the segment is.
fn settled(machine: &dyn Machine, shmid: ShmId, before: &Hold, nattch: u64) -> Option<u64> {
    let began = Instant::now();
    loop {
        // Another segment may have its number by now; that one is not marked.
        let stat = machine.sysv_stat(shmid).ok();
        let now = stat.filter(|stat| stat.size == before.size && (stat.marked || !before.removed))?.nattch;
        if now < nattch || began.elapsed() > PATIENCE {
            return Some(now);
        }
        thread::sleep(PAUSE);
    }
}

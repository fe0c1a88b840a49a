//! The errors of opening a segment, each with advice.

use crate::machine::{Machine, TraceReason};
use crate::segment::{Bytes, Facts, Mode, Owner, Segment, SegmentId, plain_error, shell_quote};
use std::io;

/// The reason why a segment could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{id} is gone: removed since it was listed")]
    Gone { id: SegmentId },
    /// The segment's name now belongs to another segment.
    #[error("{id} has changed since it was listed: its name now belongs to another segment. Try again")]
    Replaced { id: SegmentId },
    #[error("failed to read {id}: permission denied (owner {owner}, mode {mode} {symbolic}). \
             {remedy}",
            owner = .owner.user_text(), symbolic = .mode.symbolic(), remedy = remedy(.id, .owner, *.own))]
    Denied {
        id: SegmentId,
        owner: Owner,
        mode: Mode,
        /// Set if the user may change the mode and this would help.
        own: bool,
    },
    /// The segment is unlinked and only mapped.
    #[error(
        "failed to read {id}{former}: it was unlinked, and is mapped but not open in {holders}. \
         Run as root to read it through /proc/PID/map_files"
    )]
    Concealed {
        id: SegmentId,
        /// Describes its former name.
        former: String,
        holders: String,
    },
    #[error("{id} is not shared memory: not a regular file")]
    NotMemory { id: SegmentId },
    /// The segment does not fit into the address space.
    #[error(
        "failed to attach {id}: {size} does not fit in the address space. Check the limit with `ulimit -v`"
    )]
    TooLarge { id: SegmentId, size: Bytes },
    /// The segment can only be read by attaching it, and the caller refused that.
    #[error("{id} was not read: that would attach it, which changes nattch, last pid and times ({})", .reason.text())]
    NeedsAttach { id: SegmentId, reason: TraceReason },
    /// Another process holds a write lease, and the caller does not want to break it.
    #[error("{id} was not read: {} (F_SETLEASE), and reading would break the lease", leased_by(*.pid))]
    Leased { id: SegmentId, pid: Option<u32> },
    /// Another process held a lease. The attempt to open the segment broke it.
    #[error(
        "failed to open {id}: a process holds a lease on it (F_SETLEASE) and has been asked to release it. \
             Try again; the kernel breaks the lease after /proc/sys/fs/lease-break-time seconds"
    )]
    LeaseBroken { id: SegmentId },
    #[error("failed to open {id}: {}", plain_error(.source))]
    Other { id: SegmentId, source: io::Error },
}

/// Returns advice for a user without read permission.
fn remedy(id: &SegmentId, owner: &Owner, own: bool) -> String {
    if own {
        let id = shell_quote(id.to_string().as_bytes());
        return format!("Give yourself read permission: `shmlens chmod u+r {id}`");
    }
    format!("Run as {}, or ask the owner for read permission", permitted_users(owner))
}

/// Names the users who may read a segment that is readable only by its owner.
fn permitted_users(owner: &Owner) -> String {
    if owner.uid == 0 { "root".to_owned() } else { format!("{} or root", owner.user_text()) }
}

/// Names the process with a lease.
#[must_use]
pub fn leased_by(pid: Option<u32>) -> String {
    pid.map_or_else(|| "leased by another process".to_owned(), |pid| format!("leased by PID {pid}"))
}

impl OpenError {
    pub(super) fn new(machine: &dyn Machine, segment: &Segment, error: io::Error) -> Self {
        let id = segment.id.clone();
        match (error.raw_os_error(), error.kind()) {
            (Some(libc::ENODEV | libc::ELOOP), _) => Self::NotMemory { id },
            (Some(libc::ENOMEM), _) if matches!(segment.facts, Facts::Sysv(_)) => {
                Self::TooLarge { id, size: segment.size }
            }
            (Some(libc::EINVAL | libc::EIDRM), _) | (_, io::ErrorKind::NotFound) => Self::Gone { id },
            // With O_NONBLOCK, open(2) does not wait for the lease.
            (Some(libc::EAGAIN), _) if segment.posix().is_some() => Self::LeaseBroken { id },
            (_, io::ErrorKind::PermissionDenied) => {
                let me = machine.effective_uid();
                let creator = segment.sysv().map(|facts| facts.creator.uid);
                let own = me == segment.owner.uid || Some(me) == creator;
                // The owner has the permission already, so something else is wrong.
                let own = own && segment.mode.bits() & 0o400 == 0;
                Self::Denied { id, owner: segment.owner.clone(), mode: segment.mode, own }
            }
            _ => Self::Other { id, source: error },
        }
    }
}

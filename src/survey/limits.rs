//! The kernel's limits, and how much of them is used.

use crate::machine::{DevShm, LimitFacts};
use crate::segment::{Bytes, Segment};

/// The limits that segments live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most System V segments there may be.
    pub shmmni: Option<u64>,
    /// The largest System V segment there may be.
    pub shmmax: Option<Bytes>,
    /// The most that all System V segments may have together: the kernel
    /// counts in pages, and this is in bytes, at most what 64 bits hold.
    pub shmall: Option<Bytes>,
    /// How many System V segments there are.
    pub sysv_segments: u64,
    /// The sum of their sizes.
    pub sysv_bytes: Bytes,
    /// `/dev/shm`, when there is one.
    pub dev_shm: Option<DevShmUse>,
    /// The size of a page in bytes.
    pub page_size: u64,
    /// Whether systemd takes the segments of ordinary users when they log out;
    /// `None` where it does not run.
    pub remove_ipc: Option<bool>,
}

impl From<DevShm> for DevShmUse {
    fn from(shm: DevShm) -> Self {
        Self { size: shm.size, used: shm.used, inodes: shm.inodes, inodes_used: shm.inodes_used }
    }
}

/// The file system that POSIX segments live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevShmUse {
    /// How much it may hold; 0 where it has no limit.
    pub size: Bytes,
    /// How much it holds.
    pub used: Bytes,
    /// How many files it may hold; 0 where it has no limit.
    pub inodes: u64,
    /// How many it holds.
    pub inodes_used: u64,
}

impl DevShmUse {
    /// A warning when so much more than what is left is to be written.
    #[must_use]
    pub fn too_large(&self, missing: Bytes) -> Option<String> {
        let left = Bytes(self.size.0.saturating_sub(self.used.0));
        (self.size.0 > 0 && missing > left).then(|| {
            format!(
                "larger than what /dev/shm has left ({left} of {}): writing raises SIGBUS once /dev/shm is full",
                self.size
            )
        })
    }

    /// How full it is, from 0 to 1; `None` where it has no limit.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share to draw a bar by")]
    pub fn share(&self) -> Option<f64> {
        (self.size.0 > 0).then(|| (self.used.0 as f64 / self.size.0 as f64).clamp(0.0, 1.0))
    }
}

impl Limits {
    pub(super) fn new(facts: LimitFacts, sysv: &[Segment]) -> Self {
        Self {
            shmmni: facts.shmmni,
            shmmax: facts.shmmax.map(Bytes),
            shmall: facts.shmall.map(|pages| Bytes(pages.saturating_mul(facts.page_size))),
            sysv_segments: sysv.len() as u64,
            sysv_bytes: sysv.iter().map(|segment| segment.size).sum(),
            dev_shm: facts.dev_shm.map(DevShmUse::from),
            page_size: facts.page_size,
            remove_ipc: facts.remove_ipc,
        }
    }
}

//! Limits of the kernel, and their usage.

use crate::machine::{DevShm, LimitFacts};
use crate::segment::{Bytes, Segment};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of System V segments.
    pub shmmni: Option<u64>,
    /// The maximum size of a System V segment.
    pub shmmax: Option<Bytes>,
    /// The maximum total size of System V segments.
    pub shmall: Option<Bytes>,
    pub sysv_segments: u64,
    /// The total size of System V segments.
    pub sysv_bytes: Bytes,
    /// `None` without `/dev/shm`.
    pub dev_shm: Option<DevShmUse>,
    pub page_size: u64,
    /// Set if systemd removes segments of ordinary users at logout; `None` without systemd.
    pub remove_ipc: Option<bool>,
}

impl From<DevShm> for DevShmUse {
    fn from(shm: DevShm) -> Self {
        Self { size: shm.size, used: shm.used, inodes: shm.inodes, inodes_used: shm.inodes_used }
    }
}

/// The usage of `/dev/shm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevShmUse {
    /// 0 for no limit.
    pub size: Bytes,
    pub used: Bytes,
    /// The maximum number of files; 0 for no limit.
    pub inodes: u64,
    pub inodes_used: u64,
}

impl DevShmUse {
    /// Returns a warning if `missing` bytes exceed the free space.
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

    /// Returns the used fraction, from 0 to 1; `None` without a limit.
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

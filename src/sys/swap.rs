//! The use of swap, `sysinfo(2)`.

use std::mem::MaybeUninit;

/// Returns true if this machine uses any swap. If none is used, a nonresident page was never
/// written. Returns true if the kernel does not answer, so that the caller checks.
pub fn in_use() -> bool {
    let mut raw = MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: sysinfo writes one struct sysinfo, and raw has room for it.
    if unsafe { libc::sysinfo(raw.as_mut_ptr()) } != 0 {
        return true;
    }
    // SAFETY: zeroed, then filled by the kernel; every bit pattern is valid.
    let raw = unsafe { raw.assume_init() };
    raw.totalswap != raw.freeswap
}

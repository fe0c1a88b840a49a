//! The keys of the demo's System V segments: the one keyed segment that is certainly leaked is the one that
//! a running demo shows as such.

use super::{Life, Living, Seen};
use crate::segment::Key;

/// The five highest bits.
pub const PREFIX: u32 = 0b01011 << 27;
/// Where those are.
pub const PREFIX_MASK: u32 = 0b11111 << 27;
/// One bit: set for the segment of a child that has exited.
pub const ORPHAN: u32 = 1 << 22;
/// The pid of the demo. Linux gives no pid above 2^22 (`PID_MAX_LIMIT`).
pub const PID_MASK: u32 = (1 << 22) - 1;

/// The running demo that shows a segment of this key as leaked.
pub fn shown_by(key: Key, living: &Living<'_>) -> Option<u32> {
    let orphan = key.0 & (PREFIX_MASK | ORPHAN) == PREFIX | ORPHAN;
    let pid = key.0 & PID_MASK;
    let is_demo = |life| matches!(life, Life::Lives(process) if *process.command == *b"shmlens");
    (orphan && is_demo(living.of(pid, Seen::Here, None))).then_some(pid)
}

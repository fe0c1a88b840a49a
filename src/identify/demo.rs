//! The keys of the demo's System V segments. A segment with such a key is a certain leak only while
//! its demo runs and presents it as its leak.

use super::{PidNamespace, ProcessState, ProcessStates};
use crate::segment::Key;

/// The five highest bits of a demo's key.
pub const PREFIX: u32 = 0b01011 << 27;
pub const PREFIX_MASK: u32 = 0b11111 << 27;
/// Set in the key of the orphan, whose creator has exited.
pub const ORPHAN: u32 = 1 << 22;
/// The pid of the demo, at most 2^22 (`PID_MAX_LIMIT`).
pub const PID_MASK: u32 = (1 << 22) - 1;

/// Returns the pid of a running demo that presents the segment with this key as leaked.
pub fn shown_by(key: Key, states: &ProcessStates<'_>) -> Option<u32> {
    let is_orphan = key.0 & (PREFIX_MASK | ORPHAN) == PREFIX | ORPHAN;
    let pid = key.0 & PID_MASK;
    let is_demo = |life| matches!(life, ProcessState::Running(process) if *process.command == *b"shmlens");
    (is_orphan && is_demo(states.of(pid, PidNamespace::Ours, None))).then_some(pid)
}

//! Locks System V segments in memory: `SHM_LOCK` and `SHM_UNLOCK`.

use super::error::limit_text;
use super::permitted;
use super::{ActError, Action, ChangeReport, Plan, Refusal, Step, Target, Undo};
use crate::machine::Machine;
use crate::machine::control::{Capability, SysvStat};
use crate::segment::{Bytes, SegmentId, shell_quote};
use crate::sys::page_size;
use std::io;

const RAISE_LIMIT: &str = "Raise it with `ulimit -l` (LimitMEMLOCK= for a service) or run as root";

const fn step(locked: bool) -> Step {
    if locked { Step::Lock } else { Step::Unlock }
}

/// Plans to lock (or unlock) the segment.
pub fn plan(target: Target<'_>, locked: bool, plan: &mut Plan) {
    let Target { machine, segment } = target;
    let Some(facts) = segment.sysv() else {
        plan.refuse(Refusal::new(
            "only System V segments can be locked",
            "A program that maps a POSIX segment can lock its own pages with mlock(2)",
        ));
        return;
    };
    // The kernel checks permission first, even if there is nothing to do.
    if let Some(refusal) = permitted::sysv(target, step(locked), Capability::IpcLock) {
        plan.refuse(refusal);
    }
    if locked && let Some(reason) = exceeded_limit(machine, segment.size, facts.locked) {
        plan.refuse(Refusal::new(reason, RAISE_LIMIT));
    }
    if facts.locked == locked {
        plan.add_effect(if locked { "already locked" } else { "not locked" });
        return;
    }
    if locked {
        plan.add_effect(format!("locks {} in memory: pages are not swapped out once touched", segment.size));
        plan.add_effect("no effect on huge pages, which are never swapped out");
    } else {
        plan.add_effect("unlocks; pages can be swapped out again");
    }
    let back = if locked { "unlock" } else { "lock" };
    plan.undo = Undo::Yes(format!("shmlens {back} {}", shell_quote(segment.id.to_string().as_bytes())));
}

/// Returns the limit that prevents this user from locking the segment. The kernel also counts
/// memory that the user has locked elsewhere, but does not report the amount.
fn exceeded_limit(machine: &dyn Machine, size: Bytes, is_locked: bool) -> Option<String> {
    let limit = machine.memlock_limit()?;
    if machine.credentials().has(Capability::IpcLock) {
        return None;
    }
    // The kernel counts whole pages (`user_shm_lock` in mm/mlock.c), and a locked segment only
    // once.
    let exceeded = !is_locked && size.0.div_ceil(page_size()) > limit.0 / page_size();
    if limit.0 == 0 {
        Some("your limit for locked memory is 0".to_owned())
    } else if exceeded {
        Some(format!("your limit for locked memory is {limit}, but the segment is {size}"))
    } else {
        None
    }
}

pub fn apply(target: Target<'_>, locked: bool) -> Result<ChangeReport, ActError> {
    let Target { machine, segment } = target;
    let id = target.id();
    let SegmentId::Sysv(shmid) = segment.id else {
        // Refused in the plan already.
        return Err(ActError::Failed { id, step: step(locked), source: io::ErrorKind::Unsupported.into() });
    };
    let stat = target.check_sysv(shmid)?;
    machine.sysv_set_locked(shmid, locked).map_err(|error| explain_error(target, locked, &stat, error))?;
    let now = machine.sysv_stat(shmid).map_err(|source| target.unverifiable_error(source))?;
    if locked && !now.locked {
        let messages = "not locked: its huge pages are never swapped out";
        return Ok(ChangeReport::new(id, messages));
    }
    if now.locked != locked {
        return Err(target.unverified_error("that it is still locked"));
    }
    Ok(match (stat.locked == locked, locked) {
        (true, true) => ChangeReport::new(id, "already locked"),
        (true, false) => ChangeReport::new(id, "was not locked"),
        (false, true) => ChangeReport::new(id, "locked").undone_by(Action::Unlock),
        (false, false) => ChangeReport::new(id, "unlocked").undone_by(Action::Lock),
    })
}

/// Explains the error of the kernel. `shmctl_do_lock` in ipc/shm.c checks permission first, then a
/// limit of 0, and then the total that the user has locked.
fn explain_error(target: Target<'_>, locked: bool, stat: &SysvStat, error: io::Error) -> ActError {
    let Target { machine, segment } = target;
    let id = target.id();
    let me = machine.effective_uid();
    let limit = machine.memlock_limit();
    let limited = |reason| ActError::Limit { id: id.clone(), reason, remedy: RAISE_LIMIT.to_owned() };
    match error.raw_os_error() {
        Some(libc::EPERM) if me == stat.uid || me == stat.creator_uid => {
            limited(format!("your limit for locked memory is {}", limit_text(limit)))
        }
        Some(libc::ENOMEM) => limited(format!(
            "your limit for locked memory is {}, and locking another {} would exceed it",
            limit_text(limit),
            segment.size
        )),
        _ => ActError::from_kernel(target, step(locked), Capability::IpcLock, error),
    }
}

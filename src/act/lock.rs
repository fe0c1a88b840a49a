//! Keeping a System V segment in memory: `SHM_LOCK` and `SHM_UNLOCK`.

use super::again::{Named, named, sysv};
use super::error::limit_text;
use super::permissions::{refuse_strangers, verifying};
use super::{ActError, Action, Denied, Done, Plan, Refusal, Undo};
use crate::machine::Machine;
use crate::machine::control::{Capability, SysvStat};
use crate::segment::{Bytes, Segment};
use std::io;

const LOCK: &str = "lock it";
const UNLOCK: &str = "unlock it";
const MORE: &str = "Raise the limit (ulimit -l in the shell that starts this, or LimitMEMLOCK= of its \
                    service), or run with sudo";

/// What locking (or unlocking) would do.
pub fn plan(machine: &dyn Machine, segment: &Segment, locked: bool, plan: &mut Plan) {
    let Some(facts) = segment.sysv() else {
        plan.refuse(Refusal::new(
            "a POSIX segment cannot be locked from outside: SHM_LOCK is System V's alone",
            "A program that maps it can lock its own pages with mlock(2), for as long as it has it mapped",
        ));
        return;
    };
    if facts.locked == locked {
        plan.say(if locked { "it is locked already" } else { "it is not locked" });
        return;
    }
    if locked {
        plan.say(format!(
            "its {} cannot be swapped out any more: each page stays in memory once it is touched",
            segment.size
        ));
        plan.say("a segment in huge pages is never swapped out anyhow: locking does nothing there");
    } else {
        plan.say("the kernel may swap it out again");
    }
    plan.undo = Undo::Yes(format!("{} takes it back", if locked { "unlock" } else { "lock" }));
    let what = if locked { LOCK } else { UNLOCK };
    refuse_strangers(machine, segment, what, Capability::IpcLock, plan);
    if locked && let Some((reason, remedy)) = limit_in_force(machine, segment.size) {
        plan.refuse(Refusal::new(reason, remedy));
    }
}

/// The limit that the segment alone is beyond; what the user has locked
/// besides, the kernel counts and does not tell.
fn limit_in_force(machine: &dyn Machine, size: Bytes) -> Option<(String, String)> {
    let control = machine.control();
    let limit = control.memlock_limit()?;
    if control.credentials().may(Capability::IpcLock) || limit >= size {
        return None;
    }
    let reason = if limit.0 == 0 {
        "RLIMIT_MEMLOCK is 0, so nothing may be locked".to_owned()
    } else {
        format!("RLIMIT_MEMLOCK is {limit}, and the segment has {size}")
    };
    Some((reason, MORE.to_owned()))
}

/// Locks or unlocks.
pub fn apply(machine: &dyn Machine, segment: &Segment, locked: bool) -> Result<Done, ActError> {
    let id = segment.id.clone();
    let Named::Sysv(shmid) = named(segment) else {
        // The plan stands against it already.
        return Err(ActError::Failed { id, what: LOCK, source: io::ErrorKind::Unsupported.into() });
    };
    let stat = sysv(machine, segment, shmid)?;
    let control = machine.control();
    control
        .sysv_set_locked(shmid, locked)
        .map_err(|error| refused(machine, segment, locked, &stat, error))?;
    let now = control.sysv_stat(shmid).map_err(|source| verifying(segment, source))?;
    if locked && !now.locked {
        let said = "it is not locked: it is in huge pages, which are never swapped out";
        return Ok(Done::new(id, said));
    }
    if now.locked != locked {
        return Err(ActError::Unverified { id, found: "it is still locked".to_owned() });
    }
    let said = match (stat.locked == locked, locked) {
        (true, true) => "it was locked already",
        (true, false) => "it was not locked",
        (false, true) => "it is locked in memory",
        (false, false) => "it is not locked any more",
    };
    let done = Done::new(id, said);
    Ok(match (stat.locked == locked, locked) {
        (true, _) => done,
        (false, true) => done.undone_by(Action::Unlock),
        (false, false) => done.undone_by(Action::Lock),
    })
}

/// Why the kernel did not, `shmctl_do_lock` in ipc/shm.c: it looks at the
/// person first, then at a limit of 0, then at what the user has locked in all.
fn refused(
    machine: &dyn Machine,
    segment: &Segment,
    locked: bool,
    stat: &SysvStat,
    error: io::Error,
) -> ActError {
    let id = segment.id.clone();
    let me = machine.effective_uid();
    let limit = machine.control().memlock_limit();
    let what = if locked { LOCK } else { UNLOCK };
    let limited = |reason| ActError::Limit { id: id.clone(), reason, remedy: MORE.to_owned() };
    match error.raw_os_error() {
        Some(libc::EPERM) if me == stat.uid || me == stat.creator_uid => {
            limited(format!("RLIMIT_MEMLOCK is {}, so nothing may be locked", limit_text(limit)))
        }
        Some(libc::EPERM) => ActError::Denied { id, denied: Denied::of(segment, what, Capability::IpcLock) },
        Some(libc::ENOMEM) => limited(format!(
            "RLIMIT_MEMLOCK is {}, and what you have locked already and its {} are more",
            limit_text(limit),
            segment.size
        )),
        _ => ActError::of(machine, segment, what, Capability::IpcLock, error),
    }
}

//! Removing: `IPC_RMID`, and taking a POSIX object's name away; of exactly the
//! segment that was shown.

use super::again::{Named, named, posix, sysv};
use super::permissions::refuse_strangers;
use super::{ActError, Copying, Done, Plan, Refusal, Undo};
use crate::machine::Machine;
use crate::machine::control::{Capability, Removal, SysvStat};
use crate::segment::{Facts, ObjectName, Segment, SegmentId, ShmId, State, SysvFacts};
use std::io;

const REMOVE: &str = "remove it";
const SAY_FORCE: &str = "Say --force for this very segment";

/// What removing would do.
pub fn plan(machine: &dyn Machine, segment: &Segment, copying: Copying, plan: &mut Plan) {
    match &segment.facts {
        Facts::Sysv(facts) => plan_sysv(machine, segment, facts, plan),
        Facts::Posix(_) => plan_posix(machine, segment, plan),
    }
    match copying {
        Copying::Without => {
            plan.say("no copy of its contents is kept");
            plan.undo = Undo::No("nothing brings the contents back".to_owned());
        }
        Copying::Keep => {
            plan.undo = Undo::No("no copy can be kept yet".to_owned());
            plan.refuse(no_copy());
        }
    }
}

fn plan_sysv(machine: &dyn Machine, segment: &Segment, facts: &SysvFacts, plan: &mut Plan) {
    if facts.marked {
        plan.say(format!(
            "it is marked for removal already, and goes with its last attachment: {} left",
            facts.nattch
        ));
        return;
    }
    if facts.nattch == 0 {
        plan.say(format!("it goes at once, and its {} with it", segment.size));
    } else {
        plan.say(format!(
            "it is marked for removal: its key goes now, its {} when the last of {} attachments ends",
            segment.size, facts.nattch
        ));
        plan.refuse(held(facts.nattch));
    }
    refuse_strangers(machine, segment, REMOVE, Capability::SysAdmin, plan);
}

fn plan_posix(machine: &dyn Machine, segment: &Segment, plan: &mut Plan) {
    let resident = segment.resident.unwrap_or(segment.size);
    plan.say(format!(
        "its name goes now; {resident} of memory go with it, or stay until who holds it lets go"
    ));
    let me = machine.effective_uid();
    if me != segment.owner.uid && !machine.control().credentials().may(Capability::Fowner) {
        plan.say(format!(
            "it belongs to {}: where the directory is sticky, as /dev/shm is, only its owner and root remove it",
            segment.owner.user_text()
        ));
    }
    let reasons = segment.verdict.reasons.join("; ");
    match segment.verdict.state {
        State::InUse => plan.refuse(Refusal {
            reason: format!("it is in use: {reasons}"),
            remedy: format!("{SAY_FORCE}: its name goes, and who holds it keeps it"),
            forceable: true,
        }),
        State::Removed | State::Unknown => plan.refuse(Refusal {
            reason: format!("that nobody holds it is not settled: {reasons}"),
            remedy: format!("{SAY_FORCE}; who holds it keeps it"),
            forceable: true,
        }),
    }
}

fn held(nattch: u64) -> Refusal {
    let times = if nattch == 1 { "once".to_owned() } else { format!("{nattch} times") };
    Refusal {
        reason: format!("it is attached {times} (nattch {nattch})"),
        remedy: format!("{SAY_FORCE}: it is then marked, and goes with its last attachment"),
        forceable: true,
    }
}

fn no_copy() -> Refusal {
    Refusal::new(
        "no copy of it can be kept, since this version cannot make one",
        "Say --no-copy to remove it without one",
    )
}

/// Removes it.
pub fn apply(
    machine: &dyn Machine,
    segment: &Segment,
    copying: Copying,
    force: bool,
) -> Result<Done, ActError> {
    if copying == Copying::Keep {
        return Err(ActError::Refused { subject: segment.id.to_string(), refusal: no_copy() });
    }
    match named(segment) {
        Named::Sysv(shmid) => apply_sysv(machine, segment, shmid, force),
        Named::Posix(name) => apply_posix(machine, segment, name),
    }
}

fn apply_sysv(machine: &dyn Machine, segment: &Segment, shmid: ShmId, force: bool) -> Result<Done, ActError> {
    let control = machine.control();
    let stat = sysv(machine, segment, shmid)?;
    check_held(segment, &stat, 0, force)?;
    // From here on its id cannot pass to another one. Who may not read it may
    // remove it all the same; then the look before has to do.
    let pin = control.sysv_pin(shmid).ok();
    if pin.is_some() {
        let stat = sysv(machine, segment, shmid)?;
        check_held(segment, &stat, 1, force)?;
    }
    control.sysv_remove(shmid).map_err(|error| ActError::of(segment, REMOVE, Capability::SysAdmin, error))?;
    drop(pin);
    let id = segment.id.clone();
    match control.sysv_stat(shmid) {
        // Its place may have gone to another one already.
        Ok(now) if now.marked => Ok(Done::new(
            id,
            format!("it is marked for removal, and goes with the last of {} attachments", now.nattch),
        )),
        Ok(now)
            if now.creator_pid == stat.creator_pid && now.key == stat.key && now.change == stat.change =>
        {
            Err(ActError::Unverified { id, found: "a segment that is not marked for removal".to_owned() })
        }
        Ok(_) => Ok(Done::new(id, "it is removed")),
        Err(error) if is_gone(&error) => Ok(Done::new(id, "it is removed")),
        Err(source) => Err(super::permissions::verifying(segment, source)),
    }
}

/// Somebody may have attached it since it was shown. `ours` of the
/// attachments are our own.
fn check_held(segment: &Segment, stat: &SysvStat, ours: u64, force: bool) -> Result<(), ActError> {
    match stat.nattch.saturating_sub(ours) {
        0 => Ok(()),
        _ if force || stat.marked => Ok(()),
        nattch => Err(ActError::Refused { subject: segment.id.to_string(), refusal: held(nattch) }),
    }
}

fn apply_posix(machine: &dyn Machine, segment: &Segment, name: &ObjectName) -> Result<Done, ActError> {
    let (held, before) = posix(machine, segment, name)?;
    let id = segment.id.clone();
    let removal = machine.control().unlink(name, held.as_ref());
    let removal = removal.map_err(|error| ActError::of(segment, REMOVE, Capability::Fowner, error))?;
    match removal {
        Removal::Removed => {}
        Removal::Gone => return Err(ActError::Gone { id }),
        Removal::Another => {
            return Err(ActError::NotTheSame { id, how: "another object has its name now".to_owned() });
        }
        Removal::Astray(now) => return Err(ActError::Astray { id, now: SegmentId::Posix(now) }),
    }
    let now = held.stat().map_err(|source| super::permissions::verifying(segment, source))?;
    if now.links >= before.links {
        return Err(ActError::Unverified { id, found: format!("{} names, as before", now.links) });
    }
    let mut done = Done::new(id, "its name is gone");
    if now.links > 0 {
        done.said.push(format!("it has {} other names (hard links), and lives on under them", now.links));
    }
    Ok(done)
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EIDRM))
}

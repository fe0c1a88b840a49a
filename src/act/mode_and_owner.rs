//! Changes mode and owner together: for System V in a single `IPC_SET`, for POSIX in three steps.
//! No intermediate state grants access that neither the old nor the new state grants.

use super::again::{Named, named, posix, sysv};
use super::permissions::{
    mode_change_text, owner_change_text, owner_refused, plan_mode, plan_owner, sysv_after, verifying,
};
use super::{ActError, Action, Done, ModeChange, OwnerChange, Plan, Step, Undo};
use crate::machine::Machine;
use crate::machine::control::{Capability, SysvPermissions};
use crate::segment::{Mode, ObjectName, Segment, ShmId};

type Access = (Mode, u32, u32);

/// Plans a change of mode and owner.
pub fn plan(
    machine: &dyn Machine,
    segment: &Segment,
    mode: &ModeChange,
    owner: OwnerChange,
    plan: &mut Plan,
) {
    plan_mode(machine, segment, mode, owner.gid.unwrap_or(segment.owner.gid), plan);
    let first = std::mem::replace(&mut plan.undo, Undo::Nothing);
    plan_owner(machine, segment, owner, plan);
    plan.undo = match (first, std::mem::replace(&mut plan.undo, Undo::Nothing)) {
        (Undo::Yes(mode), Undo::Yes(owner)) => Undo::Yes(format!("{owner} && {mode}")),
        (Undo::Nothing, other) | (other, _) => other,
    };
}

pub fn apply(
    machine: &dyn Machine,
    segment: &Segment,
    mode: &ModeChange,
    owner: OwnerChange,
) -> Result<Done, ActError> {
    let (before, wanted, now) = match named(segment) {
        Named::Sysv(shmid) => set_sysv(machine, segment, shmid, mode, owner)?,
        Named::Posix(name) => set_posix(machine, segment, name, mode, owner)?,
        Named::Nothing => return Err(ActError::Gone { id: segment.id.clone() }),
    };
    if now != wanted {
        let (mode, uid, gid) = now;
        let found = format!("mode {mode}, owner {uid}:{gid}");
        return Err(ActError::Unverified { id: segment.id.clone(), found });
    }
    let (was, uid, gid) = before;
    let back = OwnerChange { uid: Some(uid), gid: Some(gid) };
    let mut done = Done::new(segment.id.clone(), mode_change_text(was, now.0));
    done.said.extend(owner_change_text(machine, (uid, gid), (now.1, now.2)));
    Ok(done.undone_by(Action::SetModeAndOwner(ModeChange::to(was), back)))
}

fn set_sysv(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
    mode: &ModeChange,
    owner: OwnerChange,
) -> Result<(Access, Access, Access), ActError> {
    let stat = sysv(machine, segment, shmid)?;
    let wanted = (mode.apply(stat.mode), owner.uid.unwrap_or(stat.uid), owner.gid.unwrap_or(stat.gid));
    let set = SysvPermissions { mode: wanted.0, uid: wanted.1, gid: wanted.2 };
    machine.sysv_set(shmid, set).map_err(|error| match error.raw_os_error() {
        // Report the step that the plan would refuse first.
        Some(libc::EPERM) => ActError::of(machine, segment, Step::SetMode, Capability::SysAdmin, error),
        _ => owner_refused(machine, segment, owner, error),
    })?;
    let now = sysv_after(machine, segment, shmid, &stat)?;
    Ok(((stat.mode, stat.uid, stat.gid), wanted, (now.mode, now.uid, now.gid)))
}

fn set_posix(
    machine: &dyn Machine,
    segment: &Segment,
    name: &ObjectName,
    mode: &ModeChange,
    owner: OwnerChange,
) -> Result<(Access, Access, Access), ActError> {
    let (held, stat) = posix(machine, segment, name)?;
    let before = Mode::new(stat.mode);
    let wanted = (mode.apply(before), owner.uid.unwrap_or(stat.uid), owner.gid.unwrap_or(stat.gid));
    let denied = |error| ActError::of(machine, segment, Step::SetMode, Capability::Fowner, error);
    // Revoke permissions first and grant new ones last, so that neither the old group gets the new
    // mode, nor the new group the old mode.
    let both = Mode::new(before.bits() & wanted.0.bits());
    if both != before {
        held.set_mode(both).map_err(denied)?;
    }
    if let Err(error) = held.set_owner(owner.uid, owner.gid) {
        // Roll back, as far as the kernel permits.
        if both != before {
            let _ = held.set_mode(before);
        }
        return Err(owner_refused(machine, segment, owner, error));
    }
    // An owner change clears set-id bits, so always set the mode afterwards.
    if let Err(error) = held.set_mode(wanted.0) {
        let _ = held.set_owner(Some(stat.uid), Some(stat.gid));
        let _ = held.set_mode(before);
        return Err(denied(error));
    }
    let now = held.stat().map_err(|source| verifying(segment, source))?;
    Ok(((before, stat.uid, stat.gid), wanted, (Mode::new(now.mode), now.uid, now.gid)))
}

//! Changes permission bits and owners: with a single `IPC_SET` for System V, and with
//! `fchmodat2(2)` and `fchownat(2)` on a handle of the object for POSIX.

use super::{
    ActError, Action, ChangeReport, ModeChange, OwnerChange, Plan, Refusal, Step, Target, Undo, permitted,
};
use crate::machine::Machine;
use crate::machine::control::{Capability, SysvPermissions, SysvStat};
use crate::segment::{Kind, Mode, ObjectName, Segment, SegmentId, ShmId, escape, shell_quote};
use std::{io, mem};

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const GROUP_EXECUTE: u32 = 0o010;

/// Mode, owner and group.
type Access = (Mode, u32, u32);

pub fn plan(target: Target<'_>, mode: Option<&ModeChange>, owner: Option<OwnerChange>, plan: &mut Plan) {
    if let Some(mode) = mode {
        let gid = owner.and_then(|owner| owner.gid).unwrap_or(target.segment.owner.gid);
        plan_mode(target, mode, gid, plan);
    }
    let first = mem::replace(&mut plan.undo, Undo::Nothing);
    if let Some(owner) = owner {
        plan_owner(target, owner, plan);
    }
    plan.undo = match (first, mem::replace(&mut plan.undo, Undo::Nothing)) {
        (Undo::Yes(mode), Undo::Yes(owner)) => Undo::Yes(format!("{owner} && {mode}")),
        (Undo::Nothing, other) | (other, _) => other,
    };
}

/// Plans a mode change. `gid` is the group of the segment after a change of owner.
fn plan_mode(target: Target<'_>, change: &ModeChange, gid: u32, plan: &mut Plan) {
    let segment = target.segment;
    let after = change.apply(segment.mode);
    if segment.kind() == Kind::Sysv && after.bits() > 0o777 {
        plan.refuse(Refusal::new(
            format!("System V segments have only nine permission bits, but mode {after} sets others"),
            "Use a mode of at most 0777",
        ));
    }
    plan.add_effect(mode_change_text(segment.mode, after));
    if after != segment.mode {
        plan.add_effect("current holders keep their access");
        plan.undo = Undo::Yes(format!("shmlens chmod {} {}", segment.mode, quoted_id(segment)));
    }
    if has_acl(target) {
        plan.add_effect("has an ACL: the group bits set the ACL mask");
    }
    if let Some(refusal) = permitted::mode(target, after, gid) {
        plan.refuse(refusal);
    }
}

fn plan_owner(target: Target<'_>, change: OwnerChange, plan: &mut Plan) {
    let Target { machine, segment } = target;
    let before = (segment.owner.uid, segment.owner.gid);
    let after = (change.uid.unwrap_or(before.0), change.gid.unwrap_or(before.1));
    for text in owner_change_text(machine, before, after) {
        plan.add_effect(text);
    }
    if after != before {
        plan.undo = Undo::Yes(format!("shmlens chown {}:{} {}", before.0, before.1, quoted_id(segment)));
    }
    match segment.sysv() {
        Some(facts) if after.0 != before.0 => {
            plan.add_effect(format!(
                "its creator {} can still change and remove it",
                facts.creator.user_text()
            ));
        }
        None if clears_set_id(segment.mode) => {
            plan.add_effect("the kernel clears the setuid and setgid bits");
        }
        Some(_) | None => {}
    }
    if let Some(refusal) = permitted::owner(target, change) {
        plan.refuse(refusal);
    }
}

/// Returns the segment id, quoted for a shell.
fn quoted_id(segment: &Segment) -> String {
    shell_quote(segment.id.to_string().as_bytes())
}

/// Returns true if `chown` clears set-id bits (`setattr_should_drop_suidgid` in fs/attr.c). A
/// set-group-id bit may remain if the group has no execute permission.
const fn clears_set_id(mode: Mode) -> bool {
    let bits = mode.bits();
    bits & SETUID != 0 || (bits & SETGID != 0 && bits & GROUP_EXECUTE != 0)
}

/// Changes mode, owner or both. No intermediate state grants access that neither the old nor the
/// new state grants.
pub fn apply(
    target: Target<'_>,
    mode: Option<&ModeChange>,
    owner: Option<OwnerChange>,
) -> Result<ChangeReport, ActError> {
    let (before, wanted, now) = match &target.segment.id {
        SegmentId::Sysv(shmid) => set_sysv(target, *shmid, mode, owner)?,
        SegmentId::Posix(name) => set_posix(target, name, mode, owner)?,
        SegmentId::Deleted { .. } => return Err(target.gone_error()),
    };
    let machine = target.machine;
    let (old_owner, new_owner, wanted_owner) = ((before.1, before.2), (now.1, now.2), (wanted.1, wanted.2));
    // The kernel clears the set-group-id bit if the caller is not in the group.
    if (mode.is_some() && now.0 != wanted.0) || (owner.is_some() && new_owner != wanted_owner) {
        let (mode_now, uid, gid) = now;
        return Err(target.unverified_error(match (mode, owner) {
            (Some(_), Some(_)) => format!("mode {mode_now}, owner {uid}:{gid}"),
            (Some(_), None) => format!("mode {mode_now}"),
            (None, _) => format!("owner {}, group {}", user_text(machine, uid), group_text(machine, gid)),
        }));
    }
    let back = OwnerChange { uid: Some(old_owner.0), gid: Some(old_owner.1) };
    let mut messages: Vec<String> = mode.map(|_| mode_change_text(before.0, now.0)).into_iter().collect();
    if owner.is_some() {
        messages.extend(owner_change_text(machine, old_owner, new_owner));
    }
    if mode.is_none() && target.segment.sysv().is_none() && before.0 != now.0 {
        messages.push(format!("setuid and setgid bits cleared by the kernel: mode {}", now.0));
    }
    let undo = match (mode, owner) {
        (Some(_), Some(_)) => Action::SetModeAndOwner(ModeChange::to(before.0), back),
        (Some(_), None) => Action::SetMode(ModeChange::to(before.0)),
        (None, _) => Action::SetOwner(back),
    };
    Ok(ChangeReport { messages, ..ChangeReport::new(target.id(), "") }.undone_by(undo))
}

/// Returns the attributes after a change of these attributes.
fn access_after(before: Access, mode: Option<&ModeChange>, owner: Option<OwnerChange>) -> Access {
    let owner = owner.unwrap_or_default();
    let mode = mode.map_or(before.0, |mode| mode.apply(before.0));
    (mode, owner.uid.unwrap_or(before.1), owner.gid.unwrap_or(before.2))
}

/// Returns the attributes before the change, the intended ones, and the actual ones after it.
fn set_sysv(
    target: Target<'_>,
    shmid: ShmId,
    mode: Option<&ModeChange>,
    owner: Option<OwnerChange>,
) -> Result<(Access, Access, Access), ActError> {
    let stat = target.check_sysv(shmid)?;
    let before = (stat.mode, stat.uid, stat.gid);
    let wanted = access_after(before, mode, owner);
    let set = SysvPermissions { mode: wanted.0, uid: wanted.1, gid: wanted.2 };
    target.machine.sysv_set(shmid, set).map_err(|error| match owner {
        // Without permission, report the step that the plan would refuse first.
        Some(owner) if mode.is_none() || error.raw_os_error() != Some(libc::EPERM) => {
            owner_refused(target, owner, error)
        }
        _ => ActError::from_kernel(target, Step::SetMode, Capability::SysAdmin, error),
    })?;
    let now = sysv_after(target, shmid, &stat)?;
    Ok((before, wanted, (now.mode, now.uid, now.gid)))
}

/// Changes a POSIX object like [`set_sysv`].
fn set_posix(
    target: Target<'_>,
    name: &ObjectName,
    mode: Option<&ModeChange>,
    owner: Option<OwnerChange>,
) -> Result<(Access, Access, Access), ActError> {
    let (held, stat) = target.check_posix(name)?;
    let before = (Mode::new(stat.mode), stat.uid, stat.gid);
    let wanted = access_after(before, mode, owner);
    let denied = |error| ActError::from_kernel(target, Step::SetMode, Capability::Fowner, error);
    if let Some(owner) = owner {
        // Revoke permissions first and grant new ones last. Otherwise the old group would get the
        // new mode, or the new group the old one.
        let common = Mode::new(before.0.bits() & wanted.0.bits());
        if common != before.0 {
            held.set_mode(common).map_err(denied)?;
        }
        if let Err(error) = held.set_owner(owner.uid, owner.gid) {
            // Roll back, as far as the kernel permits.
            if common != before.0 {
                let _ = held.set_mode(before.0);
            }
            return Err(owner_refused(target, owner, error));
        }
    }
    // Changing the owner clears set-id bits, so always set the mode afterward.
    if mode.is_some()
        && let Err(error) = held.set_mode(wanted.0)
    {
        if owner.is_some() {
            let _ = held.set_owner(Some(stat.uid), Some(stat.gid));
            let _ = held.set_mode(before.0);
        }
        return Err(denied(error));
    }
    let now = held.stat().map_err(|source| target.unverifiable_error(source))?;
    Ok((before, wanted, (Mode::new(now.mode), now.uid, now.gid)))
}

/// Explains a failed owner change. The kernel returns the same error for a segment that is gone and
/// for an id without a mapping in this user namespace.
fn owner_refused(target: Target<'_>, change: OwnerChange, source: io::Error) -> ActError {
    let Target { machine, segment } = target;
    let there = match segment.id {
        SegmentId::Sysv(shmid) => machine.sysv_stat(shmid).is_ok(),
        SegmentId::Posix(_) | SegmentId::Deleted { .. } => true,
    };
    if there && source.raw_os_error() == Some(libc::EINVAL) {
        let refusal = Refusal::new(
            "the id is not mapped in this user namespace",
            "Use an id listed in /proc/self/uid_map or gid_map",
        );
        return ActError::Denied { id: target.id(), refusal };
    }
    let forbidden = matches!(source.raw_os_error(), Some(libc::EPERM | libc::EACCES));
    if let Some(refusal) = permitted::owner(target, change).filter(|_| forbidden) {
        return ActError::Denied { id: target.id(), refusal };
    }
    let capability = if segment.sysv().is_some() { Capability::SysAdmin } else { Capability::Chown };
    ActError::from_kernel(target, Step::SetOwner, capability, source)
}

/// Returns the state of a System V segment after a change, as the kernel reports it.
/// Between the check and the change, the shmid could be reused in theory. In practice this takes
/// millions of new segments, or a process that may write `kernel.shm_next_id`. Attaching the
/// segment would prevent the reuse, but would overwrite the pid and time of the last attach. So a
/// reuse is detected and reported instead.
fn sysv_after(target: Target<'_>, shmid: ShmId, before: &SysvStat) -> Result<SysvStat, ActError> {
    let now = target.machine.sysv_stat(shmid).map_err(|source| target.unverifiable_error(source))?;
    let stable = |stat: &SysvStat| (stat.size, stat.creator_uid, stat.creator_pid);
    if stable(&now) != stable(before) {
        return Err(target.unverified_error("another segment with its shmid"));
    }
    Ok(now)
}

fn has_acl(target: Target<'_>) -> bool {
    let SegmentId::Posix(name) = &target.segment.id else { return false };
    let list = target.machine.open_handle(name).and_then(|held| held.acl());
    matches!(list, Ok(Some(_)))
}

pub(super) fn mode_text(mode: Mode) -> String {
    format!("{mode} ({})", mode.symbolic())
}

/// Formats a mode change, as in `mode 0600 → 0644`.
fn mode_change_text(before: Mode, after: Mode) -> String {
    if before == after { format!("mode stays {after}") } else { format!("mode {before} → {after}") }
}

/// Formats an owner or group change, as in `owner root → postgres`.
fn owner_change_text(machine: &dyn Machine, before: (u32, u32), after: (u32, u32)) -> Vec<String> {
    let mut texts = vec![];
    if before.0 != after.0 {
        texts.push(format!("owner {} → {}", user_text(machine, before.0), user_text(machine, after.0)));
    }
    if before.1 != after.1 {
        texts.push(format!("group {} → {}", group_text(machine, before.1), group_text(machine, after.1)));
    }
    if texts.is_empty() {
        texts.push(format!("owner stays {}:{}", user_text(machine, after.0), group_text(machine, after.1)));
    }
    texts
}

pub(super) fn user_text(machine: &dyn Machine, uid: u32) -> String {
    machine.user_name(uid).map_or_else(|| uid.to_string(), |name| escape(name.as_bytes()))
}

pub(super) fn group_text(machine: &dyn Machine, gid: u32) -> String {
    machine.group_name(gid).map_or_else(|| gid.to_string(), |name| escape(name.as_bytes()))
}

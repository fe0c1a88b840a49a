//! Changes permission bits and owners: `IPC_SET` for System V; `fchmodat2(2)` and `fchownat(2)`
//! through a handle on the object for POSIX.

use super::again::{Named, named, posix, sysv};
use super::{ActError, Action, Done, ModeChange, OwnerChange, Plan, Refusal, Step, Undo, permitted};
use crate::machine::Machine;
use crate::machine::control::{Capability, SysvPermissions, SysvStat};
use crate::segment::{Kind, Mode, Segment, ShmId, escape, shell_quote};
use std::io;

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const GROUP_EXECUTE: u32 = 0o010;

/// Plans a mode change. `gid` is the group that the segment will have.
pub fn plan_mode(machine: &dyn Machine, segment: &Segment, change: &ModeChange, gid: u32, plan: &mut Plan) {
    let after = change.apply(segment.mode);
    if segment.kind() == Kind::Sysv && after.bits() > 0o777 {
        plan.refuse(Refusal::new(
            format!("System V segments have only nine permission bits, but mode {after} sets others"),
            "Use a mode of at most 0777",
        ));
    }
    plan.say(mode_change_text(segment.mode, after));
    if after != segment.mode {
        plan.say("current holders keep their access");
        plan.undo = Undo::Yes(format!("shmlens chmod {} {}", segment.mode, pasted(segment)));
    }
    if has_acl(machine, segment) {
        plan.say("has an ACL: the group bits set the ACL mask");
    }
    if let Some(refusal) = permitted::mode(machine, segment, after, gid) {
        plan.refuse(refusal);
    }
}

/// Plans an owner change.
pub fn plan_owner(machine: &dyn Machine, segment: &Segment, change: OwnerChange, plan: &mut Plan) {
    let before = (segment.owner.uid, segment.owner.gid);
    let after = (change.uid.unwrap_or(before.0), change.gid.unwrap_or(before.1));
    for text in owner_change_text(machine, before, after) {
        plan.say(text);
    }
    if after != before {
        plan.undo = Undo::Yes(format!("shmlens chown {}:{} {}", before.0, before.1, pasted(segment)));
    }
    match segment.sysv() {
        Some(facts) if after.0 != before.0 => {
            plan.say(format!("its creator {} can still change and remove it", facts.creator.user_text()));
        }
        None if drops_set_id(segment.mode) => plan.say("the kernel clears the setuid and setgid bits"),
        Some(_) | None => {}
    }
    if let Some(refusal) = permitted::owner(machine, segment, change) {
        plan.refuse(refusal);
    }
}

/// Returns the segment id, quoted for a shell.
fn pasted(segment: &Segment) -> String {
    shell_quote(segment.id.to_string().as_bytes())
}

/// Returns whether `chown` clears set-id bits, as in `setattr_should_drop_suidgid` in fs/attr.c. A
/// set-group-id bit may remain if the group has no execute permission.
const fn drops_set_id(mode: Mode) -> bool {
    let bits = mode.bits();
    bits & SETUID != 0 || (bits & SETGID != 0 && bits & GROUP_EXECUTE != 0)
}

pub fn apply_mode(machine: &dyn Machine, segment: &Segment, change: &ModeChange) -> Result<Done, ActError> {
    let id = &segment.id;
    let (before, after, now) = match named(segment) {
        Named::Sysv(shmid) => {
            let stat = sysv(machine, segment, shmid)?;
            let after = change.apply(stat.mode);
            machine.sysv_set(shmid, SysvPermissions { uid: stat.uid, gid: stat.gid, mode: after }).map_err(
                |error| ActError::of(machine, segment, Step::SetMode, Capability::SysAdmin, error),
            )?;
            (stat.mode, after, sysv_after(machine, segment, shmid, &stat)?.mode)
        }
        Named::Nothing => return Err(ActError::Gone { id: segment.id.clone() }),
        Named::Posix(name) => {
            let (held, stat) = posix(machine, segment, name)?;
            let before = Mode::new(stat.mode);
            let after = change.apply(before);
            held.set_mode(after)
                .map_err(|error| ActError::of(machine, segment, Step::SetMode, Capability::Fowner, error))?;
            let now = held.stat().map_err(|source| verifying(segment, source))?.mode;
            (before, after, Mode::new(now))
        }
    };
    if now != after {
        // The kernel clears the set-group-id bit if the caller is not in the group.
        return Err(ActError::Unverified { id: id.clone(), found: format!("mode {now}") });
    }
    Ok(Done::new(id.clone(), mode_change_text(before, now))
        .undone_by(Action::SetMode(ModeChange::to(before))))
}

pub fn apply_owner(machine: &dyn Machine, segment: &Segment, change: OwnerChange) -> Result<Done, ActError> {
    let id = &segment.id;
    let (before, now, dropped) = match named(segment) {
        Named::Sysv(shmid) => {
            let stat = sysv(machine, segment, shmid)?;
            let set = SysvPermissions {
                uid: change.uid.unwrap_or(stat.uid),
                gid: change.gid.unwrap_or(stat.gid),
                mode: stat.mode,
            };
            machine.sysv_set(shmid, set).map_err(|error| owner_refused(machine, segment, change, error))?;
            let now = sysv_after(machine, segment, shmid, &stat)?;
            ((stat.uid, stat.gid), (now.uid, now.gid), None)
        }
        Named::Nothing => return Err(ActError::Gone { id: segment.id.clone() }),
        Named::Posix(name) => {
            let (held, stat) = posix(machine, segment, name)?;
            held.set_owner(change.uid, change.gid)
                .map_err(|error| owner_refused(machine, segment, change, error))?;
            let now = held.stat().map_err(|source| verifying(segment, source))?;
            let dropped = (now.mode != stat.mode).then(|| Mode::new(now.mode));
            ((stat.uid, stat.gid), (now.uid, now.gid), dropped)
        }
    };
    if now != (change.uid.unwrap_or(before.0), change.gid.unwrap_or(before.1)) {
        let found = format!("owner {}, group {}", user_text(machine, now.0), group_text(machine, now.1));
        return Err(ActError::Unverified { id: id.clone(), found });
    }
    let back = OwnerChange { uid: Some(before.0), gid: Some(before.1) };
    let mut done = Done { said: owner_change_text(machine, before, now), ..Done::new(id.clone(), "") };
    if let Some(mode) = dropped {
        done.said.push(format!("setuid and setgid bits cleared by the kernel: mode {mode}"));
    }
    Ok(done.undone_by(Action::SetOwner(back)))
}

/// Explains an error of an owner change. The kernel returns the same error for a segment that is
/// gone and for an id without a mapping in this user namespace.
pub(super) fn owner_refused(
    machine: &dyn Machine,
    segment: &Segment,
    change: OwnerChange,
    source: io::Error,
) -> ActError {
    let there = match named(segment) {
        Named::Sysv(shmid) => machine.sysv_stat(shmid).is_ok(),
        Named::Posix(_) | Named::Nothing => true,
    };
    if there && source.raw_os_error() == Some(libc::EINVAL) {
        let refusal = Refusal::new(
            "the id is not mapped in this user namespace",
            "Use an id listed in /proc/self/uid_map or gid_map",
        );
        return ActError::Denied { id: segment.id.clone(), refusal };
    }
    let forbidden = matches!(source.raw_os_error(), Some(libc::EPERM | libc::EACCES));
    if let Some(refusal) = permitted::owner(machine, segment, change).filter(|_| forbidden) {
        return ActError::Denied { id: segment.id.clone(), refusal };
    }
    let capability = if segment.sysv().is_some() { Capability::SysAdmin } else { Capability::Chown };
    ActError::of(machine, segment, Step::SetOwner, capability, source)
}

/// Returns the state of a System V segment after a change, as the kernel reports it.
///
/// In theory, the shmid may pass to another segment between the check and the change. In practice,
/// millions of segments would have to be created and removed in between, unless a process that can
/// write `kernel.shm_next_id` causes it. Attaching the segment would prevent the reuse, but would
/// overwrite the pid and the time of the last attach. So the segment is not attached, and a reuse
/// is detected and reported.
pub(super) fn sysv_after(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
    before: &SysvStat,
) -> Result<SysvStat, ActError> {
    let now = machine.sysv_stat(shmid).map_err(|source| verifying(segment, source))?;
    let same = |stat: &SysvStat| (stat.size, stat.creator_uid, stat.creator_pid);
    if same(&now) != same(before) {
        let found = "another segment with its shmid".to_owned();
        return Err(ActError::Unverified { id: segment.id.clone(), found });
    }
    Ok(now)
}

pub(super) fn verifying(segment: &Segment, source: io::Error) -> ActError {
    ActError::Failed { id: segment.id.clone(), step: Step::Verify, source }
}

fn has_acl(machine: &dyn Machine, segment: &Segment) -> bool {
    let Named::Posix(name) = named(segment) else { return false };
    let list = machine.handle(name).and_then(|held| held.acl());
    matches!(list, Ok(Some(_)))
}

/// Formats a mode, as in `0600 (rw-------)`.
pub(super) fn mode_text(mode: Mode) -> String {
    format!("{mode} ({})", mode.symbolic())
}

/// Formats a mode change, as in `mode 0600 → 0644`.
pub(super) fn mode_change_text(before: Mode, after: Mode) -> String {
    if before == after { format!("mode stays {after}") } else { format!("mode {before} → {after}") }
}

/// Formats an owner change, as in `owner root → postgres`, and a group change likewise.
pub(super) fn owner_change_text(machine: &dyn Machine, before: (u32, u32), after: (u32, u32)) -> Vec<String> {
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

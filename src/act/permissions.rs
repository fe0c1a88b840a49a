//! Permission bits and owners: `IPC_SET`; `fchmodat2(2)` and `fchownat(2)`
//! through a handle on the very object.

use super::again::{Named, named, posix, sysv};
use super::{ActError, Action, Denied, Done, ModeChange, OwnerChange, Plan, Refusal, Undo};
use crate::machine::Machine;
use crate::machine::control::{Capability, SysvPermissions, SysvStat};
use crate::segment::{Kind, Mode, Segment, ShmId, escape};
use std::io;

pub(super) const CHANGE_MODE: &str = "change its mode";
pub(super) const CHANGE_OWNER: &str = "change its owner";

/// What changing the mode would do.
pub fn plan_mode(machine: &dyn Machine, segment: &Segment, change: &ModeChange, plan: &mut Plan) {
    let after = change.apply(segment.mode);
    if segment.kind() == Kind::Sysv && after.bits() > 0o777 {
        plan.refuse(Refusal::new(
            format!("System V keeps nine permission bits, and {after} has more"),
            "Give a mode of at most 0777",
        ));
    }
    if after == segment.mode {
        plan.say(format!("its mode stays {}", mode_text(after)));
    } else {
        plan.say(format!("its mode {} becomes {}", mode_text(segment.mode), mode_text(after)));
        plan.say("who holds it already keeps it, whatever the mode says then");
        plan.undo = Undo::Yes(format!("chmod {} brings the mode back", segment.mode));
    }
    if has_acl(machine, segment) {
        plan.say("it has an access control list: the group bits are then the most that the list may give");
    }
    let capability = match segment.kind() {
        Kind::Sysv => Capability::SysAdmin,
        Kind::Posix | Kind::Deleted => Capability::Fowner,
    };
    refuse_strangers(machine, segment, CHANGE_MODE, capability, plan);
}

/// What changing the owner would do.
pub fn plan_owner(machine: &dyn Machine, segment: &Segment, change: OwnerChange, plan: &mut Plan) {
    let uid = change.uid.filter(|&uid| uid != segment.owner.uid);
    let gid = change.gid.filter(|&gid| gid != segment.owner.gid);
    if let Some(uid) = uid {
        plan.say(format!("its owner {} becomes {}", segment.owner.user_text(), user_text(machine, uid)));
    }
    if let Some(gid) = gid {
        plan.say(format!("its group {} becomes {}", segment.owner.group_text(), group_text(machine, gid)));
    }
    if uid.is_none() && gid.is_none() {
        plan.say(format!(
            "it stays with {}, group {}",
            segment.owner.user_text(),
            segment.owner.group_text()
        ));
        return;
    }
    plan.undo = Undo::Yes(format!("chown {}:{} brings it back", segment.owner.uid, segment.owner.gid));
    match segment.sysv() {
        Some(facts) => {
            plan.say(format!("its creator {} may still change and remove it", facts.creator.user_text()));
            refuse_strangers(machine, segment, CHANGE_OWNER, Capability::SysAdmin, plan);
        }
        None => refuse_giving(machine, segment, uid, gid, plan),
    }
}

/// Of a file, only root gives it away; its owner chooses among their own groups.
fn refuse_giving(
    machine: &dyn Machine,
    segment: &Segment,
    uid: Option<u32>,
    gid: Option<u32>,
    plan: &mut Plan,
) {
    let me = machine.control().credentials();
    if me.may(Capability::Chown) {
        return;
    }
    let chooses = me.uid == segment.owner.uid && gid.is_none_or(|gid| me.is_in(gid));
    if uid.is_some() || !chooses {
        plan.refuse(Refusal::new(
            "only root (CAP_CHOWN) gives a POSIX segment to another user; its owner may choose among the \
             groups that they are in",
            "Run with sudo",
        ));
    }
}

/// Says who may, to those who may not.
pub(super) fn refuse_strangers(
    machine: &dyn Machine,
    segment: &Segment,
    what: &'static str,
    capability: Capability,
    plan: &mut Plan,
) {
    let me = machine.effective_uid();
    let creator = segment.sysv().map(|facts| facts.creator.uid);
    if me == segment.owner.uid || Some(me) == creator || machine.control().credentials().may(capability) {
        return;
    }
    let denied = Denied::of(segment, what, capability);
    plan.refuse(Refusal::new(format!("you may not {what}: only {} may", denied.who), denied.remedy));
}

/// Changes the mode.
pub fn apply_mode(machine: &dyn Machine, segment: &Segment, change: &ModeChange) -> Result<Done, ActError> {
    let id = &segment.id;
    let (before, after, now) = match named(segment) {
        Named::Sysv(shmid) => {
            let control = machine.control();
            let stat = sysv(machine, segment, shmid)?;
            let after = change.apply(stat.mode);
            control
                .sysv_set(shmid, SysvPermissions { uid: stat.uid, gid: stat.gid, mode: after })
                .map_err(|error| ActError::of(machine, segment, CHANGE_MODE, Capability::SysAdmin, error))?;
            (stat.mode, after, sysv_after(machine, segment, shmid, &stat)?.mode)
        }
        Named::Nothing => return Err(ActError::Gone { id: segment.id.clone() }),
        Named::Posix(name) => {
            let (held, stat) = posix(machine, segment, name)?;
            let before = Mode::new(stat.mode);
            let after = change.apply(before);
            held.set_mode(after)
                .map_err(|error| ActError::of(machine, segment, CHANGE_MODE, Capability::Fowner, error))?;
            let now = held.stat().map_err(|source| verifying(segment, source))?.mode;
            (before, after, Mode::new(now))
        }
    };
    if now != after {
        // The kernel drops the set-group-id bit of who is not in that group.
        return Err(ActError::Unverified { id: id.clone(), found: format!("mode {}", mode_text(now)) });
    }
    let said = if before == now {
        format!("its mode is {} as before", mode_text(now))
    } else {
        format!("its mode is {} now; it was {before}", mode_text(now))
    };
    Ok(Done::new(id.clone(), said).undone_by(Action::SetMode(ModeChange::to(before))))
}

/// Changes owner and group.
pub fn apply_owner(machine: &dyn Machine, segment: &Segment, change: OwnerChange) -> Result<Done, ActError> {
    let id = &segment.id;
    let (before, now, dropped) = match named(segment) {
        Named::Sysv(shmid) => {
            let control = machine.control();
            let stat = sysv(machine, segment, shmid)?;
            let set = SysvPermissions {
                uid: change.uid.unwrap_or(stat.uid),
                gid: change.gid.unwrap_or(stat.gid),
                mode: stat.mode,
            };
            control
                .sysv_set(shmid, set)
                .map_err(|error| owner_refused(machine, segment, Capability::SysAdmin, error))?;
            let now = sysv_after(machine, segment, shmid, &stat)?;
            ((stat.uid, stat.gid), (now.uid, now.gid), None)
        }
        Named::Nothing => return Err(ActError::Gone { id: segment.id.clone() }),
        Named::Posix(name) => {
            let (held, stat) = posix(machine, segment, name)?;
            held.set_owner(change.uid, change.gid)
                .map_err(|error| owner_refused(machine, segment, Capability::Chown, error))?;
            let now = held.stat().map_err(|source| verifying(segment, source))?;
            let dropped = (now.mode != stat.mode).then(|| Mode::new(now.mode));
            ((stat.uid, stat.gid), (now.uid, now.gid), dropped)
        }
    };
    if now != (change.uid.unwrap_or(before.0), change.gid.unwrap_or(before.1)) {
        let found = format!("user {}, group {}", user_text(machine, now.0), group_text(machine, now.1));
        return Err(ActError::Unverified { id: id.clone(), found });
    }
    let said = format!(
        "it belongs to {}, group {} now; it was {}:{}",
        user_text(machine, now.0),
        group_text(machine, now.1),
        before.0,
        before.1
    );
    let back = OwnerChange { uid: Some(before.0), gid: Some(before.1) };
    let mut done = Done::new(id.clone(), said).undone_by(Action::SetOwner(back));
    if let Some(mode) = dropped {
        done.said.push(format!("the kernel took its set-id bits away: its mode is {} now", mode_text(mode)));
    }
    Ok(done)
}

/// The kernel says the same of a segment that is gone and of a number that
/// stands for nobody in this user namespace.
pub(super) fn owner_refused(
    machine: &dyn Machine,
    segment: &Segment,
    capability: Capability,
    source: io::Error,
) -> ActError {
    let there = match named(segment) {
        Named::Sysv(shmid) => machine.control().sysv_stat(shmid).is_ok(),
        Named::Posix(_) | Named::Nothing => true,
    };
    if there && source.raw_os_error() == Some(libc::EINVAL) {
        let what = "giving it to a number that is no user or group in this user namespace";
        return ActError::Failed { id: segment.id.clone(), what, source };
    }
    ActError::of(machine, segment, CHANGE_OWNER, capability, source)
}

/// What a System V segment is after the change, as the kernel says.
///
/// Between the look before and the change its number may in theory pass to
/// another segment: only who may write `kernel.shm_next_id` can bring that about
/// before two thousand million segments have come and gone. To hold it meanwhile
/// it would have to be attached, and that wipes out who attached it last and when.
/// So it is not held, and told if it should happen.
pub(super) fn sysv_after(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
    before: &SysvStat,
) -> Result<SysvStat, ActError> {
    let now = machine.control().sysv_stat(shmid).map_err(|source| verifying(segment, source))?;
    let same = |stat: &SysvStat| (stat.size, stat.creator_uid, stat.creator_pid);
    if same(&now) != same(before) {
        let found = "another segment, which was given its number in that moment".to_owned();
        return Err(ActError::Unverified { id: segment.id.clone(), found });
    }
    Ok(now)
}

pub(super) fn verifying(segment: &Segment, source: io::Error) -> ActError {
    ActError::Failed { id: segment.id.clone(), what: "asking whether it is done", source }
}

fn has_acl(machine: &dyn Machine, segment: &Segment) -> bool {
    let Named::Posix(name) = named(segment) else { return false };
    let list = machine.control().hold(name).and_then(|held| held.acl());
    matches!(list, Ok(Some(_)))
}

/// `0600 (rw-------)`.
pub(super) fn mode_text(mode: Mode) -> String {
    format!("{mode} ({})", mode.symbolic())
}

pub(super) fn user_text(machine: &dyn Machine, uid: u32) -> String {
    machine.user_name(uid).map_or_else(|| uid.to_string(), |name| escape(name.as_bytes()))
}

pub(super) fn group_text(machine: &dyn Machine, gid: u32) -> String {
    machine.group_name(gid).map_or_else(|| gid.to_string(), |name| escape(name.as_bytes()))
}

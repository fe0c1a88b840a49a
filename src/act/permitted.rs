//! Predicts whether the kernel lets this user change or remove a segment, so that a plan can report
//! a refusal in advance.
//!
//! Follows `ipcctl_obtain_check` (ipc/util.c) for System V, and `may_delete` (fs/namei.c),
//! `setattr_prepare` (fs/attr.c) and `mnt_want_write` for POSIX. Security modules and user
//! namespaces are not predicted, so the kernel may still refuse.

use super::error::{Denial, Step};
use super::permissions::group_text;
use super::{OwnerChange, Refusal, Target};
use crate::machine::Machine;
use crate::machine::control::{Capability, Credentials, FileFlags, Guards};
use crate::segment::{Mode, ObjectName, Owner, SegmentId, escape, quote_path};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

/// Returns the reason why this user cannot remove (or rename) the segment, if it is known.
pub fn removal(target: Target<'_>) -> Option<Refusal> {
    removal_with(target, guards(target).as_ref())
}

/// Returns the guards of a POSIX object. `None` if the object is gone or its directory is not
/// accessible, which the change itself will report.
pub fn guards(target: Target<'_>) -> Option<Guards> {
    let SegmentId::Posix(name) = &target.segment.id else { return None };
    target.machine.guards(name).ok()
}

/// Predicts like [`removal`], for callers that already have the guards. Looks up names and
/// credentials only for a refusal: a batch has thousands of segments.
pub fn removal_with(target: Target<'_>, guards: Option<&Guards>) -> Option<Refusal> {
    let Target { machine, segment } = target;
    let name = match &segment.id {
        SegmentId::Sysv(_) => return sysv(target, Step::Remove, Capability::SysAdmin),
        SegmentId::Posix(name) => name,
        SegmentId::Deleted { .. } => return None,
    };
    let guards = guards?;
    let me = || machine.credentials();
    let directory = || ObjectPath::of(name).directory;
    if let Some(refusal) = hard_refusal_with(machine, name, guards) {
        return Some(refusal);
    }
    if let Some((word, flag)) = flag(guards.directory_flags) {
        let shown = escape(directory().as_os_str().as_bytes());
        return Some(flag_refusal(&format!("its directory {shown} is {word}"), flag, &directory(), &me()));
    }
    let directory_owner = || user(machine, guards.directory_uid);
    if !guards.writable {
        let shown = escape(directory().as_os_str().as_bytes());
        let owner = directory_owner();
        let reason = format!(
            "you cannot write to its directory {shown} (owner {}, mode {})",
            owner.user_text(),
            guards.directory_mode
        );
        return Some(Refusal::new(reason, remedy(&[&owner], &me(), Capability::DacOverride)));
    }
    let sticky = guards.directory_mode.bits() & STICKY != 0;
    if !sticky || [segment.owner.uid, guards.directory_uid].contains(&machine.effective_uid()) {
        return None;
    }
    let me = me();
    (!me.has(Capability::Fowner)).then(|| Denial::for_name(segment, &directory_owner(), &me).into())
}

/// Returns the reason why this user cannot change the mode of a segment in group `gid` to `after`,
/// if it is known.
pub fn mode(target: Target<'_>, after: Mode, gid: u32) -> Option<Refusal> {
    let Target { machine, segment } = target;
    if segment.posix().is_none() {
        return sysv(target, Step::SetMode, Capability::SysAdmin);
    }
    if let Some(refusal) = hard_refusal(target) {
        return Some(refusal);
    }
    let me = machine.credentials();
    if me.uid != segment.owner.uid && !me.has(Capability::Fowner) {
        return Some(Denial::for_step(&me, segment, Step::SetMode, Capability::Fowner).into());
    }
    // The kernel accepts the change, but clears the bit.
    if after.bits() & SETGID != 0 && !me.is_in(gid) && !me.has(Capability::Fsetid) {
        let group = group_text(machine, gid);
        return Some(Refusal::new(
            format!("only a member of group {group} or root can set the setgid bit"),
            "Omit the bit (g-s) or run with sudo",
        ));
    }
    None
}

/// Returns the reason why this user cannot change the owner or group, if it is known.
pub fn owner(target: Target<'_>, change: OwnerChange) -> Option<Refusal> {
    let Target { machine, segment } = target;
    if segment.posix().is_none() {
        return sysv(target, Step::SetOwner, Capability::SysAdmin);
    }
    if let Some(refusal) = hard_refusal(target) {
        return Some(refusal);
    }
    let me = machine.credentials();
    let is_owner = me.uid == segment.owner.uid;
    let keeps_user = change.uid.is_none_or(|uid| uid == segment.owner.uid);
    let own_group = change.gid.is_none_or(|gid| gid == segment.owner.gid || me.is_in(gid));
    if me.has(Capability::Chown) || (is_owner && keeps_user && own_group) {
        return None;
    }
    let root_text = root_text(&me, Capability::Chown);
    let (reason, remedy) = if !keeps_user {
        (
            format!("only {root_text} can change the owner of a POSIX segment"),
            remedy(&[], &me, Capability::Chown),
        )
    } else if is_owner {
        (
            format!("you are not a member of the new group, and only {root_text} can set an arbitrary group"),
            remedy(&[], &me, Capability::Chown),
        )
    } else {
        let denied = Denial::for_step(&me, segment, Step::SetOwner, Capability::Chown);
        return Some(denied.into());
    };
    Some(Refusal::new(reason, remedy))
}

/// Returns the reason why this user cannot carry out `step` on a System V segment. Only the owner,
/// the creator and users with the capability can.
pub fn sysv(target: Target<'_>, step: Step, capability: Capability) -> Option<Refusal> {
    let Target { machine, segment } = target;
    let creator = segment.sysv().map(|facts| facts.creator.uid);
    let uid = machine.effective_uid();
    // The full credentials take four more system calls.
    if uid == segment.owner.uid || Some(uid) == creator {
        return None;
    }
    let me = machine.credentials();
    if me.has(capability) {
        return None;
    }
    Some(Denial::for_step(&me, segment, step, capability).into())
}

struct ObjectPath {
    path: PathBuf,
    directory: PathBuf,
}

impl ObjectPath {
    fn of(name: &ObjectName) -> Self {
        let path = Path::new("/dev/shm").join(name.as_path());
        let directory = path.parent().unwrap_or(&path).to_owned();
        Self { path, directory }
    }
}

/// Returns a reason that prevents even root from changing a POSIX object: a read-only mount or file
/// flags.
pub fn hard_refusal(target: Target<'_>) -> Option<Refusal> {
    let SegmentId::Posix(name) = &target.segment.id else { return None };
    hard_refusal_with(target.machine, name, &guards(target)?)
}

fn hard_refusal_with(machine: &dyn Machine, name: &ObjectName, guards: &Guards) -> Option<Refusal> {
    let me = || machine.credentials();
    if guards.read_only {
        let remedy = with_sudo("remount it with `mount -o remount,rw /dev/shm`", &me());
        return Some(Refusal::new("/dev/shm is mounted read-only", remedy));
    }
    let (word, flag) = flag(guards.flags)?;
    Some(flag_refusal(word, flag, &ObjectPath::of(name).path, &me()))
}

fn flag(flags: FileFlags) -> Option<(&'static str, char)> {
    match flags {
        FileFlags { immutable: true, .. } => Some(("immutable", 'i')),
        FileFlags { append_only: true, .. } => Some(("append-only", 'a')),
        FileFlags { .. } => None,
    }
}

fn flag_refusal(reason: &str, flag: char, path: &Path, me: &Credentials) -> Refusal {
    let command = format!("clear the flag with `chattr -{flag} {}`", quote_path(path));
    Refusal::new(format!("{reason} (chattr +{flag})"), with_sudo(&command, me))
}

fn with_sudo(command: &str, me: &Credentials) -> String {
    if me.uid == 0 {
        let mut letters = command.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    } else {
        format!("As root, {command}")
    }
}

/// Returns `root`, or the missing capability if the caller is a root user without it, as in a
/// container.
pub(super) fn root_text(me: &Credentials, capability: Capability) -> String {
    if me.uid == 0 { format!("a process with {}", capability.name()) } else { "root".to_owned() }
}

/// Names the users to run as.
pub(super) fn remedy(owners: &[&Owner], me: &Credentials, capability: Capability) -> String {
    let mut names: Vec<String> = vec![];
    for owner in owners.iter().filter(|owner| owner.uid != 0) {
        let name = name(owner);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let names = names.join(" or ");
    match (names.as_str(), me.uid) {
        ("", 0) => format!("Run with {}", capability.name()),
        ("", _) => "Run as root".to_owned(),
        (names, 0) => format!("Run as {names}"),
        (names, _) => format!("Run as {names} or with sudo"),
    }
}

/// Returns the user name, or the UID with a prefix.
pub(super) fn name(owner: &Owner) -> String {
    if owner.user.is_some() { owner.user_text() } else { format!("user {}", owner.uid) }
}

fn user(machine: &dyn Machine, uid: u32) -> Owner {
    Owner { uid, user: machine.user_name(uid).map(Arc::from), gid: 0, group: None }
}

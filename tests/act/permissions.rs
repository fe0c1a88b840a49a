//! Mode, owner and lock as root, as the owner and as another user.

use super::{carry_out, is_root, plan_action, set_mode};
use crate::support::{NOBODY, Namespaces, Nobody, Object, SetOnDrop, Sysv, tool};
use shmlens::act::{self, ActError, Action, ModeChange, OwnerChange};
use shmlens::machine::real::RealMachine;
use shmlens::segment::Mode;
use shmlens::sys::shm;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn chown(uid: u32, gid: u32) -> Action {
    Action::SetOwner(OwnerChange { uid: Some(uid), gid: Some(gid) })
}

#[test]
fn root_may_change_everything() {
    let Some(_namespaces) = Namespaces::new() else { return };
    assert!(is_root());
    let sysv = Sysv::new(0x4d2, 5000, 0o600).owned_by(NOBODY, NOBODY);
    sysv.lock();
    let object = Object::new("object", 5000, 0o600).owned_by(NOBODY, NOBODY);
    for id in [sysv.id(), object.id()] {
        carry_out(&id, &set_mode(0o646)).unwrap();
        carry_out(&id, &chown(1000, 100_000)).unwrap();
    }
    let facts = shm::stat(sysv.shmid).unwrap();
    // Lock and key are kept.
    assert_eq!((facts.mode, facts.uid, facts.gid, facts.key), (0o2646, 1000, 100_000, 0x4d2));
    let facts = object.file.metadata().unwrap();
    assert_eq!((facts.mode() & 0o7777, facts.uid(), facts.gid()), (0o646, 1000, 100_000));
    carry_out(&sysv.id(), &Action::Unlock).unwrap();
    assert_eq!(shm::stat(sysv.shmid).unwrap().mode, 0o646);
    carry_out(&sysv.id(), &Action::Lock).unwrap();
    let Some(ipcs) = tool("ipcs") else { return };
    let text = String::from_utf8(Command::new(ipcs).arg("-m").output().unwrap().stdout).unwrap();
    let line = text.lines().find(|line| line.contains("0x000004d2")).unwrap();
    assert!(line.contains("646") && line.contains("locked"), "{text}");
}

#[test]
fn mode_and_owner_change_together_and_undo_together() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 5000, 0o640).owned_by(NOBODY, NOBODY);
    let object = Object::new("object", 5000, 0o4740).owned_by(NOBODY, NOBODY);
    // Changing the owner clears setuid and setgid, so the mode has to be set afterward.
    object.file.set_permissions(Permissions::from_mode(0o4740)).unwrap();
    let seen = || {
        let facts = shm::stat(sysv.shmid).unwrap();
        let stat = object.file.metadata().unwrap();
        ((facts.mode, facts.uid, facts.gid), (stat.mode() & 0o7777, stat.uid(), stat.gid()))
    };
    let owner = OwnerChange { uid: Some(1000), gid: Some(100_000) };
    let both = |mode: &str| Action::SetModeAndOwner(mode.parse().unwrap(), owner);
    let mut undo = vec![];
    for (id, mode) in [(sysv.id(), "g=rw,o=r"), (object.id(), "6755")] {
        let done = carry_out(&id, &both(mode)).unwrap();
        undo.push((id, done.undo.unwrap()));
    }
    assert_eq!(seen(), ((0o664, 1000, 100_000), (0o6755, 1000, 100_000)));
    for (id, action) in undo {
        carry_out(&id, &action).unwrap();
    }
    assert_eq!(seen(), ((0o640, NOBODY, NOBODY), (0o4740, NOBODY, NOBODY)));
    // If only a part of the change is permitted, nothing is changed.
    let before = object.file.metadata().unwrap().ctime_nsec();
    let nobody = Nobody::here();
    let error = carry_out(&object.id(), &both("0600")).unwrap_err().to_string();
    assert!(error.contains("only root can change the owner"), "{error}");
    drop(nobody);
    assert_eq!(object.file.metadata().unwrap().ctime_nsec(), before);
    assert_eq!(seen().1, (0o4740, NOBODY, NOBODY));
}

#[test]
fn change_grants_no_access_that_neither_state_grants() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 5000, 0o600).owned_by(1000, 1000);
    let both = |mode, gid| {
        let owner = OwnerChange { uid: Some(1000), gid: Some(gid) };
        Action::SetModeAndOwner(ModeChange::to(Mode::new(mode)), owner)
    };
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let stat = object.file.metadata().unwrap();
                assert!(stat.mode() & 0o060 == 0 || stat.gid() == 7, "{:o} of {}", stat.mode(), stat.gid());
            }
        });
        let _over = SetOnDrop(&is_over);
        for _ in 0..200 {
            carry_out(&object.id(), &both(0o660, 7)).unwrap();
            carry_out(&object.id(), &both(0o600, 1000)).unwrap();
        }
    });
}

#[test]
fn partial_change_is_rolled_back() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 5000, 0o600).owned_by(NOBODY, NOBODY);
    object.file.set_permissions(Permissions::from_mode(0o666)).unwrap();
    let owner = OwnerChange { uid: Some(1000), gid: None };
    let both = Action::SetModeAndOwner(ModeChange::to(Mode::new(0o600)), owner);
    // Plan as root, so that only the kernel refuses: an owner cannot give the segment away.
    let plan = plan_action(&object.id(), &both);
    let nobody = Nobody::here();
    let error = act::apply(&RealMachine, &plan).result.unwrap_err();
    drop(nobody);
    assert!(matches!(error, ActError::Denied { .. }), "{error}");
    let stat = object.file.metadata().unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.uid(), stat.gid()), (0o666, NOBODY, NOBODY));
}

/// The kernel accepts the mode but drops setgid for a user outside the group.
#[test]
fn result_reports_the_mode_the_kernel_set() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 5000, 0o600).owned_by(NOBODY, 1000);
    // Plan as root, because a plan as nobody would predict the result.
    let plan = plan_action(&object.id(), &set_mode(0o2640));
    let nobody = Nobody::here();
    let error = act::apply(&RealMachine, &plan).result.unwrap_err();
    drop(nobody);
    assert!(matches!(error, ActError::Unverified { .. }), "{error}");
    assert!(error.to_string().contains("mode 0640"), "{error}");
}

/// POSIX objects have no timestamp for the last change alone, so a relative mode applies to the
/// current mode.
#[test]
fn relative_mode_applies_to_the_current_mode() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 5000, 0o600);
    let plan = plan_action(&object.id(), &Action::SetMode("g+r".parse().unwrap()));
    object.file.set_permissions(Permissions::from_mode(0o620)).unwrap();
    let done = act::apply(&RealMachine, &plan).result.unwrap();
    assert_eq!(object.file.metadata().unwrap().mode() & 0o7777, 0o660);
    carry_out(&object.id(), &done.undo.unwrap()).unwrap();
    assert_eq!(object.file.metadata().unwrap().mode() & 0o7777, 0o620);
}

#[test]
fn owner_may_change_own_segments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    // Not even the owner can read this segment.
    let sysv = Sysv::new(0, 5000, 0).owned_by(NOBODY, NOBODY);
    let object = Object::new("object", 5000, 0).owned_by(NOBODY, NOBODY);
    let nobody = Nobody::here();
    for id in [sysv.id(), object.id()] {
        carry_out(&id, &set_mode(0o600)).unwrap();
        carry_out(&id, &set_mode(0)).unwrap();
        carry_out(&id, &set_mode(0o640)).unwrap();
    }
    // An owner may give away a System V segment, but not an object.
    carry_out(&sysv.id(), &chown(1000, 1000)).unwrap();
    let error = carry_out(&object.id(), &chown(1000, NOBODY)).unwrap_err().to_string();
    assert!(error.contains("only root can change the owner"), "{error}");
    let error =
        carry_out(&object.id(), &Action::SetOwner(OwnerChange { uid: None, gid: Some(0) })).unwrap_err();
    assert!(matches!(error, ActError::Refused { .. }), "{error}");
    drop(nobody);
    let facts = shm::stat(sysv.shmid).unwrap();
    assert_eq!((facts.mode, facts.uid, facts.gid), (0o640, 1000, 1000));
    let facts = object.file.metadata().unwrap();
    assert_eq!((facts.mode() & 0o7777, facts.uid(), facts.gid()), (0o640, NOBODY, NOBODY));
}

#[test]
fn refusal_names_the_users_who_may_change_it() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 5000, 0o666);
    let object = Object::new("object", 5000, 0o666);
    let before = (shm::stat(sysv.shmid).unwrap(), object.file.metadata().unwrap().ctime_nsec());
    let mut plans = vec![];
    for id in [sysv.id(), object.id()] {
        // Plan as root, so that only the kernel refuses.
        plans.extend(
            [set_mode(0o600), chown(NOBODY, NOBODY), Action::Lock].map(|action| plan_action(&id, &action)),
        );
    }
    let nobody = Nobody::here();
    for plan in plans {
        let subject = plan.subject();
        let error = act::apply(&RealMachine, &plan).result.unwrap_err();
        let text = error.to_string();
        if subject.starts_with("sysv") || plan.refusal.is_none() {
            assert!(matches!(error, ActError::Denied { .. }), "{text}");
            assert!(text.contains("only root can") && !text.contains("os error"), "{text}");
        }
    }
    for id in [sysv.id(), object.id()] {
        assert!(matches!(carry_out(&id, &set_mode(0o600)), Err(ActError::Refused { .. })));
    }
    drop(nobody);
    assert_eq!((shm::stat(sysv.shmid).unwrap(), object.file.metadata().unwrap().ctime_nsec()), before);
}

#[test]
fn system_v_keeps_nine_mode_bits_and_reports_it() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0, 100, 0o600);
    let error = carry_out(&sysv.id(), &set_mode(0o4755)).unwrap_err().to_string();
    assert!(error.contains("only nine permission bits"), "{error}");
    assert_eq!(shm::stat(sysv.shmid).unwrap().mode, 0o600);
    let object = Object::new("object", 100, 0o600);
    carry_out(&object.id(), &set_mode(0o4755)).unwrap();
    assert_eq!(object.file.metadata().unwrap().mode() & 0o7777, 0o4755);
}

#[test]
fn symbolic_modes_match_chmod() {
    let Some(chmod) = tool("chmod") else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, b"").unwrap();
    for text in [
        "u+w,o-rwx",
        "a=r",
        "g=u",
        "o=g",
        "ug+rw-x",
        "a+X",
        "go=",
        "u=rwx,g=rx,o=",
        "u+s",
        "g-s",
        "a+t",
        "u-s+x",
        "u=o",
        "a-w",
        "g+wX",
        "0640",
        "7",
        "o=u-w",
        "ugo=rw",
    ] {
        let change: ModeChange = text.parse().unwrap();
        for before in [0, 0o600, 0o644, 0o751, 0o4755, 0o1777, 0o2070] {
            fs::set_permissions(&path, Permissions::from_mode(before)).unwrap();
            let status = Command::new(&chmod).arg(text).arg(&path).status().unwrap();
            let after = fs::metadata(&path).unwrap().mode() & 0o7777;
            assert!(status.success());
            assert_eq!(change.apply(Mode::new(before)).bits(), after, "{before:o} {text}");
        }
    }
}

//! Access prediction of `act`, compared with the kernel.

use crate::support::{Child, NOBODY, Namespaces, Nobody, Object, SOON, Sysv, tool};
use nix::fcntl::{OFlag, open};
use nix::sys::stat;
use shmlens::act::access::Rules;
use shmlens::act::{Action, ModeChange, OwnerChange};
use shmlens::machine::control::Control as _;
use shmlens::machine::real::RealMachine;
use shmlens::segment::{Mode, ObjectName, SegmentId};
use shmlens::sys::shm::Attachment;
use std::process::Command;

/// Tries to open the segment read-only and read-write.
fn try_open(id: &SegmentId) -> (bool, bool) {
    match id {
        SegmentId::Sysv(shmid) => {
            (Attachment::read_only(shmid.0).is_ok(), Attachment::read_write(shmid.0).is_ok())
        }
        SegmentId::Posix(name) => {
            let path = std::path::Path::new("/dev/shm").join(name.as_path());
            let can_open = |flag| open(&path, flag, stat::Mode::empty()).is_ok();
            (can_open(OFlag::O_RDONLY), can_open(OFlag::O_RDWR))
        }
        SegmentId::Deleted { .. } => panic!("{id} was not made by a test"),
    }
}

#[track_caller]
fn compare(rules: &Rules, id: &SegmentId) {
    let nobody = Nobody::here();
    let credentials = RealMachine.credentials();
    let found = try_open(id);
    drop(nobody);
    assert_eq!((credentials.uid, credentials.gid, credentials.capabilities), (NOBODY, NOBODY, 0));
    let answer = rules.access(&credentials);
    assert_eq!((answer.read, answer.write), found, "{rules:?}: {}", answer.reason);
    let root = rules.access(&RealMachine.credentials());
    assert_eq!((root.read, root.write), try_open(id), "{rules:?}: {}", root.reason);
}

#[test]
fn access_by_mode_matches_the_kernel() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for (uid, gid) in [(NOBODY, NOBODY), (NOBODY, 7), (1000, NOBODY), (1000, 7)] {
        let sysv = Sysv::new(0, 4096, 0o600).owned_by(uid, gid);
        let object = Object::new("object", 4096, 0o600).owned_by(uid, gid);
        for mode in [0, 0o400, 0o200, 0o600, 0o040, 0o020, 0o060, 0o004, 0o002, 0o006, 0o640, 0o606, 0o066] {
            for id in [sysv.id(), object.id()] {
                super::carry_out(&id, &super::set_mode(mode)).unwrap();
                let rules = Rules::of(&RealMachine, &super::find_segment(&id));
                assert_eq!(rules.mode, Mode::new(mode));
                compare(&rules, &id);
            }
        }
    }
}

#[test]
fn access_by_acl_matches_the_kernel() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let entry = |tag: u16, bits: u16, id: u32| {
        [&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let none = u32::MAX;
    for (number, gid) in [7, NOBODY].into_iter().enumerate() {
        let object = Object::new(format!("object{number}"), 4096, 0o600).owned_by(1000, gid);
        let name = ObjectName::new(format!("object{number}").as_bytes()).unwrap();
        for (user, group, owning, mask, other) in [
            (Some(6), None, 0, 6, 0),
            (Some(6), None, 0, 4, 0),
            (Some(0), Some(6), 6, 6, 6),
            (None, Some(4), 2, 6, 0),
            (None, Some(0), 0, 6, 6),
            (None, Some(6), 4, 2, 6),
            (None, None, 6, 4, 0),
        ] {
            let mut list = vec![2u32.to_le_bytes().to_vec(), entry(1, 6, none)];
            list.extend(user.map(|bits| entry(2, bits, NOBODY)));
            list.push(entry(4, owning, none));
            list.extend(group.map(|bits| entry(8, bits, NOBODY)));
            list.extend([entry(0x10, mask, none), entry(0x20, other, none)]);
            let held = RealMachine.open_handle(&name).unwrap();
            held.set_acl(&list.concat()).unwrap();
            assert_eq!(held.acl().unwrap(), Some(list.concat()));
            let rules = Rules::of(&RealMachine, &super::find_segment(&object.id()));
            assert!(rules.acl.is_some());
            compare(&rules, &object.id());
            for (mode, uid, gid) in [(0o640, 1000, gid), (0o604, NOBODY, gid), (0o666, 1000, NOBODY)] {
                let rules = rules.with(Mode::new(mode), uid, gid);
                let owner = OwnerChange { uid: Some(uid), gid: Some(gid) };
                let both = Action::SetModeAndOwner(ModeChange::to(Mode::new(mode)), owner);
                super::carry_out(&object.id(), &both).unwrap();
                assert_eq!(Rules::of(&RealMachine, &super::find_segment(&object.id())), rules);
                compare(&rules, &object.id());
            }
        }
    }
}

#[test]
fn process_credentials_match_the_kernel() {
    let credentials = RealMachine.process_credentials(std::process::id()).unwrap();
    assert_eq!(credentials, RealMachine.credentials());
    assert!(RealMachine.user_credentials(0).capabilities != 0);
}

#[test]
fn capabilities_in_a_user_namespace_grant_nothing_outside() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(unshare) = tool("unshare") else { return };
    let mut command = Command::new(unshare);
    let mut child = Child::spawn_piped(command.args(["--user", "--map-root-user", "cat"]));
    let pid = u32::try_from(child.pid().as_raw()).unwrap();
    child.send("there\n");
    assert_eq!(child.line(SOON), "there");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(!status.contains("CapEff:\t0000000000000000"), "{status}");
    let credentials = RealMachine.process_credentials(pid).unwrap();
    assert_eq!((credentials.uid, credentials.capabilities), (0, 0));
}

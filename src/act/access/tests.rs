//! Tests of access prediction for each class of users.

use super::*;

fn rules(kind: Kind, mode: u32) -> Rules {
    let creator = (kind == Kind::Sysv).then_some((1001, 51));
    Rules { kind, mode: Mode::new(mode), uid: 1000, gid: 50, creator, acl: None }
}

fn user(uid: u32, gid: u32) -> Credentials {
    Credentials { uid, gid, groups: vec![], capabilities: 0 }
}

fn label(rules: &Rules, user: &Credentials) -> &'static str {
    rules.access(user).label()
}

#[test]
fn first_matching_class_decides() {
    for kind in [Kind::Sysv, Kind::Posix] {
        for (mode, expected) in [
            (0o640, ["read-write", "read-only", "no access"]),
            (0o666, ["read-write"; 3]),
            (0o066, ["no access", "read-write", "read-write"]),
            (0o200, ["no access"; 3]),
            (0o4755, ["read-write", "read-only", "read-only"]),
        ] {
            let found = rules(kind, mode).classes().map(|answer| answer.label());
            assert_eq!(found, expected, "{kind:?} {mode:o}");
        }
    }
    // The bits of the owner apply even if the owner is a member of the group.
    assert_eq!(label(&rules(Kind::Posix, 0o060), &user(1000, 50)), "no access");
    let answer = rules(Kind::Sysv, 0o200).access(&user(1000, 50));
    assert!(answer.reason.contains("needs read permission"), "{}", answer.reason);
}

#[test]
fn creator_has_the_permissions_of_the_owner() {
    let sysv = rules(Kind::Sysv, 0o640);
    assert_eq!(label(&sysv, &user(1001, 9)), "read-write");
    assert_eq!(label(&sysv, &user(9, 51)), "read-only");
    assert_eq!(label(&rules(Kind::Posix, 0o640), &user(1001, 51)), "no access");
}

#[test]
fn capabilities_override_the_mode() {
    let user_with = |capability| Credentials { capabilities: 1 << capability as u64, ..user(9, 9) };
    let (sysv, posix) = (rules(Kind::Sysv, 0), rules(Kind::Posix, 0));
    assert_eq!(label(&sysv, &user_with(Capability::IpcOwner)), "read-write");
    assert_eq!(label(&posix, &user_with(Capability::IpcOwner)), "no access");
    assert_eq!(label(&posix, &user_with(Capability::DacOverride)), "read-write");
    assert_eq!(label(&posix, &user_with(Capability::DacReadSearch)), "read-only");
    assert_eq!(label(&sysv, &user_with(Capability::DacOverride)), "no access");
    let reason = posix.access(&user_with(Capability::DacOverride)).reason;
    assert!(reason.contains("CAP_DAC_OVERRIDE"), "{reason}");
    let root_rules = Rules { uid: 0, ..posix };
    assert_eq!(root_rules.classes()[0].label(), "read-write");
}

#[test]
fn acl_entries_override_the_class_of_others() {
    let acl = Acl { users: vec![(7, 6), (8, 0)], groups: vec![(60, 6), (61, 4)], owning_group: 4, mask: 4 };
    let listed = Rules { acl: Some(acl), ..rules(Kind::Posix, 0o646) };
    let masked = listed.access(&user(7, 9));
    assert_eq!(masked.label(), "read-only");
    assert!(masked.reason.contains("mask"), "{}", masked.reason);
    assert_eq!(label(&listed, &user(8, 60)), "no access");
    assert_eq!(label(&listed, &user(9, 60)), "read-only");
    assert_eq!(label(&listed, &user(9, 50)), "read-only");
    assert_eq!(label(&listed, &user(9, 9)), "read-write");
    assert_eq!(label(&listed, &user(1000, 9)), "read-write");
    // A member of a named group does not get the permissions of others.
    let none = Acl { groups: vec![(60, 0)], mask: 6, ..Acl::default() };
    let listed = Rules { acl: Some(none), ..rules(Kind::Posix, 0o606) };
    assert_eq!(label(&listed, &user(9, 60)), "no access");
}

#[test]
fn acl_parses() {
    let entry = |tag: u16, bits: u16, id: u32| {
        let mut bytes = [tag.to_le_bytes(), bits.to_le_bytes()].concat();
        bytes.extend(id.to_le_bytes());
        bytes
    };
    let none = u32::MAX;
    let entries = [
        entry(1, 6, none),
        entry(2, 6, 7),
        entry(4, 4, none),
        entry(8, 2, 60),
        entry(0x10, 6, none),
        entry(0x20, 0, none),
    ];
    let list = [2u32.to_le_bytes().to_vec(), entries.concat()].concat();
    let acl = Acl { users: vec![(7, 6)], groups: vec![(60, 2)], owning_group: 4, mask: 6 };
    assert_eq!(Acl::parse(&list), Some(acl));
    for wrong in [&list[..3], &list[..list.len() - 1], &[1, 0, 0, 0], &[2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]] {
        assert_eq!(Acl::parse(wrong), None, "{wrong:?}");
    }
}

//! ACLs in saved files, and on restored objects.

use super::{directory, restore, save};
use crate::support::{Namespaces, Object, tool};
use std::fs;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Returns an ACL of version 2: owner rw, user 65534 r, group none, mask r, others none.
fn acl() -> Vec<u8> {
    list(&[(1, 6, u32::MAX), (2, 4, 65534), (4, 0, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)])
}

/// Encodes an ACL from entries of tag, rights and id.
pub(super) fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut acl = 2u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        acl.extend(tag.to_le_bytes());
        acl.extend(rights.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    acl
}

#[test]
fn restore_keeps_an_acl_and_adds_none() {
    use shmlens::sys::handle;
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let (with, without) = (Object::new("with", 5000, 0o600), Object::new("without", 5000, 0o640));
    handle::set_acl(with.file.as_fd(), &acl()).unwrap();
    for object in [&with, &without] {
        let path = directory.path().join("file");
        save(&object.id(), &path);
        fs::remove_file(object.path()).unwrap();
        restore(&path);
        fs::remove_file(&path).unwrap();
    }
    let read = |object: &Object| handle::acl(File::open(object.path()).unwrap().as_fd()).unwrap();
    assert_eq!((read(&with), read(&without)), (Some(acl()), None));
    let mode = |object: &Object| fs::metadata(object.path()).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&with), mode(&without)), (0o640, 0o640));
    let Some(getfacl) = tool("getfacl") else { return };
    let message = Command::new(getfacl).args(["-n", "-p"]).arg(with.path()).output().unwrap();
    let message = String::from_utf8(message.stdout).unwrap();
    assert!(message.contains("user:65534:r--") && message.contains("mask::r--"), "{message}");
}

/// The default ACL of a directory must not apply to restored objects.
#[test]
fn restore_does_not_inherit_a_default_acl() {
    use shmlens::sys::handle;
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(setfacl) = tool("setfacl") else { return };
    let directory = directory();
    let object = Object::new("a", 5000, 0o600);
    let path = directory.path().join("file");
    save(&object.id(), &path);
    fs::remove_file(object.path()).unwrap();
    let given = Command::new(setfacl).args(["-d", "-m", "u:65534:rw", "/dev/shm"]).status().unwrap();
    assert!(given.success());
    restore(&path);
    assert_eq!(handle::acl(File::open(object.path()).unwrap().as_fd()).unwrap(), None);
    assert_eq!(fs::metadata(object.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

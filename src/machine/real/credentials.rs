//! The credentials of processes, from `/proc/PID/status`, and of users, from the user database.

use crate::machine::control::Credentials;
use crate::sys::capability;
use nix::unistd::{Uid, User, getegid, geteuid, getgrouplist};
use std::ffi::CString;
use std::fs;

/// Returns the credentials of this thread.
pub fn own() -> Credentials {
    Credentials {
        uid: geteuid().as_raw(),
        gid: getegid().as_raw(),
        groups: capability::groups().unwrap_or_default(),
        capabilities: capability::effective().unwrap_or(0),
    }
}

/// Returns the credentials of a process, whose status file is world-readable.
pub fn process(pid: u32) -> Option<Credentials> {
    let mut credentials = parse(&fs::read(format!("/proc/{pid}/status")).ok()?)?;
    if in_another_user_namespace(pid) {
        // Capabilities in another user namespace have no effect here: capabilities(7).
        credentials.capabilities = 0;
    }
    Some(credentials)
}

/// Returns true if the process is in another user namespace. This is unknown for processes of other
/// users, so the answer is false.
fn in_another_user_namespace(pid: u32) -> bool {
    let own = fs::read_link("/proc/self/ns/user");
    let theirs = fs::read_link(format!("/proc/{pid}/ns/user"));
    matches!((own, theirs), (Ok(own), Ok(theirs)) if own != theirs)
}

/// Parses bytes, since the command name may contain any byte.
fn parse(status: &[u8]) -> Option<Credentials> {
    let field = |name: &str| {
        let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name.as_bytes()));
        line.and_then(|rest| rest.strip_prefix(b":")).and_then(|rest| std::str::from_utf8(rest).ok())
    };
    let numbers = |name: &str| -> Option<Vec<u32>> {
        Some(field(name)?.split_whitespace().filter_map(|number| number.parse().ok()).collect())
    };
    // Real, effective, saved, file system: the last one counts for opening files.
    let effective = |name: &str| numbers(name).and_then(|ids| ids.get(1).copied());
    Some(Credentials {
        uid: effective("Uid")?,
        gid: effective("Gid")?,
        groups: numbers("Groups").unwrap_or_default(),
        capabilities: u64::from_str_radix(field("CapEff")?.trim(), 16).ok()?,
    })
}

/// Returns the credentials of a new login session of the user.
pub fn user(uid: u32) -> Credentials {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let groups = user.as_ref().and_then(|user| {
        let name = CString::new(user.name.as_bytes()).ok()?;
        getgrouplist(&name, user.gid).ok()
    });
    Credentials {
        uid,
        gid: user.map_or(uid, |user| user.gid.as_raw()),
        groups: groups.unwrap_or_default().into_iter().map(nix::unistd::Gid::as_raw).collect(),
        capabilities: if uid == 0 { Credentials::ALL } else { 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_file_parses_with_any_command() {
        let text = b"Name:\tUid:\xff\nUid:\t1\t1000\t3\t4\nGid:\t1\t100\t3\t4\nGroups:\t4 24 \nCapEff:\t0000000000008002\n";
        let credentials = parse(text).unwrap();
        assert_eq!(
            credentials,
            Credentials { uid: 1000, gid: 100, groups: vec![4, 24], capabilities: 0x8002 }
        );
        assert!(process(std::process::id()).is_some_and(|credentials| credentials == own()));
        assert_eq!(process(u32::MAX), None);
    }
}

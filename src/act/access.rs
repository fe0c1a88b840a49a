//! Predicts which users can attach a segment, as the kernel would decide: a pure function of the
//! permission bits, the access control list and the credentials.

use crate::machine::Machine;
use crate::machine::control::{Capability, Credentials};
use crate::segment::{Kind, Mode, Segment, SegmentId};

#[cfg(test)]
mod tests;

/// The attributes of a segment that determine access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// System V and POSIX segments are checked differently.
    pub kind: Kind,
    pub mode: Mode,
    pub uid: u32,
    pub gid: u32,
    /// The creator and the creator's group, who keep their access to a System V segment regardless
    /// of its owner.
    pub creator: Option<(u32, u32)>,
    pub acl: Option<Acl>,
}

/// The part of a POSIX access control list that the mode does not contain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    /// The permission bits of named users by UID (read 4, write 2).
    pub users: Vec<(u32, u32)>,
    /// The permission bits of named groups by GID.
    pub groups: Vec<(u32, u32)>,
    /// The permission bits of the owning group, which the mode does not show if there is an ACL.
    pub owning_group: u32,
    /// The upper bound of the bits for named users, named groups and the owning group. The mode
    /// shows the mask as its group bits.
    pub mask: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccess {
    pub read: bool,
    /// Never set without `read`: both kinds require read permission to attach.
    pub write: bool,
    pub reason: String,
}

impl UserAccess {
    /// Returns a label such as `read only`.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match (self.read, self.write) {
            (true, true) => "read-write",
            (true, false) => "read-only",
            (false, _) => "no access",
        }
    }
}

const READ: u32 = 4;
const WRITE: u32 = 2;

impl Acl {
    /// Parses `system.posix_acl_access`: a version of 4 bytes (2), followed by entries of tag, bits
    /// and id (`linux/posix_acl_xattr.h`), little-endian. Returns `None` if the format is invalid.
    #[must_use]
    pub fn parse(list: &[u8]) -> Option<Self> {
        let (version, entries) = list.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*version) != 2 || entries.len() % 8 != 0 {
            return None;
        }
        let mut acl = Self { mask: 7, ..Self::default() };
        for entry in entries.chunks_exact(8) {
            let tag = u16::from_le_bytes([entry[0], entry[1]]);
            let bits = u32::from(u16::from_le_bytes([entry[2], entry[3]]));
            let id = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
            match tag {
                0x02 => acl.users.push((id, bits)),
                0x04 => acl.owning_group = bits,
                0x08 => acl.groups.push((id, bits)),
                0x10 => acl.mask = bits,
                // The mode contains the bits of the owner and of others.
                0x01 | 0x20 => {}
                _ => return None,
            }
        }
        Some(acl)
    }
}

impl Acl {
    /// Returns the nine mode bits that the kernel sets for a file with this list: those of the
    /// owner, the mask (or the owning group if there is no mask) and those of others. Returns
    /// `None` for a list that the kernel would reject.
    #[must_use]
    pub fn mode_bits(list: &[u8]) -> Option<u32> {
        Self::parse(list)?;
        let all = |tag: u16| {
            let entries = list.get(4..).unwrap_or_default().chunks_exact(8);
            let bits = entries.filter(move |entry| u16::from_le_bytes([entry[0], entry[1]]) == tag);
            bits.map(|entry| u32::from(u16::from_le_bytes([entry[2], entry[3]]))).collect::<Vec<_>>()
        };
        let group = match *all(0x10) {
            [] => all(0x04),
            [mask] if all(0x04).len() == 1 => vec![mask],
            _ => return None,
        };
        match (&*all(0x01), &*group, &*all(0x20)) {
            (&[owner], &[group], &[other]) if (owner | group | other) <= 7 => {
                Some(owner << 6 | group << 3 | other)
            }
            _ => None,
        }
    }

    /// Returns true if the list grants write access to a named group, or to a named user other than
    /// the owner and root.
    #[must_use]
    pub fn lets_others_write(&self, owner: u32) -> bool {
        let writes = |bits: u32| bits & self.mask & WRITE != 0;
        let user = self.users.iter().any(|&(uid, bits)| uid != owner && uid != 0 && writes(bits));
        user || self.groups.iter().any(|&(_, bits)| writes(bits))
    }
}

impl Rules {
    /// Returns the rules for a segment in its current state, with the ACL that the machine reports.
    #[must_use]
    pub fn of(machine: &dyn Machine, segment: &Segment) -> Self {
        let list = match &segment.id {
            SegmentId::Sysv(_) | SegmentId::Deleted { .. } => None,
            SegmentId::Posix(name) => machine.open_handle(name).and_then(|held| held.acl()).ok().flatten(),
        };
        Self {
            kind: segment.kind(),
            mode: segment.mode,
            uid: segment.owner.uid,
            gid: segment.owner.gid,
            creator: segment.sysv().map(|facts| (facts.creator.uid, facts.creator.gid)),
            acl: list.and_then(|list| Acl::parse(&list)),
        }
    }

    /// Returns the rules after a change to this mode, owner and group. With an ACL, the group bits
    /// of the mode become its mask, as in `posix_acl_chmod`.
    #[must_use]
    pub fn with(&self, mode: Mode, uid: u32, gid: u32) -> Self {
        let mut rules = Self { mode, uid, gid, ..self.clone() };
        if mode != self.mode
            && let Some(acl) = &mut rules.acl
        {
            acl.mask = mode.bits() >> 3 & 7;
        }
        rules
    }

    /// Returns the access of the owner, of a member of the group and of any other user, ignoring
    /// the ACL entries for named users and groups.
    #[must_use]
    pub fn classes(&self) -> [UserAccess; 3] {
        // No user and no group has this id.
        let nobody = u32::MAX;
        let capabilities = if self.uid == 0 { Credentials::ALL } else { 0 };
        let credentials = |uid, gid, capabilities| Credentials { uid, gid, groups: vec![], capabilities };
        [
            self.access(&credentials(self.uid, nobody, capabilities)),
            self.access(&credentials(nobody, self.gid, 0)),
            self.access(&credentials(nobody, nobody, 0)),
        ]
    }

    /// Returns the access of a user with an explanation, following `ipcperms` in ipc/util.c, and
    /// `acl_permission_check` and `posix_acl_permission` in fs/.
    #[must_use]
    pub fn access(&self, user: &Credentials) -> UserAccess {
        let (bits, reason) = match (self.kind, &self.acl) {
            (Kind::Sysv, _) => self.access_by_sysv_mode(user),
            (Kind::Posix | Kind::Deleted, Some(acl)) => self.access_by_list(acl, user),
            (Kind::Posix | Kind::Deleted, None) => self.access_by_posix_mode(user),
        };
        let (read, write) = (bits & READ != 0, bits & READ != 0 && bits & WRITE != 0);
        if read && write {
            return UserAccess { read, write, reason };
        }
        let may = |capability| user.has(capability);
        let by = |capability: Capability, read, write| UserAccess {
            read,
            write,
            reason: format!("{} overrides the mode", capability.name()),
        };
        match self.kind {
            Kind::Sysv if may(Capability::IpcOwner) => by(Capability::IpcOwner, true, true),
            Kind::Posix if may(Capability::DacOverride) => by(Capability::DacOverride, true, true),
            Kind::Posix if may(Capability::DacReadSearch) && !read => {
                by(Capability::DacReadSearch, true, false)
            }
            _ if bits & WRITE != 0 => {
                UserAccess { read, write, reason: format!("{reason}; attaching needs read permission") }
            }
            _ => UserAccess { read, write, reason },
        }
    }

    fn access_by_sysv_mode(&self, user: &Credentials) -> (u32, String) {
        let (creator, creator_group) = self.creator.map_or((None, None), |(uid, gid)| (Some(uid), Some(gid)));
        if user.uid == self.uid {
            self.class(6, "owner")
        } else if Some(user.uid) == creator {
            self.class(6, "creator (same rights as the owner)")
        } else if user.is_in(self.gid) {
            self.class(3, "group member")
        } else if creator_group.is_some_and(|gid| user.is_in(gid)) {
            self.class(3, "member of the creator's group (same rights as the group)")
        } else {
            self.class(0, "other")
        }
    }

    fn access_by_posix_mode(&self, user: &Credentials) -> (u32, String) {
        if user.uid == self.uid {
            self.class(6, "owner")
        } else if user.is_in(self.gid) {
            self.class(3, "group member")
        } else {
            self.class(0, "other")
        }
    }

    fn access_by_list(&self, acl: &Acl, user: &Credentials) -> (u32, String) {
        let masked = |bits: u32, whom: &str| {
            let cut = bits & acl.mask & 7;
            let mut reason = format!("ACL grants {whom} {}", letters(bits));
            if cut != bits {
                reason = format!("{reason}, masked to {}", letters(cut));
            }
            (cut, reason)
        };
        if user.uid == self.uid {
            return self.class(6, "owner");
        }
        if let Some(&(_, bits)) = acl.users.iter().find(|(uid, _)| *uid == user.uid) {
            return masked(bits, "the user");
        }
        let own = user.is_in(self.gid).then_some(acl.owning_group);
        let named = acl.groups.iter().filter(|(gid, _)| user.is_in(*gid)).map(|&(_, bits)| bits);
        // A single group has to grant all requested bits, so use the best one.
        let best = own.into_iter().chain(named).max_by_key(|bits| {
            let bits = bits & acl.mask;
            (bits & READ != 0, bits & WRITE != 0)
        });
        match best {
            Some(bits) => masked(bits, "the group"),
            None => self.class(0, "other"),
        }
    }

    /// Returns the three permission bits of a class, and a description of the class.
    fn class(&self, place: u32, user: &str) -> (u32, String) {
        let bits = self.mode.bits() >> place & 7;
        (bits, format!("as {user}, mode {} grants {}", self.mode, letters(bits)))
    }
}

/// Formats read and write permission like `ls`, for example `r-`.
pub(super) fn letters(bits: u32) -> String {
    let letter = |bit, letter| if bits & bit != 0 { letter } else { '-' };
    [letter(READ, 'r'), letter(WRITE, 'w')].iter().collect()
}

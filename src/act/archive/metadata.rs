//! The metadata of a saved segment, stored as JSON in the file.

use super::ArchiveError;
use crate::act::access::Acl;
use crate::segment::{
    Bytes, Key, Mode, ObjectName, Owner, SegmentId, ShmId, Times, Timestamp, escape, unescape,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The metadata of a saved segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSegment {
    /// The kind, and the key or name.
    pub name: Name,
    pub size: Bytes,
    pub mode: Mode,
    pub owner: Owner,
    /// The times. Only the access and modification times of an object can be restored.
    pub times: Times,
    /// The POSIX ACL in the format of the extended attribute `system.posix_acl_access`.
    pub acl: Option<Vec<u8>>,
    /// The time of the save.
    pub saved: Timestamp,
}

/// The name of a saved segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Sysv {
        /// The key; 0 for a private segment.
        key: Key,
        /// The former shmid, which a restored segment does not get back.
        shmid: ShmId,
    },
    /// A POSIX object.
    Posix(ObjectName),
}

impl Name {
    #[must_use]
    pub fn id(&self) -> SegmentId {
        match self {
            Self::Sysv { shmid, .. } => SegmentId::Sysv(*shmid),
            Self::Posix(name) => SegmentId::Posix(name.clone()),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysv { key, shmid } if key.is_private() => write!(f, "sysv:{shmid} (private)"),
            Self::Sysv { key, shmid } => write!(f, "sysv:{shmid} (key {key})"),
            Self::Posix(name) => write!(f, "posix:{name}"),
        }
    }
}

/// The JSON representation. Names are escaped, because they can contain arbitrary bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shmid: Option<i32>,
    size: u64,
    mode: u32,
    uid: u32,
    user: Option<String>,
    gid: u32,
    group: Option<String>,
    times: WireTimes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acl: Option<Vec<u8>>,
    saved: WireTime,
}

/// Seconds since 1970, and nanoseconds.
type WireTime = (i64, u32);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTimes {
    attach: Option<WireTime>,
    detach: Option<WireTime>,
    change: Option<WireTime>,
    access: Option<WireTime>,
    modify: Option<WireTime>,
    birth: Option<WireTime>,
}

/// The id that `chown(2)` interprets as "do not change".
const NO_ID: u32 = u32::MAX;

impl SavedSegment {
    /// Serializes the metadata. Cannot fail in practice: every field has a JSON representation.
    pub(super) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let (kind, name, key, shmid) = match &self.name {
            Name::Sysv { key, shmid } => ("sysv", None, Some(key.0), Some(shmid.0)),
            Name::Posix(name) => ("posix", Some(escape(name.as_bytes())), None, None),
        };
        let pair = |time: Timestamp| (time.seconds, time.nanos);
        let text = |name: &Option<std::sync::Arc<str>>| name.as_deref().map(str::to_owned);
        serde_json::to_vec(&Wire {
            kind: kind.to_owned(),
            name,
            key,
            shmid,
            size: self.size.0,
            mode: self.mode.bits(),
            uid: self.owner.uid,
            user: text(&self.owner.user),
            gid: self.owner.gid,
            group: text(&self.owner.group),
            times: WireTimes {
                attach: self.times.attach.map(pair),
                detach: self.times.detach.map(pair),
                change: self.times.change.map(pair),
                access: self.times.access.map(pair),
                modify: self.times.modify.map(pair),
                birth: self.times.birth.map(pair),
            },
            acl: self.acl.clone(),
            saved: pair(self.saved),
        })
    }

    pub(super) fn from_json(json: &[u8]) -> Result<Self, ArchiveError> {
        let damaged = |what: &str| ArchiveError::Damaged(what.to_owned());
        let wire: Wire = serde_json::from_slice(json).map_err(|error| {
            damaged(&format!("invalid metadata: {}", escape(error.to_string().as_bytes())))
        })?;
        let name = match (wire.kind.as_str(), wire.name, wire.key, wire.shmid) {
            ("sysv", None, Some(key), Some(shmid)) if shmid >= 0 && wire.size > 0 => {
                Name::Sysv { key: Key(key), shmid: ShmId(shmid) }
            }
            ("posix", Some(name), None, None) => {
                Name::Posix(ObjectName::new(&unescape(&name)).ok_or_else(|| damaged("invalid name"))?)
            }
            _ => return Err(damaged("invalid or missing kind, name, key or shmid")),
        };
        if wire.uid == NO_ID || wire.gid == NO_ID {
            return Err(damaged("invalid owner"));
        }
        if i64::try_from(wire.size).is_err() || wire.mode & !0o7777 != 0 {
            return Err(damaged("invalid size or mode"));
        }
        if let Some(acl) = &wire.acl {
            let bits = Acl::mode_bits(acl).ok_or_else(|| damaged("invalid ACL"))?;
            if wire.kind != "posix" || bits != wire.mode & 0o777 {
                return Err(damaged("the ACL contradicts the mode"));
            }
        }
        let time = |time: WireTime| Timestamp { seconds: time.0, nanos: time.1.min(999_999_999) };
        Ok(Self {
            name,
            size: Bytes(wire.size),
            mode: Mode::new(wire.mode),
            owner: Owner {
                uid: wire.uid,
                user: wire.user.map(Into::into),
                gid: wire.gid,
                group: wire.group.map(Into::into),
            },
            times: Times {
                attach: wire.times.attach.map(time),
                detach: wire.times.detach.map(time),
                change: wire.times.change.map(time),
                access: wire.times.access.map(time),
                modify: wire.times.modify.map(time),
                birth: wire.times.birth.map(time),
            },
            acl: wire.acl,
            saved: time(wire.saved),
        })
    }
}

//! Identity as text: `sysv:32770`, `posix:/name`, and what they are made of.

use super::{escape, unescape};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::str::FromStr;

/// The identifier that `shmget(2)` returns, a non-negative `int`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShmId(pub i32);

impl fmt::Display for ShmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A System V key (`key_t`), shown as `ipcs` shows it: eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u32);

impl Key {
    /// `IPC_PRIVATE`, and what a segment has once it is marked for removal.
    #[must_use]
    pub const fn is_private(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}

/// The name of a POSIX object: the path below `/dev/shm`, without a slash in
/// front, any bytes but NUL. Shown with the slash, escaped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(Box<[u8]>);

impl ObjectName {
    /// A name from the bytes of a path relative to `/dev/shm`. `None` when no
    /// object can have that name: it is empty, holds a NUL, or has a part that
    /// is empty, `.` or `..`.
    #[must_use]
    pub fn new(path: &[u8]) -> Option<Self> {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let sound = path
            .split(|&byte| byte == b'/')
            .all(|part| !part.is_empty() && part != b"." && part != b".." && !part.contains(&0));
        sound.then(|| Self(path.into()))
    }

    /// The bytes, without a slash in front.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As a path relative to `/dev/shm`.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", escape(&self.0))
    }
}

/// What a segment is called everywhere: in the table, on the command line, in
/// JSON and in messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SegmentId {
    /// `sysv:32770`
    Sysv(ShmId),
    /// `posix:/name`
    Posix(ObjectName),
    /// A POSIX object that is in no directory any more and still held.
    Deleted {
        /// The device of its file system.
        device: u64,
        /// Its inode number there.
        inode: u64,
    },
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysv(shmid) => write!(f, "sysv:{shmid}"),
            Self::Posix(name) => write!(f, "posix:{name}"),
            Self::Deleted { device, inode } => write!(f, "deleted:{device:x}:{inode:x}"),
        }
    }
}

/// A text that is no full segment id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is no segment id: write sysv:SHMID, posix:/NAME or deleted:DEV:INO", escape(.0.as_bytes()))]
pub struct ParseIdError(String);

impl FromStr for SegmentId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseIdError(text.to_owned());
        if let Some(shmid) = text.strip_prefix("sysv:") {
            let shmid = shmid.strip_prefix('#').unwrap_or(shmid);
            if !shmid.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(wrong());
            }
            return shmid.parse().map(|id| Self::Sysv(ShmId(id))).map_err(|_| wrong());
        }
        if let Some(numbers) = text.strip_prefix("deleted:") {
            let (device, inode) = numbers.split_once(':').ok_or_else(wrong)?;
            let number = |text: &str| u64::from_str_radix(text, 16).map_err(|_| wrong());
            return Ok(Self::Deleted { device: number(device)?, inode: number(inode)? });
        }
        let name = text.strip_prefix("posix:").ok_or_else(wrong)?;
        ObjectName::new(&unescape(name)).map(Self::Posix).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_one_to_one() {
        for text in ["sysv:0", "sysv:32770", "posix:/psm_1f09ab2c", "posix:/dir/name", r"posix:/a\x1b[2J\x5c"]
        {
            let id: SegmentId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "sysv:",
            "sysv:-1",
            "sysv:+1",
            "sysv:1x",
            "sysv:99999999999",
            "posix:",
            "posix:/",
            "posix:/a/../b",
            "posix://a",
            "posix:/a/",
            "32770",
        ] {
            assert!(text.parse::<SegmentId>().is_err(), "{text} was taken");
        }
    }

    #[test]
    fn keys_look_as_in_ipcs() {
        assert_eq!(Key(1234).to_string(), "0x000004d2");
        assert_eq!(Key(0xdead_beef).to_string(), "0xdeadbeef");
    }
}

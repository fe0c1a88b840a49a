//! Segment ids in text form, such as `sysv:32770` and `posix:/name`, and their parts.

use super::{escape, quote, unescape};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::str::FromStr;

/// The directory that contains POSIX objects.
const DEV_SHM: &[u8] = b"/dev/shm/";

/// The identifier that `shmget(2)` returns, a non-negative `int`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShmId(pub i32);

impl fmt::Display for ShmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A System V key (`key_t`), formatted as in `ipcs`: eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u32);

impl Key {
    /// Returns true for `IPC_PRIVATE`, which a segment also gets when it is marked for removal.
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

/// The name of a POSIX object: its path below `/dev/shm`, without a leading slash. It may contain
/// any bytes except NUL. Displayed with a leading slash, escaped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(Box<[u8]>);

impl ObjectName {
    /// Creates a name from a path relative to `/dev/shm`. Returns `None` if no object can have that
    /// name: it is empty, contains a NUL, or has a component that is empty, `.` or `..`.
    #[must_use]
    pub fn new(path: &[u8]) -> Option<Self> {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let is_valid = path
            .split(|&byte| byte == b'/')
            .all(|part| !part.is_empty() && part != b"." && part != b".." && !part.contains(&0));
        is_valid.then(|| Self(path.into()))
    }

    /// Parses a name where only a POSIX object can be meant: `name`, `/name`, `posix:/name` or
    /// `/dev/shm/name`.
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let name = match path_below_dev_shm(text) {
            Some(path) => path,
            None => text.strip_prefix(b"posix:").unwrap_or(text),
        };
        Self::new(&unescape(name))
    }

    /// The bytes, without a leading slash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Relative to `/dev/shm`.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }
}

/// Returns the part of a path after `/dev/shm/`.
pub(super) fn path_below_dev_shm(text: &[u8]) -> Option<&[u8]> {
    let path = text.strip_prefix(DEV_SHM)?;
    Some(&path[path.iter().take_while(|&&byte| byte == b'/').count()..])
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", escape(&self.0))
    }
}

/// The id that names a segment in the table, on the command line, in JSON and in messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SegmentId {
    Sysv(ShmId),
    Posix(ObjectName),
    /// A POSIX object that is unlinked but still held.
    Deleted {
        device: u64,
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

impl SegmentId {
    /// The id for messages: `/name` for a POSIX object, unless that form would be parsed as a path
    /// below `/dev/shm`.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Posix(name) if !name.as_bytes().starts_with(&DEV_SHM[1..]) => name.to_string(),
            id => id.to_string(),
        }
    }

    /// Parses `sysv:SHMID`, `posix:/NAME` or `deleted:DEV:INO`.
    #[must_use]
    pub fn from_bytes(text: &[u8]) -> Option<Self> {
        if let Some(shmid) = text.strip_prefix(b"sysv:") {
            return digits(shmid, 10).and_then(|id| id.try_into().ok()).map(|id| Self::Sysv(ShmId(id)));
        }
        if let Some(numbers) = text.strip_prefix(b"deleted:") {
            let colon = numbers.iter().position(|&byte| byte == b':')?;
            let (device, inode) = (digits(&numbers[..colon], 16)?, digits(&numbers[colon + 1..], 16)?);
            return Some(Self::Deleted { device, inode });
        }
        ObjectName::new(&unescape(text.strip_prefix(b"posix:")?)).map(Self::Posix)
    }
}

/// Parses a number without a sign, which the standard library would accept.
pub(super) fn digits(text: &[u8], radix: u32) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let unsigned = text.chars().all(|c| c.is_digit(radix));
    unsigned.then(|| u64::from_str_radix(text, radix).ok()).flatten()
}

/// The error for text that is not a full segment id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid segment id '{0}': expected sysv:SHMID, posix:/NAME or deleted:DEV:INO")]
pub struct ParseIdError(String);

impl FromStr for SegmentId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_bytes(text.as_bytes()).ok_or_else(|| ParseIdError(quote(text.as_bytes())))
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
    fn invalid_ids_are_rejected() {
        for text in [
            "",
            "sysv:",
            "sysv:-1",
            "sysv:+1",
            "sysv:1x",
            "sysv:#1",
            "deleted:+1:2",
            "deleted:1:",
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
    fn posix_name_is_read_in_every_form() {
        for text in ["a", "/a", "posix:a", "posix:/a", "/dev/shm/a", "/dev/shm//a", r"\x61"] {
            assert_eq!(ObjectName::from_text(text.as_bytes()), ObjectName::new(b"a"), "{text}");
        }
        assert_eq!(ObjectName::from_text(b"caf\xe9"), ObjectName::from_text(br"caf\xe9"));
        for text in ["", "/", "posix:", "/dev/shm/", "/dev/shm/../a"] {
            assert_eq!(ObjectName::from_text(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn short_id_does_not_parse_as_a_path() {
        for (id, short) in
            [("posix:/a", "/a"), ("sysv:3", "sysv:3"), ("posix:/dev/shm/a", "posix:/dev/shm/a")]
        {
            assert_eq!(id.parse::<SegmentId>().unwrap().short(), short);
        }
    }

    #[test]
    fn keys_look_as_in_ipcs() {
        assert_eq!(Key(1234).to_string(), "0x000004d2");
        assert_eq!(Key(0xdead_beef).to_string(), "0xdeadbeef");
    }
}

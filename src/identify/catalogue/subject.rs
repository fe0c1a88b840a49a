//! A segment as the catalogue looks at it.

use crate::segment::{Bytes, Facts, Key, Mode, ObjectName, Segment, SegmentId};

/// What is known of a segment when its maker is looked for.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its name: of a POSIX object the path below `/dev/shm`, of a memfd the
    /// name given to it. A slash and `memfd:` in front do not matter.
    pub name: Option<&'a [u8]>,
    /// Its System V key.
    pub key: Option<Key>,
    /// Its size.
    pub size: Bytes,
    /// Its permission bits.
    pub mode: Mode,
    /// Its contents, where they may be looked at.
    pub contents: Option<&'a dyn Peek>,
    /// What surrounds it, where that is known.
    pub around: Option<&'a dyn Around>,
}

/// The kinds that makers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An object below `/dev/shm`, or one that was.
    Posix,
    /// A System V segment.
    Sysv,
    /// Memory of `memfd_create(2)`.
    Memfd,
}

/// Reads a few bytes here and there.
pub trait Peek {
    /// Fills `into` from that offset in bytes. `false` when it cannot all be
    /// read; the catalogue asks for nothing past the end.
    fn peek(&self, offset: u64, into: &mut [u8]) -> bool;
}

impl Peek for &[u8] {
    fn peek(&self, offset: u64, into: &mut [u8]) -> bool {
        let from = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        let Some(bytes) = from.and_then(|from| from.get(..into.len())) else { return false };
        into.copy_from_slice(bytes);
        true
    }
}

/// What surrounds a segment. What is not known is left as it is.
pub trait Around {
    /// The commands that created it, last used it, or hold it.
    fn commands(&self) -> Vec<&[u8]> {
        vec![]
    }
    /// Returns whether there is a POSIX object of that name; with a `*` at its end, one of the same owner whose
    /// name begins so.
    fn object_is_there(&self, _name: &[u8]) -> bool {
        false
    }
    /// Whether there is a group of users of that name.
    fn is_group(&self, _name: &[u8]) -> bool {
        false
    }
}

impl<'a> Subject<'a> {
    /// A segment of a survey. Its contents and what surrounds it can be added.
    #[must_use]
    pub fn of(segment: &'a Segment) -> Self {
        let (kind, key) = match &segment.facts {
            Facts::Sysv(facts) => (Kind::Sysv, Some(facts.key)),
            Facts::Posix(_) => (Kind::Posix, None),
        };
        let name = match &segment.id {
            SegmentId::Posix(name) => Some(name.as_bytes()),
            // The name that it had.
            SegmentId::Deleted { .. } => segment
                .posix()
                .and_then(|facts| facts.unlinked.as_ref()?.name.as_ref())
                .map(ObjectName::as_bytes)
                // glibc created it under a name of its own, which is not told.
                .or_else(|| (segment.size == Bytes(32)).then_some(&b"sem.?"[..])),
            SegmentId::Sysv(_) => None,
        };
        Self { kind, name, key, size: segment.size, mode: segment.mode, contents: None, around: None }
    }

    /// The name as patterns see it.
    pub(super) fn plain_name(&self) -> Option<&'a [u8]> {
        let name = self.name?;
        let name = name.strip_prefix(b"/").unwrap_or(name);
        if self.kind != Kind::Memfd {
            return Some(name);
        }
        let name = name.strip_prefix(b"memfd:").unwrap_or(name);
        Some(name.strip_prefix(b"/").unwrap_or(name))
    }
}

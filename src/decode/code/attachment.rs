//! The facts that code needs to attach to a segment.

use super::CodeError;
use super::literal::in_comment;
use crate::segment::{Key, ObjectName, Segment, SegmentId, ShmId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub target: Target,
    pub size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Shmid(ShmId),
    Key(Key),
    Object(ObjectName),
}

/// The function of libc that opens an object, and the bytes of its argument.
#[derive(Debug)]
pub enum Opening {
    ShmOpen(Vec<u8>),
    /// `shm_open` takes no path with directories.
    Open(Vec<u8>),
}

impl Attachment {
    /// # Errors
    /// Fails if no program can attach to the segment any more.
    pub fn of(segment: &Segment) -> Result<Self, CodeError> {
        let id = || segment.id.clone();
        let target = match (&segment.id, segment.sysv()) {
            (SegmentId::Posix(name), _) => Target::Object(name.clone()),
            (SegmentId::Sysv(_), Some(facts)) if facts.marked => return Err(CodeError::Marked(id())),
            (SegmentId::Sysv(_), Some(facts)) if !facts.key.is_private() => Target::Key(facts.key),
            (SegmentId::Sysv(shmid), _) => Target::Shmid(*shmid),
            (SegmentId::Deleted { .. }, _) => return Err(CodeError::Unlinked(id())),
        };
        if segment.size.0 == 0 {
            return Err(CodeError::Empty(id()));
        }
        Ok(Self { target, size: segment.size.0 })
    }
}

impl Target {
    /// A comment on one line, ASCII only.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Shmid(shmid) => format!("the System V segment {shmid}"),
            Self::Key(key) => format!("the System V segment with the key {:#x} ({})", key.0, key.0),
            Self::Object(name) => {
                let name = String::from_utf8_lossy(name.as_bytes());
                format!("the POSIX object {}", in_comment(&name))
            }
        }
    }
}

impl Opening {
    pub fn of(name: &ObjectName) -> Self {
        if name.as_bytes().contains(&b'/') {
            Self::Open(path(name))
        } else {
            Self::ShmOpen([b"/", name.as_bytes()].concat())
        }
    }
}

pub fn path(name: &ObjectName) -> Vec<u8> {
    [b"/dev/shm/", name.as_bytes()].concat()
}

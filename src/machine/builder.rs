//! Builders of new segments. Other processes can use a segment only once it is complete.

use crate::segment::{Mode, Owner, SegmentId, Timestamp};
use std::io;

/// The mode of a System V segment while it is being filled: only the creator may use it. Also marks
/// the segment as unfinished.
pub const UNFINISHED_MODE: Mode = Mode::new(0o700);

/// A segment that is being filled. A POSIX object gets its name at the end. A System V segment has
/// its key from the start, because the kernel cannot set it later, but only its creator may use it.
/// Dropping this removes the segment unless it was finished.
pub trait SegmentBuilder: Send {
    /// Writes bytes. Ranges that are never written stay holes.
    ///
    /// # Errors
    /// `ENOSPC` if the file system is full, `ENOMEM` if no page can be allocated for a System V
    /// segment, `EFBIG` past the end.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns the segment's id; an object has none until it is finished.
    fn id(&self) -> Option<SegmentId> {
        None
    }

    /// Sets the mode and the owner, and then the name. Skips and returns the attributes that this
    /// user may not set.
    ///
    /// # Errors
    /// `EEXIST` if the name was taken in the meantime; nothing is created.
    fn finish(&mut self, attributes: &FinalAttributes<'_>) -> io::Result<FinishedSegment>;
}

/// The attributes of a finished segment.
#[derive(Debug, Clone, Copy)]
pub struct FinalAttributes<'a> {
    /// The permission bits. The bits 07000 are never set: they have no meaning for shared memory,
    /// and would turn untrusted contents into a setuid program.
    pub mode: Mode,
    /// The owner; `None` for the user who creates the segment.
    pub owner: Option<&'a Owner>,
    /// The POSIX ACL; objects only.
    pub acl: Option<&'a [u8]>,
    /// The access and modification times of an object.
    pub used: Option<(Timestamp, Timestamp)>,
}

#[derive(Debug)]
pub struct FinishedSegment {
    pub id: SegmentId,
    /// The attributes that could not be set, with the errors.
    pub refused: Vec<AttributeError>,
}

#[derive(Debug)]
pub enum AttributeError {
    /// The owner could not be set: the segment belongs to its creator.
    User(io::Error),
    Group(io::Error),
    /// The ACL could not be set. The group then has no access, because the group bits of the mode
    /// were the ACL mask.
    Acl(io::Error),
}

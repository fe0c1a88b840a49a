//! New segments that other processes find only when they are complete.

use crate::segment::{Mode, Owner, SegmentId, Timestamp};
use std::io;

/// The mode of a System V segment that is being filled: only its creator may use it, and it
/// distinguishes the segment from a finished one.
pub const FILLING: Mode = Mode::new(0o700);

/// A segment that is being filled. A POSIX object has no name yet. A System V segment has its key
/// from the start, because the kernel cannot set it later, but only its creator may use it.
/// Dropping this removes the segment unless it was finished.
pub trait SegmentBuilder: Send {
    /// Writes bytes; parts that are never written stay holes.
    ///
    /// # Errors
    /// `ENOSPC` when the file system is full, `ENOMEM` when there is no memory for
    /// a page of a System V segment, `EFBIG` past its end.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns its id; an object has none before it is finished.
    fn id(&self) -> Option<SegmentId> {
        None
    }

    /// Sets the mode and the owner, and then the name. Skips and returns the attributes that this
    /// user may not set.
    ///
    /// # Errors
    /// `EEXIST` when the name has been taken since; then nothing is created.
    fn finish(&mut self, attributes: &FinalAttributes<'_>) -> io::Result<Finished>;
}

/// The attributes of a segment when it is complete.
#[derive(Debug, Clone, Copy)]
pub struct FinalAttributes<'a> {
    /// The permission bits. The bits 07000 are never set: they mean nothing for memory, and would
    /// turn contents of unknown origin into a setuid program.
    pub mode: Mode,
    /// The owner; `None`: the user who creates it.
    pub owner: Option<&'a Owner>,
    /// The POSIX ACL, only of an object.
    pub acl: Option<&'a [u8]>,
    /// The access and modification times of an object.
    pub used: Option<(Timestamp, Timestamp)>,
}

/// A finished segment.
#[derive(Debug)]
pub struct Finished {
    pub id: SegmentId,
    /// The attributes that could not be set, and why.
    pub refused: Vec<Refused>,
}

/// An attribute that could not be set.
#[derive(Debug)]
pub enum Refused {
    /// The user: it belongs to its creator.
    User(io::Error),
    Group(io::Error),
    /// The ACL. The group then has no rights: those in the mode were the mask of the ACL.
    Acl(io::Error),
}

//! Segments that are being made again: filled first, and found by others only
//! when they are whole.

use crate::segment::{Mode, Owner, SegmentId, Timestamp};
use std::io;

/// The mode of a System V segment that is being filled: for its maker alone, and
/// told by it from one that is finished.
pub const FILLING: Mode = Mode::new(0o700);

/// A segment that is being filled. A POSIX object has no name so far; a System
/// V segment has its key from the first moment, because the kernel gives none
/// later, and is for its maker alone. Dropping it leaves nothing, unless it was
/// finished.
pub trait Making: Send {
    /// Writes bytes; what is never written stays a hole.
    ///
    /// # Errors
    /// `ENOSPC` when the file system is full, `ENOMEM` when there is no memory for
    /// a page of a System V segment, `EFBIG` beyond its end.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns its id; an object has none before it is finished.
    fn id(&self) -> Option<SegmentId> {
        None
    }

    /// Gives it its mode, its owner and its name, the name last. What this user
    /// may not give is left, and told.
    ///
    /// # Errors
    /// `EEXIST` when the name has been taken since; then nothing is created.
    fn finish(&mut self, look: &Finish<'_>) -> io::Result<Finished>;
}

/// The attributes that a segment gets when it is complete.
#[derive(Debug, Clone, Copy)]
pub struct Finish<'a> {
    /// Its permission bits. The bits 07000 are never set: they mean nothing for
    /// memory, and would turn contents of unknown origin into a setuid program.
    pub mode: Mode,
    /// Its owner; `None` leaves it to the user who creates it.
    pub owner: Option<&'a Owner>,
    /// Its POSIX ACL, if it shall have one; an object only.
    pub acl: Option<&'a [u8]>,
    /// The access and modification times of an object.
    pub used: Option<(Timestamp, Timestamp)>,
}

/// A segment that was made.
#[derive(Debug)]
pub struct Finished {
    pub id: SegmentId,
    /// The attributes that it did not get, and why.
    pub refused: Vec<Refused>,
}

/// Something that a segment was not given.
#[derive(Debug)]
pub enum Refused {
    /// Its user: it belongs to who created it.
    User(io::Error),
    Group(io::Error),
    /// Its ACL. The group has no rights then: those in the mode stand for the
    /// most that the ACL gave.
    Acl(io::Error),
}

//! The part of a segment that a command looks at.

use super::Failure;
use super::args::PartArgs;
use crate::memory::Reader;
use crate::segment::SegmentId;
use std::ops::Range;

/// The part of this segment: up to its end where no length is given, or more
/// than there is. To begin at the very end is allowed, and is an empty part.
///
/// # Errors
/// When it begins behind the end.
pub fn range(part: PartArgs, reader: &Reader) -> Result<Range<u64>, Failure> {
    let size = reader.size().map_err(|source| Failure::Read { id: reader.id().clone(), source })?;
    within(part, reader.id(), size)
}

/// As [`range`], for a segment of this size.
///
/// # Errors
/// When it begins behind the end.
pub fn within(part: PartArgs, id: &SegmentId, size: u64) -> Result<Range<u64>, Failure> {
    let start = part.offset.0;
    if start > size {
        return Err(Failure::Beyond { id: id.clone(), offset: start, size });
    }
    let end = part.length.map_or(u64::MAX, |length| start.saturating_add(length.0));
    Ok(start..end.min(size))
}

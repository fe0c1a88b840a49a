//! The range of a segment that a command reads.

use super::Failure;
use super::args::PartArgs;
use crate::memory::Reader;
use crate::segment::SegmentId;
use std::ops::Range;

/// Returns the requested range, clipped to the end of the segment. Without a length, the range
/// extends to the end. A range that starts exactly at the end is empty; one that starts past the
/// end is an error.
pub fn range(part: PartArgs, reader: &Reader) -> Result<Range<u64>, Failure> {
    let size = reader.size().map_err(|source| Failure::Read { id: reader.id().clone(), source })?;
    clip(part, reader.id(), size)
}

/// Like [`range`], for a segment of this size.
pub fn clip(part: PartArgs, id: &SegmentId, size: u64) -> Result<Range<u64>, Failure> {
    let start = part.offset.0;
    if start > size {
        return Err(Failure::Beyond { id: id.clone(), offset: start, size });
    }
    let end = part.length.map_or(u64::MAX, |length| start.saturating_add(length.0));
    Ok(start..end.min(size))
}

//! The range of a segment that a command reads.

use super::Failure;
use super::args::PartArgs;
use crate::decode::PlacedType;
use crate::decode::layouts::Layout;
use crate::memory::Reader;
use crate::segment::{Bytes, SegmentId};
use std::ops::Range;

/// Returns the requested range, clipped to the end of the segment. Without a length, the range
/// extends to the end. A range that starts exactly at the end is empty; one that starts past the
/// end is an error.
pub fn range(part: PartArgs, reader: &Reader) -> Result<Range<u64>, Failure> {
    let size = reader.size().map_err(|source| Failure::Read { id: reader.id().clone(), source })?;
    clip(part, reader.id(), size)
}

/// The part that holds a type: the whole one, or the value at its own offset.
pub fn of_type(part: PartArgs, kind: Option<&PlacedType>) -> Result<PartArgs, Failure> {
    match kind.and_then(|kind| kind.offset.map(|offset| (offset, kind.ty.size()))) {
        None => Ok(part),
        Some(_) if part.offset.0 > 0 => {
            Err(Failure::Usage("the type has an offset: use either TYPE@OFFSET or --offset".to_owned()))
        }
        Some((offset, size)) => {
            Ok(PartArgs { offset: Bytes(offset), length: part.length.or(Some(Bytes(size))) })
        }
    }
}

/// Refuses a part of a layout, which takes the whole segment.
pub fn check_whole(part: PartArgs, layout: Layout) -> Result<(), Failure> {
    if part.offset.0 == 0 && part.length.is_none() {
        return Ok(());
    }
    Err(Failure::Usage(format!("{} is all of a segment: omit --offset and --length", layout.word())))
}

/// Refuses an offset at the end of the segment, where no value can be.
pub fn check_start(
    part: PartArgs,
    kind: Option<&PlacedType>,
    id: &SegmentId,
    range: &Range<u64>,
) -> Result<(), Failure> {
    match kind {
        Some(kind) if range.is_empty() && part.offset.0 > 0 => {
            let id = id.clone();
            Err(Failure::NoRoom { id, offset: part.offset.0, size: range.end, needed: kind.ty.size() })
        }
        _ => Ok(()),
    }
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

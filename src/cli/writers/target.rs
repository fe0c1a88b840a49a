//! The value on the command line: an offset with a length, or a field of the segment's type.

use crate::cli::Failure;
use crate::cli::choose::choose;
use crate::identify::typing::{Knowledge, Subject, candidates};
use crate::machine::Machine;
use crate::memory::Reader;
use crate::segment::name::SegmentName;
use crate::segment::resolve::resolve;
use crate::segment::{Bytes, Segment, quote};
use crate::survey::Survey;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;

/// A value in a segment.
pub struct Target<'a> {
    pub segment: &'a Segment,
    pub range: Range<u64>,
}

impl Target<'_> {
    /// `/telemetry+0x10`.
    pub fn text(&self) -> String {
        format!("{}+{:#x}", self.segment.id.short(), self.range.start)
    }
}

/// Finds the value that a text names.
pub fn find<'a>(machine: &dyn Machine, survey: &'a Survey, text: &OsStr) -> Result<Target<'a>, Failure> {
    let bytes = text.as_bytes();
    let target = if let Some((name, range)) = place(bytes) {
        Target { segment: choose(machine, survey, OsStr::from_bytes(name))?, range }
    } else if let Some((name, path)) = field(bytes, survey) {
        let segment = choose(machine, survey, OsStr::from_bytes(name))?;
        Target { segment, range: range_of_field(machine, segment, path)? }
    } else {
        return Err(Failure::Usage(format!(
            "'{}' names no value: expected SEGMENT+OFFSET, SEGMENT+OFFSET:LENGTH or SEGMENT:FIELD",
            quote(bytes)
        )));
    };
    let (segment, Range { start, end }) = (target.segment, target.range.clone());
    if end > segment.size.0 {
        let (id, size) = (segment.id.clone(), segment.size.0);
        return Err(Failure::NoRoom { id, offset: start, size, needed: end - start });
    }
    Ok(target)
}

/// Splits `SEGMENT+OFFSET` or `SEGMENT+OFFSET:LENGTH`.
fn place(text: &[u8]) -> Option<(&[u8], Range<u64>)> {
    let at = text.iter().rposition(|&byte| byte == b'+')?;
    let number = |text: &str| text.parse::<Bytes>().ok().map(|bytes| bytes.0);
    let after = std::str::from_utf8(&text[at + 1..]).ok()?;
    let (offset, length) = if let Some((offset, length)) = after.split_once(':') {
        (number(offset)?, number(length)?)
    } else {
        let offset = number(after)?;
        (offset, 1 << offset.trailing_zeros().min(3))
    };
    Some((&text[..at], offset..offset.checked_add(length)?))
}

/// Splits `SEGMENT:FIELD`, after the longest name of a segment.
fn field<'t>(text: &'t [u8], survey: &Survey) -> Option<(&'t [u8], &'t [u8])> {
    let colons = (0..text.len()).rev().filter(|&at| text[at] == b':');
    let is_segment = |name| resolve(&SegmentName::read(name, None), &survey.segments).is_ok();
    let at = colons.into_iter().find(|&at| is_segment(&text[..at]))?;
    Some((&text[..at], &text[at + 1..]))
}

fn range_of_field(machine: &dyn Machine, segment: &Segment, path: &[u8]) -> Result<Range<u64>, Failure> {
    let reader = Reader::open(machine, segment)?;
    let size = reader.size().map_err(|source| Failure::Read { id: segment.id.clone(), source })?;
    let peek = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
    let found = candidates(machine, &Subject { segment, size, peek: &peek }, &Knowledge::default());
    let id = segment.id.short();
    let Some(best) = found.candidates.into_iter().next().filter(|best| best.certain) else {
        return Err(Failure::Usage(format!(
            "the type of {id} is not known: name an offset, as in {id}+0x10:8"
        )));
    };
    let text = String::from_utf8_lossy(path);
    let place = best.ty.parse_path(&text).and_then(|path| best.ty.place(&path));
    let Some(place) = place else {
        return Err(Failure::Usage(format!("{} has no field '{}'", best.name, quote(path))));
    };
    let start = best.offset.saturating_add(place.offset);
    Ok(start..start.saturating_add(place.ty.size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_lengths_are_read() {
        let read = |text: &'static str| place(text.as_bytes());
        assert_eq!(read("/a+0x10"), Some((&b"/a"[..], 16..24)));
        assert_eq!(read("0x4d2+4"), Some((&b"0x4d2"[..], 4..8)));
        assert_eq!(read("/a+7"), Some((&b"/a"[..], 7..8)));
        assert_eq!(read("/a+b+0:32"), Some((&b"/a+b"[..], 0..32)));
        for text in ["/a", "/a:x", "/a+x", "/a+0:f64", "/a+0:18446744073709551615K"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

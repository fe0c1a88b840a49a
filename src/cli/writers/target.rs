//! The value on the command line: an offset with a length, or a field of the segment's type.

use crate::cli::Failure;
use crate::cli::choose::choose;
use crate::cli::out::warn;
use crate::identify::typing::{Knowledge, read_placed_type};
use crate::machine::Machine;
use crate::scope::text::{ChannelError, Lookup, ResolvedRange, resolve_range, written_type};
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
pub fn find<'a>(
    machine: &dyn Machine,
    knowledge: &Knowledge,
    survey: &'a Survey,
    text: &OsStr,
) -> Result<Target<'a>, Failure> {
    let Some((name, range)) = place(text.as_bytes()) else {
        return named_value(machine, knowledge, survey, text);
    };
    let segment = choose(machine, survey, OsStr::from_bytes(name))?;
    if range.end > segment.size.0 {
        let (id, size) = (segment.id.clone(), segment.size.0);
        return Err(Failure::NoRoom { id, offset: range.start, size, needed: range.end - range.start });
    }
    Ok(Target { segment, range })
}

/// Finds a field, or a value at an offset with a type, as channels name them.
fn named_value<'a>(
    machine: &dyn Machine,
    knowledge: &Knowledge,
    survey: &'a Survey,
    text: &OsStr,
) -> Result<Target<'a>, Failure> {
    let type_of = |segment: &Segment| read_placed_type(machine, segment, knowledge);
    let lookup = Lookup { segments: &survey.segments, type_of: &type_of, parse_type: &written_type };
    let found = text.to_str().map(|text| resolve_range(text, &lookup));
    match found {
        Some(Ok(Some(ResolvedRange { segment, range, completed }))) => {
            if let Some(id) = completed {
                warn(&format!("using {}", id.short()));
            }
            let found = survey.segments.iter().find(|found| found.id == segment);
            found.map(|segment| Target { segment, range }).ok_or_else(|| no_value(machine, survey, text))
        }
        Some(Err(ChannelError::NoType { segment, reason, example })) => Err(Failure::Usage(format!(
            "the type of {segment} is not known{reason}. Give the offset of the value, as in {example}, or with its \
             length, {example}:4"
        ))),
        // A segment alone, or something else.
        None | Some(Ok(None) | Err(ChannelError::Syntax { .. })) => Err(no_value(machine, survey, text)),
        Some(Err(error)) => Err(error.into()),
    }
}

/// The reason that a text names no value.
fn no_value(machine: &dyn Machine, survey: &Survey, text: &OsStr) -> Failure {
    let bytes = text.as_bytes();
    let is_name = bytes.starts_with(b"/") && !bytes.contains(&b':');
    match choose(machine, survey, text) {
        Ok(segment) => {
            let id = segment.id.short();
            Failure::Usage(format!(
                "{id} is a segment: add the offset of the value, as in {id}+0x10 (up to 8 bytes) or {id}+0x10:4, or a \
                 field, as in {id}:FIELD"
            ))
        }
        Err(failure) if is_name => failure,
        Err(_) => Failure::Usage(format!(
            "'{}' names no value: expected SEGMENT+OFFSET, SEGMENT+OFFSET:LENGTH or SEGMENT:FIELD",
            quote(bytes)
        )),
    }
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

//! The value on the command line: an offset with a length, or a field of the segment's type.

use crate::cli::Failure;
use crate::cli::choose::choose;
use crate::cli::out::warn;
use crate::identify::typing::{Knowledge, read_placed_type};
use crate::machine::Machine;
use crate::scope::Source;
use crate::scope::text::{Lookup, resolve, written_type};
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
    let unknown = || {
        Failure::Usage(format!(
            "'{}' names no value: expected SEGMENT+OFFSET, SEGMENT+OFFSET:LENGTH or SEGMENT:FIELD",
            quote(text.as_bytes())
        ))
    };
    let type_of = |segment: &Segment| read_placed_type(machine, segment, knowledge);
    let lookup = Lookup { segments: &survey.segments, type_of: &type_of, parse_type: &written_type };
    let resolved = resolve(text.to_str().ok_or_else(unknown)?, &lookup)?;
    let Source::Value(value) = resolved.channel.source else { return Err(unknown()) };
    let segment =
        survey.segments.iter().find(|segment| segment.id == value.segment.id).ok_or_else(unknown)?;
    if let Some(id) = resolved.completed {
        warn(&format!("using {}", id.short()));
    }
    Ok(Target { segment, range: value.place().range() })
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

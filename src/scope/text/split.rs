//! Splits the text of a channel into its parts.

use super::ChannelError;
use crate::segment::name::SegmentName;
use crate::segment::resolve::{ResolvedSegment, resolve};
use crate::segment::{Bytes, Segment, quote};

/// Characters of the text of a channel.
const MAX_LENGTH: usize = 4096;
/// Advice on a sequence lock in the wrong place.
pub const AT_THE_END: &str = "a sequence lock follows the value and a comma, as in /telemetry:v,seq=FIELD";
/// Advice on an expression that looks like a value.
pub const IN_BRACES: &str = "in an expression, put a name with a colon in braces, as in {/telemetry:v} * 2";

/// The parts of a text before segments are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'t> {
    pub name: Option<&'t str>,
    pub body: Body<'t>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'t> {
    Value { value: &'t str, sequence: Option<&'t str> },
    Expression(&'t str),
}

/// A value with its segment.
#[derive(Debug, Clone, Copy)]
pub struct Located<'a, 't> {
    pub found: ResolvedSegment<'a>,
    pub place: PlaceText<'t>,
}

/// The part after the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceText<'t> {
    Field(&'t str),
    Offset { offset: u64, ty: &'t str },
}

/// Splits a text into name, value or expression, and sequence lock.
pub fn parts(text: &str) -> Result<Parts<'_>, ChannelError> {
    let text = text.trim();
    let failed = |problem: String| ChannelError::Syntax { text: text.chars().take(200).collect(), problem };
    if text.len() > MAX_LENGTH {
        return Err(failed(format!("longer than {MAX_LENGTH} bytes")));
    }
    let (name, body) = split_name(text);
    if name.is_some_and(|name| name.starts_with('@')) {
        return Err(failed("a name does not start with @, which stands for a set of channels".to_owned()));
    }
    if body.starts_with('=') {
        return Err(failed("expected a name before =, as in v=/telemetry:v".to_owned()));
    }
    if body.is_empty() {
        return Err(failed("expected SEGMENT:FIELD, SEGMENT+OFFSET:TYPE or an expression".to_owned()));
    }
    if name == Some("seq")
        && has_colon(body)
        && body.split(':').next().is_some_and(|start| start.contains(','))
    {
        return Err(failed(AT_THE_END.to_owned()));
    }
    let (value, sequence) = split_sequence(body);
    if sequence.is_some() && !has_colon(value) {
        return Err(failed(AT_THE_END.to_owned()));
    }
    if sequence == Some("") {
        return Err(failed(
            "expected a field or an offset after seq=, as in seq=FIELD or seq=+0x10".to_owned(),
        ));
    }
    if !has_colon(body) {
        if body.starts_with('/') {
            return Err(failed(incomplete(body)));
        }
        return Ok(Parts { name, body: Body::Expression(body) });
    }
    Ok(Parts { name, body: Body::Value { value, sequence } })
}

/// Splits a value from the text after `,seq=`.
fn split_sequence(body: &str) -> (&str, Option<&str>) {
    let split = |at: usize| {
        let rest = body[at + 1..].trim_start().strip_prefix("seq")?.trim_start();
        let sequence = rest.strip_prefix('=').filter(|rest| !rest.starts_with('='))?;
        Some((body[..at].trim_end(), sequence.trim()))
    };
    match body.rmatch_indices(',').find_map(|(at, _)| split(at)) {
        Some((value, sequence)) => (value, Some(sequence)),
        None => (body, None),
    }
}

pub fn incomplete(value: &str) -> String {
    let shown = quote(value.as_bytes());
    if value.rsplit_once('+').is_some_and(|(_, offset)| offset.parse::<Bytes>().is_ok()) {
        return format!("add a type, as in {shown}:f64");
    }
    format!("add a field, or an offset and a type, as in {shown}:v or {shown}+0x10:f64")
}

/// Splits `NAME=` from the rest. What starts with a slash or has a colon is a segment, and no name.
pub fn split_name(text: &str) -> (Option<&str>, &str) {
    let Some((name, rest)) = text.split_once('=') else { return (None, text) };
    let name = name.trim();
    let is_name = !name.is_empty() && !name.starts_with('/') && !name.contains(|c| ":{}(),<>!".contains(c));
    if is_name && !rest.starts_with('=') { (Some(name), rest.trim_start()) } else { (None, text) }
}

/// Returns true if there is a colon outside braces.
fn has_colon(text: &str) -> bool {
    let mut rest = text;
    loop {
        match rest.find([':', '{']) {
            None => return false,
            Some(at) if rest[at..].starts_with(':') => return true,
            Some(at) => match rest[at..].find('}') {
                Some(end) => rest = &rest[at + end..],
                None => return false,
            },
        }
    }
}

/// Finds the segment of a value: of all texts before a colon or an offset, the longest that is the name
/// of one. If there is none, the first that has the form of a name may be a prefix.
pub fn locate<'a, 't>(value: &'t str, segments: &'a [Segment]) -> Result<Located<'a, 't>, ChannelError> {
    let splits: Vec<(&str, PlaceText<'_>)> =
        value.match_indices([':', '+']).filter_map(|(at, _)| split_at(value, at)).collect();
    let longest = splits.iter().rev().find(|(name, _)| is_named(name, segments));
    if longest.is_none_or(|(_, place)| matches!(place, PlaceText::Offset { ty: "", .. }))
        && let Some(problem) = offset_problem(value, segments)
    {
        return Err(ChannelError::Syntax { text: value.to_owned(), problem });
    }
    let start = form_length(value);
    let first = || splits.iter().find(|(name, _)| name.len() > start);
    let Some(&(name, place)) = longest.or_else(first) else {
        return Err(ChannelError::Syntax { text: value.to_owned(), problem: incomplete(value) });
    };
    let found = resolve(&SegmentName::read(name, None), segments).map_err(|error| {
        // A POSIX name may have these, but an expression is likelier.
        if longest.is_none() && name.contains(['(', '*', ' ']) {
            return ChannelError::Syntax { text: value.to_owned(), problem: IN_BRACES.to_owned() };
        }
        error.into()
    })?;
    Ok(Located { found, place })
}

/// The problem of an offset or a type that follows the name of a segment.
fn offset_problem(value: &str, segments: &[Segment]) -> Option<String> {
    value.rmatch_indices('+').find_map(|(at, _)| {
        let (name, rest) = (&value[..at], &value[at + 1..]);
        let (offset, ty) = rest.split_once(':').filter(|_| is_named(name, segments))?;
        let is_offset = offset.parse::<Bytes>().is_ok();
        Some(match offset.trim() {
            _ if is_offset && ty.trim().is_empty() => incomplete(&value[..at + 1 + offset.len()]),
            _ if is_offset => return None,
            "" => "expected an offset after +, as in +0x10".to_owned(),
            negative if negative.starts_with('-') => {
                "an offset is not negative: the first byte has offset 0".to_owned()
            }
            other => format!(
                "invalid offset '{}': expected a number of bytes, such as 16, 0x10 or 1K",
                quote(other.as_bytes())
            ),
        })
    })
}

/// The name of the segment and the rest, if the separator is at this place. `None` for a plus without an
/// offset and a type.
fn split_at(value: &str, at: usize) -> Option<(&str, PlaceText<'_>)> {
    let (name, rest) = (&value[..at], &value[at + 1..]);
    if value[at..].starts_with(':') {
        return Some((name, PlaceText::Field(rest)));
    }
    let (offset, ty) = rest.split_once(':')?;
    Some((name, PlaceText::Offset { offset: offset.parse::<Bytes>().ok()?.0, ty: ty.trim() }))
}

/// Returns true if a segment has, or had, exactly this name.
pub fn is_named(text: &str, segments: &[Segment]) -> bool {
    let name = SegmentName::read(text, None);
    let (id, key) = (name.id(), name.key());
    segments.iter().any(|segment| {
        Some(&segment.id) == id.as_ref()
            || key.is_some() && segment.sysv().map(|facts| facts.key) == key
            || segment.former_name().is_some_and(|former| name.matches_former_name(former))
    })
}

/// The length of `sysv:`, `key:`, `posix:` or `deleted:DEV:`, whose colons end no name.
fn form_length(value: &str) -> usize {
    if let Some(rest) = value.strip_prefix("deleted:") {
        return rest.find(':').map_or(value.len(), |at| "deleted:".len() + at + 1);
    }
    ["sysv:", "posix:", "key:"].into_iter().find(|form| value.starts_with(form)).map_or(0, str::len)
}

//! Splits the text of a channel into its parts.

use super::ChannelError;
use crate::segment::name::SegmentName;
use crate::segment::resolve::{ResolvedSegment, resolve};
use crate::segment::{Bytes, Segment};

/// Characters of the text of a channel.
const MAX_LENGTH: usize = 4096;
const SEQUENCE: &str = ",seq=";
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
    if body.is_empty() {
        return Err(failed("expected SEGMENT:FIELD, SEGMENT+OFFSET:TYPE or an expression".to_owned()));
    }
    if !has_colon(body) {
        if body.starts_with('/') {
            return Err(failed(incomplete(body)));
        }
        return Ok(Parts { name, body: Body::Expression(body) });
    }
    let (value, sequence) = match body.rsplit_once(SEQUENCE) {
        Some((value, sequence)) => (value.trim_end(), Some(sequence.trim())),
        None => (body, None),
    };
    Ok(Parts { name, body: Body::Value { value, sequence } })
}

pub fn incomplete(segment: &str) -> String {
    let shown = crate::segment::quote(segment.as_bytes());
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

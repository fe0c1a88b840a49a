//! Continuations of the text of a channel while it is typed.

use super::resolve::unescaped;
use super::split::{is_named, split_name};
use super::write::{escaped_path, segment_text};
use super::{Lookup, field};
use crate::decode::{Path, Place, Scalar, TypeKind};
use crate::scope::NumberKind;
use crate::scope::expression::name_text;
use crate::segment::{Bytes, Segment, name::SegmentName, resolve::resolve};

/// Continuations that are returned.
const MAX: usize = 64;

/// A continuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The whole text.
    pub text: String,
    /// The text is a channel; otherwise more has to follow.
    pub is_complete: bool,
}

/// Returns the texts that continue a text: names of segments, then fields, one level at a time, or types
/// after an offset.
#[must_use]
pub fn complete(text: &str, lookup: &Lookup<'_>) -> Vec<Completion> {
    let text = text.trim_start();
    let (_, rest) = split_name(text);
    let head = &text[..text.len() - rest.len()];
    let mut found = match separated(rest, lookup.segments) {
        Some((segment, start, After::Field(path))) => fields(segment, path, lookup)
            .into_iter()
            .map(|(path, is_complete)| Completion { text: format!("{head}{start}{path}"), is_complete })
            .collect(),
        Some((_, start, After::Type(ty))) => Scalar::all()
            .filter(|scalar| scalar.word().starts_with(ty) && scalar.size() <= 8)
            .map(|scalar| Completion { text: format!("{head}{start}{}", scalar.word()), is_complete: true })
            .collect(),
        None => segments(rest, lookup.segments)
            .into_iter()
            .map(|name| Completion { text: format!("{head}{name}:"), is_complete: false })
            .collect::<Vec<_>>(),
    };
    found.truncate(MAX);
    found
}

/// Returns the texts that continue an expression over the channels of a recording by a name.
#[must_use]
pub fn complete_recorded<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Vec<Completion> {
    let is_between = |c: char| c.is_whitespace() || "+-*%(),=<>!".contains(c);
    let brace = text.rfind('{').filter(|&at| !text[at..].contains('}'));
    let word = || text.char_indices().rfind(|(_, c)| is_between(*c)).map_or(0, |(at, c)| at + c.len_utf8());
    let start = brace.unwrap_or_else(word);
    let typed = text[start..].trim_start_matches('{');
    let continued =
        |name: &str| Completion { text: format!("{}{}", &text[..start], name_text(name)), is_complete: true };
    names.filter(|name| name.starts_with(typed)).map(continued).take(MAX).collect()
}

/// The unfinished part after a segment.
enum After<'t> {
    Field(&'t str),
    Type(&'t str),
}

/// Splits a text after the separator that follows the longest name of a segment.
fn separated<'a, 't>(text: &'t str, segments: &'a [Segment]) -> Option<(&'a Segment, &'t str, After<'t>)> {
    let split = |at: usize| {
        let (name, rest) = (&text[..at], &text[at + 1..]);
        let after = if text[at..].starts_with(':') {
            After::Field(rest)
        } else {
            let (offset, ty) = rest.split_once(':')?;
            offset.parse::<Bytes>().ok()?;
            After::Type(ty)
        };
        is_named(name, segments).then_some((name, after))
    };
    let (name, after) = text.rmatch_indices([':', '+']).find_map(|(at, _)| split(at))?;
    let segment = resolve(&SegmentName::read(name, None), segments).ok()?.segment;
    let (After::Field(rest) | After::Type(rest)) = after;
    Some((segment, &text[..text.len() - rest.len()], after))
}

/// The names of segments that start with a text, with or without a slash.
fn segments(text: &str, segments: &[Segment]) -> Vec<String> {
    let starts = |name: &String| {
        name.starts_with(text) || name.strip_prefix('/').is_some_and(|name| name.starts_with(text))
    };
    let mut names: Vec<String> = segments.iter().map(segment_text).filter(starts).collect();
    if names.is_empty() {
        names = segments.iter().map(|segment| segment.id.to_string()).filter(starts).collect();
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The paths that continue a path by one step, and whether each is a number. A value with parts ends with
/// the character that its parts begin with.
fn fields(segment: &Segment, text: &str, lookup: &Lookup<'_>) -> Vec<(String, bool)> {
    let Ok(Some(placed)) = (lookup.type_of)(segment) else { return vec![] };
    let typed = unescaped(text);
    let (parent_text, parent) = field::parent(&placed.ty, &typed);
    let Some(path) = placed.ty.parse_path(parent_text) else { return vec![] };
    let continued = |(steps, child): (Vec<u64>, crate::decode::Child<'_>)| {
        let path = Path([path.0.as_slice(), &steps].concat());
        let plain = placed.ty.path_text(&path);
        plain.starts_with(&typed).then(|| {
            let text = escaped_path(&placed.ty, &path);
            (format!("{text}{}", continuation(child.place)), NumberKind::of(child.place).is_some())
        })
    };
    field::children(parent).into_iter().filter_map(continued).take(MAX).collect()
}

fn continuation(place: Place<'_>) -> &'static str {
    match place.ty.kind() {
        TypeKind::Array(_) => "[",
        TypeKind::Record(record) if record.kind().is_row() => "[",
        TypeKind::Record(_) => ".",
        _ => "",
    }
}

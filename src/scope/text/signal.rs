//! Finds what the Scope screen shows: channels, and arrays of numbers.
//!
//! An array is a field or an offset and a type, as for a channel, perhaps with elements: all (`ring[*].x`, a
//! field of each) or some (`samples[100..200]`).

use super::resolve::{Resolved, resolve, segment_type, unescaped};
use super::slice::Slice;
use super::split::{Body, Located, PlaceText, locate, parts};
use super::write::{escaped_path, segment_text};
use super::{ChannelError, Lookup, field};
use crate::decode::{Path, Place, PlacedType, Type, TypeKind};
use crate::scope::{Channel, Elements, NotNumbers, NumberKind, SampledArray, Waveform};
use crate::segment::{Segment, SegmentId, quote};

/// A row of the Scope screen.
#[derive(Debug, Clone)]
pub enum Signal {
    Channel(Channel),
    Waveform(Waveform),
}

impl Signal {
    #[must_use]
    pub const fn channel(&self) -> Option<&Channel> {
        match self {
            Self::Channel(channel) => Some(channel),
            Self::Waveform(_) => None,
        }
    }
}

/// A channel or an array, and how its segment was found.
#[derive(Debug, Clone)]
pub struct ResolvedSignal {
    pub signal: Signal,
    /// The segment, if the text has only the start of its name.
    pub completed: Option<SegmentId>,
}

/// Finds the value or the array that a text names.
///
/// # Errors
/// Fails like [`resolve`].
pub fn resolve_signal(text: &str, lookup: &Lookup<'_>) -> Result<ResolvedSignal, ChannelError> {
    if let Some(found) = find_array(text, lookup)? {
        return Ok(found);
    }
    let Resolved { channel, completed } = resolve(text, lookup)?;
    Ok(ResolvedSignal { signal: Signal::Channel(channel), completed })
}

/// The array that surrounds a number in the type of a segment: the largest one that has only numbers, or the
/// same field of each record. `None` if the number is in no array.
#[must_use]
pub fn array_around(segment: &Segment, placed: &PlacedType, path: &Path) -> Option<Waveform> {
    let ty = &placed.ty;
    let prefix = |length: usize| Path(path.0[..length].to_vec());
    let place = |length: usize| ty.place(&prefix(length));
    let arrays = || (0..=path.0.len()).filter(|&length| place(length).is_some_and(is_array));
    let whole = arrays().find(|&length| place(length).is_some_and(|place| Elements::of(place).is_ok()));
    let text = if let Some(length) = whole {
        ty.path_text(&prefix(length))
    } else {
        let length = arrays().next_back().filter(|&length| length < path.0.len())?;
        let TypeKind::Array(array) = place(length)?.ty.kind() else { return None };
        let tail = array.element.path_text(&Path(path.0[length + 1..].to_vec()));
        let separator = if tail.is_empty() || tail.starts_with('[') { "" } else { "." };
        format!("{}[*]{separator}{tail}", ty.path_text(&prefix(length)))
    };
    let found = find(ty, placed.offset.unwrap_or(0), &text, (&text, "")).ok()??;
    let array = SampledArray { segment: Box::new(segment.clone()), elements: found.elements };
    Some(Waveform { name: format!("{}:{}", segment_text(segment), found.text), array })
}

fn is_array(place: Place<'_>) -> bool {
    matches!(place.ty.kind(), TypeKind::Array(_))
}

/// `None` for a text that is a channel, or nothing.
fn find_array(text: &str, lookup: &Lookup<'_>) -> Result<Option<ResolvedSignal>, ChannelError> {
    let parts = parts(text)?;
    let Body::Value { value, sequence } = parts.body else { return Ok(None) };
    let Located { found, place } = locate(value, lookup.segments)?;
    let segment = found.segment;
    let named = match place {
        PlaceText::Field(path) => of_field(segment, path, value, lookup)?,
        PlaceText::Offset { offset, ty } => at_offset(segment, (offset, ty), value, lookup)?,
    };
    let Some(Named { elements, text }) = named else { return Ok(None) };
    if let Some(sequence) = sequence {
        let problem = "an array is read as a whole, without one".to_owned();
        return Err(ChannelError::Sequence { text: sequence.to_owned(), problem });
    }
    if elements.end() > segment.size.0 {
        return Err(ChannelError::PastEnd {
            value: value.to_owned(),
            offset: elements.offset,
            length: elements.end() - elements.offset,
            segment: segment.id.short(),
            size: segment.size,
        });
    }
    let name = parts.name.map_or(text, |name| quote(name.as_bytes()));
    let array = SampledArray { segment: Box::new(segment.clone()), elements };
    let completed = found.by_prefix.then(|| segment.id.clone());
    Ok(Some(ResolvedSignal { signal: Signal::Waveform(Waveform { name, array }), completed }))
}

/// The elements that a text names.
struct Named {
    elements: Elements,
    /// Their text in the type, then the full one.
    text: String,
}

fn of_field(
    segment: &Segment,
    path: &str,
    value: &str,
    lookup: &Lookup<'_>,
) -> Result<Option<Named>, ChannelError> {
    let placed = segment_type(segment, lookup)?;
    let start = placed.offset.unwrap_or(0);
    let named = find(&placed.ty, start, &unescaped(path), (value, &segment.id.short()))?;
    let full = |named: Named| Named { text: format!("{}:{}", segment_text(segment), named.text), ..named };
    Ok(named.map(full))
}

/// An array at an offset, or one in a record there.
fn at_offset(
    segment: &Segment,
    (offset, text): (u64, &str),
    value: &str,
    lookup: &Lookup<'_>,
) -> Result<Option<Named>, ChannelError> {
    let start = format!("{}+{offset:#x}", segment_text(segment));
    let ends = std::iter::once(text.len()).chain(text.rmatch_indices(['.', '[']).map(|(at, _)| at));
    for end in ends {
        let head = text[..end].trim();
        let Ok(ty) = (lookup.parse_type)(segment, head) else { continue };
        let path = unescaped(text[end..].trim_start_matches('.'));
        let Some(named) = find(&ty, offset, &path, (value, &ty.to_string()))? else { return Ok(None) };
        let separator = if named.text.is_empty() || named.text.starts_with('[') { "" } else { "." };
        let text = format!("{start}:{}{separator}{}", quote(head.as_bytes()), named.text);
        return Ok(Some(Named { text, ..named }));
    }
    Ok(None)
}

/// Finds elements in a type. `value` is the whole text, and what is said to have no such field.
fn find(
    ty: &Type,
    start: u64,
    path: &str,
    (value, owner): (&str, &str),
) -> Result<Option<Named>, ChannelError> {
    let not_found =
        |hint: String| ChannelError::NoField { segment: owner.to_owned(), field: path.to_owned(), hint };
    let Some((head, slice, tail)) = Slice::split(path) else { return whole(ty, start, path, value) };
    let parent = field::find(ty, head).map_err(not_found)?;
    let place = ty.place(&parent).unwrap_or_else(|| ty.at(0));
    let TypeKind::Array(array) = place.ty.kind() else {
        return Err(not_found("elements are those of an array".to_owned()));
    };
    let range = slice.within(array.count).map_err(not_found)?;
    let child = field::find(&array.element, tail.trim_start_matches('.')).map_err(not_found)?;
    let number = array.element.place(&child).unwrap_or_else(|| array.element.at(0));
    field::number_kind(number, value)?;
    let first = place.offset.saturating_add(range.start.saturating_mul(array.stride));
    let elements = Elements {
        offset: start.saturating_add(first).saturating_add(number.offset),
        ty: number.ty.clone(),
        bits: number.bits,
        shape: vec![range.end - range.start],
        stride: array.stride,
        first: range.start,
    };
    let tail = escaped_path(&array.element, &child);
    let separator = if tail.is_empty() || tail.starts_with('[') { "" } else { "." };
    Ok(Some(Named { elements, text: format!("{}{slice}{separator}{tail}", escaped_path(ty, &parent)) }))
}

/// All elements of an array of numbers. `None` for anything that is no array.
fn whole(ty: &Type, start: u64, path: &str, value: &str) -> Result<Option<Named>, ChannelError> {
    let Some(path) = ty.parse_path(path) else { return Ok(None) };
    let place = ty.place(&path).unwrap_or_else(|| ty.at(0));
    let place = Place { offset: start.saturating_add(place.offset), ..place };
    let refused = |kind, remedy| Err(ChannelError::NotANumber { value: value.to_owned(), kind, remedy });
    match Elements::of(place) {
        Ok(elements) => Ok(Some(Named { elements, text: escaped_path(ty, &path) })),
        Err(NotNumbers::NoArray) => Ok(None),
        Err(NotNumbers::Apart) => refused(
            "an array whose rows are apart",
            format!("name a row, as in {}[0]", quote(value.as_bytes())),
        ),
        Err(NotNumbers::OtherElements) => match number_in(place) {
            Some(field) => {
                let example = format!("name a number of each, as in {}[*].{field}", quote(value.as_bytes()));
                refused("an array of records", example)
            }
            None => Ok(None),
        },
    }
}

/// The first number in the records of an array.
fn number_in(place: Place<'_>) -> Option<String> {
    let TypeKind::Array(array) = place.ty.kind() else { return None };
    let element = array.element.at(0);
    let children = field::children(element);
    let (steps, _) = children.iter().find(|(_, child)| NumberKind::of(child.place).is_some())?;
    let text = escaped_path(&array.element, &Path(steps.clone()));
    (!text.starts_with('[')).then_some(text)
}

#[cfg(test)]
mod tests;

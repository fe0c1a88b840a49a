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
mod tests {
    use super::*;
    use crate::decode::parse_type;
    use crate::scope::text::written_type;
    use crate::segment::example;

    const RING: &str = "struct { uint64_t head; struct Entry { double x; struct { short y, z; } p; float m[2][3]; \
                        unsigned a : 3, b : 5; } ring[8]; float samples[100]; char name[8]; \
                        struct { char c[4]; } texts[2]; int none[0]; struct { int v[2]; } nested[3]; }";

    fn found(text: &str) -> Result<ResolvedSignal, ChannelError> {
        let segments = [example::posix_named(b"q"), example::posix_named(b"quite")];
        let type_of = |_: &Segment| {
            let ty = parse_type(RING, &|_| Err(String::new())).unwrap().ty;
            Ok(Some(PlacedType { ty, offset: Some(16) }))
        };
        resolve_signal(text, &Lookup { segments: &segments, type_of: &type_of, parse_type: &written_type })
    }

    fn waveform(text: &str) -> Waveform {
        match found(text).unwrap_or_else(|error| panic!("{text}: {error}")).signal {
            Signal::Waveform(waveform) => waveform,
            Signal::Channel(channel) => panic!("{channel:?}"),
        }
    }

    #[test]
    fn arrays_are_found_in_every_form() {
        // A record takes 40 bytes: x, p at 8, m at 12, and the bits at 36.
        for (text, name, offset, ty, stride) in [
            ("/q:samples", "/q:samples", 344, "f32[100]", 4),
            ("wave = /q:samples", "wave", 344, "f32[100]", 4),
            ("/q:samples[10..20]", "/q:samples[10..20]", 384, "f32[10]", 4),
            ("/q:samples[ 90 .. ]", "/q:samples[90..]", 704, "f32[10]", 4),
            ("/q:ring[*].x", "/q:ring[*].x", 24, "f64[8]", 40),
            ("/q:ring[2..4].p.z", "/q:ring[2..4].p.z", 24 + 80 + 10, "i16[2]", 40),
            ("/q:ring[1].m", "/q:ring[1].m", 24 + 40 + 12, "f32[2][3]", 4),
            ("/q:ring[*].m[1][2]", "/q:ring[*].m[1][2]", 24 + 12 + 20, "f32[8]", 40),
            ("/q:ring[1].m[*][2]", "/q:ring[1].m[*][2]", 24 + 40 + 12 + 8, "f32[2]", 12),
            ("/q:ring[*].b", "/q:ring[*].b", 24 + 36, "u32[8]", 40),
            ("/q+0x40:f64[12]", "/q+0x40:f64[12]", 64, "f64[12]", 8),
            ("/q+64:f64[3][4]", "/q+0x40:f64[3][4]", 64, "f64[3][4]", 8),
            ("/q+64:f64[12][2..4]", "/q+0x40:f64[12][2..4]", 80, "f64[2]", 8),
            ("/q+8:struct { char c; int v[3]; }.v", "/q+0x8:struct { char c; int v[3]; }.v", 12, "i32[3]", 4),
        ] {
            let Waveform { name: actual, array: SampledArray { segment, elements } } = waveform(text);
            let found = (actual.as_str(), elements.offset, elements.type_text(), elements.stride);
            assert_eq!(found, (name, offset, ty.to_owned(), stride), "{text}");
            assert_eq!(segment.id.short(), "/q", "{text}");
            if !text.contains('=') {
                assert_eq!(waveform(name).array.elements, elements, "{name}");
            }
        }
        assert_eq!(waveform("/q:ring[*].b").array.elements.bits.unwrap().width, 5);
        assert_eq!(found("qui:samples").unwrap().completed.unwrap().short(), "/quite");
    }

    #[test]
    fn channels_are_found_too() {
        for (text, name) in
            [("/q:head", "/q:head"), ("v=/q:ring[3].x", "v"), ("/q+8:u16", "/q+0x8:u16"), ("p = v * 2", "p")]
        {
            let Signal::Channel(channel) = found(text).unwrap().signal else { panic!("{text}") };
            assert_eq!(channel.name, name);
        }
    }

    #[test]
    fn wrong_arrays_are_explained() {
        for (text, message) in [
            ("/q:ring", "'/q:ring' is an array of records; name a number of each, as in /q:ring[*].x"),
            ("/q:texts", "'/q:texts' is an array, not a number; name an element"),
            ("/q:none", "'/q:none' is an array, not a number; it has no elements"),
            ("/q:name", "'/q:name' is text, not a number"),
            (
                "/q:samples[50..101]",
                "/q has no field 'samples[50..101]'; there are 100 elements: [0..100] are all",
            ),
            ("/q:head[*]", "/q has no field 'head[*]'; elements are those of an array"),
            ("/q:sample[*]", "/q has no field 'sample[*]'; did you mean samples?"),
            ("/q:ring[*].xx", "/q has no field 'ring[*].xx'; did you mean x?"),
            ("/q:ring[*].p", "'/q:ring[*].p' is a record, not a number; name one of its fields: y, z"),
            (
                "/q:ring[*].m",
                "'/q:ring[*].m' is an array, not a number; name an element, as in /q:ring[*].m[0]",
            ),
            ("/q:nested[*].v[*]", "/q has no field 'nested[*].v[*]'; name one element, as in v[0]"),
            ("/q:samples,seq=head", "invalid sequence lock 'head': an array is read as a whole"),
            (
                "/q+4000:f64[100]",
                "'/q+4000:f64[100]' takes 800 bytes from offset 0xfa0 on, but /q has 4096 (0x1000) bytes",
            ),
            ("/q+8:f65[3]", "invalid channel '/q+8:f65[3]': "),
            ("/no:samples", "no segment named '/no'"),
        ] {
            let error = found(text).map(|found| found.signal).unwrap_err().to_string();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }

    #[test]
    fn array_around_a_number_is_found() {
        let placed =
            PlacedType { ty: parse_type(RING, &|_| Err(String::new())).unwrap().ty, offset: Some(16) };
        let segment = example::posix_named(b"q");
        for (field, name) in [
            ("samples[3]", Some("/q:samples")),
            ("samples", Some("/q:samples")),
            ("ring[2].x", Some("/q:ring[*].x")),
            ("ring[2].p.z", Some("/q:ring[*].p.z")),
            // The smallest array of numbers is inside of a record.
            ("ring[2].m[1][2]", Some("/q:ring[2].m")),
            ("ring[2].b", Some("/q:ring[*].b")),
            ("head", None),
            ("name", None),
            ("ring", None),
            ("ring[2].p", None),
        ] {
            let path = placed.ty.parse_path(field).unwrap();
            let found = array_around(&segment, &placed, &path);
            assert_eq!(found.as_ref().map(|found| found.name.as_str()), name, "{field}");
            if let Some(found) = found {
                assert_eq!(waveform(&found.name).array.elements, found.array.elements, "{field}");
            }
        }
    }

    #[test]
    fn several_elements_are_no_channel() {
        let segments = [example::posix_named(b"q")];
        let type_of =
            |_: &Segment| Ok(Some(PlacedType { ty: Type::from_name("f64[8]").unwrap(), offset: None }));
        let lookup = Lookup { segments: &segments, type_of: &type_of, parse_type: &written_type };
        let error = |text: &str| resolve(text, &lookup).map(|found| found.channel).unwrap_err().to_string();
        assert_eq!(error("/q:[2..4]"), "/q has no field '[2..4]'; name one element, as in [0]");
        assert_eq!(error("/q:[*]"), "/q has no field '[*]'; name one element, as in [0]");
        assert_eq!(error("/q:"), "'/q:' is an array, not a number; name an element, as in /q:[0]");
    }
}

//! Finds the values that texts name.

use super::slice::Slice;
use super::split::{AT_THE_END, Body, IN_BRACES, Located, Parts, PlaceText, locate, parts, split_name};
use super::write::{escaped_path, segment_text};
use super::{ChannelError, Lookup, field, field_text};
use crate::decode::{Bits, ByteOrder, Place, PlacedType, Scalar, Type, TypeKind};
use crate::scope::{Channel, NumberKind, SampledValue, Sequence, Source};
use crate::segment::{Bytes, Segment, SegmentId, quote, unescape};
use std::ops::Range;

/// A channel, and how its segment was found.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub channel: Channel,
    /// The segment, if the text has only the start of its name.
    pub completed: Option<SegmentId>,
}

/// Finds the value that a text names. The syntax of an expression is checked by
/// [`Expressions`](crate::scope::expression::Expressions), which knows all channels.
///
/// # Errors
/// Fails if the segment, its type or the field does not exist, or if that is not a number inside of the
/// segment.
pub fn resolve(text: &str, lookup: &Lookup<'_>) -> Result<Resolved, ChannelError> {
    let parts = parts(text)?;
    let named = |default: String| parts.name.map_or(default, |name| quote(name.as_bytes()));
    let (value, sequence) = match parts.body {
        Body::Expression(text) => {
            let channel = Channel {
                name: named(quote(text.as_bytes())),
                kind: NumberKind::Float,
                source: Source::Expression(text.to_owned()),
            };
            return Ok(Resolved { channel, completed: None });
        }
        Body::Value { value, sequence } => (value, sequence),
    };
    let Found { segment, target, base, completed } = find(value, lookup)?;
    if let TypeKind::Record(_) | TypeKind::Array(_) = target.ty.kind()
        && target.is_whole_type
        && NumberKind::of(target.place()).is_none()
    {
        return Err(not_one_number(&target.ty, value));
    }
    let kind = field::number_kind(target.place(), value)?;
    check_end(segment, target.place(), value)?;
    let sequence = match sequence {
        Some(text) => Some(find_sequence(text, segment, base, lookup)?),
        None => None,
    };
    let channel = Channel {
        name: named(target.text),
        kind,
        source: Source::Value(SampledValue {
            segment: Box::new(segment.clone()),
            offset: target.offset,
            ty: target.ty,
            bits: target.bits,
            sequence,
        }),
    };
    Ok(Resolved { channel, completed })
}

/// A value of any type, and how its segment was found.
#[derive(Debug)]
pub struct ResolvedRange {
    pub segment: SegmentId,
    pub range: Range<u64>,
    /// The segment, if the text has only the start of its name.
    pub completed: Option<SegmentId>,
}

/// Finds the bytes of a value that a text names, which need not be a number. `None` for a text with more
/// than a value, such as an expression.
///
/// # Errors
/// Fails if the segment, its type or the field does not exist, or if that is not inside of the segment.
pub fn resolve_range(text: &str, lookup: &Lookup<'_>) -> Result<Option<ResolvedRange>, ChannelError> {
    let Parts { name: None, body: Body::Value { value, sequence: None } } = parts(text)? else {
        return Ok(None);
    };
    let Found { segment, target, completed, .. } = find(value, lookup)?;
    check_end(segment, target.place(), value)?;
    Ok(Some(ResolvedRange { segment: segment.id.clone(), range: target.place().range(), completed }))
}

struct Found<'a> {
    segment: &'a Segment,
    target: Target,
    /// The type of the segment, if the value is a field.
    base: Option<PlacedType>,
    completed: Option<SegmentId>,
}

fn find<'a>(value: &str, lookup: &Lookup<'a>) -> Result<Found<'a>, ChannelError> {
    let Located { found, place } = locate(value, lookup.segments)?;
    let segment = found.segment;
    let mut base = None;
    let target = match place {
        PlaceText::Field(path) => {
            let placed = segment_type(segment, lookup)?;
            let target = Target::of_field(segment, &placed, path)?;
            base = Some(placed);
            target
        }
        PlaceText::Offset { offset, ty } => Target::at_offset(segment, offset, ty, value, lookup)?,
    };
    let completed = found.by_prefix.then(|| segment.id.clone());
    Ok(Found { segment, target, base, completed })
}

/// Reads an expression over the channels of a recording, which has no segments.
///
/// # Errors
/// Fails if the text names a value in a segment.
pub fn resolve_recorded(text: &str) -> Result<Channel, ChannelError> {
    let nothing = Lookup {
        segments: &[],
        type_of: &|_| Ok(None),
        parse_type: &|_, _| Err("a recording has no segments".to_owned()),
    };
    let (_, body) = split_name(text.trim());
    // A topic of another program may be called like a segment.
    if body.starts_with('/') || matches!(parts(text)?.body, Body::Value { .. }) {
        let value = body.split_whitespace().next().unwrap_or_default();
        return Err(ChannelError::Recorded { value: value.to_owned() });
    }
    resolve(text, &nothing).map(|resolved| resolved.channel)
}

/// A value in a segment.
struct Target {
    offset: u64,
    ty: Type,
    bits: Option<Bits>,
    /// The full text.
    text: String,
    /// The type is that of the text, and not that of a field in it.
    is_whole_type: bool,
}

impl Target {
    fn new(place: Place<'_>, start: u64, text: String) -> Self {
        let offset = start.saturating_add(place.offset);
        Self { offset, ty: place.ty.clone(), bits: place.bits, text, is_whole_type: false }
    }

    const fn place(&self) -> Place<'_> {
        Place { ty: &self.ty, offset: self.offset, bits: self.bits }
    }

    fn of_field(segment: &Segment, placed: &PlacedType, text: &str) -> Result<Self, ChannelError> {
        let path_text = unescaped(text);
        let path = field::find(&placed.ty, &path_text).map_err(|hint| ChannelError::NoField {
            segment: segment.id.short(),
            field: path_text.clone(),
            hint: match path_text {
                _ if path_text.contains("seq=") || path_text.contains(',') && path_text.contains('=') => {
                    AT_THE_END.to_owned()
                }
                _ if looks_computed(&path_text) => IN_BRACES.to_owned(),
                _ => hint,
            },
        })?;
        let place = placed.ty.place(&path).unwrap_or_else(|| placed.ty.at(0));
        Ok(Self::new(place, placed.offset.unwrap_or(0), field_text(segment, &placed.ty, &path)))
    }

    /// A number at an offset, or a field of a record there.
    fn at_offset(
        segment: &Segment,
        offset: u64,
        text: &str,
        value: &str,
        lookup: &Lookup<'_>,
    ) -> Result<Self, ChannelError> {
        let start = format!("{}+{offset:#x}", segment_text(segment));
        let error = match (lookup.parse_type)(segment, text) {
            Ok(ty) => {
                let number = Self::new(ty.at(0), offset, format!("{start}:{ty}"));
                // A value of a type without a name that can be typed keeps its text.
                let text = if matches!(ty.kind(), TypeKind::Scalar(..)) {
                    number.text.clone()
                } else {
                    format!("{start}:{}", quote(text.as_bytes()))
                };
                return Ok(Self { text, is_whole_type: true, ..number });
            }
            Err(error) => error,
        };
        for (at, _) in text.rmatch_indices(['.', '[']) {
            let Ok(ty) = (lookup.parse_type)(segment, text[..at].trim()) else { continue };
            let path_text = unescaped(text[at..].trim_start_matches('.'));
            let path = field::find(&ty, &path_text).map_err(|hint| ChannelError::NoField {
                segment: ty.to_string(),
                field: path_text.clone(),
                hint,
            })?;
            let place = ty.place(&path).unwrap_or_else(|| ty.at(0));
            let separator = if path_text.starts_with('[') { "" } else { "." };
            let shown = format!(
                "{start}:{}{separator}{}",
                quote(text[..at].trim().as_bytes()),
                escaped_path(&ty, &path)
            );
            return Ok(Self::new(place, offset, shown));
        }
        Err(ChannelError::Syntax { text: value.to_owned(), problem: error })
    }
}

fn not_one_number(ty: &Type, value: &str) -> ChannelError {
    let (kind, remedy) = match ty.kind() {
        TypeKind::Array(array) => (
            "an array, not a number",
            format!(
                "give the offset of an element and its type, {}; elements are {} bytes apart",
                array.element, array.stride
            ),
        ),
        _ => {
            ("a record, not a number", format!("name one of its fields, as in {}.x", quote(value.as_bytes())))
        }
    };
    ChannelError::NotANumber { value: value.to_owned(), kind, remedy }
}

/// The type that fields are found in.
pub fn segment_type(segment: &Segment, lookup: &Lookup<'_>) -> Result<PlacedType, ChannelError> {
    let reason = match (lookup.type_of)(segment) {
        Ok(Some(placed)) => return Ok(placed),
        Ok(None) => String::new(),
        Err(reason) => format!(" ({})", quote(reason.as_bytes())),
    };
    let example = format!("{}+0x10", segment_text(segment));
    Err(ChannelError::NoType { segment: segment.id.short(), reason, example })
}

fn check_end(segment: &Segment, place: Place<'_>, value: &str) -> Result<(), ChannelError> {
    let range = place.range();
    if range.end <= segment.size.0 {
        return Ok(());
    }
    Err(ChannelError::PastEnd {
        value: value.to_owned(),
        offset: range.start,
        length: place.bits.map_or(place.ty.size(), Bits::bytes),
        segment: segment.id.short(),
        size: segment.size,
    })
}

/// Finds the counter of a sequence lock: a field, or `+OFFSET`, perhaps with a type.
fn find_sequence(
    text: &str,
    segment: &Segment,
    base: Option<PlacedType>,
    lookup: &Lookup<'_>,
) -> Result<Sequence, ChannelError> {
    let failed =
        |problem: &str| ChannelError::Sequence { text: text.to_owned(), problem: problem.to_owned() };
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(failed("an offset begins with +, as in seq=+0x10"));
    }
    let target = if let Some(rest) = text.strip_prefix('+') {
        let (offset, ty) = rest.split_once(':').unwrap_or((rest, "u32"));
        let offset: Bytes = offset.parse().map_err(|_| failed("expected an offset, as in seq=+0x10"))?;
        let ty = (lookup.parse_type)(segment, ty).map_err(|problem| failed(&problem))?;
        Target::new(ty.at(0), offset.0, text.to_owned())
    } else {
        let placed = match base {
            Some(placed) => placed,
            None => segment_type(segment, lookup)?,
        };
        Target::of_field(segment, &placed, text)?
    };
    check_end(segment, target.place(), text)?;
    let size = match target.ty.kind() {
        TypeKind::Scalar(Scalar::U32 | Scalar::I32, order) if *order == ByteOrder::native() => 4,
        TypeKind::Scalar(Scalar::U64 | Scalar::I64, order) if *order == ByteOrder::native() => 8,
        _ => {
            return Err(failed(
                "a sequence lock is an integer of 4 or 8 bytes in the byte order of this machine",
            ));
        }
    };
    if target.bits.is_some() || !target.offset.is_multiple_of(size.into()) {
        return Err(failed(&format!("a sequence lock is aligned: its offset is a multiple of {size}")));
    }
    Ok(Sequence { offset: target.offset, size })
}

/// Returns true if a path is probably the end of a value in an expression.
fn looks_computed(path: &str) -> bool {
    path.contains(['(', '*', ' ']) && Slice::split(path).is_none()
}

/// The text of a path. Bytes that are not UTF-8 match no field.
pub fn unescaped(text: &str) -> String {
    String::from_utf8_lossy(&unescape(text)).into_owned()
}

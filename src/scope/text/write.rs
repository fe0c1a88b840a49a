//! The text of values: the inverse of finding them.

use crate::decode::{Path, Scalar, Type, TypeKind};
use crate::segment::{Segment, SegmentId, escape};

/// The text of a field of a segment by its type.
#[must_use]
pub fn field_text(segment: &Segment, ty: &Type, path: &Path) -> String {
    format!("{}:{}", segment_text(segment), escaped_path(ty, path))
}

/// The text of a number at an offset of a segment, by its own type. `None` if that is not a number.
#[must_use]
pub fn number_text(segment: &Segment, offset: u64, ty: &Type) -> Option<String> {
    let ty = match ty.kind() {
        TypeKind::Scalar(..) => ty.clone(),
        TypeKind::Enum(found) => Type::scalar(found.underlying(), found.order()),
        TypeKind::Pointer(pointer) => {
            Type::scalar(if ty.size() == 4 { Scalar::U32 } else { Scalar::U64 }, pointer.order)
        }
        _ => return None,
    };
    crate::scope::NumberKind::of(ty.at(0))?;
    Some(format!("{}+{offset:#x}:{ty}", segment_text(segment)))
}

/// The text of a path, with escapes for what would end it.
pub fn escaped_path(ty: &Type, path: &Path) -> String {
    escape(ty.path_text(path).as_bytes()).replace(':', r"\x3a").replace(',', r"\x2c")
}

/// The name of a segment as the start of a channel: the key of a System V segment, because it outlives
/// the shmid.
pub fn segment_text(segment: &Segment) -> String {
    match (&segment.id, segment.sysv()) {
        (SegmentId::Sysv(_), Some(facts)) if !facts.key.is_private() => format!("{:#x}", facts.key.0),
        (SegmentId::Posix(_), _) => {
            let text = segment.id.short();
            let (form, name) =
                if text.starts_with('/') { ("", text.as_str()) } else { text.split_at("posix:".len()) };
            format!("{form}{}", escaped_name(name))
        }
        (id, _) => id.to_string(),
    }
}

fn escaped_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ':' => out.push_str(r"\x3a"),
            ',' => out.push_str(r"\x2c"),
            '{' => out.push_str(r"\x7b"),
            '}' => out.push_str(r"\x7d"),
            // Before an offset.
            '+' if rest.peek().is_some_and(char::is_ascii_digit) => out.push_str(r"\x2b"),
            _ => out.push(c),
        }
    }
    out
}

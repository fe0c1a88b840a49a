//! Code that attaches to a segment and reads it as a type, in C++, Python and Rust: a whole program,
//! read-only, that compiles as it is. Its definitions translate a type of one language into another.

mod cpp;
mod identifier;
mod model;
mod path;
mod place;
mod python;
mod rust;

use super::{ByteOrder, Scalar, Type};
use crate::segment::{Key, ObjectName, Segment, SegmentId, ShmId};
use model::{Member, Part};
use std::fmt::Write as _;

/// Larger types are refused: compilers cannot have them.
const MAX_SIZE: u64 = 1 << 56;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeLanguage {
    Cpp,
    Python,
    Rust,
}

impl CodeLanguage {
    /// In menu order.
    pub const ALL: [Self; 3] = [Self::Cpp, Self::Python, Self::Rust];

    /// The word in menus.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cpp => "C++ code",
            Self::Python => "Python code",
            Self::Rust => "Rust code",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error(
        "no code attaches to {0}: it was unlinked and has no name any more. \
         Let its creator make it again, or pass its descriptor to the other program (unix(7), SCM_RIGHTS)"
    )]
    Unlinked(SegmentId),
    #[error("no code attaches to {0}: it is marked for removal. Let its creator make a new one")]
    Marked(SegmentId),
    #[error("no code maps {0}: its size is 0. Let its creator set it with ftruncate")]
    Empty(SegmentId),
    #[error("the type has no bytes")]
    NoBytes,
    #[error("the type is too large")]
    TooLarge,
    #[error("the type has too many fields")]
    TooManyFields,
}

/// The facts that code needs to attach to a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub target: Target,
    pub size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Shmid(ShmId),
    Key(Key),
    Object(ObjectName),
}

impl Attachment {
    /// # Errors
    /// Fails if no program can attach to the segment any more.
    pub fn of(segment: &Segment) -> Result<Self, CodeError> {
        let id = || segment.id.clone();
        let target = match (&segment.id, segment.sysv()) {
            (SegmentId::Posix(name), _) => Target::Object(name.clone()),
            (SegmentId::Sysv(_), Some(facts)) if facts.marked => return Err(CodeError::Marked(id())),
            (SegmentId::Sysv(_), Some(facts)) if !facts.key.is_private() => Target::Key(facts.key),
            (SegmentId::Sysv(shmid), _) => Target::Shmid(*shmid),
            (SegmentId::Deleted { .. }, _) => return Err(CodeError::Unlinked(id())),
        };
        if segment.size.0 == 0 {
            return Err(CodeError::Empty(id()));
        }
        Ok(Self { target, size: segment.size.0 })
    }
}

impl Target {
    /// A comment on one line, ASCII only.
    fn describe(&self) -> String {
        match self {
            Self::Shmid(shmid) => format!("the System V segment {shmid}"),
            Self::Key(key) => format!("the System V segment with the key {:#x} ({})", key.0, key.0),
            Self::Object(name) => {
                let name = String::from_utf8_lossy(name.as_bytes());
                format!("the POSIX object {}", identifier::in_comment(&name))
            }
        }
    }
}

/// Returns a program that attaches to a segment and reads a type at an offset; without a type, bytes.
///
/// # Errors
/// Fails if the type has no bytes, is too large, or has too many fields.
pub fn code(
    language: CodeLanguage,
    attachment: &Attachment,
    placed: Option<(&Type, u64)>,
) -> Result<String, CodeError> {
    let (ty, offset) = placed.unzip();
    if ty.is_some_and(|ty| ty.size() > MAX_SIZE) {
        return Err(CodeError::TooLarge);
    }
    let offset = offset.unwrap_or(0);
    match language {
        CodeLanguage::Cpp => cpp::program(attachment, ty, offset),
        CodeLanguage::Python => python::program(attachment, ty, offset),
        CodeLanguage::Rust => rust::program(attachment, ty, offset),
    }
}

/// Returns the definitions of a type alone.
///
/// # Errors
/// Fails as [`code()`] does.
pub fn definitions(language: CodeLanguage, ty: &Type) -> Result<String, CodeError> {
    if ty.size() > MAX_SIZE {
        return Err(CodeError::TooLarge);
    }
    match language {
        CodeLanguage::Cpp => cpp::definitions(ty),
        CodeLanguage::Python => python::definitions(ty),
        CodeLanguage::Rust => rust::definitions(ty),
    }
}

/// The element at the bottom of nested arrays, and the counts from the outside in.
fn dimensions(mut part: &Part) -> (&Part, Vec<u64>) {
    let mut counts = vec![];
    while let Part::Array(element, count) = part {
        counts.push(*count);
        part = element;
    }
    (part, counts)
}

const fn is_foreign(order: ByteOrder, scalar: Scalar) -> bool {
    matches!(
        (order, ByteOrder::native()),
        (ByteOrder::Big, ByteOrder::Little) | (ByteOrder::Little, ByteOrder::Big)
    ) && scalar.size() > 1
}

/// Returns true if a language can have an enumeration of this type.
const fn is_integer(scalar: Scalar) -> bool {
    matches!(
        scalar,
        Scalar::U8
            | Scalar::U16
            | Scalar::U32
            | Scalar::U64
            | Scalar::I8
            | Scalar::I16
            | Scalar::I32
            | Scalar::I64
            | Scalar::Char
            | Scalar::Bool
    )
}

/// The meaning of a part that its type in the code does not tell.
fn meaning(part: &Part) -> Option<String> {
    let (part, _) = dimensions(part);
    let order = |scalar: Scalar, order: ByteOrder| {
        if is_foreign(order, scalar) { format!("{} ", order.long_word()) } else { String::new() }
    };
    match part {
        Part::Scalar(scalar, byte_order) | Part::Text(scalar, byte_order, _) => {
            let words = match scalar {
                Scalar::TimeSeconds => "seconds since 1970",
                Scalar::TimeMillis => "milliseconds since 1970",
                Scalar::TimeMicros => "microseconds since 1970",
                Scalar::TimeNanos => "nanoseconds since 1970",
                Scalar::F16 => "half precision",
                Scalar::Complex64 | Scalar::Complex128 => "real and imaginary part",
                Scalar::F80 => "long double of x86",
                Scalar::Char8 => "UTF-8",
                Scalar::Char16 => "UTF-16",
                _ if is_foreign(*byte_order, *scalar) => scalar.word(),
                _ => return None,
            };
            Some(order(*scalar, *byte_order) + words)
        }
        Part::Pointer { target, order: byte_order, .. } => Some(format!(
            "{}address of {} in the other process",
            order(Scalar::U64, *byte_order),
            identifier::in_comment(target)
        )),
        _ => None,
    }
}

/// The comment of a member: its name in the program, its meaning, or nothing.
fn note(member: &Member, mark: &str) -> String {
    let name = member.name.original.as_ref().map(|name| format!("named {name}"));
    let notes: Vec<String> = name.into_iter().chain(meaning(&member.part)).collect();
    if notes.is_empty() { String::new() } else { format!("  {mark} {}", notes.join("; ")) }
}

/// Appends a line, which cannot fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
    out.push('\n');
}

//! Code that attaches to a segment and reads it as a type, in C++, Python and Rust: a whole program,
//! read-only, that compiles as it is, and prints the first values as shmlens does. Its definitions
//! translate a type of one language into another.

mod attachment;
mod build;
mod cpp;
mod functions;
mod identifier;
mod literal;
mod members;
mod model;
mod notes;
mod path;
mod place;
mod python;
mod raw;
mod reserved;
mod rust;
mod scalars;

pub use attachment::{Attachment, Target};

use super::Type;
use crate::segment::SegmentId;
use scalars::{dimensions, is_foreign, is_integer};
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

/// Appends a line, which cannot fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
    out.push('\n');
}

//! The ways to write a type. Every source of types has its place in [`parse_type`].

use super::declaration::{DeclarationError, Language, Sources, parse_declarations};
use super::layouts::{self, Layout};
use super::python::{self, PythonTypeError};
use super::{Field, ParseNameError, Record, RecordKind, Type, TypeError};
use crate::segment::{Bytes, escape};
use std::path::Path;

/// Reads a header and those that it includes; the error is a message.
pub type ReadHeader<'a> = &'a dyn Fn(&str) -> Result<Sources, String>;

/// A type, and its offset in the segment if the text has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedType {
    pub ty: Type,
    pub offset: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTypeError {
    #[error(transparent)]
    Name(#[from] ParseNameError),
    #[error("invalid type: {0}")]
    Declaration(#[from] DeclarationError),
    #[error(transparent)]
    Python(#[from] PythonTypeError),
    #[error("failed to read {path}: {message}")]
    Header { path: String, message: String },
}

impl ParseTypeError {
    /// Describes the problem, for messages that already quote the text.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Name(error) => error.expected(),
            Self::Declaration(error) => error.to_string(),
            Self::Python(error) => error.expected(),
            Self::Header { .. } => self.to_string(),
        }
    }
}

/// A type that is written out, or one that is built from the contents of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeSource {
    Fixed(PlacedType),
    Layout(Layout),
}

impl TypeSource {
    /// Parses the name of a layout, or a type in any of the forms of [`parse_type`].
    ///
    /// # Errors
    /// Like [`parse_type`].
    pub fn parse(text: &str, read: ReadHeader<'_>) -> Result<Self, ParseTypeError> {
        match Layout::from_word(text) {
            Some(layout) => Ok(Self::Layout(layout)),
            None => parse_type(text, read).map(Self::Fixed),
        }
    }
}

/// Combines types into one value, with a field for each. A single type stays as it is; `None` without
/// any.
///
/// # Errors
/// Fails if they are too large together.
pub fn combined(mut types: Vec<PlacedType>) -> Result<Option<PlacedType>, TypeError> {
    if types.len() < 2 {
        return Ok(types.pop());
    }
    let start = types.iter().map(|placed| placed.offset.unwrap_or(0)).min().unwrap_or(0);
    let (mut fields, mut align, mut size): (Vec<Field>, _, _) = (vec![], 1, 0);
    for PlacedType { ty, offset } in types {
        let at = offset.unwrap_or(0) - start;
        align = ty.align().max(align);
        size = at.checked_add(ty.size()).ok_or(TypeError::TooLarge)?.max(size);
        let name = format!("{ty}@{:#x}", at + start);
        if fields.iter().all(|field| *field.name != *name) {
            fields.push(Field::new(name, ty, at));
        }
    }
    let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
    let name = names.join(", ");
    let ty = Type::record(Record::new(RecordKind::Struct, name, fields), size, align)?;
    Ok(Some(PlacedType { ty, offset: Some(start) }))
}

/// The form of a text.
enum Form<'a> {
    /// `u32`, `f64[3]`, `i32,f64`.
    Name,
    /// `struct { … }`, `std::atomic<int>`.
    Declaration,
    /// `file.h:Name`, or `file.h` for its last type.
    Header { path: &'a str, name: Option<&'a str> },
}

/// Parses a type in any of its forms: a name (`u32be`, `f64[3][3]`, `i32,f64,char[16]`, `mutex`), C and
/// C++ declarations, a type of Python (`struct:<iqd`, `<f8`, `[('a', '<i4')]`, `T{<i:x:}`), or a header and the name of a type in it (`file.h:Name`). `@OFFSET` at the end
/// places it.
///
/// # Errors
/// Fails if the text has none of these forms, or if the header cannot be read.
pub fn parse_type(text: &str, read: ReadHeader<'_>) -> Result<PlacedType, ParseTypeError> {
    let (text, offset) = match text.rsplit_once('@') {
        // `@` starts a format of struct.
        Some((ty, offset)) if !ty.trim_end().ends_with(':') => match offset.parse::<Bytes>() {
            Ok(offset) => (ty, Some(offset.0)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    };
    if let Some(parsed) = python::parse_marked(text) {
        return Ok(PlacedType { ty: parsed?, offset });
    }
    let ty = match form(text) {
        Form::Name => named(text)?,
        Form::Declaration => parse_declarations(&Sources::typed(text), None, None)?,
        Form::Header { path, name } => {
            let failed = |message| ParseTypeError::Header { path: escape(path.as_bytes()), message };
            let sources = read(path).map_err(failed)?;
            parse_declarations(&sources, name, language(path))?
        }
    };
    Ok(PlacedType { ty, offset })
}

/// Parses a name of our own, or of C: `unsigned int`, `uint32_t`.
fn named(text: &str) -> Result<Type, ParseTypeError> {
    if let Some(ty) = layouts::named(text) {
        return Ok(ty);
    }
    Type::from_name(text).or_else(|error| {
        match parse_declarations(&Sources::typed(text), None, None) {
            Ok(ty) => Ok(ty),
            Err(_) => match python::parse_bare(text) {
                Some(parsed) => Ok(parsed?),
                // Our names are shorter, so the error lists them.
                None => Err(error.into()),
            },
        }
    })
}

fn form(text: &str) -> Form<'_> {
    let separators = text.match_indices(':').map(|(at, _)| at);
    let single = separators.filter(|&at| !text[at + 1..].starts_with(':') && !text[..at].ends_with(':'));
    let header = single.map(|at| (&text[..at], Some(&text[at + 1..]))).chain([(text, None)]);
    for (path, name) in header {
        if is_header(path) {
            return Form::Header { path, name };
        }
    }
    // A line break belongs to pasted declarations.
    if text.contains(['{', '}', ';', '<', '>', '*', '\n']) || text.contains("::") {
        return Form::Declaration;
    }
    Form::Name
}

fn is_header(path: &str) -> bool {
    const EXTENSIONS: [&str; 12] = ["h", "hh", "hpp", "hxx", "H", "inc", "ipp", "c", "cc", "cpp", "cxx", "C"];
    // Declarations contain other characters.
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    !path.contains(['{', '}', ';', '\n']) && extension.is_some_and(|found| EXTENSIONS.contains(&found))
}

/// The language that the name of a file tells. That of `.h` may be either.
fn language(path: &str) -> Option<Language> {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    match extension {
        Some("c") => Some(Language::C),
        Some("h" | "inc") | None => None,
        Some(_) => Some(Language::Cpp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PlacedType, ParseTypeError> {
        parse_type(text, &|path| match path {
            "dir/a.hpp" => Ok(Sources::header(
                path,
                "#include \"b.h\"\nnamespace ns { template <class T, int N> struct Ring { T t[N]; B b; }; }"
                    .to_owned(),
                |from, included| {
                    assert!(from.starts_with("dir/") && included == "b.h");
                    Some((
                        "dir/b.h".to_owned(),
                        "#pragma once\nstruct B { int x; };\n#include \"b.h\"".to_owned(),
                    ))
                },
            )),
            "wrong.h" => Ok(Sources::header(
                path,
                "\nstruct A { Unknown x; }; struct B { int y; };".to_owned(),
                |_, _| None,
            )),
            _ => Err("no such file".to_owned()),
        })
    }

    fn size(text: &str) -> (u64, Option<u64>) {
        let found = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (found.ty.size(), found.offset)
    }

    #[test]
    fn every_form_is_recognized() {
        for (text, expected) in [
            ("u32be", (4, None)),
            ("f64[3]@0x40", (24, Some(64))),
            ("i32,f64@1K", (16, Some(1024))),
            ("packed:i32,f64", (12, None)),
            ("unsigned int", (4, None)),
            ("uint16_t", (2, None)),
            ("struct { char a; double b; }", (16, None)),
            ("struct { char a; double b; }@8", (16, Some(8))),
            ("struct P { int x; };\nstruct Q { P p[2]; };", (8, None)),
            ("std::atomic<std::uint64_t>", (8, None)),
            ("int (*)[3]", (8, None)),
            ("dir/a.hpp:ns::Ring<short, 3>", (12, None)),
            ("dir/a.hpp:Ring<double, 2>[4]@16", (96, Some(16))),
            ("dir/a.hpp:B", (4, None)),
            ("wrong.h:B", (4, None)),
        ] {
            assert_eq!(size(text), expected, "{text}");
        }
    }

    #[test]
    fn several_types_are_one_value() {
        let placed = |text: &str| parse(text).unwrap();
        let both = combined(vec![placed("u8[2]@8"), placed("u16le@4"), placed("u16le@4")]).unwrap().unwrap();
        assert_eq!((both.offset, both.ty.size()), (Some(4), 6));
        let text = both.ty.decode(&[7, 0, 0, 0, 1, 2]).to_string();
        assert_eq!(text, "{u8[2]@0x8: [1, 2], u16@0x4: 7}");
        assert_eq!(combined(vec![placed("u8@8")]).unwrap(), Some(placed("u8@8")));
        assert_eq!(combined(vec![]).unwrap(), None);
        let far = format!("u64@{}", u64::MAX);
        assert_eq!(combined(vec![placed("u8"), placed(&far)]), Err(TypeError::TooLarge));
    }

    #[test]
    fn errors_tell_the_place() {
        for (text, message) in [
            ("u33", "expected one of u8"),
            ("none.h:A", "failed to read none.h: no such file"),
            ("wrong.h:A", "wrong.h:2:12: unknown type 'Unknown'"),
            ("wrong.h", "wrong.h:2:12: unknown type 'Unknown'"),
            (
                "wrong.h:C",
                "wrong.h: no type 'C'; the types are B. Not read: wrong.h:2:12: unknown type 'Unknown'",
            ),
            ("dir/a.hpp:ns::Rong", "dir/a.hpp: no type 'ns::Rong'; the types are ns::Ring, B"),
            ("u33", "a type of a header (file.h:Name)"),
            ("struct { int x }", "line 1, column 16: expected ';' after the field, found '}'"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}

//! Places of values inside of a type, and the paths to them: `points[3].x`.

use super::{Bits, Field, Type, TypeKind};
use std::fmt::Write as _;
use std::ops::Range;

/// A value inside of another one: its type and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub ty: &'a Type,
    pub offset: u64,
    /// Set for a bit-field.
    pub bits: Option<Bits>,
}

/// An element of an array, or a field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child<'a> {
    pub label: Label<'a>,
    pub place: Place<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label<'a> {
    Field(&'a Field),
    Index(u64),
}

/// The way to a value: the number of the child at each level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(pub Vec<u64>);

impl Path {
    /// The path of the value that contains this one.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }
}

impl<'a> Place<'a> {
    /// The bytes of the value.
    #[must_use]
    pub const fn range(&self) -> Range<u64> {
        let length = match self.bits {
            Some(bits) => bits.bytes(),
            None => self.ty.size(),
        };
        self.offset..self.offset.saturating_add(length)
    }

    #[must_use]
    pub fn child(&self, index: u64) -> Option<Child<'a>> {
        match self.ty.kind() {
            TypeKind::Array(array) => (index < array.count).then(|| {
                let offset = self.offset.saturating_add(index.saturating_mul(array.stride));
                Child { label: Label::Index(index), place: array.element.at(offset) }
            }),
            TypeKind::Record(record) => {
                let field = record.fields().get(usize::try_from(index).ok()?)?;
                let offset = self.offset.saturating_add(field.offset);
                let place = Place { ty: &field.ty, offset, bits: field.bits };
                let is_row = record.kind().is_row();
                Some(Child { label: if is_row { Label::Index(index) } else { Label::Field(field) }, place })
            }
            _ => None,
        }
    }

    /// The children have numbers instead of names.
    fn has_indexes(&self) -> bool {
        match self.ty.kind() {
            TypeKind::Array(_) => true,
            TypeKind::Record(record) => record.kind().is_row(),
            _ => false,
        }
    }

    pub fn children(&self) -> impl Iterator<Item = Child<'a>> + use<'a> {
        let place = *self;
        (0..self.ty.child_count()).map_while(move |index| place.child(index))
    }
}

impl Label<'_> {
    /// The name or index, for a tree. An anonymous field is named by its type.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Index(index) => format!("[{index}]"),
            Self::Field(field) if field.name.is_empty() => format!("<{}>", field.ty),
            Self::Field(field) => field.name.to_string(),
        }
    }

    pub(super) fn push(&self, out: &mut String) {
        match self {
            Self::Index(index) => drop(write!(out, "[{index}]")),
            Self::Field(field) if field.name.is_empty() => {}
            Self::Field(field) if !is_plain(&field.name) => {
                let _ = write!(out, "[{:?}]", field.name);
            }
            Self::Field(field) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&field.name);
            }
        }
    }
}

/// Returns true if a name cannot be confused with the other parts of a path.
fn is_plain(name: &str) -> bool {
    !name.contains(['.', '[', ']', '"', '\\'])
        && !name.contains(|c: char| c.is_control() || c.is_whitespace())
}

impl Type {
    /// The value at the end of a path.
    #[must_use]
    pub fn place(&self, path: &Path) -> Option<Place<'_>> {
        path.0.iter().try_fold(self.at(0), |place, &index| place.child(index).map(|child| child.place))
    }

    /// The text of a path: `points[3].x`. Anonymous fields and base classes do not appear in it.
    /// Names that look like parts of a path are quoted: `["a.b"]`.
    #[must_use]
    pub fn path_text(&self, path: &Path) -> String {
        let mut out = String::new();
        let mut place = self.at(0);
        for &index in &path.0 {
            let Some(child) = place.child(index) else { break };
            child.label.push(&mut out);
            place = child.place;
        }
        out
    }

    /// Parses the text of a path. `None` if there is no such field or element.
    #[must_use]
    pub fn parse_path(&self, text: &str) -> Option<Path> {
        let mut path = Path::default();
        let mut place = self.at(0);
        let mut rest = text.trim();
        while !rest.is_empty() {
            let part;
            (part, rest) = Part::take(rest, path.0.is_empty())?;
            let before = path.0.len();
            match part {
                Part::Index(index) if place.has_indexes() => path.0.push(index),
                Part::Index(_) => return None,
                Part::Name(name) => find_field(place, &name, &mut path.0)?,
            }
            for &index in &path.0[before..] {
                place = place.child(index)?.place;
            }
        }
        Some(path)
    }

    /// The path to the leaf that contains a byte. Of overlapping ones, the first. `None` in padding
    /// and past the end.
    #[must_use]
    pub fn path_at(&self, offset: u64) -> Option<Path> {
        let mut path = vec![];
        descend(self, offset, &mut path).then_some(Path(path))
    }

    /// The path to a leaf by its number.
    #[must_use]
    pub fn path_of_leaf(&self, mut leaf: u64) -> Option<Path> {
        let mut path = vec![];
        let mut ty = self;
        if leaf >= ty.leaf_count() {
            return None;
        }
        loop {
            match ty.kind() {
                TypeKind::Array(array) => {
                    let each = array.element.leaf_count();
                    path.push(leaf / each);
                    leaf %= each;
                    ty = &array.element;
                }
                TypeKind::Record(record) => {
                    let field = record.field_of_leaf(leaf)?;
                    path.push(field as u64);
                    leaf -= record.leaves_before(field);
                    ty = &record.fields()[field].ty;
                }
                _ => return Some(Path(path)),
            }
        }
    }

    /// The number of the leaf at the end of a path, or of the first leaf in the value there.
    #[must_use]
    pub fn leaf_of_path(&self, path: &Path) -> Option<u64> {
        let mut ty = self;
        let mut leaf = 0_u64;
        for &index in &path.0 {
            match ty.kind() {
                TypeKind::Array(array) if index < array.count => {
                    leaf = leaf.checked_add(array.element.leaf_count().checked_mul(index)?)?;
                    ty = &array.element;
                }
                TypeKind::Record(record) => {
                    let field = usize::try_from(index).ok()?;
                    leaf = leaf.checked_add(record.leaves_before(field))?;
                    ty = &record.fields().get(field)?.ty;
                }
                _ => return None,
            }
        }
        Some(leaf)
    }
}

fn descend(ty: &Type, offset: u64, path: &mut Vec<u64>) -> bool {
    if offset >= ty.size() {
        return false;
    }
    match ty.kind() {
        TypeKind::Array(array) => {
            let Some(index) = offset.checked_div(array.stride).filter(|&index| index < array.count) else {
                return false;
            };
            path.push(index);
            if descend(&array.element, offset - index * array.stride, path) {
                return true;
            }
            path.pop();
            false
        }
        TypeKind::Record(record) => record.fields_at(offset).any(|index| {
            path.push(index as u64);
            let field = &record.fields()[index];
            if field.bits.is_some() || descend(&field.ty, offset - field.offset, path) {
                return true;
            }
            path.pop();
            false
        }),
        _ => true,
    }
}

/// Appends the way to a field by name, through anonymous fields and base classes.
fn find_field(place: Place<'_>, name: &str, path: &mut Vec<u64>) -> Option<()> {
    let TypeKind::Record(record) = place.ty.kind() else { return None };
    let fields = || (0_u64..).zip(record.fields());
    if let Some((index, _)) = fields().find(|(_, field)| *field.name == *name) {
        path.push(index);
        return Some(());
    }
    for (index, field) in fields().filter(|(_, field)| field.name.is_empty()) {
        path.push(index);
        if find_field(field.ty.at(0), name, path).is_some() {
            return Some(());
        }
        path.pop();
    }
    None
}

/// A step of the text of a path.
enum Part {
    Index(u64),
    Name(String),
}

impl Part {
    /// Splits the first step from the text.
    fn take(text: &str, is_first: bool) -> Option<(Self, &str)> {
        if let Some(quoted) = text.strip_prefix("[\"") {
            return quoted_name(quoted);
        }
        if let Some(inside) = text.strip_prefix('[') {
            let (index, rest) = inside.split_once(']')?;
            return Some((Self::Index(index.trim().parse().ok()?), rest));
        }
        let text = if is_first { text } else { text.strip_prefix('.')? };
        let (name, rest) = text.split_at(text.find(['.', '[']).unwrap_or(text.len()));
        (!name.is_empty()).then(|| (Self::Name(name.to_owned()), rest))
    }
}

/// Parses a name in the escapes of `{:?}`, after its opening quote.
fn quoted_name(text: &str) -> Option<(Part, &str)> {
    let mut name = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((Part::Name(name), rest.as_str().strip_prefix(']')?)),
            '\\' => name.push(match rest.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                'u' => {
                    let (code, after) = rest.as_str().strip_prefix('{')?.split_once('}')?;
                    rest = after.chars();
                    char::from_u32(u32::from_str_radix(code, 16).ok()?)?
                }
                other => other,
            }),
            other => name.push(other),
        }
    }
}

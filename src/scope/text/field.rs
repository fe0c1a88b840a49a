//! Numbers in the types of segments.

use super::ChannelError;
use super::slice::Slice;
use crate::decode::{Child, Label, Path, Place, Type, TypeKind};
use crate::scope::NumberKind;
use crate::segment::resolve::listed;
use crate::segment::{nearest_word, quote};
use std::collections::VecDeque;

/// The kind of the number at a place.
///
/// # Errors
/// Fails for anything but a number, and says what to name instead.
pub fn number_kind(place: Place<'_>, value: &str) -> Result<NumberKind, ChannelError> {
    NumberKind::of(place).ok_or_else(|| {
        let (kind, remedy) = match place.ty.kind() {
            TypeKind::Array(array) => {
                let example = format!("name an element, as in {}[0]", quote(value.as_bytes()));
                (
                    "an array, not a number",
                    if array.count == 0 { "it has no elements".to_owned() } else { example },
                )
            }
            TypeKind::Record(_) => {
                ("a record, not a number", format!("name one of its fields: {}", fields(place)))
            }
            TypeKind::Text(..) | TypeKind::String(_) => {
                ("text, not a number", "for one of its bytes, give an offset and u8 as the type".to_owned())
            }
            TypeKind::Bytes => ("bytes, not a number", "give an offset and a type".to_owned()),
            _ => (
                "too large for a sample, which has 8 bytes",
                "give the offset and type of a part of it".to_owned(),
            ),
        };
        ChannelError::NotANumber { value: value.to_owned(), kind, remedy }
    })
}

/// Finds a field by its path.
///
/// # Errors
/// Returns a hint if there is none: the nearest, or those that exist.
pub fn find(ty: &Type, text: &str) -> Result<Path, String> {
    ty.parse_path(text).ok_or_else(|| {
        if let Some((head, _, tail)) = Slice::split(text) {
            return format!(
                "name one element, as in {}[0]{}",
                quote(head.as_bytes()),
                quote(tail.as_bytes())
            );
        }
        let (parent, place) = parent(ty, text);
        match place.ty.kind() {
            TypeKind::Record(record) if !record.kind().is_row() => {
                let word = text[parent.len()..].trim_start_matches('.').split(['.', '[']).next();
                let parent = ty.parse_path(parent).unwrap_or_default();
                match similar(ty, &parent, word.unwrap_or_default()).filter(|similar| similar != text) {
                    Some(similar) => format!("did you mean {}?", quote(similar.as_bytes())),
                    None if children(place).is_empty() => "there are no fields".to_owned(),
                    None => format!("the fields are {}", fields(place)),
                }
            }
            TypeKind::Array(_) | TypeKind::Record(_) => match place.ty.child_count() {
                0 => "it has no elements".to_owned(),
                count => {
                    let parent = quote(parent.as_bytes());
                    format!("the elements are {parent}[0] to {parent}[{}]", count - 1)
                }
            },
            _ => format!("{} has no parts", if parent.is_empty() { "the value" } else { "it" }),
        }
    })
}

/// The path that was meant: that of a field of this name, here or further down,
/// or of a sibling with a similar name.
fn similar(ty: &Type, parent: &Path, word: &str) -> Option<String> {
    const MAX_RECORDS: usize = 64;
    let path_of = |parent: &Path, steps: &[u64]| Path([parent.0.as_slice(), steps].concat());
    let mut open = VecDeque::from([parent.clone()]);
    for _ in 0..MAX_RECORDS {
        let Some(record) = open.pop_front() else { break };
        for (steps, child) in children(ty.place(&record)?) {
            let path = path_of(&record, &steps);
            if child.label.text().eq_ignore_ascii_case(word) {
                return Some(ty.path_text(&path));
            }
            if matches!(child.place.ty.kind(), TypeKind::Record(_)) {
                open.push_back(path);
            }
        }
    }
    let siblings: Vec<(String, Path)> = children(ty.place(parent)?)
        .into_iter()
        .map(|(steps, child)| (child.label.text(), path_of(parent, &steps)))
        .collect();
    let nearest = nearest_word(word, siblings.iter().map(|(name, _)| name.as_str()))?;
    siblings.iter().find(|(name, _)| name == nearest).map(|(_, path)| ty.path_text(path))
}

/// The start of a path that names a value with parts, and that value.
pub fn parent<'t, 'a>(ty: &'a Type, text: &'t str) -> (&'t str, Place<'a>) {
    let starts = text.rmatch_indices(['.', '[']).map(|(at, _)| &text[..at]);
    let known = starts.filter(|start| !start.is_empty()).find_map(|start| {
        let place = ty.place(&ty.parse_path(start)?)?;
        Some((start, place))
    });
    known.unwrap_or_else(|| ("", ty.at(0)))
}

/// The children, with those of anonymous records in their place, and the steps to each. Of large arrays,
/// the first.
pub fn children(place: Place<'_>) -> Vec<(Vec<u64>, Child<'_>)> {
    const MAX_CHILDREN: usize = 4096;
    let mut found = vec![];
    let mut open = vec![(vec![], place)];
    // Anonymous unions inside each other may have far more fields than bytes.
    for _ in 0..MAX_CHILDREN {
        let Some((steps, place)) = open.pop() else { break };
        for (index, child) in (0..).zip(place.children().take(MAX_CHILDREN)) {
            let mut steps: Vec<u64> = steps.clone();
            steps.push(index);
            let is_anonymous = matches!(child.label, Label::Field(field) if field.name.is_empty());
            if is_anonymous
                && matches!(child.place.ty.kind(), TypeKind::Record(_))
                && open.len() < MAX_CHILDREN
            {
                open.push((steps, child.place));
            } else if found.len() < MAX_CHILDREN {
                found.push((steps, child));
            }
        }
    }
    found
}

fn fields(place: Place<'_>) -> String {
    let names: Vec<String> =
        children(place).iter().map(|(_, child)| quote(child.label.text().as_bytes())).collect();
    listed(&names)
}

//! numpy dtypes as lists and dicts: `[('a', '<i4'), ('b', '<f8', (3,))]`, `{'names': …, 'formats': …}`.

use super::cursor::Result;
use super::dtype::parse_text;
use super::literal::{Literal, LiteralKind};
use super::record::{Layout, sub_array};
use crate::decode::{Type, TypeKind};

const DTYPE: &str = "a dtype: a string, list, dict or tuple";

/// Converts a literal to a dtype.
pub(super) fn dtype_of(value: &Literal, is_aligned: bool) -> Result<Type> {
    match &value.kind {
        // The text follows the quote.
        LiteralKind::Text(text) => parse_text(text, value.at + 1),
        LiteralKind::Name(name) => parse_text(name, value.at),
        LiteralKind::List(fields) => list(value, fields, is_aligned),
        LiteralKind::Dict(entries) => dict(value, entries, is_aligned),
        // `('<i4', (3,))`; a dict has metadata.
        LiteralKind::Tuple(parts) => match parts.as_slice() {
            [base, Literal { kind: LiteralKind::Dict(_), .. }] => dtype_of(base, is_aligned),
            [base, dims] => sub_array(dtype_of(base, is_aligned)?, &shape(dims)?, value.at),
            _ => Err(value.expected("a pair of dtype and shape")),
        },
        _ => Err(value.expected(DTYPE)),
    }
}

/// Converts `(2, 3)`, `[2, 3]` or `3` to dimensions.
fn shape(value: &Literal) -> Result<Vec<u64>> {
    const EXPECTED: &str = "a shape such as (2, 3)";
    match &value.kind {
        LiteralKind::Tuple(dims) | LiteralKind::List(dims) => {
            dims.iter().map(|dim| dim.unsigned(EXPECTED)).collect()
        }
        _ => Ok(vec![value.unsigned(EXPECTED)?]),
    }
}

fn list(value: &Literal, fields: &[Literal], is_aligned: bool) -> Result<Type> {
    let mut layout = Layout::new(is_aligned);
    for field in fields {
        const FIELD: &str = "a field: ('name', 'dtype') or ('name', 'dtype', shape)";
        let LiteralKind::Tuple(parts) = &field.kind else { return Err(field.expected(FIELD)) };
        let (name, format, dims) = match parts.as_slice() {
            [name, format] => (name, format, None),
            [name, format, dims] => (name, format, Some(dims)),
            _ => return Err(field.expected(FIELD)),
        };
        let mut ty = dtype_of(format, is_aligned)?;
        if let Some(dims) = dims {
            ty = sub_array(ty, &shape(dims)?, dims.at)?;
        }
        let mut name = field_name(name)?;
        if name.is_empty() && matches!(ty.kind(), TypeKind::Bytes) {
            // The padding of an aligned dtype.
            layout.pad(ty.size(), field.at)?;
            continue;
        }
        if name.is_empty() {
            name = format!("f{}", layout.len());
        }
        layout.add(name, ty, None, field.at)?;
    }
    layout.finish(None, value.at)
}

/// The name of a field, which may be paired with a title: `('title', 'name')`.
fn field_name(value: &Literal) -> Result<String> {
    match &value.kind {
        LiteralKind::Text(name) => Ok(name.clone()),
        LiteralKind::Tuple(parts) => match parts.as_slice() {
            [_, Literal { kind: LiteralKind::Text(name), .. }] => Ok(name.clone()),
            _ => Err(value.expected("a pair of title and name")),
        },
        _ => Err(value.expected("a field name in quotes")),
    }
}

fn dict(value: &Literal, entries: &[(Literal, Literal)], is_aligned: bool) -> Result<Type> {
    let entry = |wanted: &str| {
        let is_wanted = |key: &Literal| matches!(&key.kind, LiteralKind::Text(key) if key == wanted);
        entries.iter().find(|(key, _)| is_wanted(key)).map(|(_, value)| value)
    };
    let is_aligned = match entry("aligned").map(|flag| (&flag.kind, flag)) {
        Some((LiteralKind::Bool(flag), _)) => *flag || is_aligned,
        Some((_, flag)) => return Err(flag.expected("True or False")),
        None => is_aligned,
    };
    let (Some(names), Some(formats)) = (entry("names"), entry("formats")) else {
        return fields_by_name(value, entries, is_aligned);
    };
    let (names, formats) = (items(names)?, items(formats)?);
    let offsets = entry("offsets").map(items).transpose()?;
    if formats.len() != names.len() || offsets.is_some_and(|offsets| offsets.len() != names.len()) {
        return Err(value.expected("as many formats and offsets as names"));
    }
    let mut layout = Layout::new(is_aligned);
    for (index, (name, format)) in names.iter().zip(formats).enumerate() {
        let offset = offsets.map(|offsets| offsets[index].unsigned("an offset")).transpose()?;
        layout.add(field_name(name)?, dtype_of(format, is_aligned)?, offset, name.at)?;
    }
    let size = entry("itemsize").map(|size| size.unsigned("a size in bytes")).transpose()?;
    layout.finish(size, value.at)
}

fn items(value: &Literal) -> Result<&[Literal]> {
    match &value.kind {
        LiteralKind::List(items) | LiteralKind::Tuple(items) => Ok(items),
        _ => Err(value.expected("a list")),
    }
}

/// Converts `{'a': ('<i4', 0), 'b': ('<f8', 8)}`. numpy sorts the fields by offset.
fn fields_by_name(value: &Literal, entries: &[(Literal, Literal)], is_aligned: bool) -> Result<Type> {
    const FIELD: &str = "a pair of dtype and offset, or the keys names and formats";
    let mut fields = vec![];
    for (name, field) in entries {
        let LiteralKind::Tuple(parts) = &field.kind else { return Err(field.expected(FIELD)) };
        let ([format, offset] | [format, offset, _]) = parts.as_slice() else {
            return Err(field.expected(FIELD));
        };
        fields.push((offset.unsigned("an offset")?, name, dtype_of(format, is_aligned)?));
    }
    if fields.is_empty() {
        return Err(value.expected(FIELD));
    }
    fields.sort_by_key(|(offset, ..)| *offset);
    let mut layout = Layout::new(is_aligned);
    for (offset, name, ty) in fields {
        layout.add(field_name(name)?, ty, Some(offset), name.at)?;
    }
    layout.finish(None, value.at)
}

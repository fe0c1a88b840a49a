//! Files of numpy in shared memory: `numpy/lib/format.py`.

use super::{Built, Layout, LayoutError, Peek, Source};
use crate::decode::python::{Literal, LiteralKind, dtype_of, parse_literal};
use crate::decode::{Field, Record, RecordKind, StringForm, Type, TypeKind};
use std::ops::Range;

const MAGIC: &[u8] = b"\x93NUMPY";
/// A header with ten thousand fields is smaller.
const MAX_HEADER: u64 = 1 << 20;
const MAX_DIMENSIONS: usize = 64;
/// The most elements of a row.
const MAX_ROW: u64 = 1 << 12;

/// Builds a record of the header and the array.
pub fn build(source: &Source<'_>) -> Result<Built, LayoutError> {
    let start: [u8; 8] = source.bytes(0)?;
    if !start.starts_with(MAGIC) {
        return Err(source.differs("it does not start with \\x93NUMPY"));
    }
    let [.., major, minor] = start;
    let (length, text) = match (major, minor) {
        (1, 0) => (u64::from(u16::from_le_bytes(source.bytes(8)?)), 10),
        (2 | 3, 0) => (u64::from(source.u32(8)?), 12),
        _ => return Err(source.differs(format!("unknown version {major}.{minor}; expected 1.0, 2.0 or 3.0"))),
    };
    if length > MAX_HEADER {
        return Err(source.differs(format!("its header is {length} bytes long")));
    }
    let bytes = source.vec(text, length)?;
    // Version 1 and 2 are Latin-1.
    let header = if major == 3 {
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        bytes.iter().map(|&byte| char::from(byte)).collect()
    };
    let Header { dtype, shape, is_fortran } = Header::parse(source, &header)?;
    let count = shape.iter().try_fold(1_u64, |count, &dim| count.checked_mul(dim));
    let count = count.ok_or_else(|| source.differs("its shape is too large"))?;
    // The last index of Fortran order is the first one here.
    let transposed = is_fortran && shape.iter().filter(|&&dim| dim > 1).count() > 1;
    let dims: Vec<u64> = if transposed { shape.iter().rev().copied().collect() } else { shape.clone() };
    let name = dtype_name(&dtype);
    let array = array(&dtype, &dims).map_err(|error| source.too_large(error))?;
    let data = text + length;
    let end = data.checked_add(array.size()).ok_or_else(|| source.differs("it is too large"))?;
    let header_text = Type::string(StringForm::Stripped, length).map_err(|error| source.too_large(error))?;
    let fields = vec![
        Field::new("header", header_text, text),
        Field::new(if transposed { "data_transposed" } else { "data" }, array, data),
    ];
    let shape_text: Vec<String> = shape.iter().map(u64::to_string).collect();
    let shape_text = format!("({}{})", shape_text.join(", "), if shape.len() == 1 { "," } else { "" });
    let fits = if end > source.size {
        format!("; the array ends {} bytes after the segment", end - source.size)
    } else {
        String::new()
    };
    Ok(Built {
        ty: Type::record(Record::new(RecordKind::Struct, "npy", fields), end, 1)
            .map_err(|error| source.too_large(error))?,
        count,
        is_certain: end <= source.size,
        evidence: format!("header of version {major}.{minor}: shape {shape_text} of {name}{fits}"),
        note: transposed.then(|| {
            format!("The array of shape {shape_text} is in Fortran order: its indexes are reversed here.")
        }),
    })
}

/// The array as values of equal size, however large it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpyRows {
    /// The elements of all dimensions but the first, or of fewer if those are too many for a line.
    pub row: Type,
    /// The bytes of the array.
    pub range: Range<u64>,
    pub note: Option<String>,
}

/// Reads the header, and returns the rows of the array.
///
/// # Errors
/// Fails like [`Layout::build`], and if the array ends after the segment.
pub fn rows(contents: &Peek<'_>, size: u64) -> Result<NpyRows, LayoutError> {
    let source = Source { contents, size, layout: Layout::Npy.noun() };
    let built = build(&source)?;
    let TypeKind::Record(record) = built.ty.kind() else { return Err(source.differs("no array")) };
    let Some(data) = record.fields().last() else { return Err(source.differs("no array")) };
    if !built.is_certain {
        return Err(source.differs(built.evidence));
    }
    let range = data.offset..built.ty.size();
    let mut row = data.ty.clone();
    let mut is_all = true;
    while let TypeKind::Array(array) = row.kind()
        && (is_all || row.leaf_count() > MAX_ROW)
    {
        row = array.element.clone();
        is_all = false;
    }
    if row.size() == 0 && !range.is_empty() {
        return Err(source.differs("its elements have no bytes"));
    }
    Ok(NpyRows { row, range, note: built.note })
}

fn dtype_name(dtype: &Type) -> String {
    dtype.to_string()
}

fn array(dtype: &Type, dims: &[u64]) -> Result<Type, crate::decode::TypeError> {
    dims.iter().rev().try_fold(dtype.clone(), |ty, &count| {
        let stride = ty.size();
        Type::array_with_stride(ty, count, stride)
    })
}

struct Header {
    dtype: Type,
    shape: Vec<u64>,
    is_fortran: bool,
}

impl Header {
    fn parse(source: &Source<'_>, text: &str) -> Result<Self, LayoutError> {
        let wrong = |problem: &str| source.differs(format!("its header is invalid: {problem}"));
        let literal = parse_literal(text, 0).map_err(|problem| wrong(&problem.text))?;
        let LiteralKind::Dict(entries) = &literal.kind else { return Err(wrong("expected a dict")) };
        let entry = |wanted: &str| {
            let is_wanted = |key: &Literal| matches!(&key.kind, LiteralKind::Text(key) if key == wanted);
            let found = entries.iter().find(|(key, _)| is_wanted(key)).map(|(_, value)| value);
            found.ok_or_else(|| wrong(&format!("'{wanted}' is missing")))
        };
        let dtype = dtype_of(entry("descr")?).map_err(|problem| wrong(&problem.text))?;
        if holds_objects(&dtype) {
            return Err(source.differs("its elements are Python objects, which are pickled"));
        }
        let LiteralKind::Tuple(shape) = &entry("shape")?.kind else { return Err(wrong("expected a shape")) };
        if shape.len() > MAX_DIMENSIONS {
            return Err(wrong("too many dimensions"));
        }
        let shape = shape.iter().map(|dim| dim.unsigned("a dimension")).collect::<Result<_, _>>();
        let shape = shape.map_err(|problem| wrong(&problem.text))?;
        let LiteralKind::Bool(is_fortran) = entry("fortran_order")?.kind else {
            return Err(wrong("'fortran_order' is neither True nor False"));
        };
        Ok(Self { dtype, shape, is_fortran })
    }
}

fn holds_objects(ty: &Type) -> bool {
    match ty.kind() {
        TypeKind::Pointer(_) => true,
        TypeKind::Array(array) => holds_objects(&array.element),
        TypeKind::Record(record) => record.fields().iter().any(|field| holds_objects(&field.ty)),
        _ => false,
    }
}

//! The names of scalars and arrays, and rows of them: `u32`, `u16be`, `f64[3][3]`, `i32,f64,char[16]`.

use super::{Field, Record, RecordKind, StringForm, Type, TypeError, TypeKind};
use crate::decode::{ByteOrder, Scalar};
use crate::segment::escape;
use std::fmt;

/// More than any real array has.
const MAX_DIMENSIONS: usize = 16;
/// More fields than anybody types.
const MAX_ROW: usize = 4096;
const PACKED: &str = "packed:";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseNameError {
    /// The scalar is unknown.
    #[error("invalid type '{0}': {hint}", hint = self.expected())]
    Unknown(String),
    /// An array size is not a positive number.
    #[error("invalid array size in '{0}': {hint}", hint = self.expected())]
    Dimension(String),
    /// The type is larger than any segment, or has too many dimensions.
    #[error("type '{0}' is too large for any segment")]
    TooLarge(String),
}

impl ParseNameError {
    /// Describes the expected form, for messages that already quote the text.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Unknown(_) => format!(
                "expected one of {}, with le or be appended for the byte order and [n] for an array \
                 (u32, u16be, f64[3][3], char[16]), a type of a header (file.h:Name), a C declaration \
                 ('struct {{ int x; }}'), a type of Python (struct:<iqd, <f8), or a layout (sharedlist, npy, \
                 boost, mutex, cond, rwlock, barrier, sem)",
                scalar_names()
            ),
            Self::Dimension(_) => "expected a positive number in brackets (u32[4], f64[3][3])".to_owned(),
            Self::TooLarge(_) => "too large for any segment".to_owned(),
        }
    }
}

impl Type {
    /// Parses a name: `u32`, `u16be`, `f64[3][3]`, `char[16]`, `bytes[8]`, or a row of names, which
    /// is aligned as C does unless `packed:` is in front: `i32,f64,char[16]`.
    ///
    /// # Errors
    /// Fails if a scalar is unknown, if a dimension is not a positive number, or if the type is too
    /// large.
    pub fn from_name(text: &str) -> Result<Self, ParseNameError> {
        let text = text.trim();
        match text.strip_prefix(PACKED) {
            Some(names) => row(text, names, RecordKind::PackedRow),
            None if text.contains(',') => row(text, text, RecordKind::Row),
            None => array(text),
        }
    }

    /// Lays out a row of types without names.
    ///
    /// # Errors
    /// Fails if it is too large or too deep.
    pub fn row(types: Vec<Self>, kind: RecordKind) -> Result<Self, TypeError> {
        let is_packed = kind == RecordKind::PackedRow;
        let (mut end, mut align) = (0_u64, 1);
        let mut fields = Vec::with_capacity(types.len());
        for ty in types {
            let own = if is_packed { 1 } else { ty.align() };
            let offset = end.checked_next_multiple_of(own).ok_or(TypeError::TooLarge)?;
            end = offset.checked_add(ty.size()).ok_or(TypeError::TooLarge)?;
            align = align.max(own);
            fields.push(Field::new("", ty, offset));
        }
        let size = end.checked_next_multiple_of(align).ok_or(TypeError::TooLarge)?;
        Self::record(Record::new(kind, "", fields), size, align)
    }
}

fn row(text: &str, names: &str, kind: RecordKind) -> Result<Type, ParseNameError> {
    let too_large = || ParseNameError::TooLarge(escape(text.as_bytes()));
    if names.split(',').count() > MAX_ROW {
        return Err(too_large());
    }
    let types = names.split(',').map(array).collect::<Result<_, _>>()?;
    Type::row(types, kind).map_err(|_| too_large())
}

/// Parses a scalar or an array of scalars.
fn array(text: &str) -> Result<Type, ParseNameError> {
    let text = text.trim();
    let shown = || escape(text.as_bytes());
    let (name, mut rest) = text.split_at(text.find('[').unwrap_or(text.len()));
    let mut dims = vec![];
    while !rest.is_empty() {
        let (dim, after) = rest
            .strip_prefix('[')
            .and_then(|inside| inside.split_once(']'))
            .ok_or_else(|| ParseNameError::Dimension(shown()))?;
        let dim = dim.trim();
        let dim = dim.strip_prefix("0x").map_or_else(|| dim.parse(), |hex| u64::from_str_radix(hex, 16));
        let dim = dim.ok().filter(|&dim| dim > 0).ok_or_else(|| ParseNameError::Dimension(shown()))?;
        dims.push(dim);
        rest = after.trim_start();
    }
    if dims.len() > MAX_DIMENSIONS {
        return Err(ParseNameError::TooLarge(shown()));
    }
    let element = match (name.trim_end(), dims.pop()) {
        ("bytes", Some(size)) => Type::bytes(size),
        (name, last) => {
            let (scalar, order) = parse_scalar(name).ok_or_else(|| ParseNameError::Unknown(shown()))?;
            let scalar = Type::scalar(scalar, order);
            last.map_or(Ok(scalar.clone()), |count| Type::array(scalar, count))
        }
    };
    let array = dims.into_iter().rev().try_fold(element, |element, dim| Type::array(element?, dim).map(Ok));
    array.and_then(|array| array).map_err(|_| ParseNameError::TooLarge(shown()))
}

/// Parses a scalar name, with a byte order if it has more than one byte.
pub(in crate::decode) fn parse_scalar(name: &str) -> Option<(Scalar, ByteOrder)> {
    let named = |name: &str| Scalar::all().find(|scalar| scalar.word() == name);
    if let Some(scalar) = named(name) {
        return Some((scalar, ByteOrder::native()));
    }
    [ByteOrder::Little, ByteOrder::Big].into_iter().find_map(|order| {
        let scalar = named(name.strip_suffix(order.word())?.trim_end_matches('_'))?;
        (scalar.size() > 1).then_some((scalar, order))
    })
}

/// Lists the names of all scalars, for error messages.
pub(in crate::decode) fn scalar_names() -> String {
    Scalar::all().map(Scalar::word).collect::<Vec<_>>().join(", ")
}

fn write_scalar(f: &mut fmt::Formatter<'_>, scalar: Scalar, order: ByteOrder) -> fmt::Result {
    let prefix = if order == ByteOrder::native() { "" } else { numpy_order(order) };
    match scalar {
        Scalar::Datetime(tick) => return write!(f, "{prefix}M8{tick}"),
        Scalar::Timedelta(tick) => return write!(f, "{prefix}m8{tick}"),
        _ => {}
    }
    f.write_str(scalar.word())?;
    if order != ByteOrder::native() && scalar.size() > 1 {
        f.write_str(order.word())?;
    }
    Ok(())
}

/// The byte order as a prefix of numpy's types.
const fn numpy_order(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::Little => "<",
        ByteOrder::Big => ">",
    }
}

impl fmt::Display for Type {
    /// Omits the native byte order. The names of scalars, arrays and rows parse back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut base = self;
        while let TypeKind::Array(array) = &base.kind {
            base = &array.element;
        }
        match &base.kind {
            TypeKind::Scalar(scalar, order) | TypeKind::Text(scalar, order) => {
                write_scalar(f, *scalar, *order)?;
            }
            TypeKind::Enum(found) if found.name().is_empty() => f.write_str("enum")?,
            TypeKind::Enum(found) => f.write_str(&escape(found.name().as_bytes()))?,
            TypeKind::Pointer(pointer) => write!(f, "{}*", escape(pointer.target.as_bytes()))?,
            TypeKind::Bytes => f.write_str("bytes")?,
            TypeKind::Null => f.write_str("None")?,
            TypeKind::String(StringForm::Stripped | StringForm::Bytes) => write!(f, "S{}", base.size)?,
            TypeKind::String(StringForm::Whole) => write!(f, "struct:{}s", base.size)?,
            TypeKind::String(StringForm::Pascal) => write!(f, "struct:{}p", base.size)?,
            TypeKind::String(StringForm::Utf32(order)) => {
                write!(f, "{}U{}", numpy_order(*order), base.size / 4)?;
            }
            TypeKind::Record(record) if record.kind().is_row() && record.name().is_empty() => {
                let is_array = !std::ptr::eq(base, self);
                f.write_str(if is_array { "(" } else { "" })?;
                f.write_str(if record.kind() == RecordKind::PackedRow { PACKED } else { "" })?;
                for (at, field) in record.fields().iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { "," } else { "" }, field.ty)?;
                }
                f.write_str(if is_array { ")" } else { "" })?;
            }
            TypeKind::Record(record) if record.name().is_empty() => {
                write!(f, "{} {{…}}", record.kind().word())?;
            }
            TypeKind::Record(record) => f.write_str(&escape(record.name().as_bytes()))?,
            TypeKind::Array(_) => {}
        }
        let mut ty = self;
        while let TypeKind::Array(array) = &ty.kind {
            write!(f, "[{}]", array.count)?;
            ty = &array.element;
        }
        match ty.kind {
            TypeKind::Text(scalar, _) => write!(f, "[{}]", ty.size / scalar.size() as u64),
            TypeKind::Bytes => write!(f, "[{}]", ty.size),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(name: &str) -> Type {
        Type::from_name(name).unwrap()
    }

    fn read(name: &str, bytes: &[u8]) -> String {
        named(name).decode(bytes).to_string()
    }

    #[test]
    fn decodes_scalars_arrays_and_texts() {
        assert_eq!(read("u32le", &[42, 0, 0, 0, 9]), "42");
        assert_eq!(read("u16be", &[0, 42]), "42");
        assert_eq!(read("u8[2][3]", &[1, 2, 3, 4, 5, 6, 7]), "[[1, 2, 3], [4, 5, 6]]");
        assert_eq!(read("i32_be [ 2 ]", &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7]), "[-1, 7]");
        assert_eq!(read("char[8]", b"hello\0\0\0"), r#""hello""#);
        assert_eq!(read("char[3]", b"hello"), r#""hel""#);
        assert_eq!(read("char[2][4]", b"ab\0\0c\"\x1bd"), r#"["ab", "c\x22\x1bd"]"#);
        assert_eq!(read("char", b"a"), "'a'");
        assert_eq!(read("u8[0x02]", &[1, 2, 3]), "[1, 2]");
        assert_eq!(read("char16be[4]", &[0, b'a', 0, b'"', 0, 0, 0, 9]), r#""a\x22""#);
        assert_eq!(read("char32le", &[0x41, 0, 0, 0]), "'A'");
        assert_eq!(read("f16le[2]", &[0x66, 0x2e, 0, 0x7c]), "[0.1, inf]");
        assert_eq!(read("bytes[3]", &[1, 0x2f, 3, 4]), "01 2f 03");
        assert_eq!(read("i128be", &[0xff; 16]), "-1");
        assert_eq!(read("complex64be", &[0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]), "1.0-2.0i");
    }

    #[test]
    fn rows_are_aligned_as_in_c() {
        let row = named("i32, f64,char[3],u16");
        let offsets: Vec<u64> = row.leaves().map(|place| place.offset).collect();
        assert_eq!((offsets, row.size(), row.align()), (vec![0, 8, 16, 20], 24, 8));
        let packed = named("packed:i32,f64,char[3],u16");
        let offsets: Vec<u64> = packed.leaves().map(|place| place.offset).collect();
        assert_eq!((offsets, packed.size(), packed.align()), (vec![0, 4, 12, 15], 17, 1));
        assert_eq!(packed.decode(&[0; 17]).to_string(), r#"[0, 0.0, "", 0]"#);
        assert_eq!(packed.csv_header(), ["[0]", "[1]", "[2]", "[3]"]);
    }

    #[test]
    fn array_ends_where_the_bytes_do() {
        assert_eq!(read("u16le[4]", &[1, 0, 2, 0, 3]), "[1, 2]");
        assert_eq!(read("u16le[9000000000][3]", &[1, 0, 2, 0, 3, 0, 4]), "[[1, 2, 3], []]");
        assert_eq!(read("u16", &[1]), "(past the end)");
        assert_eq!(read("f64[2]", &[]), "[]");
        assert_eq!(serde_json::to_string(&named("u16").decode(&[])).unwrap(), "null");
        assert!(named("u16").decode(&[1]).is_truncated() && !named("u16").decode(&[1, 2]).is_truncated());
    }

    #[test]
    fn json_nests() {
        let ty = named("u8[2][2]");
        assert_eq!(serde_json::to_string(&ty.decode(&[1, 2, 3, 4])).unwrap(), "[[1,2],[3,4]]");
    }

    #[test]
    fn errors_name_valid_types() {
        let error = Type::from_name("u33").unwrap_err().to_string();
        for scalar in Scalar::all() {
            assert!(error.contains(scalar.word()), "{error}");
        }
        for text in ["", "u8be", "int", "[3]", "u32 x", "\x1b[2J]", "u8,", ",u8", "packed:", "bytes"] {
            assert!(
                matches!(
                    Type::from_name(text),
                    Err(ParseNameError::Unknown(_) | ParseNameError::Dimension(_))
                ),
                "{text:?}"
            );
        }
        for text in ["u8[", "u8[]", "u8[-1]", "u8[2]x", "u8[0]", "u8[2", "u8[99999999999999999999]"] {
            assert!(matches!(Type::from_name(text), Err(ParseNameError::Dimension(_))), "{text:?}");
        }
        let many = format!("u8{}", "[1]".repeat(17));
        for text in ["u64[9223372036854775807]", "u8[4294967296][4294967296]", &many] {
            assert!(matches!(Type::from_name(text), Err(ParseNameError::TooLarge(_))), "{text:?}");
        }
        let error = Type::from_name("\u{1b}[2J").unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }

    #[test]
    fn size_includes_all_elements() {
        for (text, size) in
            [("u8", 1), ("f64[3][3]", 72), ("char[16]", 16), ("char16[8]", 16), ("time_ns", 8)]
        {
            assert_eq!(named(text).size(), size, "{text}");
        }
    }

    fn array_name() -> impl Strategy<Value = String> {
        let scalars: Vec<Scalar> = Scalar::all().collect();
        (proptest::sample::select(scalars), any::<bool>(), proptest::collection::vec(1u64..9, 0..4)).prop_map(
            |(scalar, big, dims)| {
                let order = if big && scalar.size() > 1 { "be" } else { "" };
                let dims = dims.iter().map(|dim| format!("[{dim}]")).collect::<Vec<_>>().concat();
                format!("{}{order}{dims}", scalar.word())
            },
        )
    }

    proptest! {
        #[test]
        fn displayed_type_parses_back(names in proptest::collection::vec(array_name(), 1..5), packed: bool) {
            let name = format!("{}{}", if packed { PACKED } else { "" }, names.join(","));
            prop_assert_eq!(named(&name).to_string(), name);
        }

        #[test]
        fn any_bytes_decode(bytes in proptest::collection::vec(any::<u8>(), 0..64), name in array_name()) {
            let ty = named(&name);
            let decoded = ty.decode(&bytes);
            let _ = (decoded.to_string(), serde_json::to_string(&decoded).unwrap(), decoded.csv_record());
        }
    }
}

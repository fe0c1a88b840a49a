//! Parses numpy dtype strings: `<f8`, `S8`, `M8[ns]`, `(2,3)f4`, `i4,f8`.

use super::cursor::{Cursor, Problem, Result};
use super::fields;
use super::literal::{Literal, LiteralKind, literal};
use super::record::{Layout, sub_array, too_large};
use crate::decode::{ByteOrder, Scalar, StringForm, Tick, TickUnit, Type};
use crate::segment::quote;

/// Dimensions of an array in numpy.
const MAX_DIMENSIONS: usize = 64;

/// Parses a dtype in any form.
pub fn parse(text: &str, base: usize) -> Result<Type> {
    let mut cursor = Cursor::new(text, base);
    cursor.skip_spaces();
    let is_call = ["dtype(", "np.dtype(", "numpy.dtype("].iter().any(|call| cursor.take(call));
    if !is_call && !cursor.rest().starts_with(['[', '{', '\'', '"']) && !is_tuple(cursor.rest()) {
        return parse_text(text, base);
    }
    let value = literal(&mut cursor, 0)?;
    cursor.skip_spaces();
    let is_aligned = is_call && align_argument(&mut cursor)?;
    if is_call {
        cursor.skip_spaces();
        cursor.expect(")")?;
    }
    cursor.skip_spaces();
    if !cursor.is_at_end() {
        return Err(cursor.expected("the end"));
    }
    fields::dtype_of(&value, is_aligned)
}

/// Returns true for `('<i4', (3,))`, false for `(3,)i4`.
fn is_tuple(text: &str) -> bool {
    text.strip_prefix('(').is_some_and(|rest| rest.trim_start().starts_with(['\'', '"', '[', '{', '(']))
}

/// Parses `, align=True` or `, copy=False`.
fn align_argument(cursor: &mut Cursor<'_>) -> Result<bool> {
    let mut is_aligned = false;
    while cursor.take(",") {
        cursor.skip_spaces();
        let is_align = cursor.take("align");
        if !is_align && !cursor.take("copy") {
            break;
        }
        cursor.skip_spaces();
        cursor.expect("=")?;
        let value = literal(cursor, 0)?;
        let LiteralKind::Bool(value) = value.kind else { return Err(value.expected("True or False")) };
        is_aligned |= is_align && value;
        cursor.skip_spaces();
    }
    Ok(is_aligned)
}

/// Converts a literal to a dtype.
pub(in crate::decode) fn dtype_of(value: &Literal) -> Result<Type> {
    fields::dtype_of(value, false)
}

/// Parses the text form: an item, or items with commas between them, which make a record.
pub fn parse_text(text: &str, base: usize) -> Result<Type> {
    let mut cursor = Cursor::new(text, base);
    let start = cursor.place();
    cursor.skip_spaces();
    let first = item(&mut cursor)?;
    cursor.skip_spaces();
    if cursor.is_at_end() {
        return Ok(first);
    }
    let mut layout = Layout::new(false);
    layout.add("f0".to_owned(), first, None, start)?;
    while !cursor.is_at_end() {
        if !cursor.take(",") {
            return Err(cursor.expected("',' or the end"));
        }
        cursor.skip_spaces();
        if cursor.is_at_end() {
            break;
        }
        let at = cursor.place();
        let ty = item(&mut cursor)?;
        layout.add(format!("f{}", layout.len()), ty, None, at)?;
        cursor.skip_spaces();
    }
    layout.finish(None, start)
}

/// Parses an item: `<(2,3)f4`, `3i2`, `S8`.
fn item(cursor: &mut Cursor<'_>) -> Result<Type> {
    let at = cursor.place();
    let mut order = byte_order(cursor);
    let shape = shape(cursor)?;
    cursor.skip_spaces();
    order = byte_order(cursor).or(order);
    let ty = scalar(cursor, order.unwrap_or(ByteOrder::native()))?;
    sub_array(ty, &shape, at)
}

fn byte_order(cursor: &mut Cursor<'_>) -> Option<ByteOrder> {
    let order = match cursor.peek()? {
        '<' => ByteOrder::Little,
        '>' => ByteOrder::Big,
        '=' | '|' => ByteOrder::native(),
        _ => return None,
    };
    cursor.next();
    Some(order)
}

/// Parses `(2,3)` or `3`. Nothing and `1` are no array.
fn shape(cursor: &mut Cursor<'_>) -> Result<Vec<u64>> {
    if !cursor.take("(") {
        return Ok(cursor.number()?.filter(|&count| count != 1).into_iter().collect());
    }
    let mut shape = vec![];
    loop {
        cursor.skip_spaces();
        if cursor.take(")") {
            return Ok(shape);
        }
        shape.push(cursor.number()?.ok_or_else(|| cursor.expected("a dimension"))?);
        if shape.len() > MAX_DIMENSIONS {
            return Err(cursor.problem("too many dimensions"));
        }
        cursor.skip_spaces();
        if !cursor.take(",") && cursor.peek() != Some(')') {
            return Err(cursor.expected("',' or ')'"));
        }
    }
}

/// Parses a code, perhaps with a size, or a name: `f8`, `S16`, `M8[ns]`, `float64`.
fn scalar(cursor: &mut Cursor<'_>, order: ByteOrder) -> Result<Type> {
    let at = cursor.place();
    let word = cursor.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '?' | '_'));
    if word.is_empty() {
        return Err(cursor.expected("a dtype such as f8, S16 or M8[ns]"));
    }
    let unknown = || {
        let word = quote(word.as_bytes());
        Problem::new(at, &format!("unknown dtype '{word}': expected one such as i4, f8, S16, U4, M8[ns]"))
    };
    match word {
        "M" | "M8" | "datetime64" => {
            return Ok(Type::scalar(Scalar::Datetime(tick(cursor)?), order));
        }
        "m" | "m8" | "timedelta64" => {
            return Ok(Type::scalar(Scalar::Timedelta(tick(cursor)?), order));
        }
        _ => {}
    }
    if let Some(ty) = named(word, order) {
        return Ok(ty);
    }
    let (code, digits) = word.split_at(word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len()));
    if !matches!(code, "S" | "a" | "U" | "V" | "O" | "str" | "bytes" | "void") {
        return Err(unknown());
    }
    let size = match digits {
        "" if code == "O" => 8,
        "" => return Err(Problem::new(at + word.len(), &format!("expected a length after {code}"))),
        digits => digits.parse().map_err(|_| unknown())?,
    };
    match code {
        "O" if size == 8 => Ok(Type::pointer("PyObject", 8, order)),
        "O" => Err(unknown()),
        "S" | "a" | "bytes" => Type::string(StringForm::Stripped, size).map_err(|_| too_large(at)),
        "V" | "void" => Type::bytes(size).map_err(|_| too_large(at)),
        _ => {
            let size = size.checked_mul(4).ok_or_else(|| too_large(at))?;
            Type::string(StringForm::Utf32(order), size).map_err(|_| too_large(at))
        }
    }
}

/// The types without parameters. Sizes of C types are those of 64-bit Linux.
fn named(word: &str, order: ByteOrder) -> Option<Type> {
    let scalar = match word {
        "?" | "b1" | "bool" | "bool_" | "bool8" => Scalar::Bool,
        "b" | "i1" | "int8" | "byte" => Scalar::I8,
        "B" | "u1" | "uint8" | "ubyte" => Scalar::U8,
        "h" | "i2" | "int16" | "short" => Scalar::I16,
        "H" | "u2" | "uint16" | "ushort" => Scalar::U16,
        "i" | "i4" | "int32" | "intc" => Scalar::I32,
        "I" | "u4" | "uint32" | "uintc" => Scalar::U32,
        "l" | "q" | "p" | "n" | "i8" | "int64" | "int" | "int_" | "long" | "longlong" | "intp" => Scalar::I64,
        "L" | "Q" | "P" | "N" | "u8" | "uint64" | "uint" | "ulong" | "ulonglong" | "uintp" => Scalar::U64,
        "e" | "f2" | "float16" | "half" => Scalar::F16,
        "f" | "f4" | "float32" | "single" => Scalar::F32,
        "d" | "f8" | "float64" | "float" | "double" => Scalar::F64,
        "g" | "f16" | "float128" | "longdouble" => Scalar::F80,
        "F" | "c8" | "complex64" | "csingle" => Scalar::Complex64,
        "D" | "c16" | "complex128" | "complex" | "cdouble" => Scalar::Complex128,
        // The real and the imaginary part.
        "G" | "c32" | "complex256" | "clongdouble" => {
            let part = Type::scalar(Scalar::F80, order);
            return Type::array(part, 2).ok();
        }
        "c" => return Type::string(StringForm::Stripped, 1).ok(),
        _ => return None,
    };
    Some(Type::scalar(scalar, order))
}

/// Parses `[ns]`, `[25s]`, or nothing.
fn tick(cursor: &mut Cursor<'_>) -> Result<Tick> {
    if !cursor.take("[") {
        return Ok(Tick { unit: TickUnit::Generic, multiple: 1 });
    }
    let at = cursor.place();
    let multiple = cursor.number()?.unwrap_or(1);
    let multiple = u32::try_from(multiple).ok().filter(|multiple| (1..=1 << 30).contains(multiple));
    let multiple = multiple.ok_or_else(|| Problem::new(at, "the multiple of the unit is out of range"))?;
    let word = cursor.take_while(char::is_alphabetic);
    let unit = TickUnit::from_word(word).ok_or_else(|| {
        Problem::new(at, "unknown unit: expected one of Y, M, W, D, h, m, s, ms, us, ns, ps, fs, as")
    })?;
    cursor.expect("]")?;
    Ok(Tick { unit, multiple })
}

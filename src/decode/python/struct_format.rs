//! Formats of the `struct` module: `<iqd`, `@bq`, `4s2xH`.

use super::cursor::{Cursor, Problem, Result};
use super::record::too_large;
use crate::decode::{ByteOrder, Field, Record, RecordKind, Scalar, StringForm, Type};

/// More items than any real format has.
const MAX_ITEMS: usize = 1 << 16;
const CODES: &str = "one of the codes x c b B ? h H i I l L q Q n N e f d F D s p P";

/// Parses a format. An item with a count is an array.
pub fn parse(format: &str, base: usize) -> Result<Type> {
    let mut cursor = Cursor::new(format, base);
    let start = cursor.place();
    cursor.skip_spaces();
    let (order, is_native) = match cursor.peek() {
        Some('<') => (ByteOrder::Little, false),
        Some('>' | '!') => (ByteOrder::Big, false),
        Some('=') => (ByteOrder::native(), false),
        _ => (ByteOrder::native(), true),
    };
    if matches!(cursor.peek(), Some('@' | '=' | '<' | '>' | '!')) {
        cursor.next();
    }
    let mut end = 0_u64;
    let mut fields = vec![];
    loop {
        cursor.skip_spaces();
        let at = cursor.place();
        let count = cursor.number()?;
        if cursor.is_at_end() && count.is_none() {
            break;
        }
        let limit = |_| too_large(at);
        let Some(item) = Item::of(&cursor, order, is_native)? else {
            // Padding.
            cursor.next();
            end = end.checked_add(count.unwrap_or(1)).ok_or_else(|| too_large(at))?;
            continue;
        };
        let code = cursor.next();
        let ty = match (item, count) {
            (Item::Scalar(ty), None) => ty,
            (Item::Scalar(ty), Some(0)) => {
                // No value, but its alignment.
                end = aligned(end, &ty, is_native).ok_or_else(|| too_large(at))?;
                continue;
            }
            // Characters are values of their own, not a text.
            (Item::Scalar(ty), Some(count)) => {
                let stride = ty.size();
                Type::array_with_stride(ty, count, stride).map_err(limit)?
            }
            (Item::String(form), count) => Type::string(form, count.unwrap_or(1)).map_err(limit)?,
        };
        debug_assert!(code.is_some());
        if fields.len() == MAX_ITEMS {
            return Err(Problem::new(at, "too many items"));
        }
        let offset = aligned(end, &ty, is_native).ok_or_else(|| too_large(at))?;
        end = offset.checked_add(ty.size()).ok_or_else(|| too_large(at))?;
        fields.push(Field::new("", ty, offset));
    }
    if end == 0 && fields.is_empty() {
        return Err(cursor.expected(CODES));
    }
    if let [field] = fields.as_slice()
        && field.ty.size() == end
    {
        return Ok(field.ty.clone());
    }
    let align = if is_native { fields.iter().map(|field| field.ty.align()).max().unwrap_or(1) } else { 1 };
    let record = Record::new(RecordKind::Row, format!("struct:{}", format.trim()), fields);
    Type::record(record, end, align).map_err(|_| too_large(start))
}

fn aligned(end: u64, ty: &Type, is_native: bool) -> Option<u64> {
    if is_native { end.checked_next_multiple_of(ty.align()) } else { Some(end) }
}

enum Item {
    Scalar(Type),
    String(StringForm),
}

impl Item {
    /// Returns the item of the next code; `None` for padding.
    fn of(cursor: &Cursor<'_>, order: ByteOrder, is_native: bool) -> Result<Option<Self>> {
        let code = cursor.peek();
        let scalar = match code {
            Some('x') => return Ok(None),
            Some('s') => return Ok(Some(Self::String(StringForm::Whole))),
            Some('p') => return Ok(Some(Self::String(StringForm::Pascal))),
            Some('n' | 'N' | 'P') if !is_native => {
                return Err(cursor.problem("codes n, N and P exist only in native formats (@)"));
            }
            Some('P') => {
                return Ok(Some(Self::Scalar(Type::pointer("void", 8, order))));
            }
            Some('c') => Scalar::Char,
            Some('b') => Scalar::I8,
            Some('B') => Scalar::U8,
            Some('?') => Scalar::Bool,
            Some('h') => Scalar::I16,
            Some('H') => Scalar::U16,
            Some('l') if is_native => Scalar::I64,
            Some('L') if is_native => Scalar::U64,
            Some('i' | 'l') => Scalar::I32,
            Some('I' | 'L') => Scalar::U32,
            Some('q' | 'n') => Scalar::I64,
            Some('Q' | 'N') => Scalar::U64,
            Some('e') => Scalar::F16,
            Some('f') => Scalar::F32,
            Some('d') => Scalar::F64,
            Some('F') => Scalar::Complex64,
            Some('D') => Scalar::Complex128,
            _ => return Err(cursor.expected(CODES)),
        };
        Ok(Some(Self::Scalar(Type::scalar(scalar, order))))
    }
}

//! Formats of the buffer protocol (PEP 3118), as numpy writes and reads them: `T{<i:x:(3)d:y:}`.

use super::cursor::{Cursor, Result};
use super::record::{Layout, sub_array, too_large};
use crate::decode::{ByteOrder, Scalar, StringForm, Type};

const MAX_DEPTH: u32 = 32;

/// Parses a format that is all of the text.
pub fn parse(text: &str, base: usize) -> Result<Type> {
    let mut parser = Parser { cursor: Cursor::new(text, base), order: '@' };
    parser.cursor.expect("T{")?;
    let ty = parser.structure(0)?;
    parser.cursor.skip_spaces();
    if parser.cursor.is_at_end() { Ok(ty) } else { Err(parser.cursor.expected("the end")) }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    /// The last byte order; it also applies after the end of a struct.
    order: char,
}

impl Parser<'_> {
    /// Parses the items of a struct, after `T{`.
    fn structure(&mut self, depth: u32) -> Result<Type> {
        let start = self.cursor.place();
        if depth > MAX_DEPTH {
            return Err(self.cursor.problem(&format!("nested more than {MAX_DEPTH} levels deep")));
        }
        let mut layout = Layout::new(false);
        let mut align = 1;
        loop {
            self.cursor.skip_spaces();
            if self.cursor.take("}") {
                break;
            }
            self.item(&mut layout, &mut align, depth)?;
        }
        if self.order == '@' {
            pad_to(&mut layout, align, start)?;
        }
        Ok(layout.finish(None, start)?.with_align(align))
    }

    fn item(&mut self, layout: &mut Layout, align: &mut u64, depth: u32) -> Result<()> {
        let at = self.cursor.place();
        let shape = if self.cursor.take("(") { self.shape()? } else { vec![] };
        if let Some(order @ ('@' | '=' | '<' | '>' | '^' | '!')) = self.cursor.peek() {
            self.cursor.next();
            self.order = order;
        }
        let count = self.cursor.number()?;
        let code = self.cursor.clone();
        let (is_padding, ty, count) = if self.cursor.take("T{") {
            (false, self.structure(depth + 1)?, count)
        } else {
            let is_padding = code.peek() == Some('x');
            let (ty, count) = self.scalar(count)?;
            (is_padding, ty, count)
        };
        if self.order == '@' {
            pad_to(layout, ty.align(), at)?;
            *align = (*align).max(ty.align());
        }
        let item_align = ty.align();
        let ty = match count {
            Some(count) if count != 1 => sub_array(ty, &[count], at)?,
            _ => ty,
        };
        let ty = sub_array(ty, &shape, at)?;
        let name = if self.cursor.take(":") { Some(self.name()?) } else { None };
        match name {
            None if is_padding => layout.pad(ty.size(), at),
            name => layout.add(name.unwrap_or_else(|| format!("f{}", layout.len())), ty, None, at),
        }?;
        if self.order == '@' { pad_to(layout, item_align, at) } else { Ok(()) }
    }

    fn name(&mut self) -> Result<String> {
        let name = self.cursor.take_while(|c| c != ':').to_owned();
        self.cursor.expect(":")?;
        Ok(name)
    }

    /// Parses dimensions, after `(`.
    fn shape(&mut self) -> Result<Vec<u64>> {
        let mut shape = vec![];
        loop {
            self.cursor.skip_spaces();
            shape.push(self.cursor.number()?.ok_or_else(|| self.cursor.expected("a dimension"))?);
            self.cursor.skip_spaces();
            if self.cursor.take(")") {
                return Ok(shape);
            }
            self.cursor.expect(",")?;
        }
    }

    /// Parses a code. Of strings and padding, the count is the length.
    fn scalar(&mut self, count: Option<u64>) -> Result<(Type, Option<u64>)> {
        let at = self.cursor.place();
        let order = match self.order {
            '<' => ByteOrder::Little,
            '>' | '!' => ByteOrder::Big,
            _ => ByteOrder::native(),
        };
        let is_native = matches!(self.order, '@' | '^');
        let length = count.unwrap_or(1);
        let code = self.cursor.clone();
        let unknown = || code.expected("one of the codes x c b B ? h H i I l L q Q e f d g Z s w O, or T{");
        let string = |ty: std::result::Result<Type, _>| Ok((ty.map_err(|_| too_large(at))?, None));
        let scalar = match self.cursor.next().ok_or_else(unknown)? {
            'x' => return string(Type::bytes(length)),
            's' => return string(Type::string(StringForm::Stripped, length)),
            'w' => {
                let size = length.checked_mul(4).ok_or_else(|| too_large(at))?;
                return string(Type::string(StringForm::Utf32(order), size));
            }
            'c' => return Ok((Type::string(StringForm::Stripped, 1).map_err(|_| too_large(at))?, count)),
            'O' if is_native => return Ok((Type::pointer("PyObject", 8, order), count)),
            'Z' => match self.cursor.next().ok_or_else(unknown)? {
                'f' => Scalar::Complex64,
                'd' => Scalar::Complex128,
                'g' if is_native => {
                    let part = Type::scalar(Scalar::F80, order);
                    return Ok((Type::array(part, 2).map_err(|_| too_large(at))?, count));
                }
                _ => return Err(unknown()),
            },
            '?' => Scalar::Bool,
            'b' => Scalar::I8,
            'B' => Scalar::U8,
            'h' => Scalar::I16,
            'H' => Scalar::U16,
            'l' if is_native => Scalar::I64,
            'L' if is_native => Scalar::U64,
            'i' | 'l' => Scalar::I32,
            'I' | 'L' => Scalar::U32,
            'q' => Scalar::I64,
            'Q' => Scalar::U64,
            'e' => Scalar::F16,
            'f' => Scalar::F32,
            'd' => Scalar::F64,
            'g' if is_native => Scalar::F80,
            _ => return Err(unknown()),
        };
        Ok((Type::scalar(scalar, order), count))
    }
}

fn pad_to(layout: &mut Layout, align: u64, at: usize) -> Result<()> {
    let end = layout.end();
    let padded = end.checked_next_multiple_of(align).ok_or_else(|| too_large(at))?;
    layout.pad(padded - end, at)
}

//! Literals of Python: strings, numbers, tuples, lists and dicts. Nothing is evaluated.

use super::cursor::{Cursor, Problem, Result};

/// Levels of nesting. numpy itself gives up at 32.
const MAX_DEPTH: u32 = 32;

/// A literal and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) struct Literal {
    pub at: usize,
    pub kind: LiteralKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) enum LiteralKind {
    Text(String),
    Number(i128),
    Bool(bool),
    None,
    /// The last part of a dotted name: `float64` of `np.float64`.
    Name(String),
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

impl Literal {
    pub fn unsigned(&self, expected: &str) -> Result<u64> {
        match self.kind {
            LiteralKind::Number(number) => u64::try_from(number).ok(),
            _ => None,
        }
        .ok_or_else(|| self.expected(expected))
    }

    pub fn expected(&self, expected: &str) -> Problem {
        let found = match &self.kind {
            LiteralKind::Text(_) => "a string",
            LiteralKind::Number(_) => "a number",
            LiteralKind::Bool(_) => "a bool",
            LiteralKind::None => "None",
            LiteralKind::Name(_) => "a name",
            LiteralKind::Tuple(_) => "a tuple",
            LiteralKind::List(_) => "a list",
            LiteralKind::Dict(_) => "a dict",
        };
        Problem::new(self.at, &format!("expected {expected}, found {found}"))
    }
}

/// Parses a literal that is all of the text.
pub(in crate::decode) fn parse_literal(text: &str, base: usize) -> Result<Literal> {
    let mut cursor = Cursor::new(text, base);
    let literal = literal(&mut cursor, 0)?;
    cursor.skip_spaces();
    if cursor.is_at_end() { Ok(literal) } else { Err(cursor.expected("the end")) }
}

/// Parses the next literal.
pub(super) fn literal(cursor: &mut Cursor<'_>, depth: u32) -> Result<Literal> {
    cursor.skip_spaces();
    let at = cursor.place();
    if depth > MAX_DEPTH {
        return Err(cursor.problem(&format!("nested more than {MAX_DEPTH} levels deep")));
    }
    let kind = match cursor.peek() {
        Some('\'' | '"') => LiteralKind::Text(string(cursor)?),
        Some('[') => {
            cursor.next();
            LiteralKind::List(items(cursor, "]", depth)?.0)
        }
        Some('(') => {
            cursor.next();
            match items(cursor, ")", depth)? {
                (mut items, false) if items.len() == 1 => items.remove(0).kind,
                (items, _) => LiteralKind::Tuple(items),
            }
        }
        Some('{') => {
            cursor.next();
            LiteralKind::Dict(entries(cursor, depth)?)
        }
        Some('-' | '0'..='9') => number(cursor)?,
        Some(c) if c.is_ascii_alphabetic() || c == '_' => name(cursor)?,
        _ => return Err(cursor.expected("a string, number, tuple, list or dict")),
    };
    Ok(Literal { at, kind })
}

/// Parses items up to a bracket. The second value is set if a comma was among them.
fn items(cursor: &mut Cursor<'_>, close: &str, depth: u32) -> Result<(Vec<Literal>, bool)> {
    let (mut items, mut has_comma) = (vec![], false);
    loop {
        cursor.skip_spaces();
        if cursor.take(close) {
            return Ok((items, has_comma));
        }
        items.push(literal(cursor, depth + 1)?);
        cursor.skip_spaces();
        if cursor.take(",") {
            has_comma = true;
        } else if cursor.peek() != close.chars().next() {
            return Err(cursor.expected(&format!("',' or '{close}'")));
        }
    }
}

fn entries(cursor: &mut Cursor<'_>, depth: u32) -> Result<Vec<(Literal, Literal)>> {
    let mut entries = vec![];
    loop {
        cursor.skip_spaces();
        if cursor.take("}") {
            return Ok(entries);
        }
        let key = literal(cursor, depth + 1)?;
        cursor.skip_spaces();
        cursor.expect(":")?;
        entries.push((key, literal(cursor, depth + 1)?));
        cursor.skip_spaces();
        if !cursor.take(",") && cursor.peek() != Some('}') {
            return Err(cursor.expected("',' or '}'"));
        }
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<LiteralKind> {
    let sign = if cursor.take("-") { -1 } else { 1 };
    match cursor.number()? {
        // Python 2 wrote `L` behind numbers; .npy files have them.
        Some(number) => {
            cursor.take("L");
            Ok(LiteralKind::Number(sign * i128::from(number)))
        }
        None => Err(cursor.expected("a digit")),
    }
}

fn name(cursor: &mut Cursor<'_>) -> Result<LiteralKind> {
    let prefix = cursor.clone();
    let name = cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if matches!(cursor.peek(), Some('\'' | '"')) {
        return match name {
            "u" | "b" => string(cursor).map(LiteralKind::Text),
            _ => Err(prefix.problem("expected a string without a prefix")),
        };
    }
    Ok(match name {
        "True" => LiteralKind::Bool(true),
        "False" => LiteralKind::Bool(false),
        "None" => LiteralKind::None,
        name => LiteralKind::Name(name.rsplit('.').next().unwrap_or(name).to_owned()),
    })
}

fn string(cursor: &mut Cursor<'_>) -> Result<String> {
    let start = cursor.clone();
    let unclosed = || start.problem("the string does not end");
    let quote = cursor.next().ok_or_else(unclosed)?;
    let mut text = String::new();
    loop {
        match cursor.next().ok_or_else(unclosed)? {
            c if c == quote => return Ok(text),
            '\\' => text.push(escaped(cursor)?),
            c => text.push(c),
        }
    }
}

fn escaped(cursor: &mut Cursor<'_>) -> Result<char> {
    let place = cursor.clone();
    let wrong = || place.problem("unknown escape in a string");
    let digits = match cursor.next().ok_or_else(wrong)? {
        'n' => return Ok('\n'),
        't' => return Ok('\t'),
        'r' => return Ok('\r'),
        '0' => return Ok('\0'),
        c @ ('\'' | '"' | '\\') => return Ok(c),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return Err(wrong()),
    };
    let mut code = 0;
    for _ in 0..digits {
        let digit = cursor.next().and_then(|c| c.to_digit(16)).ok_or_else(wrong)?;
        code = code << 4 | digit;
    }
    char::from_u32(code).ok_or_else(wrong)
}

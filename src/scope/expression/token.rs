//! The words of an expression.

use super::arithmetic::OPERATORS;
use super::error::SyntaxError;
use crate::segment::quote;

/// A word and its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'t> {
    /// In characters, from 1.
    pub column: usize,
    pub kind: TokenKind<'t>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind<'t> {
    /// Starts with a digit. May be a duration.
    Number(&'t str),
    /// A name that needs no braces.
    Name(&'t str),
    /// The text between braces.
    Braced(&'t str),
    Operator(&'static str),
    Open,
    Close,
    Comma,
}

impl TokenKind<'_> {
    /// The word as in the text, for messages.
    pub fn shown(&self) -> String {
        match self {
            Self::Number(text) | Self::Name(text) => format!("'{}'", quote(text.as_bytes())),
            Self::Braced(text) => format!("'{{{}}}'", quote(text.as_bytes())),
            Self::Operator(text) => format!("'{text}'"),
            Self::Open => "'('".to_owned(),
            Self::Close => "')'".to_owned(),
            Self::Comma => "','".to_owned(),
        }
    }
}

/// Splits an expression into words.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut tokens = vec![];
    let (mut rest, mut column) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else {
            let (kind, length) = token(rest).map_err(|problem| SyntaxError { column, problem })?;
            tokens.push(Token { column, kind });
            length
        };
        column += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// Returns the first word and its length.
fn token(text: &str) -> Result<(TokenKind<'_>, usize), String> {
    let first = text.chars().next().unwrap_or_default();
    match first {
        '(' => return Ok((TokenKind::Open, 1)),
        ')' => return Ok((TokenKind::Close, 1)),
        ',' => return Ok((TokenKind::Comma, 1)),
        '{' => {
            let inside = text[1..].split_once('}').map(|(inside, _)| inside);
            let inside = inside.ok_or("'{' without '}'")?;
            return Ok((TokenKind::Braced(inside), inside.len() + 2));
        }
        _ => {}
    }
    if first.is_ascii_digit() || first == '.' {
        let number = &text[..number_length(text)];
        return Ok((TokenKind::Number(number), number.len()));
    }
    if let Some(length) = name_length(text) {
        return Ok((TokenKind::Name(&text[..length]), length));
    }
    match OPERATORS.iter().find(|operator| text.starts_with(**operator)) {
        Some(operator) => Ok((TokenKind::Operator(operator), operator.len())),
        None if "&|^!~".contains(first) => {
            Err(format!("no operator '{first}'; the operators are {}", OPERATORS.join(" ")))
        }
        None => Err(format!(
            "unexpected '{}'. Put a name with such characters in braces, as in {{/telemetry:v}}",
            quote(first.encode_utf8(&mut [0; 4]).as_bytes())
        )),
    }
}

/// The length of `12`, `0x1f`, `1.5e-3` or `500ms` at the start of the text.
fn number_length(text: &str) -> usize {
    let is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let is_sign = !is_hexadecimal && matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
        if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || is_sign) {
            return at;
        }
        before = c;
    }
    text.len()
}

/// The length of a name at the start of the text: letters, digits and `_`, and paths of them such as
/// `pose.x` and `gain[1][2]`.
pub fn name_length(text: &str) -> Option<usize> {
    let is_first = |c: char| c.is_alphabetic() || c == '_';
    if !text.starts_with(is_first) {
        return None;
    }
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        end += word;
        while let Some(index) = index_length(&text[end..]) {
            end += index;
        }
        match text[end..].strip_prefix('.') {
            Some(next) if next.starts_with(is_first) => end += 1,
            _ => return Some(end),
        }
    }
}

/// The length of an index such as `[12]` at the start of the text.
fn index_length(text: &str) -> Option<usize> {
    let (digits, _) = text.strip_prefix('[')?.split_once(']')?;
    let is_index = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_index.then_some(digits.len() + 2)
}

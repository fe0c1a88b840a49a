//! A position in text, and problems at one.

use crate::segment::quote;

/// A problem at a byte of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) struct Problem {
    pub at: usize,
    pub text: String,
}

pub(in crate::decode) type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    pub fn new(at: usize, text: &str) -> Self {
        Self { at, text: text.to_owned() }
    }
}

/// Text and the position in it. `base` is the position of the text in a longer one, for problems.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    base: usize,
}

impl<'a> Cursor<'a> {
    pub const fn new(text: &'a str, base: usize) -> Self {
        Self { text, at: 0, base }
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The position in the longer text.
    pub const fn place(&self) -> usize {
        self.base + self.at
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub fn skip_spaces(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    /// Takes a string if it is next.
    pub fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    pub fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !accepts(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub fn expect(&mut self, expected: &str) -> Result<()> {
        if self.take(expected) { Ok(()) } else { Err(self.expected(&format!("'{expected}'"))) }
    }

    /// Parses a number; `None` without digits.
    pub fn number(&mut self) -> Result<Option<u64>> {
        let at = self.place();
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().map(Some).map_err(|_| Problem::new(at, "number too large for any segment"))
    }

    /// The problem that something else is next.
    pub fn expected(&self, expected: &str) -> Problem {
        let found = match self.peek() {
            Some(found) => format!("'{}'", quote(found.to_string().as_bytes())),
            None => "the end".to_owned(),
        };
        self.problem(&format!("expected {expected}, found {found}"))
    }

    pub fn problem(&self, text: &str) -> Problem {
        Problem::new(self.place(), text)
    }
}

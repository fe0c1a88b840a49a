//! The line at the foot that asks for one text.

use crate::app::text_field::TextField;

/// A line to type in.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// Its subject.
    pub asks: Asks,
    /// The typed text.
    pub input: TextField,
    /// The reason why the answer was not taken.
    pub error: Option<String>,
}

/// The subject of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A filter for the table; it works as it is typed.
    Filter,
    /// Text to search for.
    Text,
    /// Bytes to search for.
    Hex,
    /// A value to search for.
    Value,
    /// An offset to go to.
    Offset,
}

impl Asks {
    /// The label before the line, and an example, shown while it is empty.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Filter => ("/", "kind=sysv  size>10M  owner=ann  name~^/psm  word  !negated"),
            Self::Text => ("search text:", "hello, or \\x00 for a byte"),
            Self::Hex => ("search hex:", "de ad ?? ef"),
            Self::Value => ("search value:", "f64:3.5  u32:42  i16be:-1"),
            Self::Offset => ("go to:", "4096  0x1000  +16  -1K  end"),
        }
    }
}

impl Prompt {
    /// An empty line.
    #[must_use]
    pub fn new(asks: Asks) -> Self {
        Self { asks, input: TextField::default(), error: None }
    }
}

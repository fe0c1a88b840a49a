//! Errors in declarations.

use std::fmt;
use std::sync::Arc;

/// An error in a declaration, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclarationError {
    /// `None` for text that was typed.
    pub file: Option<Arc<str>>,
    /// Counted from 1; 0 for all of the text.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    pub message: String,
}

impl fmt::Display for DeclarationError {
    /// Writes `file.h:3:14: …`, or `line 3, column 14: …` for typed text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) if self.line == 0 => write!(f, "{file}: ")?,
            None if self.line == 0 => {}
            Some(file) => write!(f, "{file}:{}:{}: ", self.line, self.column)?,
            None => write!(f, "line {}, column {}: ", self.line, self.column)?,
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeclarationError {}

//! Types as Python programs write them: formats of the `struct` module, numpy dtypes, and buffer
//! formats (PEP 3118).
//!
//! The text may come from anybody: its length and nesting are bounded, and nothing is evaluated.

mod cursor;
mod dtype;
mod fields;
mod literal;
mod pep3118;
mod record;
mod struct_format;

pub(in crate::decode) use dtype::dtype_of;
pub(in crate::decode) use literal::{Literal, LiteralKind, parse_literal};

use super::Type;
use super::types::parse_scalar;
use crate::segment::quote;
use cursor::Problem;

/// In bytes. Real types are far shorter.
const MAX_TEXT: usize = 1 << 20;
const STRUCT: &str = "struct:";
const DTYPE: &str = "dtype:";

/// A type that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid type, column {column}: {problem}")]
pub struct PythonTypeError {
    /// The column of the problem in characters, from 1.
    pub column: usize,
    /// The problem, and what was expected. Safe to print.
    pub problem: String,
}

impl PythonTypeError {
    fn new(text: &str, problem: &Problem) -> Self {
        let before = text.get(..problem.at).unwrap_or(text);
        Self { column: before.chars().count() + 1, problem: problem.text.clone() }
    }

    /// Describes the problem, for messages that already quote the text.
    #[must_use]
    pub fn expected(&self) -> String {
        format!("column {}: {}", self.column, self.problem)
    }
}

/// Parses a type that only Python writes: `struct:<iqd`, `dtype:i4,f8`, `<f8`, `(2,3)f4`,
/// `[('a', '<i4')]`, `{'names': …}`, `dtype(…)`, `T{<i:x:}`. `None` for other text.
#[must_use]
pub fn parse_marked(text: &str) -> Option<Result<Type, PythonTypeError>> {
    let trimmed = text.trim_start();
    let start = text.len() - trimmed.len();
    let rest = |prefix: &str| trimmed.strip_prefix(prefix).map(|rest| (rest, start + prefix.len()));
    let is_call = ["dtype(", "np.dtype(", "numpy.dtype("].iter().any(|call| trimmed.starts_with(call));
    let parsed = if trimmed.len() > MAX_TEXT {
        Err(Problem::new(start, "too long"))
    } else if let Some((format, at)) = rest(STRUCT).filter(|(format, _)| !format.contains('{')) {
        struct_format::parse(format, at)
    } else if let Some((dtype, at)) = rest(DTYPE) {
        dtype::parse(dtype, at)
    } else if trimmed.starts_with("T{") {
        pep3118::parse(trimmed, start)
    } else if is_call
        || trimmed.starts_with(['<', '>', '=', '|', '(', '{'])
        // Attributes of C start with two brackets.
        || trimmed.starts_with('[') && !trimmed.starts_with("[[")
    {
        dtype::parse(trimmed, start)
    } else {
        return None;
    };
    Some(parsed.map_err(|problem| PythonTypeError::new(text, &problem)))
}

/// Parses a dtype without a mark: `i4,f8`, `S8`, `M8[ns]`, `float64`. `None` for text that is none.
/// Text that has another meaning as a type of shmlens is an error.
#[must_use]
pub fn parse_bare(text: &str) -> Option<Result<Type, PythonTypeError>> {
    let ty = (text.len() <= MAX_TEXT).then(|| dtype::parse(text, 0).ok())??;
    let mut at = 0;
    for word in text.split(',') {
        let name = word.trim();
        if let Some((scalar, _)) = parse_scalar(name) {
            let problem = format!(
                "'{}' takes {} here, and may take more in numpy. Write {DTYPE}{} for a dtype",
                quote(name.as_bytes()),
                if scalar.size() == 1 { "1 byte".to_owned() } else { format!("{} bytes", scalar.size()) },
                quote(text.trim().as_bytes()),
            );
            return Some(Err(PythonTypeError::new(text, &Problem::new(at, &problem))));
        }
        at += word.len() + 1;
    }
    Some(Ok(ty))
}

#[cfg(test)]
mod tests;
